"""/proc/virtual, vserver-info and vcontext: what contexts look like from outside, and to whom."""

import pytest
from mistakes import host, said, typed

from simulator.experiment.engine.session import SimSession
from simulator.machine.abi.call import Call, Returned, Silent
from simulator.machine.abi.constants import O_RDONLY


@pytest.fixture
def vs() -> SimSession:
    return host("vserver")


def test_the_host_finds_its_contexts_in_proc_and_a_guest_does_not(vs: SimSession) -> None:
    assert said(vs, "ls /proc/virtual") == "101\n102\ninfo\nstatus\n"
    assert typed(vs, "ls /proc/virtual", "guest") == (
        1,
        "ls: /proc/virtual: No such file or directory\n",
    )
    assert said(vs, "chcontext --silent --ctx 1 ls /proc/virtual") == "101\n102\ninfo\nstatus\n"
    assert said(vs, "cat /proc/virtual/info") == (
        "VCIVersion:\t0002:0303\nVCISyscall:\t236\nVCIKernel:\t13000f11\n"
    )
    assert said(vs, "cat /proc/virtual/status").startswith("#CTotal:\t2\n#CActive:\t2\n")
    assert typed(vs, "ls /proc/virtual/300")[0] == 1


def test_what_vprocunhide_would_show_tells_a_guest_of_the_others(vs: SimSession) -> None:
    said(vs, "setattr --~hide /proc/virtual")
    assert said(vs, "cat /proc/virtual/102/info", "guest").startswith("ID:\t102\n")
    opened = vs.call("guest", Call("open", ("/proc/virtual/102/info", O_RDONLY)))
    assert isinstance(opened, Returned)
    vs.call("guest", Call("read", (opened.value, 100)))
    assert [(one.kind, one.owner) for one in vs.extra().crossings] == [("process", "neighbour")]


def test_nobody_writes_to_them(vs: SimSession) -> None:
    status, output = typed(vs, "echo 1 > /proc/virtual/101/limit")
    assert status == 1
    assert "Permission denied" in output


def test_flags_and_rights_are_told_as_bits(vs: SimSession) -> None:
    said(vs, "vattribute --xid 101 --set --bcap NET_RAW --ccap secure_mount --flag virt_mem")
    assert said(vs, "cat /proc/virtual/101/status") == (
        "UseCnt:\t1\nTasks:\t1\nFlags:\t0000001600030010\nBCaps:\t00000000b44c24ff\n"
        "CCaps:\t0000000000014101\nSpaces:\t0c020200 00000000\n"
    )


def test_limits_are_told_with_their_use(vs: SimSession) -> None:
    said(vs, "vlimit --xid 101 --nproc 20; vserver guest exec sh -c 'sleep 100 &'")
    lines = said(vs, "cat /proc/virtual/101/limit").splitlines()
    assert lines[0] == "Limit\t current\t     min/max\t\t    soft/hard\t\thits"
    assert lines[1] == "PROC:\t       2\t       0/       2\t      20/      20\t     0"
    assert lines[2].endswith("\t      -1/      -1\t     0")
    assert [line.partition(":")[0] for line in lines[4:8]] == ["RSS", "ANON", "RMAP", "FILES"]
    assert len(lines) == 16


def test_processor_time_and_load_are_told(vs: SimSession) -> None:
    began = said(vs, "grep BiasUptime /proc/virtual/101/cvirt")
    assert began == "BiasUptime:\t3600.00\n"
    said(vs, "vserver guest exec sh -c 'stress -c 1 -t 2 & sleep 1'")
    sched = said(vs, "cat /proc/virtual/101/sched").splitlines()
    assert sched[:3] == ["FillRate:\t       1,1", "Interval:\t       4,8", "TokensMin:\t      15"]
    assert int(sched[-2].split()[2]) > 0
    assert "nr_threads:\t1" not in said(vs, "cat /proc/virtual/101/cvirt")


def test_what_is_not_counted_is_beyond_the_model(vs: SimSession) -> None:
    result = vs.shell("host", "cat /proc/virtual/101/cacct")
    assert isinstance(result, Silent)
    assert "the account of a context's sockets" in result.note


@pytest.mark.parametrize(
    ("words", "status", "output"),
    [
        ("guest CONTEXT", 0, "101\n"),
        ("guest RUNNING", 0, "1\n"),
        ("nope RUNNING", 1, ""),
        ("guest VDIR", 0, "/srv/guest\n"),
        ("guest CFGDIR", 0, "/etc/vservers/guest\n"),
        ("guest APPDIR init", 0, "/etc/vservers/guest/apps/init\n"),
        ("guest APPDIR none", 1, ""),
        ("102 ID", 0, "neighbour\n"),
        ("0 XIDTYPE", 0, "main\n"),
        ("1 XIDTYPE", 0, "watch\n"),
        ("guest XIDTYPE", 0, "static\n"),
        ("70000 XIDTYPE", 0, "invalid\n"),
        ("101 XIDTYPE main watch", 1, ""),
        ("- APIVER", 0, "0x00020303\n"),
        ("- FEATURE vnet", 0, ""),
        ("- FEATURE pivot_root", 1, ""),
        ("- FEATURE spaces", 0, ""),
        ("- FEATURE dynamic", 1, ""),
        ("../guest CANONIFY", 0, "guest\n"),
        ("- VERIFYCAP", 0, ""),
        ("- VERIFYPROC", 0, ""),
        ("101 UTS nodename", 0, "guest.vitrina.example\n"),
        ("101 UTS color", 1, "Unknown UTS tag\n"),
        ("1 PXID", 1, ""),
        ("1 TAG", 1, "vc_get_task_tag(): Function not implemented\n"),
        ("99999 XID", 1, "vc_get_task_xid(): No such process\n"),
        ("400 INITPID", 1, "vc_get_vx_info(): No such process\n"),
        ("guest NOPE", 1, "Unknown tag; use '-l' to get list of valid tags\n"),
        ("-q guest CONTEXT", 0, ""),
    ],
)
def test_vserver_info_answers(vs: SimSession, words: str, status: int, output: str) -> None:
    assert typed(vs, f"vserver-info {words}") == (status, output)


def test_without_a_tag_the_machine_is_told_of(vs: SimSession) -> None:
    told = said(vs, "vserver-info")
    assert "                   Kernel: 2.6.27.10-vs2.3.0.36.4\n" in told
    assert "                      VCI: 0x0000000013000f11\n" in told
    assert "Assumed 'SYSINFO' as no other option given" in told


@pytest.mark.parametrize(
    ("words", "status", "output"),
    [
        ("--create --xid 101 true", 254, "vcontext: vc_ctx_create(): File exists\n"),
        ("--create --silentexist --xid 101 true", 254, ""),
        ("--create true", 255, "vcontext: vc_ctx_create(): Invalid argument\n"),
        ("--migrate --xid 300 true", 255, "vcontext: vc_ctx_migrate(): No such process\n"),
        ("--migrate true", 255, "vcontext: Can not migrate to an unknown context\n"),
        (
            "--xid 300 true",
            255,
            "Neither '--create' nor '--migrate' specified; try '--help' for more information\n",
        ),
        (
            "--create --migrate true",
            255,
            "Can not specify '--create' and '--migrate' at the same time; try '--help' for more"
            " information\n",
        ),
        (
            "--create --initpid --xid 300 true",
            255,
            "'--initpid' is possible in combination with '--migrate' only\n",
        ),
        ("--migrate --xid 101", 255, "No command given; use '--help' for more information.\n"),
        (
            "--migrate --xid nope true",
            255,
            'vcontext: vc_xidopt2xid("nope"): No such file or directory\n',
        ),
        ("--migrate --xid 101 --uid joe true", 255, "vcontext: Uid 'joe' is not a number\n"),
        (
            "--create --silent --xid 300 nosuch",
            255,
            'vcontext: execvp("nosuch"): No such file or directory\n',
        ),
        (
            "--create --xid 300 --vlogin sh",
            255,
            "vcontext: --vlogin: the simulated kernel lacks this parameter\n",
        ),
        (
            "--bogus",
            255,
            "vcontext: unrecognized option '--bogus'\n"
            "Try 'vcontext --help' for more information.\n",
        ),
    ],
)
def test_vcontext_refuses(vs: SimSession, words: str, status: int, output: str) -> None:
    assert typed(vs, f"vcontext {words}") == (status, output)


def test_vcontext_makes_a_context_and_migrates_into_one(vs: SimSession) -> None:
    made = said(vs, "vcontext --create --xid 300 -- grep VxID /proc/self/status")
    assert made == "New security context is 300\nVxID: 300\n"
    assert (
        said(vs, "vcontext --migrate --xid guest -- grep VxID /proc/self/status") == "VxID: 101\n"
    )
    assert said(vs, "vcontext --migrate --xid 101 --uid 1000 -- id -u") == "1000\n"
    assert typed(vs, "vcontext --migrate --xid 101 -- sh -c 'exit 7'")[0] == 7


def test_what_was_disconnected_goes_on_in_its_context(vs: SimSession) -> None:
    said(vs, "vcontext --create --silent --disconnect --xid 302 -- sleep 100; sleep 1")
    assert said(vs, "vserver-info 302 RUNNING") == "1\n"
    assert "state_setup" in said(vs, "vattribute --xid 302 --get")
    said(vs, "vcontext --migrate --xid 302 --endsetup true")
    assert "state_setup" not in said(vs, "vattribute --xid 302 --get")


def test_the_kernel_of_2_4_has_no_such_call() -> None:
    old = host("vserver@2.4")
    assert typed(old, "vserver-info 1 XID")[1] == "vc_get_task_xid(): Function not implemented\n"


def test_a_process_tells_of_its_context_to_whoever_sees_it() -> None:
    session = host("vserver")
    assert said(session, "cat /proc/self/vinfo /proc/self/ninfo") == "XID:\t0\nNID:\t0\n"
    lines = said(session, "cat /proc/self/vinfo", "guest").splitlines()
    assert [line.split(":\t")[0] for line in lines] == [
        *("XID", "BCaps", "CCaps", "CFlags", "CIPid"),
    ]
    assert lines[0] == "XID:\t101"
    # The same bits as /proc/virtual gives.
    status = said(session, "cat /proc/virtual/101/status")
    for line in lines[1:4]:
        assert line.removeprefix("C") in status or line in status
    # Whoever watches all contexts finds it on any process.
    assert "XID:\t101" in said(session, "chcontext --xid 1 sh -c 'cat /proc/*/vinfo 2>/dev/null'")


def test_a_flag_of_the_context_hides_what_its_processes_tell() -> None:
    session = host("vserver flags=hide_vinfo")
    status, text = typed(session, "cat /proc/self/vinfo", "guest")
    assert (status, "No such file" in text) == (1, True)
    assert said(session, "cat /proc/self/vinfo") == "XID:\t0\n"

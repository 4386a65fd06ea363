"""lxc-wait, lxc-autostart, lxc-stop, lxc-config and lxc-info: states, order, settings, traffic."""

import pytest
from mistakes import host, said, typed

from simulator.experiment.engine.session import SimSession
from simulator.machine.abi.call import Call, Returned
from simulator.machine.abi.constants import AF_INET, SOCK_DGRAM


@pytest.fixture
def lxc() -> SimSession:
    return host("lxc")


def clock(session: SimSession) -> int:
    """Seconds since the epoch on the simulated machine."""
    return int(said(session, "date +%s"))


def test_who_is_in_a_state_already_is_not_waited_for(lxc: SimSession) -> None:
    before = clock(lxc)
    assert said(lxc, "lxc-wait -n guest -s 'STOPPED|RUNNING'") == ""
    assert said(lxc, "lxc-wait -n nope -s STOPPED") == ""
    assert clock(lxc) == before


def socket(session: SimSession, actor: str) -> int:
    """A descriptor of a datagram socket."""
    made = session.call(actor, Call("socket", (AF_INET, SOCK_DGRAM, 0)))
    assert isinstance(made, Returned)
    return made.value


@pytest.mark.parametrize(
    ("change", "state", "status"),
    [
        ("lxc-freeze guest", "FROZEN", 0),
        ("lxc-freeze guest", "FREEZING", 0),
        ("lxc-stop -k guest", "STOPPED", 0),
        ("lxc-stop -k guest", "STOPPING", 0),
        ("lxc-stop -k guest", "FROZEN", 1),
        ("lxc-freeze guest; sleep 1; lxc-unfreeze guest", "THAWED", 0),
    ],
)
def test_a_change_is_noticed(lxc: SimSession, change: str, state: str, status: int) -> None:
    before = clock(lxc)
    answered, output = typed(lxc, f"(sleep 2; {change}) & lxc-wait -n guest -s {state}")
    assert (answered, output) == (status, "")
    assert 2 <= clock(lxc) - before <= 4


def test_a_wait_that_takes_too_long_ends(lxc: SimSession) -> None:
    why = "Resource temporarily unavailable"
    assert typed(lxc, "lxc-wait -n guest -s FROZEN -t 3") == (
        1,
        "lxc-wait: guest: ../src/lxc/commands_utils.c: lxc_cmd_sock_rcv_state: 49"
        f" {why} - Failed to receive message\n"
        f"lxc-wait: guest: ../src/lxc/state.c: lxc_wait: 105 {why} - Failed to receive state"
        " from monitor\n",
    )
    before = clock(lxc)
    assert typed(lxc, "lxc-wait -n nope -s RUNNING -t 3") == (1, "")
    assert clock(lxc) - before == 2
    assert typed(lxc, "lxc-wait -n nope -s RUNNING -t none") == (1, "")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("lxc-wait -n guest", "lxc-wait: could not parse command line\n"),
        (
            "lxc-wait -n guest -s 'RUNNING|AWAKE'",
            "lxc-wait: guest: ../src/lxc/state.c: lxc_str2state: 51 invalid state 'AWAKE'\n",
        ),
        ("lxc-stop -k -r guest", "main: 128 -k can't be used with -r"),
        ("lxc-stop -k -t 3 guest", "main: 133 -k doesn't allow timeouts"),
        ("lxc-stop -t -2 guest", "main: 118 Invalid timeout"),
        ("lxc-autostart -t soon", "lxc-autostart: could not parse command line\n"),
        ("lxc-config nope", "Unknown configuration item: nope\n"),
    ],
)
def test_what_can_t_be_read_is_refused(lxc: SimSession, line: str, text: str) -> None:
    status, output = typed(lxc, line)
    assert status == 1
    assert text in output


@pytest.fixture
def four(lxc: SimSession) -> SimSession:
    """A host with containers a, b, c and d that start by themselves; b is in two groups."""
    for name in "abcd":
        said(lxc, f"lxc-create -n {name} -t busybox")
        said(lxc, f"echo lxc.start.auto = 1 >> /var/lib/lxc/{name}/config")
    said(lxc, "echo lxc.start.order = -1 >> /var/lib/lxc/c/config")
    said(lxc, "echo lxc.start.delay = 5 >> /var/lib/lxc/a/config")
    said(lxc, "echo lxc.group = onboot web >> /var/lib/lxc/b/config")
    return lxc


@pytest.mark.parametrize(
    ("options", "listed"),
    [
        ("", "c 0\na 5\nd 0\n"),
        ("-a", "c 0\na 5\nb 0\nd 0\n"),
        ("-g web", "b 0\n"),
        ("-g onboot,", "b 0\nc 0\na 5\nd 0\n"),
        # Once there is the empty group, any other counts as a double (strncmp of no letters).
        ("-g ,onboot", "c 0\na 5\nd 0\n"),
        ("-g website", "b 0\n"),
        ("-s", ""),
        ("-A", "c 0\na 5\nd 0\n"),
    ],
)
def test_who_would_start_and_in_which_order(four: SimSession, options: str, listed: str) -> None:
    assert said(four, f"lxc-autostart -L {options}") == listed


def test_containers_start_with_their_delay_and_stop_the_other_way_round(four: SimSession) -> None:
    before = clock(four)
    said(four, "lxc-autostart --all")
    assert clock(four) - before == 5
    assert said(four, "lxc-ls -1 --running") == "a\nb\nc\nd\nguest\nneighbour\n"
    assert said(four, "lxc-autostart -k -L -a") == "d\nb\na\nc\n"
    first = said(four, "lxc-info -p -H d")
    said(four, "lxc-autostart -r -g ''")
    assert said(four, "lxc-info -p -H d") != first
    said(four, "lxc-autostart -s -a")
    assert said(four, "lxc-ls -1 --running") == "guest\nneighbour\n"
    said(four, "lxc-autostart -k -A")
    assert said(four, "lxc-ls -1 --running") == ""


def test_some_that_fail_are_2_and_all_of_them_are_1(four: SimSession) -> None:
    said(four, "echo lxc.rootfs.path = dir:/nope >> /var/lib/lxc/c/config")
    status, output = typed(four, "lxc-autostart")
    assert status == 2
    assert output.endswith(
        "lxc-autostart: ../src/lxc/tools/lxc_autostart.c: lxc_autostart_main: 471 Error starting"
        " container: c\n"
    )
    said(four, "mkdir /srv/few; lxc-create -P /srv/few -n x -t busybox")
    said(four, "echo lxc.start.auto = 1 >> /srv/few/x/config; rm -r /srv/few/x/rootfs")
    assert typed(four, "lxc-autostart -P /srv/few")[0] == 1


def test_an_init_that_does_not_listen_is_killed_when_the_time_is_over(lxc: SimSession) -> None:
    before = clock(lxc)
    assert typed(lxc, "lxc-stop -t 3 --nokill guest") == (1, "")
    assert clock(lxc) - before == 3
    assert said(lxc, "lxc-stop -W guest; lxc-info -s guest") == "State:          RUNNING\n"
    said(lxc, "lxc-stop guest")
    assert clock(lxc) - before == 63
    assert said(lxc, "lxc-info -s guest") == "State:          STOPPED\n"


def test_settings_of_the_machine_come_from_its_file(lxc: SimSession) -> None:
    assert said(lxc, "lxc-config") == (
        "Usage: lxc-config -l: list all available configuration items\n"
        "       lxc-config item: print configuration item\n"
    )
    assert said(lxc, "lxc-config -l").splitlines()[:2] == ["lxc.default_config", "lxc.lxcpath"]
    assert said(lxc, "lxc-config lxc.lxcpath; lxc-config lxc.bdev") == "/var/lib/lxc\nlxc\n"
    assert said(lxc, "lxc-config lxc.cgroup.use") == "lxc.cgroup.use is not set.\n"
    said(lxc, "echo 'lxc.lxcpath = /srv/lxc/' > /etc/lxc/lxc.conf")
    assert said(lxc, "lxc-config lxc.lxcpath; lxc-ls") == "/srv/lxc\n"
    own = said(lxc, "su user -c 'lxc-config lxc.lxcpath; lxc-config lxc.def'")
    assert own == "/home/user/.local/share/lxc\n/home/user/.config/lxc/default.conf\n"


def test_what_went_over_the_cable_is_told_from_the_container_s_side(lxc: SimSession) -> None:
    heard = socket(lxc, "guest")
    lxc.call("guest", Call("bind", (heard, ("10.0.3.2", 9))))
    sent = Call("sendto", (socket(lxc, "host"), b"x" * 2000, 2000, 0, ("10.0.3.2", 9)))
    assert isinstance(lxc.call("host", sent), Returned)
    assert said(lxc, "lxc-info -S guest").splitlines()[3:] == [
        "Link:           veth1",
        " TX bytes:      0 bytes",
        " RX bytes:      2.04 KiB",
        " Total bytes:   2.04 KiB",
    ]
    assert said(lxc, "cat /sys/class/net/veth1/statistics/tx_bytes") == "2084\n"
    assert said(lxc, "lxc-info -S -H guest").splitlines()[-1] == " Total bytes:   2084"


def test_who_has_the_host_s_network_has_no_cable() -> None:
    shared = host("lxc lxc.net.0.type=none")
    assert "Link" not in said(shared, "lxc-info -S guest")


def test_what_a_key_holds_is_told_when_nobody_set_it(lxc: SimSession) -> None:
    assert said(lxc, "lxc-info guest -c lxc.start.auto -c lxc.group") == (
        "lxc.start.auto = 0\nlxc.group =\n"
    )
    assert typed(lxc, "lxc-info -H guest -c lxc.net.0.link") == (0, "lxcbr0\n")
    assert typed(lxc, "lxc-info guest -c lxc.nope") == (0, "lxc.nope invalid\n")

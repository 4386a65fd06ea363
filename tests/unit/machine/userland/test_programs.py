"""Programs that depend on the machine: processes, mounts, namespaces, network, settings."""

import pytest
from scene import line, machine, output

SU = 'su user -c "{}"'


def test_ps_shows_the_processes_of_its_own_pid_namespace() -> None:
    assert output("ps") == (
        "PID   USER     COMMAND\n    1 root     /sbin/init\n    2 root     {ps} sh -c ps\n"
    )
    inside = output("unshare -p -f --mount-proc ps -o pid,comm")
    assert inside == "PID   COMMAND\n    1 ps\n"


def test_without_procfs_ps_shows_nothing() -> None:
    assert output("ps", machine(proc=False)) == "PID   USER     COMMAND\n"


def test_a_mount_in_a_new_namespace_is_seen_only_there() -> None:
    text = output("unshare -m sh -c 'mount -t tmpfs x /mnt; mount | grep -c /mnt'; mount")
    assert text.splitlines()[0] == "1"
    assert "/mnt" not in "\n".join(text.splitlines()[1:])


def test_a_hostname_set_in_a_new_uts_namespace_stays_there() -> None:
    assert output("unshare -u sh -c 'hostname inner; hostname'; hostname") == (
        "inner\nvitrina-host\n"
    )


def test_a_user_may_not_mount_and_is_told_as_busybox_does() -> None:
    result = line(machine(), SU.format("mount -t tmpfs x /mnt"))
    assert (result.status, result.output) == (
        1,
        b"mount: permission denied (are you root?)\n",
    )


def test_ip_shows_the_interfaces_of_its_own_network_namespace() -> None:
    assert "inet 192.0.2.2/24 brd 192.0.2.255 scope global eth0" in output("ip addr")
    assert output("unshare -n ip link") == (
        "1: lo: <LOOPBACK> mtu 65536 qdisc noop qlen 1000\n"
        "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n"
    )


def test_ip_finds_interfaces_without_procfs() -> None:
    assert "2: eth0:" in output("ip link", machine(proc=False))


def test_ipcs_shows_the_objects_of_its_own_ipc_namespace() -> None:
    kernel = machine()
    assert output("ipcmk -M 4096", kernel) == "Shared memory id: 0\n"
    assert "4096" in output("ipcs -m", kernel)
    assert "4096" not in output("unshare -i ipcs -m", kernel)


def test_sysctl_reads_and_writes_what_proc_sys_holds() -> None:
    kernel = machine()
    assert output("sysctl -w kernel.hostname=other; hostname", kernel) == (
        "kernel.hostname = other\nother\n"
    )
    result = line(kernel, "sysctl kernel.nosuch")
    assert (result.status, result.output) == (
        1,
        b"sysctl: error: 'kernel.nosuch' is an unknown key\n",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cat /proc/1/environ", "cat: can't open '/proc/1/environ': Permission denied\n"),
        ("kill -9 1", "sh: can't kill pid 1: Operation not permitted\n"),
        ("cat /etc/shadow", "cat: can't open '/etc/shadow': Permission denied\n"),
        ("chroot / /bin/true", "chroot: can't change root directory to '/': "
                               "Operation not permitted\n"),
        ("hostname x", "hostname: sethostname: Operation not permitted\n"),
    ],
)  # fmt: skip
def test_a_user_is_refused_what_is_root_s(text: str, expected: str) -> None:
    assert output(SU.format(text)) == expected


def test_nsenter_joins_the_namespace_of_another_process() -> None:
    kernel = machine()
    assert output("unshare -u sh -c 'hostname inner; sleep 1000 & true'", kernel) == ""
    pid = output("pgrep sleep", kernel).strip()
    assert output(f"nsenter -t {pid} -u hostname", kernel) == "inner\n"


def test_a_list_of_a_directory_shows_types_owners_and_targets() -> None:
    text = output("ln -s /etc /tmp/l; mkfifo /tmp/p; ls -l /tmp; ls -l /dev/null")
    assert text.splitlines()[1].startswith("lrwxrwxrwx    1 root     root             4 ")
    assert text.splitlines()[1].endswith(" l -> /etc")
    assert text.splitlines()[2].startswith("prw-r--r--    1 root     root             0 ")
    assert text.splitlines()[3].startswith("crw-rw-rw-    1 root     root        1,   3 ")


def test_grep_r_follows_no_link_below_what_was_named_and_ends_at_empty_directories():
    made = (
        "mkdir -p /tmp/g/empty; echo needle > /tmp/g/f; ln -s . /tmp/g/round; ln -s /tmp/g /tmp/h"
    )
    assert output(f"{made}; grep -rl needle /tmp/h").split() == ["/tmp/h/f"]


def test_help_alone_is_how_a_program_is_called_and_no_failure() -> None:
    shown = line(machine(), "chroot --help")
    assert (shown.status, shown.output.splitlines()[-1]) == (
        0,
        b"Usage: chroot NEWROOT [PROG ARGS]",
    )
    assert line(machine(), "ls --help --all").status == 1
    literal = line(machine(), "/bin/echo --help; /bin/test --help && /bin/true --help")
    assert (literal.status, literal.output) == (0, b"--help\n")

"""Prisons: who makes them, what they hand out, what root in one may do. sys/kern/kern_jail.c."""

from typing import Any

import pytest

from simulator.machine.abi.call import Silent
from simulator.machine.abi.constants import (
    AF_INET,
    AF_INET6,
    JAIL_ATTACH,
    JAIL_CREATE,
    JAIL_UPDATE,
    O_RDONLY,
    O_WRONLY,
    S_IFBLK,
    SIGKILL,
    SIOCGIFADDR,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
)
from simulator.machine.abi.ids import HOST, KERNEL, Pid
from simulator.machine.families.freebsd import FREEBSD
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.net import interface as links
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.vfs import tree
from tests.unit.machine.bare import Machine

ADDRESS = "192.0.2.21"
IPC_CREAT = 0o1000


class Jails(Machine):
    """A FreeBSD machine with the tree of a prison at /jail and a network card."""

    def __init__(self) -> None:
        super().__init__(FREEBSD)
        tree.mkdirs(self.store, 1, "/jail/tmp")
        tree.mkdirs(self.store, 1, "/jail/dev")
        tree.file(self.store, 1, "/secret", b"host")
        ns = self.store.row(Task, self.pid).ns.net
        links.set_up(self.store, links.populate(self.store, ns), True)
        card = links.add(self.store, ns, links.Link("em0", "ether"))
        links.set_up(self.store, card, True)
        assert self.do("@alias", ADDRESS) == 0

    def within(self, params: dict[str, Any]) -> Pid:
        """A process in a new prison with exactly these parameters."""
        jid = self.do("jail_set", {"path": "/jail", "persist": 1, **params}, JAIL_CREATE)
        assert isinstance(jid, int), jid
        pid = self.fork()
        assert self.do("jail_attach", jid, pid=pid) == 0
        return pid

    def wall(self, name: str, *args: Any, pid: Pid) -> tuple[str, str]:
        """The errno and the wall of a refused call."""
        denial = self.raw(name, *args, pid=pid).denial
        return str(denial.errno), denial.wall


@pytest.fixture
def jails() -> Jails:
    return Jails()


def with_params(jails: Jails, **params: Any) -> Pid:
    return jails.within({"ip4.addr": (ADDRESS,), **params})


def test_an_ordinary_user_makes_no_prison(jails: Jails) -> None:
    user = jails.become(jails.fork(), 1000)
    assert jails.do("jail_set", {"path": "/jail", "persist": 1}, JAIL_CREATE, pid=user) == "EPERM"


def test_a_prison_needs_persist_or_a_process(jails: Jails) -> None:
    assert jails.do("jail_set", {"path": "/jail"}, JAIL_CREATE) == "EINVAL"


def test_a_parameter_that_jail_does_not_know_is_invalid(jails: Jails) -> None:
    asked = {"path": "/jail", "persist": 1, "allow.everything": 1}
    assert jails.do("jail_set", asked, JAIL_CREATE) == "EINVAL"


def test_a_second_prison_of_the_name_exists_already(jails: Jails) -> None:
    asked = {"path": "/jail", "persist": 1, "name": "one"}
    assert jails.do("jail_set", asked, JAIL_CREATE) == 1
    assert jails.do("jail_set", asked, JAIL_CREATE) == "EEXIST"


def test_an_update_of_no_prison_finds_none(jails: Jails) -> None:
    assert jails.do("jail_set", {"name": "none"}, JAIL_UPDATE) == "ENOENT"


def test_an_update_changes_what_a_running_prison_may_do(jails: Jails) -> None:
    pid = with_params(jails, name="one")
    assert jails.do("socket", AF_INET, SOCK_RAW, 1, pid=pid) == "EPERM"
    assert jails.do("jail_set", {"name": "one", "allow.raw_sockets": 1}, JAIL_UPDATE) == 1
    assert isinstance(jails.do("socket", AF_INET, SOCK_RAW, 1, pid=pid), int)


def test_the_path_of_a_prison_stays(jails: Jails) -> None:
    with_params(jails, name="one")
    assert jails.do("jail_set", {"name": "one", "path": "/"}, JAIL_UPDATE) == "EINVAL"


def test_attaching_to_no_prison_is_invalid(jails: Jails) -> None:
    assert jails.do("jail_attach", 7) == "EINVAL"


def test_a_prison_does_not_see_the_one_beside_it(jails: Jails) -> None:
    first, _second = with_params(jails, name="one"), with_params(jails, name="two")
    assert jails.do("jail_attach", 2, pid=first) == "EINVAL"
    assert jails.do("jail_get", {"jid": 2}, 0, pid=first) == "ENOENT"


def test_a_prison_makes_no_children_unless_told(jails: Jails) -> None:
    pid = with_params(jails)
    asked = {"path": "/tmp", "persist": 1}
    assert jails.wall("jail_set", asked, JAIL_CREATE, pid=pid) == ("EPERM", "prison")


def test_children_are_counted(jails: Jails) -> None:
    pid = with_params(jails, **{"children.max": 1})
    asked = {"path": "/tmp", "persist": 1}
    assert isinstance(jails.do("jail_set", asked, JAIL_CREATE, pid=pid), int)
    assert jails.do("jail_set", asked, JAIL_CREATE, pid=pid) == "EPERM"


@pytest.mark.parametrize(
    "more", [{"allow.raw_sockets": 1}, {"enforce_statfs": 1}, {"ip4.addr": ("192.0.2.99",)}]
)
def test_a_child_gets_no_more_than_its_parent(jails: Jails, more: dict[str, Any]) -> None:
    pid = with_params(jails, **{"children.max": 1})
    asked = {"path": "/tmp", "persist": 1, **more}
    assert jails.wall("jail_set", asked, JAIL_CREATE, pid=pid) == ("EPERM", "prison")


def test_no_prison_lifts_its_own_rules(jails: Jails) -> None:
    pid = with_params(jails, **{"children.max": 1})
    asked = {"path": "/tmp", "persist": 1, "@without.prison-root": 1}
    assert jails.do("jail_set", asked, JAIL_CREATE, pid=pid) == "EINVAL"


def test_the_old_jail_call_makes_and_enters(jails: Jails) -> None:
    pid = jails.fork()
    asked = {"version": 2, "path": "/jail", "hostname": "old", "ip4": [ADDRESS]}
    assert jails.do("jail", asked, pid=pid) == 1
    assert jails.data("uname", pid=pid)["nodename"] == "old"


def test_removing_a_prison_kills_everybody_in_it(jails: Jails) -> None:
    pid = with_params(jails)
    assert jails.do("jail_remove", 1) == 0
    assert jails.store.row(Task, pid).state is TaskState.ZOMBIE
    assert jails.do("jail_get", {"jid": 1}, 0) == "ENOENT"


def test_a_prison_without_persist_ends_with_its_last_process(jails: Jails) -> None:
    pid = jails.fork()
    assert jails.do("jail_set", {"path": "/jail"}, JAIL_CREATE | JAIL_ATTACH, pid=pid) == 1
    jails.do("exit", 0, pid=pid)
    assert jails.do("jail_get", {"jid": 1}, 0) == "ENOENT"


def test_a_jailed_process_begins_at_the_prisons_root(jails: Jails) -> None:
    pid = with_params(jails)
    assert jails.data("getcwd", 64, pid=pid) == "/"
    assert jails.do("open", "/secret", O_RDONLY, pid=pid) == "ENOENT"


def test_no_double_chroot_leads_out_of_a_prison(jails: Jails) -> None:
    pid = with_params(jails)
    assert jails.do("chroot", "/tmp", pid=pid) == 0
    for _ in range(4):
        assert jails.do("chdir", "..", pid=pid) == 0
    assert jails.do("chroot", ".", pid=pid) == 0
    assert jails.do("open", "/secret", O_RDONLY, pid=pid) == "ENOENT"


def test_without_its_root_rule_a_prison_is_left_by_a_double_chroot(jails: Jails) -> None:
    pid = with_params(jails, **{"@without.prison-root": 1})
    jails.do("chroot", "/tmp", pid=pid)
    jails.do("chdir", "../..", pid=pid)
    assert jails.do("chroot", ".", pid=pid) == 0
    assert isinstance(jails.do("open", "/secret", O_RDONLY, pid=pid), int)


def test_a_process_outside_does_not_exist_inside(jails: Jails) -> None:
    pid = with_params(jails)
    assert jails.wall("kill", jails.pid, SIGKILL, pid=pid) == ("ESRCH", "prison-visibility")
    assert jails.wall("ptrace", 16, jails.pid, 0, 0, pid=pid) == ("ESRCH", "prison-visibility")
    assert jails.wall("setpriority", 0, jails.pid, 19, pid=pid) == ("ESRCH", "prison-visibility")


def test_the_host_sees_and_kills_the_jailed(jails: Jails) -> None:
    pid = with_params(jails)
    assert jails.do("kill", pid, SIGKILL) == 0


def test_killing_everybody_stays_inside(jails: Jails) -> None:
    pid = with_params(jails)
    outside = jails.fork()
    jails.do("kill", -1, SIGKILL, pid=pid)
    assert jails.store.row(Task, outside).state is not TaskState.ZOMBIE


@pytest.mark.parametrize(
    "call",
    [
        ("mknod", "/tmp/disk", S_IFBLK | 0o600, 0x800),
        ("reboot", 0),
        ("kldload", "linux"),
        ("swapon", "/dev/ada0", 0),
        ("acct", "/tmp/acct"),
        ("clock_settime", 0, (86400, 0)),
        ("settimeofday", (86400, 0), None),
        ("adjtimex", {"modes": 0x4000, "tick": 0}),
        ("mount", "tmpfs", "/tmp", 0, {}),
        ("__sysctlbyname", "kern.maxproc", "1"),
        ("__sysctlbyname", "kern.msgbuf"),
        ("mlock", 0, 4096),
        ("socket", AF_INET, SOCK_RAW, 1),
        ("chflags", "/tmp", 0x20000),
    ],
    ids=lambda call: call[0],
)
def test_root_in_a_prison_lacks(jails: Jails, call: tuple[Any, ...]) -> None:
    pid = with_params(jails)
    assert jails.wall(*call, pid=pid) == ("EPERM", "prison-privileges")


@pytest.mark.parametrize(
    ("params", "call"),
    [
        ({"allow.raw_sockets": 1}, ("socket", AF_INET, SOCK_RAW, 1)),
        ({"allow.read_msgbuf": 1}, ("__sysctlbyname", "kern.msgbuf")),
        ({"allow.mlock": 1}, ("mlockall", 1)),
        ({"allow.chflags": 1}, ("chflags", "/tmp", 0x20000)),
        ({"allow.sysvipc": 1}, ("semget", 7, 1, IPC_CREAT | 0o600)),
        ({"sysvsem": "inherit"}, ("semget", 7, 1, IPC_CREAT | 0o600)),
        (
            {"allow.mount": 1, "allow.mount.tmpfs": 1, "enforce_statfs": 1},
            ("mount", "tmpfs", "/tmp", 0, {}),
        ),
        ({"@without.prison-privileges": 1}, ("settimeofday", (86400, 0), None)),
    ],
    ids=lambda part: next(iter(part)) if isinstance(part, dict) else "",
)
def test_a_parameter_opens(jails: Jails, params: dict[str, Any], call: tuple[Any, ...]) -> None:
    pid = with_params(jails, **params)
    assert isinstance(jails.do(*call, pid=pid), int)


def test_allow_mount_is_nothing_while_enforce_statfs_is_2(jails: Jails) -> None:
    pid = with_params(jails, **{"allow.mount": 1, "allow.mount.tmpfs": 1})
    assert jails.do("mount", "tmpfs", "/tmp", 0, {}, pid=pid) == "EPERM"


def test_each_type_of_filesystem_is_allowed_for_itself(jails: Jails) -> None:
    pid = with_params(jails, **{"allow.mount": 1, "enforce_statfs": 1})
    assert jails.do("mount", "tmpfs", "/tmp", 0, {}, pid=pid) == "EPERM"


def test_a_prison_does_not_unmount_what_came_from_outside(jails: Jails) -> None:
    assert jails.do("mount", "devfs", "/jail/dev", 0, {"ruleset": 4}) == 0
    pid = with_params(jails, **{"allow.mount": 1, "enforce_statfs": 1})
    jails.do("@domain", pid, "guest")
    assert jails.do("unmount", "/dev", 0, pid=pid) == "EPERM"


def test_jailed_root_keeps_the_rights_of_the_list(jails: Jails) -> None:
    pid = with_params(jails)
    assert jails.do("setuid", 7, pid=jails.fork(pid)) == 0
    assert jails.do("chown", "/tmp", 7, 7, pid=pid) == 0
    assert jails.do("chroot", "/tmp", pid=pid) == 0


def test_a_better_priority_is_refused_with_eacces(jails: Jails) -> None:
    pid = with_params(jails)
    wall = jails.wall("setpriority", 0, 0, -5, pid=pid)
    assert wall == ("EACCES", "prison-privileges")


def test_system_v_calls_do_not_exist_in_a_prison(jails: Jails) -> None:
    pid = with_params(jails)
    for name, *args in (("shmget", 7, 64, 0), ("semget", 7, 1, 0), ("msgget", 7, 0)):
        assert jails.wall(str(name), *args, pid=pid) == ("ENOSYS", "prison")


def test_own_system_v_objects_are_not_the_hosts(jails: Jails) -> None:
    assert isinstance(jails.do("semget", 7, 1, IPC_CREAT | 0o666), int)
    new = dict.fromkeys(("sysvshm", "sysvsem", "sysvmsg"), "new")
    pid = with_params(jails, **new)
    assert jails.wall("semget", 7, 1, 0, pid=pid) == ("ENOENT", "prison")


def test_inherited_system_v_objects_are_everybodys(jails: Jails) -> None:
    assert isinstance(jails.do("semget", 7, 1, IPC_CREAT | 0o666), int)
    pid = with_params(jails, sysvsem="inherit")
    assert isinstance(jails.do("semget", 7, 1, 0, pid=pid), int)


def test_a_prison_changes_its_own_name_only(jails: Jails) -> None:
    before = jails.data("uname")["nodename"]
    pid = with_params(jails, **{"host.hostname": "cell"})
    assert jails.do("sethostname", "mine", 4, pid=pid) == 0
    assert jails.data("uname", pid=pid)["nodename"] == "mine"
    assert jails.data("uname")["nodename"] == before


def test_a_prison_may_be_kept_from_changing_its_name(jails: Jails) -> None:
    pid = with_params(jails, **{"host.hostname": "cell", "allow.set_hostname": 0})
    assert jails.wall("sethostname", "mine", 4, pid=pid) == ("EPERM", "prison-privileges")


def test_another_address_is_not_available(jails: Jails) -> None:
    jails.do("@alias", "192.0.2.10")
    pid = with_params(jails)
    fd = jails.do("socket", AF_INET, SOCK_STREAM, 0, pid=pid)
    wall = jails.wall("bind", fd, ("192.0.2.10", 8080), pid=pid)
    assert wall == ("EADDRNOTAVAIL", "prison-addresses")


@pytest.mark.parametrize("asked", ["0.0.0.0", "127.0.0.1", ADDRESS])
def test_any_address_and_loopback_mean_the_prisons_own(jails: Jails, asked: str) -> None:
    pid = with_params(jails)
    fd = jails.do("socket", AF_INET, SOCK_STREAM, 0, pid=pid)
    assert jails.do("bind", fd, (asked, 8080), pid=pid) == 0
    assert jails.data("getsockname", fd, pid=pid) == (ADDRESS, 8080)


def test_host_and_prison_may_have_the_same_port(jails: Jails) -> None:
    fd = jails.do("socket", AF_INET, SOCK_STREAM, 0)
    assert jails.do("bind", fd, ("0.0.0.0", 80)) == 0
    pid = with_params(jails)
    fd = jails.do("socket", AF_INET, SOCK_STREAM, 0, pid=pid)
    assert jails.do("bind", fd, ("0.0.0.0", 80), pid=pid) == 0


def test_a_prison_without_ipv6_has_no_ipv6_sockets(jails: Jails) -> None:
    pid = with_params(jails)
    wall = jails.wall("socket", AF_INET6, SOCK_DGRAM, 0, pid=pid)
    assert wall == ("EPROTONOSUPPORT", "prison-addresses")


def test_reserved_ports_may_be_withheld(jails: Jails) -> None:
    pid = with_params(jails, **{"allow.reserved_ports": 0})
    fd = jails.do("socket", AF_INET, SOCK_STREAM, 0, pid=pid)
    assert jails.do("bind", fd, ("0.0.0.0", 80), pid=pid) == "EACCES"


def test_a_prison_with_its_own_network_has_the_right_to_it(jails: Jails) -> None:
    pid = jails.within({"vnet": 1})
    assert isinstance(jails.do("socket", AF_INET, SOCK_RAW, 1, pid=pid), int)
    assert links.named(jails.store, jails.store.row(Task, pid).ns.net, "em0") is None


def test_an_own_network_excludes_a_list_of_addresses(jails: Jails) -> None:
    asked = {"path": "/jail", "persist": 1, "vnet": 1, "ip4.addr": (ADDRESS,)}
    assert jails.do("jail_set", asked, JAIL_CREATE) == "EINVAL"


def mounts(jails: Jails, pid: Pid) -> list[str]:
    return [row["on"] for row in jails.data("getfsstat", pid=pid)]


def test_enforce_statfs_2_shows_the_mount_of_the_root_alone(jails: Jails) -> None:
    jails.do("mount", "devfs", "/jail/dev", 0, {})
    assert mounts(jails, with_params(jails)) == ["/"]


def test_enforce_statfs_1_shows_mounts_below_the_root(jails: Jails) -> None:
    jails.do("mount", "devfs", "/jail/dev", 0, {})
    assert mounts(jails, with_params(jails, enforce_statfs=1)) == ["/", "/dev"]


def test_enforce_statfs_0_shows_the_machines_mounts(jails: Jails) -> None:
    jails.do("mount", "devfs", "/jail/dev", 0, {})
    assert mounts(jails, with_params(jails, enforce_statfs=0)) == ["/", "/jail/dev"]


def test_a_directory_kept_open_stops_a_second_chroot(jails: Jails) -> None:
    pid = with_params(jails)
    jails.do("open", "/", O_RDONLY, pid=pid)
    assert jails.wall("chroot", "/tmp", pid=pid) == ("EPERM", "chroot-open-directory")


def test_nobody_enters_a_prison_with_a_directory_open(jails: Jails) -> None:
    assert jails.do("jail_set", {"path": "/jail", "persist": 1}, JAIL_CREATE) == 1
    pid = jails.fork()
    jails.do("open", "/", O_RDONLY, pid=pid)
    assert jails.wall("jail_attach", 1, pid=pid) == ("EPERM", "chroot-open-directory")


def test_the_host_name_of_the_first_process_makes_the_prison_its_own(jails: Jails) -> None:
    jid = jails.do("jail_set", {"path": "/jail", "persist": 1}, JAIL_CREATE)
    pid = jails.fork()
    jails.do("@domain", pid, "guest")
    jails.do("jail_attach", jid, pid=pid)
    row = jails.store.row(Context, jails.store.row(Task, pid).context)
    assert row.domain == "guest" not in (HOST, KERNEL)


def test_writing_to_memory_is_not_on_the_list_though_reading_is(jails: Jails) -> None:
    jails.do("mount", "devfs", "/jail/dev", 0, {})
    pid = with_params(jails)
    assert isinstance(jails.do("open", "/dev/mem", O_RDONLY, pid=pid), int)
    assert jails.wall("open", "/dev/mem", O_WRONLY, pid=pid) == ("EPERM", "prison-privileges")


def test_the_kernel_of_the_machine_is_freebsd(jails: Jails) -> None:
    assert isinstance(jails.kernel, Kernel)
    assert jails.data("uname")["sysname"] == "FreeBSD"


def test_without_allow_suser_root_is_nobody_special(jails: Jails) -> None:
    pid = with_params(jails, **{"allow.suser": 0})
    assert jails.wall("chroot", "/tmp", pid=pid) == ("EPERM", "superuser")


def test_a_prison_reads_its_own_parameters(jails: Jails) -> None:
    pid = with_params(jails, enforce_statfs=1)
    assert jails.data("__sysctlbyname", "security.jail.jailed", pid=pid) == 1
    assert jails.data("__sysctlbyname", "security.jail.enforce_statfs", pid=pid) == 1


def test_sysctl_lists_the_prisons_own_processes(jails: Jails) -> None:
    pid = with_params(jails)
    listed = jails.data("__sysctlbyname", "kern.proc.all", pid=pid)
    assert [one["pid"] for one in listed] == [pid]


def test_a_prisons_connections_are_not_the_machines(jails: Jails) -> None:
    fd = jails.do("socket", AF_INET, SOCK_STREAM, 0)
    jails.do("bind", fd, ("0.0.0.0", 80))
    pid = with_params(jails)
    assert jails.data("__sysctlbyname", "net.inet.tcp.pcblist", pid=pid) == []


def test_a_prison_without_a_host_name_has_an_empty_one(jails: Jails) -> None:
    assert jails.data("uname", pid=with_params(jails))["nodename"] == ""


def test_a_prison_may_share_the_name_around_it(jails: Jails) -> None:
    pid = with_params(jails, host="inherit")
    assert jails.data("uname", pid=pid)["nodename"] == jails.data("uname")["nodename"]


def test_two_prisons_may_share_their_only_address(jails: Jails) -> None:
    with_params(jails, name="one")
    assert with_params(jails, name="two")


def test_an_address_among_several_clashes(jails: Jails) -> None:
    with_params(jails, name="one")
    asked = {"path": "/jail", "persist": 1, "ip4.addr": (ADDRESS, "192.0.2.99")}
    assert jails.do("jail_set", asked, JAIL_CREATE) == "EADDRINUSE"


def test_another_prisons_number_is_no_name(jails: Jails) -> None:
    asked = {"path": "/jail", "persist": 1, "name": "77"}
    assert jails.do("jail_set", asked, JAIL_CREATE) == "EINVAL"


def test_how_a_prison_gets_addresses_stays(jails: Jails) -> None:
    with_params(jails, name="one")
    assert jails.do("jail_set", {"name": "one", "ip4": "inherit"}, JAIL_UPDATE) == "EINVAL"


def test_a_prison_that_becomes_stricter_takes_its_children_along(jails: Jails) -> None:
    pid = with_params(jails, name="one", **{"children.max": 1, "allow.raw_sockets": 1})
    asked = {"name": "two", "path": "/tmp", "persist": 1, "allow.raw_sockets": 1}
    assert isinstance(jails.do("jail_set", asked, JAIL_CREATE, pid=pid), int)
    jails.do("jail_set", {"name": "one", "allow.raw_sockets": 0}, JAIL_UPDATE)
    assert jails.data("jail_get", {"name": "one.two"}, 0)["allow.raw_sockets"] == 0


def test_devfs_in_a_prison_takes_the_prisons_ruleset_alone(jails: Jails) -> None:
    mounting = {"allow.mount": 1, "allow.mount.devfs": 1, "enforce_statfs": 1}
    pid = with_params(jails, devfs_ruleset=4, **mounting)
    assert jails.wall("mount", "devfs", "/dev", 0, {"ruleset": 5}, pid=pid)[0] == "EPERM"
    assert jails.do("mount", "devfs", "/dev", 0, {}, pid=pid) == 0
    assert jails.wall("open", "/dev/mem", O_RDONLY, pid=pid) == ("ENOENT", "devfs-rules")


def test_of_an_interface_a_prison_is_told_its_own_address(jails: Jails) -> None:
    assert jails.do("@alias", "192.0.2.10") == 0
    pid = with_params(jails, **{"ip4.addr": ("192.0.2.10",)})
    fd = jails.do("socket", AF_INET, SOCK_DGRAM, 0, pid=pid)
    assert jails.data("ioctl", fd, SIOCGIFADDR, ("em0", 0), pid=pid) == ("em0", "192.0.2.10")


def test_an_interface_without_an_address_of_the_prison_seems_to_have_none(jails: Jails) -> None:
    pid = with_params(jails)
    fd = jails.do("socket", AF_INET, SOCK_DGRAM, 0, pid=pid)
    assert jails.do("ioctl", fd, SIOCGIFADDR, ("lo", 0), pid=pid) == "EADDRNOTAVAIL"


def test_procfs_in_a_prison_has_its_own_processes(jails: Jails) -> None:
    mounting = {"allow.mount": 1, "allow.mount.procfs": 1, "enforce_statfs": 1}
    pid = with_params(jails, **mounting)
    assert jails.do("mount", "procfs", "/tmp", 0, {}, pid=pid) == 0
    fd = jails.do("open", "/tmp", O_RDONLY, pid=pid)
    names = jails.data("getdents64", fd, 4096, pid=pid)
    assert set(names) - {".", "..", "curproc"} == {str(pid)}


def test_procfs_hides_a_process_outside(jails: Jails) -> None:
    mounting = {"allow.mount": 1, "allow.mount.procfs": 1, "enforce_statfs": 1}
    pid = with_params(jails, **mounting)
    jails.do("mount", "procfs", "/tmp", 0, {}, pid=pid)
    wall = jails.wall("open", f"/tmp/{jails.pid}/status", O_RDONLY, pid=pid)
    assert wall == ("ENOENT", "prison-visibility")


def test_one_address_of_each_family_may_be_shared(jails: Jails) -> None:
    both = {"ip6.addr": ("2001:db8::7",)}
    with_params(jails, name="one", **both)
    assert with_params(jails, name="two", **both)


def test_a_prison_raises_its_own_securelevel_and_that_of_those_inside(jails: Jails) -> None:
    """sysctl_kern_securelvl(): the setting is CTLFLAG_PRISON, and the host keeps its own."""
    pid = jails.within({"children.max": 1})
    jid = jails.do("jail_set", {"path": "/tmp", "persist": 1}, JAIL_CREATE, pid=pid)
    inner = jails.fork(pid)
    assert jails.do("jail_attach", jid, pid=inner) == 0
    assert jails.do("sysctl", "kern.securelevel", "2", pid=pid) == 0
    for one, level in ((pid, "2"), (inner, "2"), (jails.pid, "-1")):
        assert jails.data("sysctl", "kern.securelevel", pid=one) == level
    assert jails.wall("sysctl", "kern.securelevel", "1", pid=inner) == ("EPERM", "securelevel")


def test_a_parameter_that_the_model_lacks_is_not_said_to_be_none_of_freebsds(jails: Jails) -> None:
    given = {"path": "/jail", "persist": 1}
    assert isinstance(jails.raw("jail_set", {**given, "osrelease": "12.0"}, JAIL_CREATE), Silent)
    assert jails.do("jail_set", {**given, "nonsense": 1}, JAIL_CREATE) == "EINVAL"

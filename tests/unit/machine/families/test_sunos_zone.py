"""Zones: who makes and enters them, what root in one may do, what each is told. zone.c."""

from typing import Any

import pytest

from simulator.machine.abi.constants import (
    A_REBOOT,
    A_SHUTDOWN,
    AD_BOOT,
    AD_HALT,
    AF_INET,
    IPPROTO_ICMP,
    O_RDONLY,
    O_WRONLY,
    PRIV_OFF,
    PRIV_SET,
    S_IFBLK,
    S_IFIFO,
    SIGKILL,
    SIOCGIFFLAGS,
    SOCK_RAW,
    SOCK_STREAM,
    ZCF_NET_EXCL,
    ZONE_ATTR_INITPID,
    ZONE_ATTR_NAME,
    ZONE_ATTR_PRIVSET,
    ZONE_ATTR_ROOT,
    ZONE_ATTR_STATUS,
)
from simulator.machine.abi.ids import Pid
from simulator.machine.families.sunos import SUNOS
from simulator.machine.kernel import privset, zone
from simulator.machine.kernel.net import interface as links
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.vfs import tree
from tests.unit.machine.bare import Machine

ADDRESS, OTHER, HOST_ADDRESS = "192.0.2.21", "192.0.2.22", "192.0.2.10"
IPC_CREAT = 0o1000
_DEFAULT = """
file_chown file_dac_read file_dac_write file_dac_search file_dac_execute file_owner file_setid
ipc_owner net_icmpaccess net_privaddr proc_chroot proc_owner proc_setid sys_acct sys_admin sys_mount
sys_resource file_link_any proc_exec proc_fork proc_info proc_session
"""
DEFAULT = _DEFAULT.split()


class Zones(Machine):
    """A Solaris machine with two trees for zones, a network card, and all filesystems mounted."""

    def __init__(self) -> None:
        super().__init__(SUNOS)
        for name in ("one", "two"):
            for place in ("tmp/deeper", "dev", "proc", "usr/bin"):
                tree.mkdirs(self.store, 1, f"/zones/{name}/{place}")
        tree.mkdirs(self.store, 1, "/usr/bin")
        tree.mkdirs(self.store, 1, "/proc")
        tree.file(self.store, 1, "/secret", b"host")
        assert self.do("mount", "proc", "/proc", 0, "proc") == 0
        ns = self.store.row(Task, self.pid).ns.net
        links.set_up(self.store, links.populate(self.store, ns), True)
        card = links.add(self.store, ns, links.Link("bge0", "ether"))
        card = links.add_address(self.store, card, HOST_ADDRESS, 24)
        links.set_up(self.store, card, True)

    def make(self, name: str = "one", privs: list[str] | None = None, **more: Any) -> int:
        """A zone; its id."""
        words: dict[str, Any] = {"name": name, "root": f"/zones/{name}", **more}
        number = self.do("zone_create", {**words, "privs": DEFAULT if privs is None else privs})
        assert isinstance(number, int), number
        return number

    def within(self, name: str = "one", address: str = ADDRESS, **more: Any) -> Pid:
        """A process in a new zone that has a loopback interface and an address."""
        number = self.make(name, **more)
        if not more.get("flags"):
            assert self.do("@logical", number, "", "", 8) > 0
            assert self.do("@logical", number, "bge0", address, 24) > 0
        pid = self.fork()
        assert self.do("zone_enter", number, pid=pid) == 0
        return pid

    def wall(self, name: str, *args: Any, pid: Pid) -> tuple[str, str]:
        """The errno and the wall of a refused call."""
        denial = self.raw(name, *args, pid=pid).denial
        return str(denial.errno), denial.wall

    def listening(self, pid: Pid, address: str, port: int) -> Any:
        fd = self.do("socket", AF_INET, SOCK_STREAM, 0, pid=pid)
        done = self.do("bind", fd, (address, port), pid=pid)
        return done or self.do("listen", fd, 1, pid=pid)

    def connecting(self, pid: Pid, address: str, port: int) -> Any:
        fd = self.do("socket", AF_INET, SOCK_STREAM, 0, pid=pid)
        return self.do("connect", fd, (address, port), pid=pid)


@pytest.fixture
def zones() -> Zones:
    return Zones()


def test_a_zone_is_made_by_somebody_with_every_privilege(zones: Zones) -> None:
    poor = zones.fork()
    assert zones.do("setppriv", PRIV_OFF, "Permitted", ["dtrace_user"], pid=poor) == 0
    definition = {"name": "x", "root": "/zones/one", "privs": DEFAULT}
    assert zones.do("zone_create", definition, pid=poor) == "EPERM"
    assert zones.do("zone_create", definition) == 1


def test_names_and_roots_of_zones_are_their_own(zones: Zones) -> None:
    zones.make("one")
    again = {"name": "one", "root": "/zones/two", "privs": DEFAULT}
    assert zones.do("zone_create", again) == "EEXIST"
    assert zones.do("zone_create", {**again, "name": "z", "root": "/zones/one"}) == "EBUSY"
    assert zones.do("zone_create", {**again, "name": "z", "root": "/nowhere"}) == "ENOENT"
    assert zones.do("zone_create", {**again, "name": "z", "root": "/secret"}) == "ENOTDIR"
    assert zones.do("zone_create", {**again, "name": "z", "privs": ["sys_god"]}) == "EINVAL"
    assert zones.do("zone_create", {**again, "name": "global"}) == "EINVAL"


def test_no_zone_is_entered_from_a_zone_and_none_is_left(zones: Zones) -> None:
    inside = zones.within()
    other = zones.make("two")
    assert zones.do("zone_enter", other, pid=inside) == "EPERM"
    assert zones.do("zone_enter", 77) == "EINVAL"
    assert zones.do("zone_enter", 0) == "EINVAL"


def test_dotdot_ends_at_the_zones_root_whatever_the_own_root_is(zones: Zones) -> None:
    inside = zones.within()
    assert zones.do("chroot", "/tmp/deeper", pid=inside) == 0
    for _ in range(9):
        assert zones.do("chdir", "..", pid=inside) == 0
    assert zones.do("chroot", ".", pid=inside) == 0
    assert zones.do("open", "/secret", O_RDONLY, pid=inside) == "ENOENT"
    assert zones.do("stat", "/tmp/deeper", pid=inside) == 0


def test_in_the_global_zone_a_chroot_is_left_as_on_any_unix(zones: Zones) -> None:
    jailed = zones.fork()
    assert zones.do("chroot", "/zones/one", pid=jailed) == 0
    assert zones.do("chdir", "/", pid=jailed) == 0
    assert zones.do("chroot", "/tmp/deeper", pid=jailed) == 0
    for _ in range(9):
        zones.do("chdir", "..", pid=jailed)
    assert zones.do("chroot", ".", pid=jailed) == 0
    assert isinstance(zones.do("open", "/secret", O_RDONLY, pid=jailed), int)


def test_root_in_a_zone_has_the_limit_set_and_no_more(zones: Zones) -> None:
    inside = zones.within()
    limit = "zone-privileges"
    assert zones.wall("clock_settime", 0, (86400, 0), pid=inside) == ("EPERM", limit)
    assert zones.wall("mknod", "/tmp/disk", S_IFBLK | 0o600, 0x800, pid=inside) == ("EPERM", limit)
    assert zones.do("mknod", "/tmp/pipe", S_IFIFO | 0o600, 0, pid=inside) == 0
    assert zones.wall("delete_module", "ip", 0, pid=inside) == ("EPERM", limit)
    assert zones.wall("socket", AF_INET, SOCK_RAW, 255, pid=inside) == ("EACCES", limit)
    assert isinstance(zones.do("socket", AF_INET, SOCK_RAW, IPPROTO_ICMP, pid=inside), int)
    assert zones.do("sethostname", "mine", 4, pid=inside) == 0


def test_what_limitpriv_adds_works(zones: Zones) -> None:
    inside = zones.within(privs=[*DEFAULT, "sys_time"])
    assert zones.do("clock_settime", 0, (86400, 0), pid=inside) == 0


def test_an_ordinary_user_has_the_basic_set_whatever_the_zone_has(zones: Zones) -> None:
    inside = zones.within()
    assert zones.do("setuid", 1000, pid=inside) == 0
    assert sorted(zones.data("getppriv", "Effective", pid=inside)) == sorted(
        privset.names(privset.BASIC)
    )
    assert zones.do("chroot", "/tmp", pid=inside) == "EPERM"


def test_privileges_are_given_up_and_never_taken_back(zones: Zones) -> None:
    me = zones.fork()
    assert zones.do("setppriv", PRIV_OFF, "Effective", ["file_dac_read"], pid=me) == 0
    assert "file_dac_read" not in zones.data("getppriv", "Effective", pid=me)
    assert "file_dac_read" in zones.data("getppriv", "Permitted", pid=me)
    assert zones.do("setppriv", PRIV_SET, "Permitted", ["proc_fork"], pid=me) == 0
    assert zones.data("getppriv", "Effective", pid=me) == ["proc_fork"]
    assert zones.do("setppriv", PRIV_SET, "Permitted", ["sys_time"], pid=me) == "EPERM"
    assert zones.do("setppriv", PRIV_SET, "Other", [], pid=me) == "EINVAL"
    assert zones.do("setppriv", PRIV_SET, "Limit", ["sys_god"], pid=me) == "EINVAL"


def test_a_zone_sees_itself_and_the_global_zone_sees_all(zones: Zones) -> None:
    one, two = zones.within("one"), zones.within("two", OTHER)
    assert zones.wall("kill", zones.pid, 0, pid=one) == ("ESRCH", "zone-visibility")
    assert zones.wall("kill", two, SIGKILL, pid=one) == ("ESRCH", "zone-visibility")
    assert zones.do("kill", 1, SIGKILL, pid=one) == "ESRCH"
    assert zones.do("kill", one, 0) == 0
    assert zones.data("zone_list", pid=one) == [1]
    assert zones.data("zone_list") == [0, 1, 2]
    assert zones.do("zone_lookup", "two", pid=one) == "EINVAL"
    assert zones.do("zone_lookup", "one", pid=one) == 1
    assert zones.do("zone_lookup", None, pid=one) == 1
    assert zones.data("zone_getattr", 1, ZONE_ATTR_ROOT, pid=one) == "/"
    assert zones.data("zone_getattr", 1, ZONE_ATTR_ROOT) == "/zones/one"
    assert zones.data("zone_getattr", 0, ZONE_ATTR_NAME, pid=one) == "global"
    assert zones.data("zone_getattr", 1, ZONE_ATTR_PRIVSET) == [
        name for name in privset.PRIVILEGES if name in DEFAULT
    ]


def test_proc_of_a_zone_has_the_zones_processes_whoever_reads_it(zones: Zones) -> None:
    inside = zones.within()
    assert zones.do("mount", "proc", "/proc", 0, "proc", pid=inside) == 0
    assert zones.wall("open", f"/proc/{zones.pid}/psinfo", O_RDONLY, pid=inside) == (
        "ENOENT",
        "zone-visibility",
    )
    assert isinstance(zones.do("open", f"/proc/{inside}/psinfo", O_RDONLY, pid=inside), int)
    assert zones.do("open", f"/zones/one/proc/{zones.pid}/psinfo", O_RDONLY) == "ENOENT"
    assert isinstance(zones.do("open", f"/proc/{inside}/psinfo", O_RDONLY), int)


def test_each_zone_has_its_ports_and_its_loopback(zones: Zones) -> None:
    one, two = zones.within("one"), zones.within("two", OTHER)
    for pid in (zones.pid, one, two):
        assert zones.listening(pid, "0.0.0.0", 80) == 0
    assert zones.listening(zones.pid, "127.0.0.1", 4711) == 0
    assert zones.connecting(one, "127.0.0.1", 4711) == "ECONNREFUSED"
    assert zones.connecting(zones.pid, "127.0.0.1", 4711) == 0
    assert zones.connecting(one, "127.0.0.1", 80) == 0
    assert zones.connecting(one, OTHER, 80) == 0


def test_an_address_is_used_by_the_zone_it_was_given_to(zones: Zones) -> None:
    one = zones.within("one")
    zones.within("two", OTHER)
    assert zones.listening(one, ADDRESS, 8080) == 0
    for address in (HOST_ADDRESS, OTHER):
        assert zones.listening(one, address, 8081) == "EADDRNOTAVAIL"
    assert zones.listening(zones.pid, ADDRESS, 8082) == "EADDRNOTAVAIL"
    fd = zones.do("socket", AF_INET, SOCK_STREAM, 0, pid=one)
    assert zones.do("ioctl", fd, SIOCGIFFLAGS, ("bge0:1", 0), pid=one) == 0
    assert zones.do("ioctl", fd, SIOCGIFFLAGS, ("bge0", 0), pid=one) == "ENXIO"


def test_a_packet_to_a_zones_address_is_not_the_global_zones(zones: Zones) -> None:
    one = zones.within("one")
    assert zones.listening(zones.pid, "0.0.0.0", 81) == 0
    assert zones.connecting(one, HOST_ADDRESS, 81) == 0
    assert zones.connecting(zones.pid, ADDRESS, 81) == "ECONNREFUSED"


def test_an_exclusive_zone_has_a_stack_of_its_own(zones: Zones) -> None:
    privs = [*DEFAULT, "sys_ip_config", "net_rawaccess"]
    inside = zones.within(flags=ZCF_NET_EXCL, privs=privs)
    assert zones.listening(inside, HOST_ADDRESS, 80) == "EADDRNOTAVAIL"
    assert zones.connecting(inside, HOST_ADDRESS, 80) == "ENETUNREACH"
    assert isinstance(zones.do("socket", AF_INET, SOCK_RAW, 255, pid=inside), int)


def test_each_zone_has_its_system_v_objects_and_its_node_name(zones: Zones) -> None:
    inside = zones.within()
    assert isinstance(zones.do("shmget", 7, 64, IPC_CREAT | 0o666), int)
    assert zones.wall("shmget", 7, 64, 0, pid=inside) == ("ENOENT", "zone-ipc")
    assert zones.data("uname", pid=inside)["nodename"] == "one"
    zones.do("sethostname", "mine", 4, pid=inside)
    assert zones.data("uname")["nodename"] == "vitrina-host"


def test_a_zone_mounts_what_is_safe_and_takes_off_only_what_it_mounted(zones: Zones) -> None:
    number = zones.make()
    assert zones.do("mount", "/usr", "/zones/one/usr", 0, "lofs", None, 0, "ro", 2) == 0
    inside = zones.fork()
    assert zones.do("zone_enter", number, pid=inside) == 0
    assert zones.do("creat", "/usr/bin/x", 0o755, pid=inside) == "EROFS"
    assert zones.wall("umount2", "/usr", 0, pid=inside) == ("EPERM", "zone-privileges")
    assert zones.do("mount", "swap", "/tmp", 0, "tmpfs", pid=inside) == 0
    assert zones.do("umount2", "/tmp", 0, pid=inside) == 0
    assert zones.wall("mount", "dev", "/dev", 0, "dev", pid=inside) == ("EPERM", "zone-privileges")
    assert zones.do("mount", "x", "/tmp", 0, "nosuchfs", pid=inside) == "EINVAL"


def test_only_the_listed_devices_are_in_a_zones_dev(zones: Zones) -> None:
    number = zones.make()
    match = "match=null:zero:dsk"
    done = zones.do("mount", "/dev", "/zones/one/dev", 0, "dev", None, 0, match, len(match))
    assert done == 0
    inside = zones.fork()
    assert zones.do("zone_enter", number, pid=inside) == 0
    assert isinstance(zones.do("open", "/dev/null", O_WRONLY, pid=inside), int)
    assert zones.wall("open", "/dev/mem", O_RDONLY, pid=inside) == ("ENOENT", "zone-devices")
    assert zones.do("open", "/dev/dsk/c0t0d0s0", O_RDONLY, pid=inside) == "ENOENT"


def test_a_zone_boots_once_and_its_init_is_an_ordinary_process(zones: Zones) -> None:
    number = zones.make()
    assert zones.data("zone_getattr", number, ZONE_ATTR_STATUS) == "ready"
    assert zones.do("zone_getattr", number, ZONE_ATTR_INITPID) == "ESRCH"
    assert zones.do("zone_boot", number) == 0
    assert zones.do("zone_boot", number) == "EINVAL"
    init = zones.data("zone_getattr", number, ZONE_ATTR_INITPID)
    assert zones.store.row(Task, init).comm == "init"
    assert zones.do("zone_destroy", number) == "EBUSY"
    assert zones.do("zone_shutdown", number) == 0
    assert zones.store.row(Task, init).state is TaskState.ZOMBIE
    assert zones.do("zone_enter", number) == "EINVAL"
    assert zones.do("zone_destroy", number) == 0
    assert zones.do("zone_lookup", "one") == "EINVAL"


@pytest.mark.parametrize(
    ("command", "function", "again"),
    [(A_SHUTDOWN, AD_BOOT, True), (A_REBOOT, 0, True), (A_SHUTDOWN, AD_HALT, False)],
)
def test_uadmin_in_a_zone_is_about_the_zone(
    zones: Zones, command: int, function: int, again: bool
) -> None:
    number = zones.make()
    zones.do("zone_boot", number)
    first = zones.data("zone_getattr", number, ZONE_ATTR_INITPID)
    inside = zones.fork()
    zones.do("zone_enter", number, pid=inside)
    zones.raw("uadmin", command, function, None, pid=inside)
    assert zones.store.row(Task, inside).state is TaskState.ZOMBIE
    assert zones.do("getpid") == zones.pid
    if again:
        assert zones.data("zone_getattr", number, ZONE_ATTR_INITPID) != first
        assert zones.data("zone_getattr", number, ZONE_ATTR_STATUS) == "running"
    else:
        assert zones.data("zone_list") == [0]


def test_resource_controls_are_set_from_the_global_zone(zones: Zones) -> None:
    inside = zones.within(rctls={"zone.max-lwps": 2})
    assert zones.do("fork", pid=inside) > 0
    assert zones.wall("fork", pid=inside) == ("EAGAIN", "zone.max-lwps")
    assert zones.do("setrctl", "zone.max-lwps", 1, 9, pid=inside) == "EPERM"
    assert zones.do("setrctl", "zone.max-lwps", 1, 3) == 0
    assert zones.do("getrctl", "zone.max-lwps", 1, pid=inside) == 3
    assert zones.do("fork", pid=inside) > 0
    assert zones.do("getrctl", "zone.nothing", 1) == "EINVAL"


def test_the_scheduler_is_told_of_shares_caps_and_processors(zones: Zones) -> None:
    number = zones.make(rctls={"zone.cpu-shares": 3, "zone.cpu-cap": 50}, pset=1)
    row = zone.numbered(zones.store, number)
    assert row is not None
    told = {name: value for name, value in row.params.items() if name.startswith("cpu.")}
    assert told == {"cpu.weight": 3 * 1024, "cpu.quota": 50_000_000, "cpu.cpus": "1-1"}
    assert zones.do("setrctl", "zone.cpu-cap", number, 25) == 0
    row = zone.numbered(zones.store, number)
    assert row is not None
    assert row.params["cpu.quota"] == 25_000_000
    greedy = {"name": "two", "root": "/zones/two", "privs": DEFAULT, "pset": 2}
    assert zones.do("zone_create", greedy) == "EINVAL"


def test_max_swap_is_enomem_and_counts_the_zone_alone(zones: Zones) -> None:
    inside = zones.within(rctls={"zone.max-swap": 1 << 20, "zone.max-sem-ids": 1})
    fd = zones.do("memfd_create", "hog", 0, pid=inside)
    assert zones.do("write", fd, "x" * 65536, 65536, pid=inside) == 65536
    errno, wall = zones.wall("write", fd, "x" * (1 << 20), 1 << 20, pid=inside)
    assert (errno, wall) == ("ENOSPC", "zone.max-swap")
    assert isinstance(zones.do("semget", 0, 1, 0o600, pid=inside), int)
    assert zones.do("semget", 0, 1, 0o600, pid=inside) == "ENOSPC"
    outside = zones.do("memfd_create", "free", 0)
    assert zones.do("write", outside, "x" * (2 << 20), 2 << 20) == 2 << 20


def test_the_right_to_set_a_clock_comes_after_the_clock_and_before_the_time(zones: Zones) -> None:
    """clock_settime() of timer.c; Linux looks at the time first."""
    pid = zones.within()
    assert zones.do("clock_settime", 99, (0, -1), pid=pid) == "EINVAL"
    assert zones.do("clock_settime", 0, (0, -1), pid=pid) == "EPERM"
    assert zones.do("clock_settime", 0, None, pid=pid) == "EPERM"
    assert zones.do("clock_settime", 0, None) == "EFAULT"
    assert zones.do("clock_settime", 0, (0, -1)) == "EINVAL"

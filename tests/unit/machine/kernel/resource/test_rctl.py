"""racct and rctl: what is counted, which rules are taken, what they do. sys/kern/kern_rctl.c."""

from typing import Any

import pytest

from simulator.machine.abi.call import Silent
from simulator.machine.abi.constants import JAIL_CREATE, O_RDONLY, SIGXCPU
from simulator.machine.abi.ids import Pid
from simulator.machine.families.freebsd import FREEBSD
from simulator.machine.kernel import clock, log, sysctl
from simulator.machine.kernel.modules import SwapArea
from simulator.machine.kernel.rctl.usage import table_size
from simulator.machine.kernel.resource.fair import UNIT
from simulator.machine.kernel.resource.shares import path
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.vfs import tree
from tests.unit.machine.bare import Machine

PRIVATE, READ_WRITE, IPC_CREAT = 0x22, 3, 0o1000
MEGABYTE = 1 << 20


class Limited(Machine):
    """A FreeBSD machine that was booted with kern.racct.enable=1, and a jail called ``web``."""

    def __init__(self) -> None:
        super().__init__(FREEBSD)
        tree.mkdirs(self.store, 1, "/jail/tmp")
        tree.file(self.store, 1, "/jail/file", b"")
        assert self.do("@loader", "kern.racct.enable", "1") == 0
        self.jailed = self.jail("web")

    def jail(self, name: str, by: Pid | None = None, *, more: dict[str, int] | None = None) -> Pid:
        """A process in a new jail."""
        asked = {"path": "/jail" if by is None else "/", "persist": 1, "name": name, **(more or {})}
        jid = self.do("jail_set", asked, JAIL_CREATE, pid=by)
        assert isinstance(jid, int), jid
        pid = self.fork(by)
        assert self.do("jail_attach", jid, pid=pid) == 0
        return pid

    def add(self, rule: str, pid: Pid | None = None) -> Any:
        """rctl -a."""
        return self.do("rctl_add_rule", rule, len(rule) + 1, None, 0, pid=pid)

    def told(self, call: str, text: str) -> list[str]:
        """The rules, limits or figures that a filter gives."""
        reply = self.data(call, text, len(text) + 1, None, MEGABYTE)
        return [word for word in reply.split(",") if word]

    def figure(self, whose: str, resource: str) -> int:
        """One line of rctl -u."""
        lines = (line.split("=") for line in self.told("rctl_get_racct", whose))
        return int(dict(lines)[resource])


@pytest.fixture
def host() -> Limited:
    return Limited()


def wall(host: Machine, name: str, *args: Any, pid: Pid) -> tuple[str, str]:
    denial = host.raw(name, *args, pid=pid).denial
    return str(denial.errno), denial.wall


def test_generic_accounts_for_nothing_until_the_loader_says_so() -> None:
    plain = Machine(FREEBSD)
    assert plain.do("rctl_get_rules", "::", 3, None, 100) == "ENOSYS"
    assert plain.do("__sysctlbyname", "kern.racct.enable", "1") == "EPERM"
    assert plain.data("__sysctlbyname", "sysctl.oidfmt.kern.racct.enable") == "RDTUN"
    assert sysctl.number(plain.store, FREEBSD, "kern.racct.enable") == 0


def test_rules_are_root_s_of_the_host_alone(host: Limited) -> None:
    rule = "jail:web:maxproc:deny=1000"
    assert wall(host, "rctl_add_rule", rule, 27, pid=host.jailed) == ("EPERM", "prison-privileges")
    user = host.become(host.fork(), 1000)
    assert wall(host, "rctl_get_rules", "::", 3, None, 99, pid=user) == ("EPERM", "superuser")


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        ("jail:web:maxproc:deny=5", 0),
        ("JAIL:web:MaxProc:Deny=5/User", 0),
        ("jail::maxproc:deny=5", "EINVAL"),
        ("jail:web:maxproc:deny", "EINVAL"),
        ("jail:web:maxproc:deny=many", "EINVAL"),
        ("jail:web:maxproc:deny=-1", "ERANGE"),
        ("jail:web:nothing:deny=5", "EINVAL"),
        ("jail:web:maxproc:forbid=5", "EINVAL"),
        ("user:root:maxproc:deny=5", "EINVAL"),
        ("process:9999:maxproc:deny=5", "ESRCH"),
        (f"jail:{'x' * 256}:maxproc:deny=5", "ENAMETOOLONG"),
        ("jail:web:cputime:deny=5", "EOPNOTSUPP"),
        ("jail:web:readbps:deny=5", "EOPNOTSUPP"),
        ("jail:web:maxproc:throttle=5", "EOPNOTSUPP"),
        ("jail:web:pcpu:throttle=5", "EOPNOTSUPP"),
        ("jail:web:shmsize:deny=5/process", "EOPNOTSUPP"),
        ("jail:web:pcpu:deny=9223372036855", "ERANGE"),
    ],
)
def test_a_rule_is_taken_or_refused(host: Limited, rule: str, answer: int | str) -> None:
    assert host.add(rule) == answer


@pytest.mark.parametrize(
    "rule",
    [
        "jail:web:stacksize:deny=5",
        "jail:web:readbps:throttle=5",
        "jail:web:maxproc:devctl=5",
        "loginclass:daemon:maxproc:deny=5",
        "jail:web:maxproc:deny=5/loginclass",
    ],
)
def test_what_the_model_does_not_count_it_does_not_pretend_to(host: Limited, rule: str) -> None:
    assert isinstance(host.raw("rctl_add_rule", rule, len(rule) + 1), Silent)


def test_a_deny_rule_takes_the_place_of_one_for_another_amount(host: Limited) -> None:
    for rule in ("maxproc:deny=5", "maxproc:log=3", "maxproc:deny=7", "maxproc:log=4"):
        host.add(f"jail:web:{rule}")
    assert host.told("rctl_get_rules", "::") == [
        "jail:web:maxproc:log=4",
        "jail:web:maxproc:deny=7",
        "jail:web:maxproc:log=3",
    ]


def test_a_filter_names_what_it_wants(host: Limited) -> None:
    for rule in ("jail:web:maxproc:deny=5", "jail:web:nthr:deny=5/user", "user:0:nthr:deny=99"):
        host.add(rule)
    assert host.told("rctl_get_rules", "user:") == ["user:0:nthr:deny=99"]
    assert host.told("rctl_get_rules", "::nthr:=/user") == [
        "user:0:nthr:deny=99",
        "jail:web:nthr:deny=5/user",
    ]
    assert host.told("rctl_get_rules", ":::=/user")[1:] == ["jail:web:nthr:deny=5/user"]
    assert host.told("rctl_get_limits", f"process:{host.pid}") == ["user:0:nthr:deny=99"]
    assert len(host.told("rctl_get_limits", f"process:{host.jailed}")) == 3
    assert host.do("rctl_remove_rule", "::maxproc", 10) == 0
    assert host.do("rctl_remove_rule", "::maxproc", 10) == "ESRCH"
    assert host.do("rctl_get_rules", "::", 3, None, 5) == "ERANGE"
    assert host.do("rctl_get_limits", "jail:web", 9, None, 99) == "EOPNOTSUPP"
    assert host.do("rctl_get_racct", "jail:", 6, None, 99) == "EINVAL"


def test_a_jail_has_no_more_processes_than_its_rule_allows(host: Limited) -> None:
    host.add("jail:web:maxproc:deny=3")
    assert [host.do("fork", pid=host.jailed) for _ in range(2)] != ["EAGAIN"] * 2
    assert wall(host, "fork", pid=host.jailed) == ("EAGAIN", "rctl")
    assert isinstance(host.do("fork"), int)
    assert host.figure("jail:web", "maxproc") == 3


def test_a_zombie_is_a_process_but_no_thread(host: Limited) -> None:
    child = host.fork(host.jailed)
    host.do("exit", 0, pid=child)
    assert host.figure("jail:web", "maxproc") == 2
    assert host.figure("jail:web", "nthr") == 1


def test_a_rule_may_come_before_its_jail_and_counts_the_jails_inside(host: Limited) -> None:
    host.add("jail:later:maxproc:deny=2")
    first = host.jail("later", more={"children.max": 5})
    inner = host.jail("inner", first)
    assert host.figure("jail:later", "maxproc") == 2
    assert host.do("fork", pid=first) == "EAGAIN"
    assert host.told("rctl_get_limits", f"process:{inner}") == ["jail:later:maxproc:deny=2"]


def test_a_process_s_own_rules_are_its_children_s_too(host: Limited) -> None:
    host.add(f"process:{host.pid}:vmemoryuse:deny={64 * MEGABYTE}")
    child = host.fork()
    assert host.told("rctl_get_limits", f"process:{child}") == [
        f"process:{child}:vmemoryuse:deny={64 * MEGABYTE}"
    ]
    host.do("exit", 0, pid=child)
    host.do("wait4", child, 0)
    assert len(host.told("rctl_get_rules", "process:")) == 1


@pytest.mark.parametrize(
    ("rule", "call", "errno"),
    [
        ("vmemoryuse:deny=16M", ("mmap", 0, 8192, READ_WRITE, PRIVATE, -1, 0), "ENOMEM"),
        ("swapuse:deny=4k", ("mmap", 0, 8192, READ_WRITE, PRIVATE, -1, 0), "ENOMEM"),
        ("datasize:deny=4k", ("brk", 0x01023000 + 8192), "ENOMEM"),
        ("shmsize:deny=4k", ("shmget", 0, 8192, 0o600), "ENOMEM"),
        ("nshm:deny=0", ("shmget", 0, 8192, 0o600), "ENOSPC"),
        ("nsem:deny=3", ("semget", 0, 4, 0o600), "ENOSPC"),
        ("nmsgq:deny=0", ("msgget", 0, 0o600), "ENOSPC"),
    ],
)
def test_each_resource_is_refused_with_its_own_errno(
    host: Limited, rule: str, call: tuple[Any, ...], errno: str
) -> None:
    pid = host.jail("ipc", more={"allow.sysvipc": 1})
    text = rule.replace("16M", str(16 * MEGABYTE)).replace("4k", "4096")
    assert host.add(f"jail:ipc:{text}") == 0
    assert wall(host, *call, pid=pid) == (errno, "rctl")
    assert host.do(*call, pid=host.pid) not in (errno, "ENOSYS")


def test_messages_and_long_lists_of_operations_are_counted(host: Limited) -> None:
    pid = host.jail("ipc", more={"allow.sysvipc": 1})
    queue = host.do("msgget", 0, 0o600, pid=pid)
    host.add("jail:ipc:msgqqueued:deny=1")
    assert host.do("msgsnd", queue, (1, b"a"), 1, 0, pid=pid) == 0
    assert wall(host, "msgsnd", queue, (1, b"a"), 1, 0, pid=pid) == ("EAGAIN", "rctl")
    found = host.do("semget", 0, 1, 0o600, pid=pid)
    host.add("jail:ipc:nsemop:deny=3")
    assert host.do("semop", found, [(0, 1, 0)] * 8, 8, pid=pid) == 0
    assert wall(host, "semop", found, [(0, 1, 0)] * 9, 9, pid=pid) == ("E2BIG", "rctl")


def test_a_table_of_descriptors_is_counted_when_it_grows() -> None:
    assert [table_size(n) for n in (-1, 19, 20, 63, 64, 127, 128)] == [0, 0, 40, 40, 128, 128, 256]


def test_openfiles_limits_tables_not_files(host: Limited) -> None:
    host.add("jail:web:openfiles:deny=50")
    opened = [host.do("open", "/file", O_RDONLY, pid=host.jailed) for _ in range(64)]
    assert opened[-1] == 63
    assert wall(host, "open", "/file", O_RDONLY, pid=host.jailed) == ("EMFILE", "rctl")
    assert wall(host, "dup", 0, pid=host.jailed) == ("EMFILE", "rctl")
    assert wall(host, "dup2", 0, 100, pid=host.jailed) == ("EMFILE", "rctl")
    assert host.figure("jail:web", "openfiles") == 40
    assert wall(host, "fork", pid=host.jailed) == ("EAGAIN", "rctl")


def test_who_is_over_a_log_rule_is_told_of_once(host: Limited) -> None:
    host.add("jail:web:openfiles:log=10")
    for _ in range(130):
        host.do("open", "/file", O_RDONLY, pid=host.jailed)
    lines = [line for line in log.ring(host.store).lines if line.startswith("rctl:")]
    task = host.store.row(Task, host.jailed)
    assert lines == [
        f'rctl: rule "jail:web:openfiles:log=10" matched by pid {host.jailed} ({task.comm}),'
        " uid 0, jail web"
    ]


def test_what_is_told_stays_told_when_another_rule_refuses(host: Limited) -> None:
    host.add("jail:web:openfiles:log=10")
    host.add("jail:web:openfiles:deny=20")
    opened = [host.do("open", "/file", O_RDONLY, pid=host.jailed) for _ in range(21)]
    assert opened[-1] == "EMFILE"
    assert any("openfiles:log=10" in line for line in log.ring(host.store).lines)


def test_a_signal_ends_the_child_that_is_one_too_many(host: Limited) -> None:
    host.add("jail:web:maxproc:sigkill=2")
    born = [host.do("fork", pid=host.jailed) for _ in range(2)]
    states = [host.store.row(Task, pid).state for pid in born]
    assert states[1] is TaskState.ZOMBIE is not states[0]


def test_memoryuse_pages_out_and_can_t_without_swap(host: Limited) -> None:
    host.add(f"jail:web:memoryuse:deny={MEGABYTE}")
    at = host.do("mmap", 0, 4 * MEGABYTE, READ_WRITE, PRIVATE, -1, 0, pid=host.jailed)
    host.do("@touch", at, 2 * MEGABYTE, pid=host.jailed)
    assert host.figure("jail:web", "memoryuse") == 2 * MEGABYTE
    host.store.put(SwapArea(id=1, path="/dev/ada0p3", size=8 * MEGABYTE))
    host.do("@touch", at, 3 * MEGABYTE, pid=host.jailed)
    assert host.figure("jail:web", "memoryuse") == MEGABYTE


def test_pcpu_is_a_share_of_one_processor(host: Limited) -> None:
    host.add("jail:web:pcpu:deny=30")
    host.add("user:0:pcpu:deny=50/process")
    found = path(host.store, host.store.row(Task, host.jailed))
    assert [(one.quota, one.period, one.weight) for one in found] == [
        (500_000_000, 1_000_000_000, UNIT),
        (300_000_000, 1_000_000_000, UNIT),
    ]


def pass_seconds(host: Limited, seconds: int) -> None:
    """Let time pass, look by look."""
    end = clock.monotonic(host.store) + seconds * 1_000_000_000
    while (left := end - clock.monotonic(host.store)) > 0:
        host.kernel.advance(left)


def test_who_has_been_there_too_long_is_ended_at_the_next_look(host: Limited) -> None:
    host.add("jail:web:wallclock:sigterm=5/process")
    pass_seconds(host, 5)
    assert host.figure("jail:web", "wallclock") == 5
    assert host.store.row(Task, host.jailed).state is not TaskState.ZOMBIE
    pass_seconds(host, 1)
    assert host.store.row(Task, host.jailed).state is TaskState.ZOMBIE
    assert host.store.row(Task, host.pid).state is not TaskState.ZOMBIE


def test_time_of_the_dead_stays_their_jail_s_and_their_user_s(host: Limited) -> None:
    child = host.fork(host.jailed)
    pass_seconds(host, 3)
    host.do("exit", 0, pid=child)
    pass_seconds(host, 1)
    assert host.figure("jail:web", "wallclock") == 7
    assert host.figure(f"process:{host.jailed}", "wallclock") == 4


def test_only_who_computes_is_told_of_its_jail_s_processor_time(host: Limited) -> None:
    host.add("jail:web:cputime:sigxcpu=2")
    busy = host.fork(host.jailed)
    host.do("@burn", None, 0, pid=busy)
    pass_seconds(host, 2)
    assert host.store.row(Task, busy).state is not TaskState.ZOMBIE
    pass_seconds(host, 1)
    assert host.store.row(Task, busy).exit_status == SIGXCPU
    assert host.store.row(Task, host.jailed).state is not TaskState.ZOMBIE

"""What rules do: refuse, tell the kernel's log, send a signal, take pages away, make wait.

Every rule that is exceeded acts, a refusal last. Whoever was told of once is not told of again
until it is within the rule. Source: sys/kern/kern_rctl.c (rctl_enforce, rctl_proc_fork),
kern_racct.c (racct_proc_fork, racctd), vm/vm_swapout.c (vm_daemon).
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from simulator.machine.abi.call import Denial
from simulator.machine.abi.constants import BY_NAME
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel import alarm, clock, fork, log, signal
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.rctl import rules, usage
from simulator.machine.kernel.rctl.rules import CITE, WALL, Rule
from simulator.machine.kernel.resource import charge, memory, reclaim, shares
from simulator.machine.kernel.resource.demand import Demand
from simulator.machine.kernel.resource.processors import count
from simulator.machine.kernel.sysctl import Sysctl
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.vfs.fd import FdTable
from simulator.machine.state.store import Row, Store, World

if TYPE_CHECKING:
    from simulator.machine.kernel.security import Answer
    from simulator.machine.kernel.trap import Trap

_SECOND, _MICROSECOND = 1_000_000_000, 1_000
_FEW_OPERATIONS = 8
"""SMALL_SOPS: so many operations of semop(2) are not counted at all."""


class Told(Row, frozen=True, kw_only=True):
    """Process ``pid`` has been told of for exceeding a rule (rrl_exceeded); ``id`` is both."""

    pid: int


class Wish(NamedTuple):
    """So much more of a resource, and how the kernel says that there is no more."""

    resource: str
    amount: int
    errno: Errno
    why: str


_PROCESSES = N_("An rctl rule allows no more processes.")
_FILES = N_("An rctl rule allows no larger tables of descriptors.")
_SPACE = N_("An rctl rule allows no larger address spaces.")
_DATA = N_("An rctl rule allows no larger heaps.")
_SWAP = N_("An rctl rule lets no more memory be promised.")
_LOCKED = N_("An rctl rule lets no more memory be locked.")
_TERMINALS = N_("An rctl rule allows no more terminals.")
_IPC = N_("An rctl rule allows no more System V IPC.")


def may_charge(trap: "Trap", resource: str, amount: int) -> "Answer":
    """racct_add(), racct_set(): the errno is the caller's own."""
    if not trap.store.count(Rule):
        return None
    wishes = _WISHES.get(resource)
    newborn = resource == "task"
    for wish in wishes(trap, amount) if wishes is not None else ():
        asked = (trap.task, wish.resource, wish.amount, trap.lasting)
        if _exceeded(trap.store, *asked, newborn=newborn):
            return Denial(wish.errno, WALL, wish.why, CITE)
    return None


def _exceeded(
    store: Store,
    task: Task,
    resource: str,
    amount: int,
    lasting: list[Callable[[Store], None]],
    *,
    newborn: bool = False,
) -> bool:
    """rctl_enforce(): whether a rule denies ``task`` so much more.

    What is done besides is kept in ``lasting``. ``newborn``: it is for a child that does not quite
    exist, of whom nobody is told yet; its own figures begin at nothing.
    """
    refused = False
    for rule in rules.applying(store, task, resource):
        fresh = newborn and rule.per == "process"
        now = 0 if fresh else usage.held(store, resource, usage.holder(store, rule.per, task))
        told = store.get(Told, (rule.id, task.id))
        if now + amount <= rules.in_parts(rule):
            if told is not None:
                store.drop(Told, told.id)
        elif rule.action == "deny":
            refused = True
        elif not newborn and told is None:
            act = _action(store, task, rule)
            act(store)
            lasting.append(act)
    return refused


def _action(world: World, task: Task, rule: Rule) -> Callable[[Store], None]:
    """RCTL_ACTION_LOG, or a signal."""
    jail = rules.jail_name(world.row(Context, task.context))
    line = (
        f'rctl: rule "{rule}" matched by pid {task.id} ({task.comm}), uid {task.cred.euid},'
        f" jail {jail}"
    )

    def act(store: Store) -> None:
        store.put(Told(id=(rule.id, task.id), pid=task.id))
        if rule.action == "log":
            log.append(store, line)
        else:
            signal.send(store, task.id, BY_NAME[rule.action.upper()])

    return act


def _for_task(trap: "Trap", amount: int) -> list[Wish]:
    """racct_proc_fork(): what a child has of its parent's, and then itself."""
    del amount
    store, parent = trap.store, trap.task
    inherited = (
        ("datasize", usage.heap(store, parent), _DATA),
        ("openfiles", usage.table_of(store, parent), _FILES),
        ("vmemoryuse", usage.address_space(store, parent), _SPACE),
        ("maxproc", 1, _PROCESSES),
        ("nthr", 1, _PROCESSES),
    )
    return [Wish(name, much, Errno.EAGAIN, why) for name, much, why in inherited if much]


def _for_file(trap: "Trap", amount: int) -> list[Wish]:
    """fdalloc(): the table grows when it has no room, and nothing is counted until then."""
    del amount
    table = trap.store.row(FdTable, trap.task.files)
    return _for_descriptor(trap, table.slots.lowest_free(0))


def _for_descriptor(trap: "Trap", number: int) -> list[Wish]:
    """The same for a descriptor of this number."""
    now = usage.table_of(trap.store, trap.task)
    more = usage.table_size(number) - now
    return [Wish("openfiles", more, Errno.EMFILE, _FILES)] if more > 0 else []


def _for_operations(trap: "Trap", amount: int) -> list[Wish]:
    """sys_semop(): only a long list is looked at."""
    del trap
    long = amount > _FEW_OPERATIONS
    return [Wish("nsemop", amount, Errno.E2BIG, _IPC)] if long else []


def _plain(
    *wanted: tuple[str, Errno, str], counted: bool = False
) -> "Callable[[Trap, int], list[Wish]]":
    """One more of the first resource (or as many as are asked for), and so much of the others."""

    def wishes(trap: "Trap", amount: int) -> list[Wish]:
        del trap
        return [
            Wish(name, 1 if counted and not place else amount, errno, why)
            for place, (name, errno, why) in enumerate(wanted)
        ]

    return wishes


_WISHES: "Mapping[str, Callable[[Trap, int], list[Wish]]]" = {
    "task": _for_task,
    "file": _for_file,
    "descriptor": _for_descriptor,
    "address-space": _plain(("vmemoryuse", Errno.ENOMEM, _SPACE)),
    "heap": _plain(("datasize", Errno.ENOMEM, _DATA)),
    "private-memory": _plain(("swapuse", Errno.ENOMEM, _SWAP)),
    "locked-memory": _plain(("memorylocked", Errno.ENOMEM, _LOCKED)),
    "terminal": _plain(("pseudoterminals", Errno.EAGAIN, _TERMINALS)),
    "shared-memory": _plain(
        ("nshm", Errno.ENOSPC, _IPC), ("shmsize", Errno.ENOMEM, _IPC), counted=True
    ),
    "semaphores": _plain(("nsem", Errno.ENOSPC, _IPC)),
    "semaphore-operations": _for_operations,
    "message-queue": _plain(("nmsgq", Errno.ENOSPC, _IPC)),
    "message": _plain(
        ("msgqqueued", Errno.EAGAIN, _IPC), ("msgqsize", Errno.EAGAIN, _IPC), counted=True
    ),
}
"""What each thing that is charged for means to the accounting."""


def _born(trap: "Trap", child: Task) -> None:
    """rctl_proc_fork() and racct_proc_fork_done(): rules for the parent alone are its child's too,
    and now somebody may be told of it.
    """
    if not trap.store.count(Rule):
        return
    for rule in rules.applying(trap.store, trap.task):
        if rule.subject == "process":
            own = msgspec.structs.replace(rule, id=trap.store.new_id(Rule), who=int(child.id))
            trap.store.put(own)
    for resource in ("maxproc", "nthr"):
        _exceeded(trap.store, child, resource, 0, trap.lasting)


def _gone(store: Store, pid: Pid) -> None:
    """rctl_racct_release(): a process's own rules go with it."""
    rules.remove(store, rules.Filter(subject="process", who=int(pid)))
    for told in store.all(Told):
        if told.pid == pid:
            store.drop(Told, told.id)


def _hold(trap: "Trap") -> None:
    """vm_daemon(), which looks every second, at once: pages of whoever is over memoryuse go to
    swap. Where there is none, they stay where they are.
    """
    store = trap.store
    for rule in rules.applying(store, trap.task, "memoryuse"):
        whose = usage.holder(store, rule.per, trap.task)
        over = usage.held(store, "memoryuse", whose) - rule.amount
        if rule.action != "deny":
            _exceeded(store, trap.task, "memoryuse", 0, trap.lasting)
        elif over > 0:
            reclaim.swap_out(store, usage.tasks(store, whose), over)


def _time_left(world: World, task: Task, rule: Rule) -> int | None:
    """To the look of racctd() at which ``task`` can be over a rule about time at the earliest, in
    nanoseconds; None where it has been told of.
    """
    told = world.get(Told, (rule.id, task.id)) is not None
    if told or rule.resource not in usage.FOR_EVER or not _grows(world, task, rule.resource):
        return None
    whose = usage.holder(world, rule.per, task)
    left = max(0, rules.in_parts(rule) - usage.held(world, rule.resource, whose))
    faster = count(world) if rule.resource == "cputime" else max(1, len(usage.tasks(world, whose)))
    now = clock.monotonic(world)
    over = now + left * _MICROSECOND // faster
    return (over // _SECOND + 1) * _SECOND - now


def _next_look(world: World) -> int | None:
    """When racctd() can first find anything; it looks once a second."""
    if not any(rule.resource in usage.FOR_EVER for rule in world.all(Rule)):
        return None
    waits = [
        _time_left(world, task, rule)
        for task in world.all(Task)
        for rule in rules.applying(world, task)
    ]
    return min((wait for wait in waits if wait is not None), default=None)


def _ends(world: World, task: Task) -> int | None:
    """When a signal of racctd()'s may come to ``task``."""
    waits = [
        _time_left(world, task, rule)
        for rule in rules.applying(world, task)
        if rule.action != "log"
    ]
    return min((wait for wait in waits if wait is not None), default=None)


def _look(store: Store) -> None:
    """The round of racctd(): who has had too much time, and more than at the last look, is told."""
    if not store.count(Rule) or clock.monotonic(store) % _SECOND:
        return
    for one in store.all(Task):
        for resource in usage.FOR_EVER:
            task = store.get(Task, one.id)
            if task is not None and _grows(store, task, resource):
                _exceeded(store, task, resource, 0, [])


def _grows(world: World, task: Task, resource: str) -> bool:
    """Whether a process has more and more of it: processor time only if it computes."""
    if task.state is TaskState.ZOMBIE:
        return False
    return resource != "cputime" or world.get(Demand, task.id) is not None


def _shares(world: World, task: Task) -> tuple[shares.Share, ...]:
    """racctd(), once a second: who is over its pcpu waits until the next look."""
    found: list[shares.Share] = []
    for rule in rules.applying(world, task, "pcpu"):
        quota = max(1, rule.amount * _SECOND // 100)
        key = (WALL, rule.id, usage.holder(world, rule.per, task))
        found.append(shares.Share(key=key, quota=quota, period=_SECOND))
    return tuple(found)


_TOLD_AS = {
    ("maxproc", "deny"): "pids",
    ("maxproc", "sigkill"): "pids",
    ("nthr", "deny"): "pids",
    ("nthr", "sigkill"): "pids",
    ("memoryuse", "sigkill"): "memory",
    ("vmemoryuse", "deny"): "memory",
    ("swapuse", "deny"): "memory",
}
"""What a rule grants: paging out (memoryuse, deny) keeps nobody from taking more."""


def _granted(world: World, task: Task) -> Mapping[str, int]:
    """What the rules for a task's whole jail grant it."""
    found: dict[str, int] = {}
    own = usage.holder(world, "jail", task)
    for rule in rules.applying(world, task):
        name = _TOLD_AS.get((rule.resource, rule.action))
        if name is not None and (rule.subject, rule.who, rule.per) == (*own, "jail"):
            found[name] = min(rule.amount, found.get(name, rule.amount))
    return found


def _ended(store: Store, task: Task) -> None:
    written = store.get(Sysctl, "kern.racct.enable")
    if written is not None and written.value != "0":
        usage.end(store, task)


fork.at_fork(_born)
alarm.watch(alarm.Watch(_next_look, _look, _ends))
exits.at_exit(_ended)
exits.at_reaping(_gone)
memory.at_charge(_hold)
charge.at_grant(_granted)
shares.source(_shares)

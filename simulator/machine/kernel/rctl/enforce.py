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
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel import fork, log, signal
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.rctl import rules, usage
from simulator.machine.kernel.rctl.rules import CITE, WALL, Rule
from simulator.machine.kernel.resource import charge, memory, reclaim, shares
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs.fd import FdTable
from simulator.machine.state.store import Row, Store, World

if TYPE_CHECKING:
    from simulator.machine.kernel.security import Answer
    from simulator.machine.kernel.trap import Trap

_SECOND = 1_000_000_000
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
    for wish in wishes(trap, amount) if wishes is not None else ():
        if _exceeded(trap, trap.task, wish.resource, wish.amount, newborn=resource == "task"):
            return Denial(wish.errno, WALL, wish.why, CITE)
    return None


def _exceeded(
    trap: "Trap", task: Task, resource: str, amount: int, *, newborn: bool = False
) -> bool:
    """rctl_enforce(): whether a rule denies ``task`` so much more.

    ``newborn``: it is for a child that does not quite exist, of whom nobody is told yet; its own
    figures begin at nothing.
    """
    refused = False
    for rule in rules.applying(trap.store, task, resource):
        fresh = newborn and rule.per == "process"
        whose = usage.holder(trap.store, rule.per, task)
        now = 0 if fresh else usage.held(trap.store, resource, whose)
        if now + amount <= rule.amount:
            if trap.store.get(Told, (rule.id, task.id)) is not None:
                trap.store.drop(Told, (rule.id, task.id))
        elif rule.action == "deny":
            refused = True
        elif not newborn:
            _tell(trap, task, rule)
    return refused


def _tell(trap: "Trap", task: Task, rule: Rule) -> None:
    """RCTL_ACTION_LOG and the signals; they stay done when the call fails for another rule."""
    if trap.store.get(Told, (rule.id, task.id)) is not None:
        return
    jail = rules.jail_name(trap.store.row(Context, task.context))
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

    act(trap.store)
    trap.lasting.append(act)


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
        _exceeded(trap, child, resource, 0)


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
            _exceeded(trap, trap.task, "memoryuse", 0)
        elif over > 0:
            reclaim.swap_out(store, usage.tasks(store, whose), over)


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


fork.at_fork(_born)
exits.at_reaping(_gone)
memory.at_charge(_hold)
charge.at_grant(_granted)
shares.source(_shares)

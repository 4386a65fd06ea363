"""Looking into another process: ptrace(2), process_vm_readv(2), kcmp(2)."""

from typing import Any, cast

import msgspec

from simulator.machine.abi.constants import (
    KCMP_FILE,
    KCMP_FILES,
    KCMP_FS,
    KCMP_IO,
    KCMP_SIGHAND,
    KCMP_SYSVSEM,
    KCMP_VM,
    PTRACE_ATTACH,
    PTRACE_CONT,
    PTRACE_DETACH,
    PTRACE_INTERRUPT,
    PTRACE_KILL,
    PTRACE_PEEKDATA,
    PTRACE_POKEDATA,
    PTRACE_SEIZE,
    PTRACE_TRACEME,
    SIGKILL,
    SIGSTOP,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel import pids, signal
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.syscalls import decode
from simulator.machine.syscalls.registry import linux

PTRACE_PEEKTEXT, PTRACE_PEEKUSR, PTRACE_POKETEXT = 1, 3, 4
LOWEST_ADDRESS = 65536
"""vm.mmap_min_addr: nothing is mapped below it."""
INTERRUPTED = 128 << 16 | 5 << 8 | 0x7F
"""PTRACE_EVENT_STOP, as a wait status."""
UIO_MAXIOV = 1024


@linux("ptrace")
def ptrace(trap: Trap, request: int, pid: int = 0, address: Any = 0, data: Any = 0) -> int:
    """ptrace(2): EIO EPERM ESRCH."""
    if request == PTRACE_TRACEME:
        return _trace_me(trap)
    task = pids.need(trap, pid)
    if request in (PTRACE_ATTACH, PTRACE_SEIZE):
        return _attach(trap, task, request, address, data)
    stopped = task.state is TaskState.STOPPED
    if task.tracer != trap.task.id or not (stopped or request in (PTRACE_KILL, PTRACE_INTERRUPT)):
        trap.fail(Errno.ESRCH, N_("The caller does not trace it, or it is running."), "ptrace(2)")
    return _command(trap, task, request, address, data)


def _trace_me(trap: Trap) -> int:
    if trap.task.tracer is not None:
        trap.fail(Errno.EPERM, N_("The process is traced already."), "ptrace(2)")
    trap.update(tracer=trap.task.parent)
    return 0


def _attach(trap: Trap, task: Task, request: int, address: Any, data: Any) -> int:
    if request == PTRACE_SEIZE and (address or data & ~0x3000FF):
        trap.fail(Errno.EIO, "", "ptrace(2)")
    if task.id == trap.task.id:
        trap.fail(Errno.EPERM, N_("A process can't trace itself."), "ptrace(2)")
    may_reach(trap, task)
    if task.state is TaskState.ZOMBIE or task.tracer is not None:
        trap.fail(Errno.EPERM, N_("The process has ended, or is traced already."), "ptrace(2)")
    traced = msgspec.structs.replace(task, tracer=trap.task.id, seized=request == PTRACE_SEIZE)
    trap.store.put(traced)
    if request == PTRACE_ATTACH:
        signal.stop(trap.store, traced, SIGSTOP)
    return 0


def may_reach(trap: Trap, task: Task) -> None:
    """PTRACE_MODE_ATTACH, or EPERM; what was reached is noted."""
    trap.ask("may_trace", task)
    trap.ask("may_attach", task)
    trap.touch("process", task.domain, "trace", pids.label(task))


def _command(trap: Trap, task: Task, request: int, address: Any, data: Any) -> int:
    if request == PTRACE_KILL:
        signal.send(trap.store, task.id, SIGKILL)
        return 0
    if request == PTRACE_INTERRUPT:
        if not task.seized:
            trap.fail(Errno.EIO, N_("Only a seized process can be interrupted."), "ptrace(2)")
        trap.store.put(msgspec.structs.replace(task, state=TaskState.STOPPED, report=INTERRUPTED))
        return 0
    if request in (PTRACE_CONT, PTRACE_DETACH):
        return _go_on(trap, task, request, data)
    if request in (PTRACE_PEEKDATA, PTRACE_PEEKTEXT, PTRACE_POKEDATA, PTRACE_POKETEXT):
        if not isinstance(address, int) or address < LOWEST_ADDRESS:
            trap.fail(Errno.EIO, N_("Nothing is mapped at this address."), "ptrace(2)")
        raise NotModelled("the memory of a traced process")
    if request == PTRACE_PEEKUSR:
        raise NotModelled("the registers of a traced process")
    return trap.fail(Errno.EIO, N_("ptrace has no such request."), "ptrace(2)")


def _go_on(trap: Trap, task: Task, request: int, signo: Any) -> int:
    if not isinstance(signo, int) or not 0 <= signo <= signal.NSIG:
        trap.fail(Errno.EIO, N_("There is no signal with this number."), "ptrace(2)")
    tracer = None if request == PTRACE_DETACH else task.tracer
    running = signal.awake(trap.store, msgspec.structs.replace(task, tracer=tracer, report=None))
    trap.store.put(running)
    if signo == SIGKILL:
        signal.send(trap.store, task.id, signo)
    elif signo:
        signal.act(trap.store, running, signo)
    return 0


@linux("process_vm_readv", "process_vm_writev", since=(3, 2))
def process_vm(
    trap: Trap,
    pid: int,
    local: Any = None,
    local_count: Any = None,
    remote: Any = None,
    remote_count: Any = None,
    flags: int = 0,
) -> int:
    """process_vm_readv(2): EFAULT EINVAL EPERM ESRCH."""
    if flags:
        trap.fail(Errno.EINVAL, "", "process_vm_readv(2)")
    if isinstance(local, int):
        remote = [(local_count, local)]
        local = [(None, local)]
    for vector in (local_count, remote_count):
        if isinstance(vector, int) and isinstance(local, list) and vector > UIO_MAXIOV:
            trap.fail(Errno.EINVAL, "", "process_vm_readv(2)")
    if not _total(local):
        return 0
    task = trap.task if pid == trap.task.pids[-1] else pids.need(trap, pid)
    if task.state is TaskState.ZOMBIE:
        trap.fail(Errno.ESRCH, N_("The process has ended."), "process_vm_readv(2)")
    if task.id != trap.task.id:
        may_reach(trap, task)
    where = _first_address(remote)
    mapped = _same_image(trap, task) if where is None else where >= LOWEST_ADDRESS
    if not mapped:
        trap.fail(Errno.EFAULT, N_("Nothing is mapped at this address."), "process_vm_readv(2)")
    return _total(local)


def _same_image(trap: Trap, task: Task) -> bool:
    """Whether an address of the caller's means the same in ``task``: fork(2) made them alike."""
    if task.executed or trap.task.executed:
        return task.id == trap.task.id
    store = trap.store
    return pids.descends(store, task, trap.task) or pids.descends(store, trap.task, task)


def _total(vector: Any) -> int:
    rows: list[Any] = decode.sequence(vector, "a vector")
    return sum(_size(row) for row in rows)


def _size(row: Any) -> int:
    length: Any = row or 0
    if isinstance(row, (list, tuple)):
        length = decode.sequence(row, "an iovec")[1] if len(cast("Any", row)) == 2 else None
    return decode.number(length, "the length of an iovec")


def _first_address(vector: Any) -> int | None:
    rows: list[Any] = decode.sequence(vector, "a vector")
    if not rows or not isinstance(rows[0], (list, tuple)):
        return None
    where = cast("Any", rows[0][0])
    return where if isinstance(where, int) else None


@linux("kcmp", since=(3, 5))
def kcmp(trap: Trap, pid1: int, pid2: int, kind: int, index1: int = 0, index2: int = 0) -> int:
    """kcmp(2): 0 for the same thing, 1 or 2 for different ones. EBADF EINVAL EPERM ESRCH."""
    first, second = pids.need(trap, pid1), pids.need(trap, pid2)
    for task in (first, second):
        trap.ask("may_trace", task)
        trap.touch("process", task.domain, "read", pids.label(task))
    match kind:
        case x if x == KCMP_FILE:
            left, right = _description(trap, first, index1), _description(trap, second, index2)
        case x if x == KCMP_FILES:
            left, right = first.files, second.files
        case x if x in (KCMP_VM, KCMP_FS, KCMP_SIGHAND):
            left, right = first.id, second.id
        case x if x in (KCMP_IO, KCMP_SYSVSEM):
            left, right = 0, 0
        case _:
            trap.fail(Errno.EINVAL, N_("kcmp compares no such thing."), "kcmp(2)")
    if left == right:
        return 0
    return 1 if left < right else 2


def _description(trap: Trap, task: Task, fd: int) -> int:
    table = trap.store.get(fds.FdTable, task.files)
    slot = table.slots.get(fd) if table is not None else None
    if slot is None:
        trap.fail(Errno.EBADF, N_("The process has no such descriptor."), "kcmp(2)")
    return slot.file

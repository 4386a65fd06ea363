"""/proc/locks: the file locks of those whom this /proc can number. fs/locks.c (locks_show()).

Until Linux 4.9 every /proc listed all locks of the machine ("locks: Filter /proc/locks output on
proc pid ns").
"""

from simulator.machine.abi.constants import F_WRLCK
from simulator.machine.abi.ids import HOST, Pid
from simulator.machine.kernel.fs.procfs.node import Look
from simulator.machine.kernel.namespace import PidNs
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import lock, stat
from simulator.machine.kernel.vfs.inode import Superblock

_FILTERED_SINCE = (4, 9)


def locks(look: Look) -> str:
    """proc_locks(5)."""
    lines: list[str] = []
    for row in look.trap.store.all(lock.Locks):
        for held in row.held:
            number = _locker(look, held)
            if number == 0 and look.trap.family.release >= _FILTERED_SINCE:
                continue
            lines.append(f"{len(lines) + 1}: {_line(look, row, held, number)}")
            _touch(look, row, held)
    return "".join(f"{line}\n" for line in lines)


def _locker(look: Look, held: lock.Lock) -> int:
    """locks_translate_pid(): -1 for an open file description, 0 for who has no number here."""
    if held.pid < 0 or _shows_all(look):
        return held.pid
    task = look.trap.store.get(Task, Pid(held.pid))
    return look.number(task) if task is not None else 0


def _shows_all(look: Look) -> bool:
    ns = look.sb.pid_ns
    return ns is None or look.trap.store.row(PidNs, ns).parent is None


def _line(look: Look, row: lock.Locks, held: lock.Lock, number: int) -> str:
    sort = "FLOCK " if held.style == "whole" else "OFDLCK" if held.pid < 0 else "POSIX "
    kind = "WRITE" if held.kind == F_WRLCK else "READ"
    sb = look.trap.store.row(Superblock, inodes.load(look.trap, row.id).sb)
    place = f"{sb.device >> 8:02x}:{sb.device & 0xFF:02x}:{stat.number(look.trap, row.id)}"
    end = "EOF" if held.end == lock.TO_THE_END else str(held.end)
    return f"{sort} ADVISORY  {kind} {number} {place} {held.start} {end}"


def _touch(look: Look, row: lock.Locks, held: lock.Lock) -> None:
    """Note whose lock was seen: the locker's, or of one without a process the file's owner's."""
    task = look.trap.store.get(Task, Pid(held.pid)) if held.pid >= 0 else None
    owner = task.domain if task is not None else inodes.load(look.trap, row.id).domain
    look.trap.touch("lock", owner or HOST, "name", f"inode {stat.number(look.trap, row.id)}")

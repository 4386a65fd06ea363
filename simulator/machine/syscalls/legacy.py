"""Calls that hardly any program makes now, and that filters of calls name all the same.

Source: kernel/futex/syscalls.c, mm/mempolicy.c, arch/x86/kernel/ldt.c, fs/filesystems.c,
fs/statfs.c.
"""

from typing import Any, NoReturn

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel import pids
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs.inode import Superblock
from simulator.machine.syscalls.registry import linux

_MASK_BITS = 4096 * 8
"""A mask of memory nodes is at most a page."""
_LDT_ENTRY = 16
"""Bytes of ``struct user_desc``."""
_DEFAULT_LDT = 128
"""read_default_ldt(): bytes of zeros on x86-64."""
_WRITING = (1, 0x11)


@linux("get_robust_list", since=(2, 6, 17))
def get_robust_list(trap: Trap, pid: int = 0, _head: Any = None, _size: Any = None) -> int:
    """get_robust_list(2): ESRCH EPERM. What the list holds is the program's own business."""
    task = trap.task if pid == 0 else pids.need(trap, pid)
    trap.ask("may_trace", task)
    return 0


@linux("migrate_pages", since=(2, 6, 16))
def migrate_pages(trap: Trap, pid: int, most: int = 0, old: Any = None, new: Any = None) -> int:
    """migrate_pages(2) to no node: EFAULT EINVAL EPERM ESRCH."""
    for mask in (old, new):
        if most > 1 and mask:
            if most - 1 > _MASK_BITS:
                trap.fail(Errno.EINVAL, N_("The machine has fewer nodes."), "migrate_pages(2)")
            raise NotModelled("masks of memory nodes")
    task = trap.task if pid == 0 else pids.need(trap, pid)
    trap.ask("may_trace", task)
    return trap.fail(Errno.EINVAL, N_("No node is named to move to."), "migrate_pages(2)")


@linux("modify_ldt")
def modify_ldt(trap: Trap, function: int, size: int = 0, _more: Any = None) -> int:
    """modify_ldt(2) of a process without segments of its own.

    It gives an int: an error's number comes back as a positive long, not as an error.
    """
    if function == 0:
        return 0
    if function == 2:
        return min(size, _DEFAULT_LDT)
    if function not in _WRITING:
        return _as_int(trap, Errno.ENOSYS)
    if size != _LDT_ENTRY:
        return _as_int(trap, Errno.EINVAL)
    raise NotModelled("segments of a process")


def _as_int(trap: Trap, errno: Errno) -> int:
    """``(unsigned int) -errno``."""
    return (1 << 32) - trap.family.errno_numbers[errno]


@linux("sysfs")
def sysfs(trap: Trap, option: int, name: str | int | None = None, _buffer: Any = None) -> int:
    """sysfs(2), which is about file system types and not about /sys: EINVAL EFAULT."""
    kinds = [kind.name for kind in trap.family.filesystems.values()]
    if option == 3:
        return len(kinds)
    if option == 1 and name is None:
        trap.fail(Errno.EFAULT, N_("The name lies nowhere."), "sysfs(2)")
    if option == 1 and name in kinds:
        return kinds.index(str(name))
    if option == 2 and isinstance(name, int) and name < len(kinds):
        raise NotModelled("sysfs(2) telling a name")
    return trap.fail(Errno.EINVAL, N_("There is no such file system type, or option."), "sysfs(2)")


@linux("ustat")
def ustat(trap: Trap, device: int, _buffer: Any = None) -> int:
    """ustat(2): EINVAL unless something is mounted from the device."""
    if not any(sb.device == device for sb in trap.store.all(Superblock)):
        trap.fail(Errno.EINVAL, N_("Nothing is mounted from this device."), "ustat(2)")
    return 0


@linux("lookup_dcookie", since=(2, 6))
def lookup_dcookie(trap: Trap, cookie: int, _buffer: Any = None, _size: int = 0) -> NoReturn:
    """lookup_dcookie(2): ENOSYS since Linux 5.12."""
    if trap.family.release < (5, 12):
        raise NotModelled(f"what OProfile's cookie {cookie} stands for")
    _given_up(trap)


@linux("uselib")
def uselib(trap: Trap, library: str) -> NoReturn:
    """uselib(2): ENOSYS since Linux 6.16."""
    if trap.family.release < (6, 16):
        raise NotModelled(f"loading {library} as a shared library of a.out")
    _given_up(trap)


def _given_up(trap: Trap) -> NoReturn:
    trap.fail(Errno.ENOSYS, N_("The kernel has given this call up."), "unimplemented(2)")

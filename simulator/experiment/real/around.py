"""Calls that would reach around the guard: through others' memory, namespaces, handles, names.

A sandbox of the scratch machine holds programs of ours that nobody watches, and its root may be
this machine's root in all but namespaces. What would hand either to a probe stays here.
"""

import os
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from simulator.experiment.real.finding import PROC
from simulator.experiment.real.objects import (
    CGROUP_FILES,
    MACHINE_FILES,
    Opened,
    awake,
    keeps_attributes,
    named,
    opened,
)
from simulator.experiment.real.standing import capable, kinds_of, shares
from simulator.machine.abi.call import Call, Value
from simulator.machine.abi.i18n import N_

Rule = Callable[[int, tuple[Value, ...]], str | None]

CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN, CAP_MKNOD = 2, 21, 27
_SUSPEND_SECCOMP = 1 << 21
_WRITING_TRACES = {4, 5, 6, 13, 15, 19, 26, 30, 0x4205, 0x4210, 0x4212}
"""ptrace(2): POKETEXT, POKEDATA, POKEUSER, SETREGS, SETFPREGS, SETFPXREGS, SET_THREAD_AREA,
ARCH_PRCTL, SETREGSET, SET_SYSCALL_USER_DISPATCH_CONFIG, SET_SYSCALL_INFO."""
_SEIZE, _SETOPTIONS = 0x4206, 0x4200
_SHM_REMAP = 0o40000
_PERMISSIONS = 0x10000 | 0x20000 | 0x40000 | 0x100000
"""FAN_OPEN_PERM, FAN_ACCESS_PERM, FAN_OPEN_EXEC_PERM, FAN_PRE_ACCESS."""
_MS_REMOUNT, _MS_BIND = 0x20, 0x1000

ALONE = frozenset(
    {"tmpfs", "ramfs", "proc", "sysfs", "mqueue", "devpts", "overlay", "fuse", "hugetlbfs"}
)
"""File systems of which each mount, or each sandbox, has one of its own."""


def number(args: tuple[Value, ...], at: int, default: int = 0) -> int:
    """An argument as a number."""
    value = args[at] if 0 <= at < len(args) else default
    return value if isinstance(value, int) else default


def entered(pid: int, args: tuple[Value, ...]) -> str | None:
    """setns(2): by a descriptor of a namespace, or of a process."""
    with opened(pid, number(args, 0, -1)) as found:
        if found is None:
            return None
        whose = _process(pid, number(args, 0, -1))
        if whose is not None:
            ours = any(shares(whose, os.getpid(), kind) for kind in kinds_of(number(args, 1)))
        else:
            ours = _namespace_of_ours(found)
    return N_("namespaces of a real machine are not entered") if ours else None


def _namespace_of_ours(found: Opened) -> bool:
    kind = found.path.partition(":[")[0].rpartition("/")[2]
    try:
        return os.readlink(f"/proc/self/ns/{kind}") == f"{kind}:[{found.inode}]"
    except OSError:
        return False


def _process(pid: int, descriptor: int) -> int | None:
    """The process that a pidfd is of, as this machine numbers it."""
    try:
        lines = Path(f"/proc/{pid}/fdinfo/{descriptor}").read_text().splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) for line in lines if line.startswith("Pid:")]
    return found[0] if found else None


def signalled(pid: int, args: tuple[Value, ...]) -> str | None:
    """kill(2) and its like: no process outside a sandbox is even seen, if it has its own pids."""
    if number(args, len(args) - 1) and shares(pid, os.getpid(), "pid"):
        return N_("no process of a real machine is signalled")
    return None


def traced(_pid: int, args: tuple[Value, ...]) -> str | None:
    """ptrace(2): whoever changes another process makes it do what nobody judges."""
    request, data = number(args, 0), number(args, 3)
    lifts = request in (_SEIZE, _SETOPTIONS) and data & _SUSPEND_SECCOMP
    if request in _WRITING_TRACES or lifts:
        return N_("nothing is written into another process, which could be one of ours")
    return None


def implanted(_pid: int, _args: tuple[Value, ...]) -> str | None:
    """process_vm_writev(2), and process_vm_readv(2) into memory that is not the call's own."""
    return N_("nothing is written into another process, which could be one of ours")


def read_into(pid: int, args: tuple[Value, ...]) -> str | None:
    """process_vm_readv(2) with vectors of (address, length): an address could be the agent's."""
    rows = args[1] if len(args) > 1 else None
    placed = isinstance(rows, (tuple, list)) and any(
        isinstance(row, (tuple, list)) and row and row[0] is not None for row in rows
    )
    return implanted(pid, args) if placed else None


def found_by_handle(pid: int, _args: tuple[Value, ...]) -> str | None:
    """open_by_handle_at(2): a handle may name any namespace of the machine: nsfs."""
    if capable(pid, CAP_DAC_READ_SEARCH) and capable(pid, CAP_SYS_ADMIN):
        return N_("nothing of a real machine is opened without a path")
    return None


def handled(pid: int, args: tuple[Value, ...]) -> str | None:
    """open_by_handle_at(2) as a program makes it: only where the handle is of a namespace."""
    with opened(pid, number(args, 0, -1)) as found:
        of_all = number(args, 0) < _SPECIAL_ROOTS or (found is not None and found.magic == _NSFS)
    return found_by_handle(pid, args) if of_all else None


_NSFS, _SPECIAL_ROOTS = 0x6E736673, -10000
"""FD_NSFS_ROOT and FD_PIDFS_ROOT are below (linux/fcntl.h)."""


def picked(pid: int, args: tuple[Value, ...]) -> str | None:
    """fspick(2), from which a file system is remounted."""
    with _argument(pid, args, 1, 0) as found:
        if found is not None and _common(found) and capable(pid, CAP_SYS_ADMIN):
            return N_("a file system that is one for all is not remounted")
    return None


def called(mode_at: int) -> Rule:
    """mknod(2) of a device that would start something once it is opened."""

    def rule(pid: int, args: tuple[Value, ...]) -> str | None:
        mode, device = number(args, mode_at), number(args, mode_at + 1)
        wakes = stat.S_ISCHR(mode) and capable(pid, CAP_MKNOD) and awake(mode, device, pid)
        return N_("devices of a real machine are not changed") if wakes else None

    return rule


def remapped(_pid: int, args: tuple[Value, ...]) -> str | None:
    """shmat(2) in place of what is there."""
    if number(args, 2) & _SHM_REMAP:
        return N_("a fixed mapping could overwrite the agent")
    return None


def asked_first(pid: int, args: tuple[Value, ...]) -> str | None:
    """fanotify_mark(2) of what waits for an answer: whoever must be asked can hold up everybody."""
    if number(args, 2) & _PERMISSIONS and capable(pid, CAP_SYS_ADMIN):
        return N_("nobody on a real machine is made to wait for a permission")
    return None


def turned(pid: int, args: tuple[Value, ...]) -> str | None:
    """mount(2), MS_REMOUNT without MS_BIND: of a file system that others have too."""
    flags = number(args, 3)
    if not flags & _MS_REMOUNT or flags & _MS_BIND or not capable(pid, CAP_SYS_ADMIN):
        return None
    with named(pid, args[1] if len(args) > 1 else None) as found:
        common = found is not None and _common(found)
    return N_("a file system that is one for all is not remounted") if common else None


def _common(found: Opened) -> bool:
    kept = found.magic in MACHINE_FILES - {PROC, 0x62656572}
    return kept or found.magic in CGROUP_FILES or bool(os.major(found.place))


def agent_named(_pid: int, args: tuple[Value, ...]) -> str | None:
    """mount(2) of control groups with a program that the kernel starts when one is empty."""
    options = args[4] if len(args) > 4 else None
    if isinstance(options, str) and "release_agent" in options:
        return N_("no program is named that the kernel of a real machine would start")
    return None


def given(place: int, directory: int | None = None) -> Rule:
    """chmod(2), chown(2) and their like, of the path that is argument ``place``.

    Both a link and what it leads to are asked: a flag among the arguments may mean either.
    """

    def rule(pid: int, args: tuple[Value, ...]) -> str | None:
        for follow in (True, False):
            with _argument(pid, args, place, directory, follow=follow) as found:
                refusal = None if found is None else _given(found)
            if refusal is not None:
                return refusal
        return None

    return rule


def _argument(
    pid: int, args: tuple[Value, ...], place: int, directory: int | None, *, follow: bool = True
) -> AbstractContextManager[Opened | None]:
    base = None if directory is None else number(args, directory, -100)
    return named(pid, args[place] if place < len(args) else None, base, follow=follow)


def given_opened(pid: int, args: tuple[Value, ...]) -> str | None:
    """fchmod(2), fchown(2)."""
    with opened(pid, number(args, 0, -1)) as found:
        return None if found is None else _given(found)


def _given(found: Opened) -> str | None:
    kind = found.magic
    shared = not keeps_attributes(found) if kind == PROC else kind in MACHINE_FILES
    if (shared or os.major(found.place)) and not _readonly(found):
        return N_("files of a real machine get no other owner or mode")
    return None


def _readonly(found: Opened) -> bool:
    return bool(os.fstatvfs(found.held).f_flag & os.ST_RDONLY)


def woken(place: int, directory: int | None = None) -> Rule:
    """open(2) of a device that would start something: a watchdog."""

    def rule(pid: int, args: tuple[Value, ...]) -> str | None:
        with _argument(pid, args, place, directory) as found:
            wakes = (
                found is not None
                and stat.S_ISCHR(found.mode)
                and awake(found.mode, found.device, pid)
            )
        return N_("devices of a real machine are not changed") if wakes else None

    return rule


_BY_PATH = {"swapon", "swapoff", "acct", "quotactl", "fsconfig", "fspick"}
_STAYING = _MS_BIND | 0x2000 | 0xF << 17
"""mount(2): MS_BIND, MS_MOVE, and the four that say what is propagated."""


def meanwhile(pid: int, call: Call) -> str | None:
    """A call of a program while a line of its own still runs, which could turn a path elsewhere."""
    kind = call.args[2] if len(call.args) > 2 else None
    mounts = call.name == "mount" and not number(call.args, 3) & _STAYING and kind not in ALONE
    if (mounts or call.name in _BY_PATH) and capable(pid, CAP_SYS_ADMIN):
        return N_("a line that still runs could lead a path elsewhere before the kernel follows it")
    return None


RULES: dict[str, Rule] = {
    "setns": entered,
    "kill": signalled,
    "tkill": signalled,
    "tgkill": signalled,
    "ptrace": traced,
    "process_vm_writev": implanted,
    "process_vm_readv": read_into,
    "open_by_handle_at": handled,
    "fspick": picked,
    "mknod": called(1),
    "mknodat": called(2),
    "shmat": remapped,
    "fanotify_mark": asked_first,
    "chmod": given(0),
    "fchmod": given_opened,
    "fchmodat": given(1, 0),
    "fchmodat2": given(1, 0),
    "chown": given(0),
    "lchown": given(0),
    "fchown": given_opened,
    "fchownat": given(1, 0),
    "open": woken(0),
    "creat": woken(0),
    "openat": woken(1, 0),
    "openat2": woken(1, 0),
}
"""By the call's name, for a call of a program whose arguments are known."""

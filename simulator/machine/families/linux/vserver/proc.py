"""/proc as a guest finds it: hidden entries, and the three files that flags make virtual.

CONFIG_VSERVER_PROC_SECURE hides every entry of /proc from guests at boot; util-vserver's service
``vprocunhide`` then shows what its list names. Source: fs/proc/generic.c vx_hide_check(),
fs/proc/proc_misc.c, distrib/misc/vprocunhide-files.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from simulator.machine.abi.constants import O_ACCMODE, O_RDONLY
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.families.linux.vserver import limits
from simulator.machine.families.linux.vserver.virtual import VIRTUAL
from simulator.machine.kernel import clock
from simulator.machine.kernel import vserver as vx
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.fs.procfs.node import Look, Node, file
from simulator.machine.kernel.fs.procfs.root import ROOT
from simulator.machine.kernel.resource import memory
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.trap import Trap

_SHOWN = frozenset(
    [
        "net",
        "sys",
        "sysvipc",
        "tty",
        "cpuinfo",
        "crypto",
        "devices",
        "execdomains",
        "filesystems",
        "interrupts",
        "iomem",
        "ioports",
        "kcore",
        "kmsg",
        "ksyms",
        "loadavg",
        "locks",
        "meminfo",
        "misc",
        "modules",
        "pci",
        "slabinfo",
        "stat",
        "swaps",
        "uptime",
        "version",
        "mounts",
        "self",
    ]
)
"""vprocunhide-files; symbolic links are never hidden (IATTR_PROC_SYMLINK)."""

WALL = "proc-hide"
_SECOND = 1_000_000_000
_CPUS = 2


def _refuse_writing(look: Look, flags: int) -> None:
    if flags & O_ACCMODE != O_RDONLY:
        look.trap.deny(
            Errno.EACCES,
            WALL,
            N_("Only the host's context writes to the kernel's files in /proc."),
            "fs/namei.c __dx_permission()",
        )


def _guarded(node: Node) -> Node:
    """The same file, which a guest opens for reading only."""
    asked = node.check

    def check(look: Look, flags: int) -> None:
        _refuse_writing(look, flags)
        if asked is not None:
            asked(look, flags)

    return replace(node, check=check) if node.mode & 0o222 else node


def _own_uptime(look: Look) -> str:
    """vx_vsi_uptime(): counted from the context's making."""
    now = clock.monotonic(look.trap.store) - vx.count(vx.of(look.trap), "created", 0)
    return f"{now / _SECOND:.2f} {now * _CPUS * 95 // 100 / _SECOND:.2f}\n"


def _own_memory(look: Look) -> str:
    """vx_vsi_meminfo(): the context's rss limit is all the memory there is."""
    row = vx.of(look.trap)
    limit = limits.limit_of(row, "rss")
    total = memory.total(look.trap.store) if limit == limits.INFINITE else limit
    used = limits.used(look.trap.store, row, "rss")
    rows = (("MemTotal", total), ("MemFree", max(total - used, 0)), ("Buffers", 0), ("Cached", 0))
    return "".join(f"{name + ':':<16}{value // 1024:8} kB\n" for name, value in rows)


def _own_load(look: Look) -> str:
    """vx_update_load(): what runs in the context."""
    tasks = vx.members(look.trap.store, vx.of(look.trap))
    running = sum(task.state is TaskState.RUNNING for task in tasks)
    load = max(running - 1, 0)
    newest = max((task.id for task in tasks), default=1)
    return f"{load}.00 {load}.00 {load}.00 {running}/{len(tasks)} {newest}\n"


_VIRTUAL: Mapping[str, tuple[str, Node]] = {
    "virt_uptime": ("uptime", file(_own_uptime)),
    "virt_mem": ("meminfo", file(_own_memory)),
    "virt_load": ("loadavg", file(_own_load)),
}
"""What a flag of the context makes of a file."""
_HOST: Mapping[str, Node] = {**ROOT, "virtual": VIRTUAL}


@lru_cache(maxsize=64)
def _files(flags: frozenset[str], shown: frozenset[str], *, hides: bool) -> Mapping[str, Node]:
    found = dict(_HOST)
    for flag, (name, node) in _VIRTUAL.items():
        if flag in flags:
            found[name] = node
    if not hides:
        return found
    return {name: _guarded(node) for name, node in found.items() if name in shown}


def shown(trap: Trap) -> frozenset[str]:
    """The names directly below /proc that guests find."""
    changed = {row.id: row.hidden for row in trap.store.all(vx.ProcFlags)}
    names = {name for name, hidden in changed.items() if not hidden}
    return (_SHOWN | names) - {name for name, hidden in changed.items() if hidden}


def nodes(trap: Trap) -> Mapping[str, Node]:
    """The files of /proc for whoever asks."""
    row = vx.of(trap)
    if not vx.is_guest(row) or vx.has_flag(row, vx.STATE_SETUP):
        return _HOST
    flags = frozenset(vx.words(row, "flags")) & frozenset(_VIRTUAL)
    return _files(flags, shown(trap), hides=vx.stands(row, WALL))


def all_shown(trap: Trap) -> Mapping[str, Node]:
    """The files of /proc under the 2.4 patch, which hid processes and nothing else."""
    del trap
    return ROOT


def status(trap: Trap, task: Task) -> tuple[str, ...]:
    """task_vs_id()."""
    net = trap.store.row(Context, task.net_context)
    return (f"VxID: {vx.xid(trap.store, task)}", f"NxID: {net.number}")


def old_status(trap: Trap, task: Task) -> tuple[str, ...]:
    """What the 2.4 patch adds, by which its tools know everything (doc/intro.txt)."""
    net = trap.store.row(Context, task.net_context)
    address = net.addresses[0] if net.addresses else "0"
    return (f"s_context: {vx.xid(trap.store, task)}", f"ipv4root: {address}")


def log_of(trap: Trap) -> int:
    """do_syslog(): a guest has a ring of its own, in which nothing is ever written."""
    row: Context = vx.of(trap)
    return int(row.id) if vx.is_guest(row) else 0

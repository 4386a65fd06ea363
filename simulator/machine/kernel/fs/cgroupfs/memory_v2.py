"""Memory as version 2 shows it. mm/memcontrol.c; what is in use: ``resource/memory.py``."""

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.fs.cgroupfs.memory import peak, usage
from simulator.machine.kernel.fs.cgroupfs.spec import (
    READ_ONLY,
    READ_WRITE,
    WRITE_ONLY,
    FileSpec,
    Write,
    fixed,
    setting,
    size,
    whole,
)
from simulator.machine.kernel.resource import memory
from simulator.machine.kernel.resource.group import Cgroup, put_setting
from simulator.machine.kernel.trap import Trap


def _events(_trap: Trap, group: Cgroup) -> str:
    """memory.events: of the group and those below it."""
    return "".join(f"{key} {group.events.get(key, 0)}\n" for key in _EVENTS)


def _own_events(_trap: Trap, group: Cgroup) -> str:
    """memory.events.local: of the group alone."""
    return "".join(f"{key} {group.events.get(f'local {key}', 0)}\n" for key in _EVENTS)


_EVENTS = ("low", "high", "max", "oom", "oom_kill", "oom_group_kill")


def _bytes(name: str) -> Write:
    def write(trap: Trap, group: Cgroup, text: str) -> None:
        word = text.strip()
        put_setting(trap.store, group, name, word if word == "max" else str(size(trap, word)))

    return write


def _limit(name: str, default: str) -> FileSpec:
    """Bytes or ``max``; what is done about it is reclaim's business."""
    return FileSpec(name, READ_WRITE, setting(name, default), _bytes(name), root=False)


def _set_max(trap: Trap, group: Cgroup, text: str) -> None:
    """memory.max: what is in use beyond it is taken back by the OOM killer."""
    _bytes("memory.max")(trap, group, text)
    value = trap.store.row(Cgroup, group.id).settings["memory.max"]
    if value != "max":
        memory.hold_to(trap, trap.store.row(Cgroup, group.id), int(value))


def _reclaim(trap: Trap, group: Cgroup, text: str) -> None:
    """memory.reclaim: so many bytes are taken back, without killing. EAGAIN when it is less."""
    wanted = size(trap, text.strip().split(" ", 1)[0])
    if memory.reclaim.shrink(trap.store, group, wanted) < wanted:
        trap.fail(Errno.EAGAIN, N_("Not so much memory could be taken back."), "cgroups(7)")


_STAT_LINES = """
anon file kernel kernel_stack pagetables sec_pagetables percpu sock vmalloc shmem zswap zswapped
file_mapped file_dirty file_writeback swapcached anon_thp file_thp shmem_thp inactive_anon
active_anon inactive_file active_file unevictable slab_reclaimable slab_unreclaimable slab
pgfault pgmajfault
"""


def _stat(trap: Trap, group: Cgroup) -> str:
    """memory.stat: anonymous memory and files in memory, of the group and those below it."""
    anonymous, files, _swap = memory.parts(trap.store, group, below=True)
    values = {
        "anon": anonymous,
        "active_anon": anonymous,
        "file": files,
        "inactive_file": files,
    }
    return "".join(f"{key} {values.get(key, 0)}\n" for key in _STAT_LINES.split())


def _swap(trap: Trap, group: Cgroup) -> str:
    return f"{memory.swap_usage(trap.store, group)}\n"


MEMORY_V2 = (
    FileSpec("memory.current", READ_ONLY, usage, root=False),
    FileSpec("memory.events", READ_ONLY, _events, root=False),
    FileSpec("memory.events.local", READ_ONLY, _own_events, root=False, since=(5, 2)),
    _limit("memory.high", "max"),
    _limit("memory.low", "0"),
    FileSpec("memory.max", READ_WRITE, setting("memory.max", "max"), _set_max, root=False),
    _limit("memory.min", "0"),
    FileSpec("memory.oom.group", READ_WRITE, setting("memory.oom.group", "0"),
             whole("memory.oom.group", 0, 1, errno_range=False), root=False, since=(4, 19)),
    FileSpec("memory.peak", READ_ONLY, peak, root=False, since=(5, 19)),
    FileSpec("memory.reclaim", WRITE_ONLY, None, _reclaim, since=(5, 19)),
    FileSpec("memory.stat", READ_ONLY, _stat),
    FileSpec("memory.swap.current", READ_ONLY, _swap, root=False),
    FileSpec("memory.swap.events", READ_ONLY, fixed("high 0\nmax 0\nfail 0\n"), root=False),
    _limit("memory.swap.high", "max"),
    _limit("memory.swap.max", "max"),
)  # fmt: skip

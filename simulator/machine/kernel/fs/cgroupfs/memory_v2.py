"""Memory as version 2 shows it. mm/memcontrol.c; what is in use: ``resource/memory.py``."""

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.fs.cgroupfs.memory import usage
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
    keys = ("low", "high", "max", "oom", "oom_kill", "oom_group_kill")
    return "".join(f"{key} {group.events.get(key, 0)}\n" for key in keys)


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


def _reclaim(trap: Trap, _group: Cgroup, text: str) -> None:
    """memory.reclaim: nothing of the model's memory can be given back. EAGAIN, EINVAL."""
    if size(trap, text.strip().split(" ", 1)[0]):
        trap.fail(Errno.EAGAIN, N_("Not so much memory could be taken back."), "cgroups(7)")


_STAT_LINES = """
anon file kernel kernel_stack pagetables sec_pagetables percpu sock vmalloc shmem zswap zswapped
file_mapped file_dirty file_writeback swapcached anon_thp file_thp shmem_thp inactive_anon
active_anon inactive_file active_file unevictable slab_reclaimable slab_unreclaimable slab
pgfault pgmajfault
"""


def _stat(trap: Trap, group: Cgroup) -> str:
    """memory.stat: the model counts anonymous memory only."""
    held = memory.usage(trap.store, group)
    return "".join(
        f"{key} {held if key in ('anon', 'active_anon') else 0}\n" for key in _STAT_LINES.split()
    )


MEMORY_V2 = (
    FileSpec("memory.current", READ_ONLY, usage, root=False),
    FileSpec("memory.events", READ_ONLY, _events, root=False),
    FileSpec("memory.events.local", READ_ONLY, _events, root=False, since=(5, 2)),
    _limit("memory.high", "max"),
    _limit("memory.low", "0"),
    FileSpec("memory.max", READ_WRITE, setting("memory.max", "max"), _set_max, root=False),
    _limit("memory.min", "0"),
    FileSpec("memory.oom.group", READ_WRITE, setting("memory.oom.group", "0"),
             whole("memory.oom.group", 0, 1, errno_range=False), root=False, since=(4, 19)),
    FileSpec("memory.peak", READ_ONLY, usage, root=False, since=(5, 19)),
    FileSpec("memory.reclaim", WRITE_ONLY, None, _reclaim, since=(5, 19)),
    FileSpec("memory.stat", READ_ONLY, _stat),
    FileSpec("memory.swap.current", READ_ONLY, fixed("0\n"), root=False),
    FileSpec("memory.swap.events", READ_ONLY, fixed("high 0\nmax 0\nfail 0\n"), root=False),
    _limit("memory.swap.high", "max"),
    _limit("memory.swap.max", "max"),
)  # fmt: skip

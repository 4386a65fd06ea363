"""Memory as version 1 shows it. mm/memcontrol-v1.c; what is in use: ``resource/memory.py``."""

from collections.abc import Callable

import msgspec

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.fs.cgroupfs import notify
from simulator.machine.kernel.fs.cgroupfs.spec import (
    READ_ONLY,
    READ_WRITE,
    WRITE_ONLY,
    FileSpec,
    Read,
    Write,
    fixed,
    integer,
    invalid,
    setting,
    size,
    whole,
)
from simulator.machine.kernel.resource import memory
from simulator.machine.kernel.resource.group import Cgroup, put_setting
from simulator.machine.kernel.resource.memory import UNLIMITED
from simulator.machine.kernel.task import Sleeper
from simulator.machine.kernel.trap import Trap

_NO_LIMIT = str(UNLIMITED)
_PAGE = 4096
LIMIT, BOTH = "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"


def usage(trap: Trap, group: Cgroup) -> str:
    """What the group and those below it hold, in bytes."""
    return f"{memory.usage(trap.store, group)}\n"


def peak(trap: Trap, group: Cgroup) -> str:
    """The most that the group and those below it ever held, in bytes."""
    return f"{memory.peak(trap.store, group)}\n"


def _reset_peak(trap: Trap, group: Cgroup, _text: str) -> None:
    """mem_cgroup_reset(): any text; the watermark begins again at what is in use."""
    if trap.store.get(memory.Peak, group.id) is not None:
        trap.store.drop(memory.Peak, group.id)


def _both(trap: Trap, group: Cgroup) -> str:
    return f"{memory.usage(trap.store, group) + memory.swap_usage(trap.store, group)}\n"


def _failed(name: str) -> Read:
    return lambda _trap, group: f"{group.events.get(f'local {name}', 0)}\n"


def _reset_failed(name: str) -> Write:
    def write(trap: Trap, group: Cgroup, _text: str) -> None:
        events = {key: n for key, n in group.events.items() if key != f"local {name}"}
        trap.store.put(msgspec.structs.replace(group, events=events))

    return write


def _force_empty(trap: Trap, group: Cgroup, _text: str) -> None:
    """memory.force_empty: what can be taken back without killing is."""
    memory.reclaim.shrink(trap.store, group, memory.usage(trap.store, group))


def _limit_of(group: Cgroup, name: str) -> int:
    return int(group.settings.get(name, _NO_LIMIT))


def _bytes(trap: Trap, text: str) -> int:
    """page_counter_memparse(): a size, or -1 for no limit. EINVAL."""
    return UNLIMITED if text.strip() == "-1" else size(trap, text)


def _set_limit(name: str, agrees: Callable[[Cgroup, int], bool]) -> Write:
    """A hard limit. EINVAL in the root group or against the other limit, EBUSY below the use."""

    def write(trap: Trap, group: Cgroup, text: str) -> None:
        limit = _bytes(trap, text)
        if group.parent is None or not agrees(group, limit):
            invalid(trap)
        if limit < memory.usage(trap.store, group):
            trap.fail(Errno.EBUSY, N_("The group's tasks already hold more memory."), "cgroups(7)")
        put_setting(trap.store, group, name, str(limit))

    return write


def _set_soft(trap: Trap, group: Cgroup, text: str) -> None:
    put_setting(trap.store, group, "memory.soft_limit_in_bytes", str(_bytes(trap, text)))


def _accepted(trap: Trap, _group: Cgroup, text: str) -> None:
    """memory.kmem.limit_in_bytes: taken and not kept, since Linux 5.16."""
    _bytes(trap, text)


def _oom_control(trap: Trap, group: Cgroup) -> str:
    killed = group.events.get("oom_kill", 0)
    disabled = int(group.settings.get("memory.oom_control") == "1")
    waiting = any(
        sleeper.on == "memory" and (Cgroup, group.id) in sleeper.watches
        for sleeper in trap.store.all(Sleeper)
    )
    return f"oom_kill_disable {disabled}\nunder_oom {int(waiting)}\noom_kill {killed}\n"


def _set_oom_control(trap: Trap, group: Cgroup, text: str) -> None:
    """oom_kill_disable. EINVAL for the root and for anything but 0 and 1."""
    value = integer(trap, text)
    if group.parent is None or value not in (0, 1):
        invalid(trap)
    put_setting(trap.store, group, "memory.oom_control", str(value))


def _set_hierarchy(trap: Trap, group: Cgroup, text: str) -> None:
    """memory.use_hierarchy: only 1, since Linux 5.11. EINVAL."""
    if integer(trap, text) != 1:
        invalid(trap)
    put_setting(trap.store, group, "memory.use_hierarchy", "1")


def _set_moving(trap: Trap, _group: Cgroup, text: str) -> None:
    """memory.move_charge_at_immigrate: only 0, since Linux 6.14. EINVAL."""
    if integer(trap, text):
        invalid(trap)


_STAT_LINES = """
cache rss rss_huge shmem mapped_file dirty writeback workingset_refault_anon
workingset_refault_file swap swapcached pgpgin pgpgout pgfault pgmajfault inactive_anon
active_anon inactive_file active_file unevictable
"""


def _stat(trap: Trap, group: Cgroup) -> str:
    """memory.stat: anonymous memory, files in memory, swap."""
    lines = _counted(trap, group, "", below=False)
    lines.append(f"hierarchical_memory_limit {_tightest(trap, group, LIMIT)}")
    lines.append(f"hierarchical_memsw_limit {_tightest(trap, group, BOTH)}")
    lines += _counted(trap, group, "total_", below=True)
    return "".join(f"{line}\n" for line in lines)


def _counted(trap: Trap, group: Cgroup, prefix: str, *, below: bool) -> list[str]:
    anonymous, files, swap = memory.parts(trap.store, group, below=below)
    values = {
        "cache": files,
        "rss": anonymous,
        "swap": swap,
        "active_anon": anonymous,
        "inactive_file": files,
    }
    return [f"{prefix}{key} {values.get(key, 0)}" for key in _STAT_LINES.split()]


def _tightest(trap: Trap, group: Cgroup, name: str) -> int:
    return min(_limit_of(above, name) for above in memory.groups.upward(trap.store, group))


def _pages(trap: Trap, group: Cgroup) -> str:
    own = memory.held(memory.groups.members(trap.store, group)) // _PAGE
    all_ = memory.usage(trap.store, group) // _PAGE
    words = ("total", "file", "anon", "unevictable")
    counted = ("total", "anon")
    lines = [f"{word}={n} N0={n}" for word in words for n in (own if word in counted else 0,)]
    lines += [
        f"hierarchical_{word}={n} N0={n}"
        for word in words
        for n in (all_ if word in counted else 0,)
    ]
    return "".join(f"{line}\n" for line in lines)


def _nothing(_trap: Trap, _group: Cgroup, _text: str) -> None:
    return


def _read_limit(name: str) -> Read:
    return setting(name, _NO_LIMIT)


def _unreadable(trap: Trap, _group: Cgroup) -> str:
    invalid(trap)


_KMEM = tuple(
    FileSpec(f"memory.kmem.{name}", mode, fixed("0\n"), write, since=(3, 8))
    for name, mode, write in (
        ("failcnt", READ_WRITE, _nothing),
        ("max_usage_in_bytes", READ_WRITE, _nothing),
        ("usage_in_bytes", READ_ONLY, None),
        ("tcp.failcnt", READ_WRITE, _nothing),
        ("tcp.max_usage_in_bytes", READ_WRITE, _nothing),
        ("tcp.usage_in_bytes", READ_ONLY, None),
    )
)


def _set_tcp(trap: Trap, group: Cgroup, text: str) -> None:
    put_setting(trap.store, group, "memory.kmem.tcp.limit_in_bytes", str(_bytes(trap, text)))


MEMORY = (
    FileSpec("cgroup.event_control", WRITE_ONLY, None, notify.write, since=(2, 6, 35)),
    FileSpec("memory.failcnt", READ_WRITE, _failed("max"), _reset_failed("max")),
    FileSpec("memory.force_empty", WRITE_ONLY, None, _force_empty, root=False),
    *_KMEM,
    FileSpec("memory.kmem.limit_in_bytes", READ_WRITE, fixed(f"{_NO_LIMIT}\n"), _accepted,
             since=(3, 8)),
    FileSpec("memory.kmem.tcp.limit_in_bytes", READ_WRITE,
             _read_limit("memory.kmem.tcp.limit_in_bytes"), _set_tcp, since=(3, 3)),
    FileSpec(LIMIT, READ_WRITE, _read_limit(LIMIT),
             _set_limit(LIMIT, lambda group, limit: limit <= _limit_of(group, BOTH))),
    FileSpec("memory.max_usage_in_bytes", READ_WRITE, peak, _reset_peak, since=(2, 6, 26)),
    FileSpec("memory.memsw.failcnt", READ_WRITE, _failed("memsw"), _reset_failed("memsw"),
             since=(2, 6, 29)),
    FileSpec(BOTH, READ_WRITE, _read_limit(BOTH),
             _set_limit(BOTH, lambda group, limit: limit >= _limit_of(group, LIMIT)),
             since=(2, 6, 29)),
    FileSpec("memory.memsw.max_usage_in_bytes", READ_WRITE, usage, _nothing, since=(2, 6, 29)),
    FileSpec("memory.memsw.usage_in_bytes", READ_ONLY, _both, since=(2, 6, 29)),
    FileSpec("memory.move_charge_at_immigrate", READ_WRITE, fixed("0\n"), _set_moving,
             since=(2, 6, 34)),
    FileSpec("memory.numa_stat", READ_ONLY, _pages, since=(3, 0)),
    FileSpec("memory.oom_control", READ_WRITE, _oom_control, _set_oom_control,
             since=(2, 6, 35)),
    FileSpec("memory.pressure_level", READ_ONLY, _unreadable, since=(3, 10)),
    FileSpec("memory.soft_limit_in_bytes", READ_WRITE,
             _read_limit("memory.soft_limit_in_bytes"), _set_soft, since=(2, 6, 32)),
    FileSpec("memory.stat", READ_ONLY, _stat),
    FileSpec("memory.swappiness", READ_WRITE, setting("memory.swappiness", "60"),
             whole("memory.swappiness", 0, 200, errno_range=False), since=(2, 6, 29)),
    FileSpec("memory.usage_in_bytes", READ_ONLY, usage),
    FileSpec("memory.use_hierarchy", READ_WRITE, fixed("1\n"), _set_hierarchy,
             since=(2, 6, 29)),
)  # fmt: skip

_SIZES = ("1GB", "2MB")


def _huge(name: str) -> tuple[FileSpec, ...]:
    limit = f"hugetlb.{name}.limit_in_bytes"

    def write(trap: Trap, group: Cgroup, text: str) -> None:
        if group.parent is None:
            invalid(trap)
        put_setting(trap.store, group, limit, str(_bytes(trap, text)))

    return (
        FileSpec(f"hugetlb.{name}.failcnt", READ_WRITE, fixed("0\n"), _nothing),
        FileSpec(limit, READ_WRITE, setting(limit, _NO_LIMIT), write),
        FileSpec(f"hugetlb.{name}.max_usage_in_bytes", READ_WRITE, fixed("0\n"), _nothing),
        FileSpec(f"hugetlb.{name}.usage_in_bytes", READ_ONLY, fixed("0\n")),
    )


HUGETLB_V1 = tuple(spec for name in _SIZES for spec in _huge(name))


def _huge_v2(name: str) -> tuple[FileSpec, ...]:
    limit = f"hugetlb.{name}.max"

    def write(trap: Trap, group: Cgroup, text: str) -> None:
        word = text.strip()
        value = UNLIMITED if word == "max" else size(trap, word)
        put_setting(trap.store, group, limit, str(value))

    return (
        FileSpec(f"hugetlb.{name}.current", READ_ONLY, fixed("0\n"), root=False),
        FileSpec(f"hugetlb.{name}.events", READ_ONLY, fixed("max 0\n"), root=False),
        FileSpec(limit, READ_WRITE, setting(limit, _NO_LIMIT), write, root=False),
    )


HUGETLB_V2 = tuple(spec for name in _SIZES for spec in _huge_v2(name))

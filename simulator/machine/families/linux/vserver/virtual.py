"""/proc/virtual: what the kernel tells of its security contexts, to whoever finds the directory.

CONFIG_VSERVER_PROC_SECURE hides it from guests, like every entry of /proc, and the list of
``vprocunhide`` does not name it: the host's context and context 1 find it. Source: the 2.6.27
kernel with the patch vs2.3, kernel/vserver/{proc.c,limit_proc.h,sched_proc.h,cvirt_proc.h},
include/linux/vserver/context.h.

What a kernel counts and the model does not, reads as a context that is new: hits and the lowest use
of a limit, forks that have ended, tokens that were spent. ``Info`` is a pointer, and no real one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from simulator.machine.abi.constants import O_ACCMODE, O_RDONLY
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.families.linux.vserver import limits
from simulator.machine.kernel import clock
from simulator.machine.kernel import vserver as vx
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.fs.procfs.node import Look, Node, directory, file, process_file
from simulator.machine.kernel.resource import demand, processors
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.trap import NotModelled, Trap

_SECOND = 1_000_000_000
_HZ = 250
_PAGE = 4096
_UPDATE = 5
"""Seconds between two looks at the load: vx_update_load()."""
_POINTER = 0xFFFF8800_00000000

_FLAGS = {
    "lock": 0,
    "nproc": 2,
    "private": 3,
    "fakeinit": 4,
    "hideinfo": 5,
    "ulimit": 6,
    "namespace": 7,
    "sched_hard": 8,
    "sched_prio": 9,
    "sched_pause": 10,
    "virt_mem": 16,
    "virt_uptime": 17,
    "virt_cpu": 18,
    "virt_load": 19,
    "virt_time": 20,
    "hide_mount": 24,
    "hide_netif": 25,
    "hide_vinfo": 26,
    "state_setup": 32,
    "state_init": 33,
    "state_admin": 34,
    "sc_helper": 36,
    "reboot_kill": 37,
    "persistent": 38,
    "fork_rss": 48,
    "prolific": 49,
    "igneg_nice": 52,
}
"""VXF_*, by the words that the model keeps."""
_CCAPS = {
    "set_utsname": 0,
    "set_rlimit": 1,
    "raw_icmp": 8,
    "syslog": 12,
    "audit_control": 14,
    "secure_mount": 16,
    "secure_remount": 17,
    "binary_mount": 18,
    "quota_ctl": 20,
    "admin_mapper": 21,
    "admin_cloop": 22,
    "kthread": 24,
}
"""VXC_*."""
_SPACES = 0x0C020200
"""CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNS and CLONE_FS: what VCMD_set_space keeps."""

_LIMITS: tuple[tuple[str, str, int], ...] = (
    ("PROC", "nproc", 1),
    ("VM", "as", _PAGE),
    ("VML", "memlock", _PAGE),
    ("RSS", "rss", _PAGE),
    ("ANON", "anon", _PAGE),
    ("RMAP", "", 1),
    ("FILES", "nofile", 1),
    ("OFD", "openfd", 1),
    ("LOCKS", "locks", 1),
    ("SOCK", "nsock", 1),
    ("MSGQ", "msgqueue", 1),
    ("SHM", "shmem", _PAGE),
    ("SEMA", "semary", 1),
    ("SEMS", "nsems", 1),
    ("DENT", "dentry", 1),
)
"""What a line is called, the limit, and how much of the model's unit is one of the kernel's."""


def _info(look: Look) -> str:
    """proc_virtual_info()."""
    del look
    return (
        f"VCIVersion:\t{vx.VCI_VERSION >> 16:04x}:{vx.VCI_VERSION & 0xFFFF:04x}\n"
        f"VCISyscall:\t236\nVCIKernel:\t{vx.VCI_KERNEL:08x}\n"
    )


def _status(look: Look) -> str:
    """proc_virtual_status(): how many contexts there are, and how many tasks' namespaces."""
    store = look.trap.store
    found = _contexts(look)
    tasks = [task for task in store.all(Task) if task.exit_status is None]
    proxies, roots = {task.ns for task in tasks}, {task.root for task in tasks}
    counts = [len({getattr(one, name) for one in proxies}) for name in ("mnt", "uts", "ipc")]
    # Users and pids have one namespace each: contexts take their place.
    numbers = [len(roots), *counts, 1, 1]
    return (
        f"#CTotal:\t{len(found)}\n#CActive:\t{len(found)}\n"
        f"#NSProxy:\t{len(proxies)}\t{' '.join(map(str, numbers))}\n"
    )


def _contexts(look: Look) -> list[Context]:
    """Those that are hashed: the host and the spectator have no struct vx_info."""
    rows = [
        row
        for row in look.trap.store.all(Context)
        if row.kind == vx.XID and not row.removed and vx.is_guest(row)
    ]
    return sorted(rows, key=lambda row: row.number)


def _row(look: Look) -> Context:
    """The context that the file is about; looking at a foreign one is noted."""
    number = int(str(look.id[3]))
    row = next(one for one in _contexts(look) if one.number == number)
    look.trap.touch("process", row.domain, "read", f"/proc/virtual/{number}/{look.name}")
    return row


def _alive(look: Look, row: Context) -> list[Task]:
    return [task for task in vx.members(look.trap.store, row) if task.exit_status is None]


def _bits(words: Iterable[str], table: Mapping[str, int]) -> int:
    return sum(1 << table[word] for word in set(words) if word in table)


def _vinfo(look: Look) -> str:
    """proc_pid_vx_info(): the host and the spectator have a number and nothing else."""
    store, task = look.trap.store, look.task
    row = store.row(Context, task.context)
    text = f"XID:\t{vx.xid(store, task)}\n"
    if not vx.is_guest(row):
        return text
    return text + (
        f"BCaps:\t{vx.count(row, 'bcaps') & 0xFFFFFFFF_FFFFFFFF:016x}\n"
        f"CCaps:\t{_bits(vx.words(row, 'ccaps'), _CCAPS):016x}\n"
        f"CFlags:\t{_bits(vx.words(row, 'flags'), _FLAGS):016x}\n"
        f"CIPid:\t{vx.count(row, 'initpid', 0)}\n"
    )


def _ninfo(look: Look) -> str:
    """proc_pid_nx_info()."""
    row = look.trap.store.row(Context, look.task.net_context)
    if vx.is_guest(row):
        raise NotModelled("the masks of a network context's addresses (ninfo)")
    return f"NID:\t{row.number}\n"


_OF_PROCESS = {"vinfo": process_file(_vinfo), "ninfo": process_file(_ninfo)}
_HIDDEN = dict.fromkeys(_OF_PROCESS)


def of_process(trap: Trap, task: Task) -> Mapping[str, Node | None]:
    """/proc/PID/vinfo and ninfo; the flag hide_vinfo leaves the names (proc_pident_lookup())."""
    hidden = vx.has_flag(trap.store.row(Context, task.context), "hide_vinfo")
    return _HIDDEN if hidden else _OF_PROCESS


def _context_info(look: Look) -> str:
    """proc_vxi_info()."""
    row = _row(look)
    init = vx.count(row, "initpid", 0)
    pointer = _POINTER + (int(row.id) << 12)
    return f"ID:\t{row.number}\nInfo:\t{pointer:016x}\nInit:\t{init}\nOOM:\t0\n"


def _context_status(look: Look) -> str:
    """proc_vxi_status(): every task holds the context once."""
    row = _row(look)
    tasks = len(_alive(look, row))
    spaces = _SPACES if look.trap.store.get(vx.Spaces, row.id) is not None else 0
    return (
        f"UseCnt:\t{tasks}\nTasks:\t{tasks}\n"
        f"Flags:\t{_bits(vx.words(row, 'flags'), _FLAGS):016x}\n"
        f"BCaps:\t{vx.count(row, 'bcaps') & 0xFFFFFFFF_FFFFFFFF:016x}\n"
        f"CCaps:\t{_bits(vx.words(row, 'ccaps'), _CCAPS):016x}\n"
        f"Spaces:\t{spaces:08x} {0:08x}\n"
    )


def _limit(look: Look) -> str:
    """vx_info_proc_limit(): no limit is -1, what is modelled in bytes is told in pages."""
    row = _row(look)
    text = "Limit\t current\t     min/max\t\t    soft/hard\t\thits\n"
    for title, name, unit in _LIMITS:
        now = limits.used(look.trap.store, row, name) // unit
        hard = limits.limit_of(row, name)
        soft = vx.count(row, f"rlimit.{name}.soft", hard)
        soft, hard = (one if one == limits.INFINITE else one // unit for one in (soft, hard))
        text += f"{title}:\t{now:8}\t{0:8}/{now:8}\t{soft:8}/{hard:8}\t{0:6}\n"
    return text


def _sched(look: Look) -> str:
    """vx_info_proc_sched(): the buckets as they are filled when a context is made.

    A task's time is not kept by processor: all of it is the first one's.
    """
    row = _row(look)
    store = look.trap.store
    low, high, tokens = _HZ >> 4, _HZ >> 1, _HZ >> 2
    text = f"FillRate:\t{1:8},1\nInterval:\t{4:8},8\nTokensMin:\t{low:8}\nTokensMax:\t{high:8}\n"
    text += f"PrioBias:\t{0:8}\n"
    spent = [demand.spent(store, task.id) for task in _alive(look, row)]
    user, system = (
        sum(getattr(one, name) for one in spent) * _HZ // _SECOND for name in ("user", "system")
    )
    for number in range(processors.count(store)):
        times = f"{user} {system}" if not number else "0 0"
        text += f"cpu {number}: {times} 0 0 0 R- {tokens} {low} {high} 1/4 1/8 0 0\n"
    return text


def _cvirt(look: Look) -> str:
    """vx_info_proc_cvirt()."""
    row = _row(look)
    tasks = _alive(look, row)
    running = sum(task.state is TaskState.RUNNING for task in tasks)
    began = vx.count(row, "created", 0)
    age = (clock.monotonic(look.trap.store) - began) // _SECOND
    load = f"{max(running - 1, 0)}.00"
    return (
        f"BiasUptime:\t{began // _SECOND}.{began % _SECOND // (_SECOND // 100):02}\n"
        f"nr_threads:\t{len(tasks)}\nnr_running:\t{running}\nnr_unintr:\t0\nnr_onhold:\t0\n"
        f"load_updates:\t{age // _UPDATE}\nloadavg:\t{load} {load} {load}\n"
        f"total_forks:\t{len(vx.members(look.trap.store, row))}\n"
    )


def _cacct(look: Look) -> str:
    raise NotModelled(f"the account of a context's sockets, slabs and pages ({look.name})")


def _nsproxy(look: Look) -> str:
    raise NotModelled(f"the pointers of a context's namespaces ({look.name})")


def _read_only(look: Look, flags: int) -> None:
    """vs_proc_make_inode(): every file here is immutable (S_IMMUTABLE), for whoever asks."""
    if flags & O_ACCMODE != O_RDONLY:
        look.trap.fail(Errno.EACCES, N_("The file is immutable."), "kernel/vserver/proc.c")


def _file(read: Callable[[Look], str]) -> Node:
    return replace(file(read), check=_read_only)


_CONTEXT = directory(
    {
        "info": _file(_context_info),
        "status": _file(_context_status),
        "limit": _file(_limit),
        "sched": _file(_sched),
        "nsproxy": _file(_nsproxy),
        "nsproxy1": _file(_nsproxy),
        "cvirt": _file(_cvirt),
        "cacct": _file(_cacct),
    }
)


def _names(look: Look) -> list[str]:
    return [str(row.number) for row in _contexts(look)]


def _child(look: Look, name: str) -> Node | None:
    return _CONTEXT if name in _names(look) else None


VIRTUAL = directory({"info": _file(_info), "status": _file(_status)}, names=_names, child=_child)

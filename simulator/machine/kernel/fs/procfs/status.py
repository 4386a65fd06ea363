"""What a process tells about itself: status, stat, statm, limits, maps. fs/proc/array.c."""

from simulator.machine.abi.constants import (
    PROT_EXEC,
    PROT_READ,
    PROT_WRITE,
    RLIM_INFINITY,
    RLIMIT_AS,
    RLIMIT_CORE,
    RLIMIT_CPU,
    RLIMIT_DATA,
    RLIMIT_FSIZE,
    RLIMIT_LOCKS,
    RLIMIT_MEMLOCK,
    RLIMIT_MSGQUEUE,
    RLIMIT_NICE,
    RLIMIT_NOFILE,
    RLIMIT_NPROC,
    RLIMIT_RSS,
    RLIMIT_RTPRIO,
    RLIMIT_RTTIME,
    RLIMIT_SIGPENDING,
    RLIMIT_STACK,
)
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.fs.procfs.node import Look
from simulator.machine.kernel.namespace import PidNs, UserNs, from_kernel
from simulator.machine.kernel.resource import demand, mapping, reclaim, shares
from simulator.machine.kernel.resource.processors import listed
from simulator.machine.kernel.task import CHILDREN, Sleeper, Task, TaskState
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs import dpath
from simulator.machine.kernel.vfs.fd import FdTable, File
from simulator.machine.kernel.vfs.stat import number as inode_number

_WORDS = {"R": "running", "S": "sleeping", "D": "disk sleep", "T": "stopped", "Z": "zombie"}
_TICK_NS = 10_000_000
_TURN_NS = 4_000_000
_RESIDENT_KB = 1464
"""What a small static program keeps resident, in kB."""
_UNSET = (1 << 64) - 1

_LIMITS = (
    (RLIMIT_CPU, "Max cpu time", "seconds"),
    (RLIMIT_FSIZE, "Max file size", "bytes"),
    (RLIMIT_DATA, "Max data size", "bytes"),
    (RLIMIT_STACK, "Max stack size", "bytes"),
    (RLIMIT_CORE, "Max core file size", "bytes"),
    (RLIMIT_RSS, "Max resident set", "bytes"),
    (RLIMIT_NPROC, "Max processes", "processes"),
    (RLIMIT_NOFILE, "Max open files", "files"),
    (RLIMIT_MEMLOCK, "Max locked memory", "bytes"),
    (RLIMIT_AS, "Max address space", "bytes"),
    (RLIMIT_LOCKS, "Max file locks", "locks"),
    (RLIMIT_SIGPENDING, "Max pending signals", "signals"),
    (RLIMIT_MSGQUEUE, "Max msgqueue size", "bytes"),
    (RLIMIT_NICE, "Max nice priority", ""),
    (RLIMIT_RTPRIO, "Max realtime priority", ""),
    (RLIMIT_RTTIME, "Max realtime timeout", "us"),
)


def letter(task: Task, reader: Task) -> str:
    """The state that ps(1) shows; a task that reads about itself runs."""
    if task.id == reader.id:
        return "R"
    if task.state is TaskState.STOPPED and task.tracer is not None:
        return "t"
    return task.state.value


def _parent(look: Look) -> int:
    task = look.task
    parent = look.trap.store.get(Task, task.parent)
    return look.number(parent) if parent is not None else 0


def _other(look: Look, pid: Pid | None) -> int:
    """Another process's number, such as the tracer's."""
    task = look.trap.store.get(Task, pid) if pid is not None else None
    return look.number(task) if task is not None else 0


def _leader(look: Look, pid: Pid) -> int:
    """A process group's or session's number: that of its leader, dead or alive."""
    leader = look.trap.store.get(Task, pid)
    if leader is not None:
        return look.number(leader)
    return int(pid) if look.sb.pid_ns is None or len(look.task.pids) == 1 else 0


def _mask(signals: "frozenset[int] | tuple[int, ...] | list[int]") -> str:
    return f"{sum(1 << (number - 1) for number in set(signals)):016x}"


def _size_kb(task: Task) -> int:
    return _RESIDENT_KB + task.memory // 1024


def status(look: Look) -> str:
    """proc_pid_status(5)."""
    trap, task, cred = look.trap, look.task, look.task.cred
    user_ns = trap.store.row(UserNs, trap.task.cred.user_ns)
    uids = [from_kernel(user_ns.uid_map, u) for u in (cred.ruid, cred.euid, cred.suid, cred.fsuid)]
    gids = [from_kernel(user_ns.gid_map, g) for g in (cred.rgid, cred.egid, cred.sgid, cred.fsgid)]
    groups = "".join(f"{from_kernel(user_ns.gid_map, g)} " for g in cred.groups)
    state = letter(task, trap.task)
    word = "tracing stop" if state == "t" else _WORDS[state]
    own = _numbers_below(look)
    pid = look.number(task)
    table = trap.store.get(FdTable, task.files)
    size = 64 if table is None or len(table.slots) <= 64 else 256
    lines = [f"Name:\t{task.comm}"]
    if state != "Z":
        lines.append(f"Umask:\t{task.umask:04o}")
    lines += [
        f"State:\t{state} ({word})",
        f"Tgid:\t{pid}",
        "Ngid:\t0",
        f"Pid:\t{pid}",
        f"PPid:\t{_parent(look)}",
        f"TracerPid:\t{_other(look, task.tracer)}",
        "Uid:\t" + "\t".join(map(str, uids)),
        "Gid:\t" + "\t".join(map(str, gids)),
        f"FDSize:\t{size}",
        f"Groups:\t{groups or ' '}",
        f"NStgid:\t{own}",
        f"NSpid:\t{own}",
        f"NSpgid:\t{_leader(look, task.pgid)}",
        f"NSsid:\t{_leader(look, task.sid)}",
        "Kthread:\t0",
    ]
    if state != "Z":
        locked = mapping.locked(trap.store, (task.id,)) // 1024
        lines += _memory(task, reclaim.swapped(trap.store, (task,)) // 1024, locked)
    return "".join(f"{line}\n" for line in (*lines, *_signals(task), *_rights(look)))


def _numbers_below(look: Look) -> str:
    """The pids from the instance's namespace down to the process's own."""
    ns = look.sb.pid_ns
    level = look.trap.store.row(PidNs, ns).level if ns is not None else 0
    return "\t".join(map(str, look.task.pids[level:]))


def _memory(task: Task, swapped: int, locked: int) -> list[str]:
    resident = _size_kb(task)
    anonymous = 52 + task.memory // 1024
    rows = (
        ("VmPeak", resident + 868),
        ("VmSize", resident + 868),
        ("VmLck", locked),
        ("VmPin", 0),
        ("VmHWM", resident),
        ("VmRSS", resident),
        ("RssAnon", anonymous),
        ("RssFile", resident - anonymous),
        ("RssShmem", 0),
        ("VmData", 240 + task.memory // 1024),
        ("VmStk", 132),
        ("VmExe", 1552),
        ("VmLib", 8),
        ("VmPTE", 36),
        ("VmSwap", swapped),
        ("HugetlbPages", 0),
    )
    lines = [f"{name}:\t{value:8} kB" for name, value in rows]
    return [*lines, "CoreDumping:\t0", "THP_enabled:\t1", "untag_mask:\t0xffffffffffffffff"]


def _signals(task: Task) -> list[str]:
    ignored = [number for number, handler in task.handlers.items() if handler == 1]
    caught = [number for number, handler in task.handlers.items() if handler > 1]
    limit = task.rlimits[RLIMIT_SIGPENDING][0]
    return [
        "Threads:\t1",
        f"SigQ:\t{len(task.pending)}/{limit}",
        f"SigPnd:\t{_mask(task.pending)}",
        "ShdPnd:\t0000000000000000",
        f"SigBlk:\t{_mask(task.blocked)}",
        f"SigIgn:\t{_mask(ignored)}",
        f"SigCgt:\t{_mask(caught)}",
    ]


def _rights(look: Look) -> list[str]:
    task, cred = look.task, look.task.cred
    inside = look.trap.family.inside
    seccomp = 2 if task.seccomp else 0
    processors = shares.mask(look.trap.store, task)
    sets = (
        ("Inh", cred.inheritable),
        ("Prm", cred.permitted),
        ("Eff", cred.effective),
        ("Bnd", cred.bounding),
        ("Amb", cred.ambient),
    )
    own: tuple[str, ...] = ()
    if inside is not None:
        sets = tuple((name, inside.show_capabilities(look.trap, bits)) for name, bits in sets)
        own = inside.status(look.trap, task) if inside.status is not None else ()
    return [
        *own,
        *(f"Cap{name}:\t{bits:016x}" for name, bits in sets),
        f"NoNewPrivs:\t{int(task.no_new_privs)}",
        f"Seccomp:\t{seccomp}",
        f"Seccomp_filters:\t{len(task.seccomp)}",
        "Speculation_Store_Bypass:\tvulnerable",
        "SpeculationIndirectBranch:\talways enabled",
        f"Cpus_allowed:\t{processors:x}",
        f"Cpus_allowed_list:\t{listed(processors)}",
        "Mems_allowed:\t" + "00000000," * 31 + "00000001",
        "Mems_allowed_list:\t0",
        "voluntary_ctxt_switches:\t1",
        "nonvoluntary_ctxt_switches:\t0",
    ]


def stat(look: Look) -> str:
    """proc_pid_stat(5): addresses and the exit code are only for those who may trace."""
    trap, task = look.trap, look.task
    traced = trap.allowed("may_trace", task)
    priority = -1 - task.rt_priority if task.rt_priority else 20 + task.nice
    size = 0 if task.state is TaskState.ZOMBIE else _size_kb(task)
    head = (
        f"{look.number(task)} ({task.comm}) {letter(task, trap.task)} {_parent(look)} "
        f"{_leader(look, task.pgid)} {_leader(look, task.sid)} 0 -1 4194304 0 0 0 0 "
        f"{_clock_ticks(look)} "
        f"{priority} {task.nice} 1 0 {task.start_time // _TICK_NS} {(size + 868) * 1024} "
        f"{size // 4} {_UNSET} "
    )
    addresses = "4198400 5787968 140723000000000 0 0 " if traced else "1 1 0 0 0 "
    signals = f"{sum(1 << (n - 1) for n in task.pending)} {sum(1 << (n - 1) for n in task.blocked)}"
    exit_code = task.exit_status or 0
    return (
        f"{head}{addresses}{signals} 0 0 0 0 0 17 0 {task.rt_priority} {task.policy} 0 0 0 "
        f"0 0 0 0 0 0 0 {exit_code if traced else 0}\n"
    )


def _clock_ticks(look: Look) -> str:
    """utime, stime, cutime and cstime in ticks of a hundredth of a second."""
    had = demand.spent(look.trap.store, look.task.id)
    times = (had.user, had.system, had.children_user, had.children_system)
    return " ".join(str(value // _TICK_NS) for value in times)


def schedstat(look: Look) -> str:
    """/proc/PID/schedstat: nanoseconds on a processor, nanoseconds waiting for one, turns."""
    had = demand.spent(look.trap.store, look.task.id)
    return f"{had.user + had.system} {had.waited} {1 + (had.user + had.system) // _TURN_NS}\n"


def statm(look: Look) -> str:
    """proc_pid_statm(5), in pages."""
    if look.task.state is TaskState.ZOMBIE:
        return "0 0 0 0 0 0 0\n"
    pages = _size_kb(look.task) // 4
    return f"{pages + 217} {pages} 353 388 0 {60 + look.task.memory // 4096} 0\n"


def limits(look: Look) -> str:
    """proc_pid_limits(5)."""
    lines = [f"{'Limit':<26}{'Soft Limit':<21}{'Hard Limit':<21}{'Units':<10}"]
    for resource, title, unit in _LIMITS:
        soft, hard = look.task.rlimits[resource]
        lines.append(f"{title:<26}{_shown(soft):<21}{_shown(hard):<21}{unit:<10}")
    return "".join(f"{line}\n" for line in lines)


def _shown(value: int) -> str:
    return "unlimited" if value == RLIM_INFINITY else str(value)


def maps(look: Look) -> str:
    """proc_pid_maps(5) of a small static program; a kernel's thread has no memory of its own."""
    task = look.task
    if (task.exe is None and not task.argv) or task.state is TaskState.ZOMBIE:
        return ""
    known = dpath.path_of(look.trap, task.exe) if task.exe is not None else task.argv[0]
    path = known.removeprefix("(unreachable)")
    rows = mapping.of(look.trap.store, task.id)
    heap = max((row.end for row in rows if row.start == mapping.HEAP), default=mapping.HEAP)
    mapped = "".join(_mapped(look.trap, row) for row in rows if row.start != mapping.HEAP)
    return (
        f"00400000-00401000 r--p 00000000 08:01 1 {'':24} {path}\n"
        f"00401000-00585000 r-xp 00001000 08:01 1 {'':24} {path}\n"
        f"01000000-{heap:08x} rw-p 00000000 00:00 0 {'':24} [heap]\n{mapped}"
        f"7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0 {'':14} [stack]\n"
    )


def _mapped(trap: Trap, row: mapping.Mapping) -> str:
    """show_map_vma()."""
    bits = (("r", PROT_READ), ("w", PROT_WRITE), ("x", PROT_EXEC))
    access = "".join(letter if row.protection & bit else "-" for letter, bit in bits)
    file = None if row.file is None else trap.store.row(File, row.file)
    number, path = 0, ""
    if file is not None and file.at is not None:
        number = inode_number(trap, file.at.inode)
        path = dpath.path_of(trap, file.at, opened=file.name).removeprefix("(unreachable)")
    elif row.segment is not None:
        number, path = row.segment[1], "/SYSV (deleted)"
    elif row.shared:
        path = "/dev/zero (deleted)"
    where = f"{row.start:08x}-{row.end:08x} {access}{'s' if row.shared else 'p'} {row.offset:08x}"
    return f"{where} 00:01 {number:<8} {'':16} {path}".rstrip() + "\n"


def syscall(look: Look) -> str:
    """proc_pid_syscall(5): ``running``, or where it sleeps (no number is modelled: -1)."""
    return "running\n" if look.trap.store.get(Sleeper, look.task.id) is None else "-1 0x0 0x0\n"


def wchan(look: Look) -> str:
    """proc_pid_wchan(5): 0 for those who may not trace."""
    sleeper = look.trap.store.get(Sleeper, look.task.id)
    if sleeper is None or not look.trap.allowed("may_trace", look.task):
        return "0"
    return sleeper.on.replace(" ", "_") or "0"


def children(look: Look) -> str:
    """proc_tid_children(5)."""
    store = look.trap.store
    numbers = [look.number(task) for task in store.rows_by(CHILDREN, look.task.id)]
    return "".join(f"{number} " for number in sorted(numbers) if number)

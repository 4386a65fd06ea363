"""Files about the whole machine: /proc/meminfo, stat, uptime and their like.

No namespace hides them (time namespaces shift uptime): whoever reads them reads the host's.
"""

from simulator.machine.abi.constants import SIGKILL
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import Pid
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import clock, log
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel.fs.procfs.node import Look
from simulator.machine.kernel.modules import Module, SwapArea
from simulator.machine.kernel.namespace import TimeNs
from simulator.machine.kernel.resource import group as cgroups
from simulator.machine.kernel.resource import load, memory, processors, reclaim
from simulator.machine.kernel.resource.demand import Demand
from simulator.machine.kernel.resource.layout import CONTROLLERS, NAME_ON_2
from simulator.machine.kernel.resource.processors import Processors
from simulator.machine.kernel.task import Task
from simulator.machine.state.store import Counter, World

_SECOND = 1_000_000_000
_TICK = 10_000_000
"""Nanoseconds in a tick of /proc/stat (USER_HZ)."""
_KB = 1024
_BASE_KB = 180_000
"""What the kernel and its caches take, in kB."""
_CPU = """processor\t: {number}
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 85
model name\t: Virtual CPU
stepping\t: 4
cpu MHz\t\t: 2000.000
cache size\t: 1024 KB
physical id\t: 0
siblings\t: 2
core id\t\t: {number}
cpu cores\t: 2
fpu\t\t: yes
wp\t\t: yes
flags\t\t: fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat sse sse2 ht syscall lm
bogomips\t: 4000.00
address sizes\t: 46 bits physical, 48 bits virtual
power management:

"""
DEVICES = """Character devices:
  1 mem
  4 tty
  5 /dev/tty
  5 /dev/console
  5 /dev/ptmx
 10 misc
128 ptm
136 pts

Block devices:
  7 loop
  8 sd
259 blkext
"""


def meminfo(look: Look) -> str:
    """proc_meminfo(5)."""
    store = look.trap.store
    total = memory.total(store) // _KB
    anonymous = memory.held(store.all(Task)) // _KB
    cached = reclaim.all_cached(store) // _KB
    swap, swapped = reclaim.swap_total(store) // _KB, reclaim.swap_used(store) // _KB
    free = max(total - _BASE_KB - anonymous - cached, 0)
    rows = (
        ("MemTotal", total),
        ("MemFree", free),
        ("MemAvailable", free + cached + 100_000),
        ("Buffers", 2_492),
        ("Cached", 120_000 + cached),
        ("SwapCached", 0),
        ("Active", 40_000 + anonymous),
        ("Inactive", 80_000 + cached),
        ("SwapTotal", swap),
        ("SwapFree", swap - swapped),
        ("Dirty", 0),
        ("Writeback", 0),
        ("AnonPages", anonymous),
        ("Mapped", 10_000),
        ("Shmem", 1_000),
        ("Slab", 40_000),
        ("SReclaimable", 30_000),
        ("SUnreclaim", 10_000),
        ("KernelStack", 16 * store.count(Task)),
        ("PageTables", 40 * store.count(Task)),
        ("CommitLimit", total // 2 + swap),
        ("Committed_AS", anonymous + swapped),
    )
    return "".join(f"{name + ':':<16}{value:8} kB\n" for name, value in rows)


def cpuinfo(look: Look) -> str:
    """proc_cpuinfo(5)."""
    return processors_text(processors.count(look.trap.store))


def processors_text(count: int) -> str:
    """The first processors of the machine."""
    return "".join(_CPU.format(number=number) for number in range(count))


def _runnable(look: Look) -> int:
    """Tasks that run or could: those that compute, and the reader."""
    store = look.trap.store
    return 1 + sum(demand.device is None and not demand.done for demand in store.all(Demand))


def stat(look: Look) -> str:
    """proc_stat(5): ``btime`` and ``processes`` are the host's."""
    store = look.trap.store
    machine = processors.processors(store)
    boot = clock.clock(store).realtime_offset // _SECOND
    waiting = sum(d.device is not None and not d.done for d in store.all(Demand))
    lines = [_times("cpu", *_share(store, machine, None))]
    lines += [_times(f"cpu{n}", *_share(store, machine, n)) for n in range(machine.count)]
    lines += [
        "intr 0",
        "ctxt 0",
        f"btime {boot}",
        f"processes {_last_pid(look)}",
        f"procs_running {_runnable(look)}",
        f"procs_blocked {waiting}",
        "softirq 0 0 0 0 0 0 0 0 0 0 0",
    ]
    return "".join(f"{line}\n" for line in lines)


_BOOT_PART = 40
"""One in so many ticks went to the kernel, and as many to programs, before the world began."""


def _share(store: World, machine: Processors, one: int | None) -> tuple[int, int, int, int]:
    """User, nice, system and idle nanoseconds of processor ``one``, or of all (None)."""
    busy = machine.busy or (0,) * machine.count
    mine, all_ = (sum(busy) if one is None else busy[one]), max(1, sum(busy))
    span = 1 if one is not None else machine.count
    old = clock.UPTIME_AT_START_NS * span // _BOOT_PART
    user, nice, system = (
        value * mine // all_ for value in (machine.user, machine.nice, machine.system)
    )
    idle = clock.monotonic(store) * span - 2 * old - mine
    return user + old, nice, system + old, max(0, idle)


def _times(name: str, *nanoseconds: int) -> str:
    gap = " " if name == "cpu" else ""
    return f"{name}{gap} {' '.join(str(one // _TICK) for one in nanoseconds)} 0 0 0 0 0 0"


def _last_pid(look: Look) -> int:
    """The newest task's number in the initial namespace."""
    return max((task.id for task in look.trap.store.all(Task)), default=1)


def uptime(look: Look) -> str:
    """proc_uptime(5), shifted by the reader's time namespace."""
    store = look.trap.store
    offset = store.row(TimeNs, look.trap.task.ns.time).boottime_offset
    now = (clock.monotonic(store) + offset) / _SECOND
    idle = _share(store, processors.processors(store), None)[3]
    return f"{now:.2f} {idle / _SECOND:.2f}\n"


def loadavg(look: Look) -> str:
    """proc_loadavg(5): the last pid is of the reader's pid namespace."""
    store = look.trap.store
    loads = " ".join(f"{value:.2f}" for value in load.averages(store))
    counter = store.get(Counter, ("pid", look.trap.task.ns.pid))
    last = counter.last if counter is not None else 1
    return f"{loads} {_runnable(look)}/{store.count(Task)} {last}\n"


def version(look: Look) -> str:
    """proc_version(5)."""
    family = look.trap.family
    return (
        f"Linux version {family.release_name} (builder@build) (gcc 12.2.0) #1 SMP PREEMPT_DYNAMIC\n"
    )


def filesystems(look: Look) -> str:
    """proc_filesystems(5); a subtype such as ``fuse.lxcfs`` has no line of its own."""
    kinds = [kind for name, kind in look.trap.family.filesystems.items() if "." not in name]
    return "".join(f"{'' if kind.needs_device else 'nodev'}\t{kind.name}\n" for kind in kinds)


def cgroup_list(look: Look) -> str:
    """proc_cgroups(5): every controller, and which hierarchy of version 1 has it."""
    store, lines = look.trap.store, ["#subsys_name\thierarchy\tnum_cgroups\tenabled"]
    for name in (one for one in CONTROLLERS if one in look.trap.family.controllers):
        tree = store.first(cgroups.BY_CONTROLLER, name)
        tree = tree or store.first(cgroups.BY_CONTROLLER, NAME_ON_2.get(name, name))
        tree = tree or store.get(cgroups.Hierarchy, cgroups.UNIFIED)
        number = tree.id if tree is not None and tree.version == 1 else 0
        count = store.many(cgroups.IN_HIERARCHY, tree.id) if tree is not None else 1
        lines.append(f"{name}\t{number}\t{count}\t1")
    return "".join(f"{line}\n" for line in lines)


def interrupts(look: Look) -> str:
    """proc_interrupts(5)."""
    ticks = clock.monotonic(look.trap.store) // 10_000_000
    head = "           CPU0       CPU1       \n"
    return f"{head}LOC: {ticks:10} {ticks:10}   Local timer interrupts\n"


def kmsg(look: Look) -> bytes:
    """proc_kmsg(5): the kernel's log."""
    return log.text(log.of(look.trap))


def modules(look: Look) -> str:
    """proc_modules(5)."""
    return "".join(
        f"{row.id} {row.size} {len(row.users)} {','.join(row.users) or '-'} Live "
        "0x0000000000000000\n"
        for row in look.trap.store.all(Module)
    )


def swaps(look: Look) -> str:
    """proc_swaps(5)."""
    head = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
    return head + "".join(
        f"{row.path:<40}file\t\t{row.size // _KB}\t\t0\t\t-2\n"
        for row in look.trap.store.all(SwapArea)
    )


def need_kernel_log(look: Look, flags: int) -> None:
    """check_syslog_permissions(): /proc/kmsg is for CAP_SYSLOG of the machine."""
    del flags
    look.trap.need(Privilege.KERNEL_LOG)
    if log.number(look.trap) == 0:
        look.trap.authority("kernel-log", "/proc/kmsg")


def need_raw_io(look: Look, flags: int) -> None:
    """open_kcore(): CAP_SYS_RAWIO of the machine."""
    del flags
    if not look.trap.has(Privilege.RAW_IO):
        look.trap.deny(
            Errno.EPERM,
            "capability",
            N_("The kernel's memory is for CAP_SYS_RAWIO of the machine."),
            "proc_kcore(5)",
        )
    look.trap.authority("memory", "/proc/kcore")


def kcore(look: Look) -> bytes:
    """The head of an ELF core of the kernel's memory."""
    look.trap.authority("memory", "/proc/kcore")
    return b"\x7fELF\x02\x01\x01" + bytes(57)


def write_irq_affinity(look: Look, data: bytes) -> int:
    """irq_affinity: a mask of processors in hexadecimal; root may, no capability is asked."""
    try:
        mask = int(data.split(b"\0")[0].strip().replace(b",", b""), 16)
    except ValueError:
        look.trap.fail(Errno.EINVAL, N_("A mask of processors was expected."), "irq-affinity.rst")
    if not mask & ((1 << processors.count(look.trap.store)) - 1):
        look.trap.fail(Errno.EINVAL, N_("The mask has no processor."), "irq-affinity.rst")
    look.trap.authority("cpu", "/proc/irq/default_smp_affinity", "write")
    return len(data)


def write_sysrq(look: Look, data: bytes) -> int:
    """proc_sysrq_trigger(5): ``b`` restarts the machine, ``o`` ends it; other keys do nothing here.

    Whoever could open the file is asked no more (drivers/char/sysrq.c: __handle_sysrq() with
    check_mask false).
    """
    key = data[:1].decode("ascii", "replace")
    look.trap.authority("reboot", f"sysrq {key}")
    if key in ("b", "o"):
        for task in look.trap.store.all(Task):
            exits.end(look.trap.store, Pid(task.id), SIGKILL)
    return len(data)

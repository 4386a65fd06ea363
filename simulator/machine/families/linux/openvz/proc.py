"""/proc of an OpenVZ kernel: a few files more for the host, and for an environment fewer, its own.

Only what hangs below ``glob_proc_root`` is in an environment's tree. Source: fs/proc/ and
kernel/ve/vecalls.c, kernel/bc/proc.c, kernel/bc/vm_pages.c (bc_fill_sysinfo), fs/proc/stat.c,
uptime.c and loadavg.c of 2.6.32-042stab.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from simulator.machine.kernel import clock, log
from simulator.machine.kernel.context import Context, has
from simulator.machine.kernel.fs.procfs import machine
from simulator.machine.kernel.fs.procfs.node import Look, Node, directory, file, fixed
from simulator.machine.kernel.fs.procfs.root import ROOT
from simulator.machine.kernel.resource import memory, processors, quota
from simulator.machine.kernel.task import TaskState
from simulator.machine.kernel.ve import beancounter, fairsched, venet
from simulator.machine.kernel.ve import context as ves
from simulator.machine.kernel.ve.held import PAGE

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_SECOND = 1_000_000_000
_HEAD = ("uid", "resource", "held", "maxheld", "barrier", "limit", "failcnt")
_SYSRQ_LINES = 10
"""After so many keys the host's log hears no more of them."""

_SHARED = (
    "cgroups", "cpuinfo", "crypto", "devices", "filesystems", "fs", "locks", "mounts",
    "net", "self", "sysvipc", "version", "vmstat", "tty",
)  # fmt: skip
"""Files of the machine that an environment sees too."""


def _line(words: Iterable[str]) -> str:
    uid, resource, *numbers = words
    return f"{uid:>10}  {resource:<12} " + " ".join(f"{word:>20}" for word in numbers) + "\n"


def _rows(look: Look) -> list[tuple[Context, beancounter.Beancounter]]:
    """Whose counters the reader sees: its own, or every container's."""
    store, mine = look.trap.store, ves.of(look.trap)
    found = [mine] if mine is not None else [row for row in store.all(Context) if not row.removed]
    pairs = ((row, store.get(beancounter.Beancounter, row.number)) for row in found)
    return [(row, one) for row, one in pairs if one is not None and row.kind == ves.KIND]


_DUMMY = (4, 20, 21, 22)
"""Numbers of resources that are no more: ub_rnames[] calls them so."""
_COMPAT = 24
"""UB_RESOURCES_COMPAT: newer ones are in /proc/bc alone."""


def user_beancounters(look: Look) -> str:
    """ub_show(): one block for each container, its number on the first line."""
    text = "Version: 2.5\n" + _line(_HEAD)
    for row, counter in _rows(look):
        lines = [*beancounter.table(look.trap.store, row, counter)]
        for number in _DUMMY:
            lines.insert(number, ("dummy", *["0"] * (len(_HEAD) - 2)))
        text += _block(f"{row.number}:", lines[:_COMPAT])
    return text


def _block(label: str, lines: Sequence[Iterable[str]]) -> str:
    return "".join(_line((label if not index else "", *words)) for index, words in enumerate(lines))


def _every_resource(look: Look) -> str:
    """/proc/bc/resources: res_show(), every counter of every container."""
    text = "Version: 2.5\n" + _line(_HEAD)
    for row, counter in _rows(look):
        text += _block(f"{row.number}:", beancounter.table(look.trap.store, row, counter))
    return text


def _resources(look: Look) -> str:
    """/proc/bc/VEID/resources."""
    number = str(look.id[3])
    found = [(row, one) for row, one in _rows(look) if str(row.number) == number]
    return "".join(
        _block("", beancounter.table(look.trap.store, row, counter)) for row, counter in found
    )


def _bc_names(look: Look) -> list[str]:
    return [str(row.number) for row, _counter in _rows(look)]


_BC = directory({"resources": file(_resources, 0o400)})


def _bc_child(look: Look, name: str) -> Node | None:
    return _BC if name in _bc_names(look) else None


def _running(look: Look) -> list[Context]:
    rows = [row for row in look.trap.store.all(Context) if row.kind == ves.KIND and not row.removed]
    return sorted(rows, key=lambda row: row.number)


def _veinfo(look: Look) -> str:
    """veid, class, number of processes, addresses."""
    store = look.trap.store
    text = ""
    for row in _running(look):
        own = [str(one.id) for one in store.all(venet.Mapped) if one.veid == row.number]
        text += f"{row.number:10} {0:5} {len(ves.tasks(store, row)):5}"
        text += "".join(f" {address:>15}" for address in sorted(own)) + "\n"
    return text


def _veip(look: Look) -> str:
    rows = sorted(look.trap.store.all(venet.Mapped), key=lambda one: str(one.id))
    return "Version: 2.5\n" + "".join(f"{one.id:>39} {one.veid:10}\n" for one in rows)


def _vestat(look: Look) -> str:
    head = "Version: 2.2\n" + "".join(
        f"{word:>20} " for word in ("VEID", "user", "nice", "system", "uptime")
    )
    text = head + "\n"
    for row in _running(look):
        words = (row.number, 0, 0, 0, _age(look, row) * 1000 // _SECOND)
        text += "".join(f"{word:20} " for word in words) + "\n"
    return text


def _vzquota(look: Look) -> str:
    text = "qid: path                                    usage      softlimit      hardlimit\n"
    for one in sorted(look.trap.store.all(quota.Quota), key=lambda row: int(str(row.id))):
        text += f"{one.id}:\n"
        text += f"  1k-blocks {one.space // 1024:>38} {one.soft_space // 1024:>14} "
        text += f"{one.hard_space // 1024:>14}\n"
        text += f"     inodes {one.inodes:>38} {one.soft_inodes:>14} {one.hard_inodes:>14}\n"
    return text


_VERSION = file(fixed("027stab-042stab\n"))
_HOST_VZ = directory(
    {
        "veinfo": file(_veinfo, 0o400),
        "veip": file(_veip, 0o400),
        "version": _VERSION,
        "vestat": file(_vestat, 0o400),
        "vzaquota": file(_vzquota, 0o400),
    }
)


def _age(look: Look, row: Context) -> int:
    """Nanoseconds since the environment was created."""
    started = row.params["started"]
    assert isinstance(started, int)
    return clock.monotonic(look.trap.store) - started


def _inside(trap: "Trap") -> Context:
    row = ves.of(trap)
    assert row is not None
    return row


def _memory(trap: "Trap") -> tuple[int, int, int]:
    """(memory, used, virtual swap) in kB: bc_fill_sysinfo(), by the container's own limits."""
    store, row = trap.store, _inside(trap)
    total, swap = memory.total(store), 0
    counter = store.get(beancounter.Beancounter, row.number)
    shown = row.params.get("meminfo")
    if counter is not None:
        limit = beancounter.limits_of(counter, "physpages")[1]
        if limit < beancounter.UNLIMITED:
            total = min(total, limit * PAGE)
            swap = beancounter.limits_of(counter, "swappages")[1]
        elif isinstance(shown, int) and shown:
            total = min(total, shown * PAGE)
    used = memory.held(ves.tasks(store, row))
    swapped = max(used - total, 0)
    swap = 0 if swap >= beancounter.UNLIMITED else swap * PAGE
    return total // 1024, (used - swapped) // 1024, max(swap - swapped, 0) // 1024


def sysinfo(trap: "Trap") -> dict[str, int] | None:
    """What sysinfo(2) says of a container: bc_fill_sysinfo(); None for the host."""
    row = ves.of(trap)
    if row is None or not has(row, "ve-stats"):
        return None
    total, used, _ = _memory(trap)
    return {
        "totalram": total * 1024,
        "freeram": max(total - used, 0) * 1024,
        "procs": len(list(ves.tasks(trap.store, row))),
    }


def meminfo(look: Look) -> str:
    """meminfo_proc_show_ve()."""
    total, used, swap = _memory(look.trap)
    counter = look.trap.store.get(beancounter.Beancounter, _inside(look.trap).number)
    whole = 0 if counter is None else beancounter.limits_of(counter, "swappages")[1] * PAGE // 1024
    whole = 0 if whole > 1 << 50 else whole
    rows = (
        ("MemTotal", total),
        ("MemFree", max(total - used, 0)),
        ("Buffers", 0),
        ("Cached", 0),
        ("SwapCached", 0),
        ("Active", used),
        ("Inactive", 0),
        ("Active(anon)", used),
        ("Inactive(anon)", 0),
        ("Active(file)", 0),
        ("Inactive(file)", 0),
        ("Unevictable", 0),
        ("Mlocked", 0),
        ("SwapTotal", whole),
        ("SwapFree", min(swap, whole)),
        ("Dirty", 0),
        ("Writeback", 0),
        ("AnonPages", used),
        ("Shmem", 0),
        ("Slab", 0),
        ("SReclaimable", 0),
        ("SUnreclaim", 0),
    )
    return "".join(f"{name + ':':<16}{value:8} kB\n" for name, value in rows)


def _processors(look: Look) -> int:
    """num_online_vcpus(): how many the environment may use at once, if that was said."""
    store = look.trap.store
    node = store.get(fairsched.Node, _inside(look.trap).number)
    every = processors.count(store)
    return min(every, node.vcpus) if node is not None and node.vcpus else every


def cpuinfo(look: Look) -> str:
    """c_start() of arch/x86/kernel/cpu/proc.c: the first of them."""
    return machine.processors_text(_processors(look))


def uptime(look: Look) -> str:
    """uptime_proc_show(): since the environment was created."""
    seconds = _age(look, _inside(look.trap)) / _SECOND
    return f"{seconds:.2f} {seconds * _processors(look):.2f}\n"


def loadavg(look: Look) -> str:
    """loadavg_proc_show(): of the environment's own processes."""
    tasks = ves.tasks(look.trap.store, _inside(look.trap))
    runnable = max(sum(task.state is TaskState.RUNNING for task in tasks), 1)
    newest = max((task.pids[-1] for task in tasks), default=1)
    return (
        f"{runnable - 1}.00 {runnable - 1}.00 {runnable - 1}.00 {runnable}/{len(tasks)} {newest}\n"
    )


def stat(look: Look) -> str:
    """show_stat_ve(): its processor time, its boot, its processes."""
    row = _inside(look.trap)
    ticks = _age(look, row) // 10_000_000
    store = look.trap.store
    boot = (clock.realtime(store) - _age(look, row)) // _SECOND
    cpus = _processors(look)
    lines = [f"cpu  0 0 0 {ticks * cpus} 0 0 0 0 0"]
    lines += [f"cpu{number} 0 0 0 {ticks} 0 0 0 0 0" for number in range(cpus)]
    lines += ["ctxt 0", f"btime {boot}", f"processes {len(ves.tasks(store, row))}"]
    return "".join(f"{line}\n" for line in (*lines, "procs_running 1", "procs_blocked 0"))


def swaps(look: Look) -> str:
    """swap_show() of ve: one imaginary partition as large as swappages."""
    head = "Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n"
    total, used, free = _memory(look.trap)
    del total, used
    return head + (
        f"/dev/null                               partition\t{free}\t0\t-1\n" * bool(free)
    )


def write_sysrq(look: Look, data: bytes) -> int:
    """write_sysrq_trigger(): for the host a line in its log, and nothing happens."""
    row, store = _inside(look.trap), look.trap.store
    for key in data.decode("ascii", "replace").partition("\n")[0][:32]:
        said = sum(line.startswith("SysRq: CT#") for line in log.ring(store).lines)
        if said < _SYSRQ_LINES:
            log.append(store, f"SysRq: CT#{row.number} sent '{key}' magic key.")
    return len(data)


_COUNTERS = file(user_beancounters, 0o400)
HOST: Mapping[str, Node] = {
    **ROOT,
    "bc": directory({"resources": file(_every_resource, 0o400)}, names=_bc_names, child=_bc_child),
    "user_beancounters": _COUNTERS,
    "vz": _HOST_VZ,
}

OWN: Mapping[str, Node] = {
    "cpuinfo": file(cpuinfo, kind="cpu"),
    "loadavg": file(loadavg),
    "meminfo": file(meminfo),
    "stat": file(stat),
    "swaps": file(swaps),
    "uptime": file(uptime),
}
"""ve-stats: what is computed for the environment."""

INSIDE: Mapping[str, Node] = {
    **{name: ROOT[name] for name in _SHARED},
    **{name: ROOT[name] for name in (*OWN, "modules", "sysrq-trigger", "kmsg")},
    "cmdline": file(fixed("quiet\n")),
    "partitions": file(fixed("")),
    "user_beancounters": _COUNTERS,
    "vz": directory({"version": _VERSION}),
}

_SYSRQ = Node(mode=0o100200, write=write_sysrq, feature="sysrq")
_MODULES = file(fixed(""), feature="modules")
_LOG = Node(mode=0o100400, read=machine.kmsg, check=machine.need_kernel_log)


def tree(trap: "Trap") -> Mapping[str, Node]:
    """The files of /proc for whoever looks."""
    row = ves.of(trap)
    if row is None:
        return HOST
    found = dict(INSIDE if has(row, "ve-proc") else HOST)
    if has(row, "ve-stats"):
        found.update(OWN)
    if has(row, "ve-sysrq"):
        found["sysrq-trigger"] = _SYSRQ
    if has(row, "ve-modules"):
        found["modules"] = _MODULES
    if has(row, "ve-log"):
        found["kmsg"] = _LOG
    return found

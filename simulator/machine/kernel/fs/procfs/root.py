"""The files of /proc itself. Source: fs/proc/root.c and those who register with proc_create()."""

from simulator.machine.kernel.fs.procfs import locks, machine, symbols, sysv
from simulator.machine.kernel.fs.procfs.node import Look, Node, directory, file, fixed, link


def _own(look: Look) -> str:
    """/proc/self: the caller's number in this instance; nothing for who is not seen in it."""
    return str(look.number(look.trap.task))


def _own_thread(look: Look) -> str:
    number = look.number(look.trap.task)
    return f"{number}/task/{number}"


_EMPTY = directory({})
_CMDLINE = "root=/dev/sda1 ro quiet\n"

ROOT: dict[str, Node] = {
    "acpi": directory({}, feature="acpi"),
    "asound": directory({"cards": file(fixed("--- no soundcards ---\n"))}, feature="sound"),
    "buddyinfo": file(fixed("Node 0, zone   Normal      1\n"), kind="memory"),
    "bus": directory({"input": directory({}), "pci": directory({})}),
    "cgroups": file(machine.cgroup_list),
    "cmdline": Node(
        mode=0o100444,
        read=lambda _look: _CMDLINE.encode(),
        size=len(_CMDLINE),
        kind="machine",
    ),
    "consoles": file(fixed("ttyS0                -W- (EC  p a)    4:64\n")),
    "cpuinfo": file(machine.cpuinfo, kind="cpu"),
    "crypto": file(fixed("")),
    "devices": file(fixed(machine.DEVICES)),
    "diskstats": file(fixed("   8       0 sda 0 0 0 0 0 0 0 0 0 0 0\n"), kind="disk"),
    "dma": file(fixed(" 4: cascade\n")),
    "driver": _EMPTY,
    "execdomains": file(fixed("0-0\tLinux           \t[kernel]\n")),
    "filesystems": file(machine.filesystems),
    "fs": directory({"ext4": directory({}), "jbd2": directory({})}),
    "interrupts": file(machine.interrupts, kind="cpu"),
    "iomem": file(fixed("00000000-00000000 : System RAM\n"), kind="memory"),
    "ioports": file(fixed("0000-0000 : PCI Bus 0000:00\n"), kind="device"),
    "irq": directory(
        {
            "default_smp_affinity": Node(
                mode=0o100644,
                read=lambda _look: b"3\n",
                write=machine.write_irq_affinity,
                kind="cpu",
            )
        }
    ),
    "config.gz": file(fixed(""), feature="ikconfig"),
    "kallsyms": file(symbols.kallsyms),
    "kcore": Node(
        mode=0o100400,
        read=machine.kcore,
        check=machine.need_raw_io,
        feature="kcore",
        size=0x7FFF_FF60_1000,
    ),
    "key-users": file(sysv.key_users),
    "keys": file(sysv.keys),
    "kmsg": Node(
        mode=0o100400,
        read=machine.kmsg,
        check=machine.need_kernel_log,
        kind="kernel-log",
    ),
    "kpagecgroup": file(fixed(""), 0o400, kind="memory"),
    "kpagecount": file(fixed(""), 0o400, kind="memory"),
    "kpageflags": file(fixed(""), 0o400, kind="memory"),
    "latency_stats": file(fixed("Latency Top version : v0.1\n"), 0o644, feature="latencytop"),
    "loadavg": file(machine.loadavg, kind="cpu"),
    "locks": file(locks.locks),
    "meminfo": file(machine.meminfo, kind="memory"),
    "misc": file(fixed("200 tun\n229 fuse\n")),
    "modules": file(machine.modules, kind="module", feature="modules"),
    "mounts": link(fixed("self/mounts")),
    "mtrr": file(fixed(""), 0o644, feature="mtrr"),
    "net": link(fixed("self/net")),
    "pagetypeinfo": file(fixed(""), 0o400, kind="memory"),
    "partitions": file(
        fixed("major minor  #blocks  name\n\n   8        0   20971520 sda\n"), kind="disk"
    ),
    "pressure": directory(
        {
            name: file(fixed("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"), 0o666, kind=name)
            for name in ("cpu", "io", "memory")
        }
    ),
    "sched_debug": file(fixed("Sched Debug Version: v0.11\n"), kind="cpu", feature="sched_debug"),
    "schedstat": file(fixed("version 17\n"), kind="cpu", feature="schedstats"),
    "scsi": directory({"scsi": file(fixed("Attached devices:\n"), 0o644)}, feature="scsi"),
    "self": link(_own),
    "slabinfo": file(fixed("slabinfo - version: 2.1\n"), 0o400, kind="memory"),
    "softirqs": file(fixed("                    CPU0       CPU1       \n"), kind="cpu"),
    "stat": file(machine.stat, kind="cpu"),
    "swaps": file(machine.swaps, kind="disk"),
    "sysrq-trigger": Node(mode=0o100200, write=machine.write_sysrq, kind="reboot", feature="sysrq"),
    "sysvipc": directory(sysv.FILES),
    "thread-self": link(_own_thread),
    "timer_list": file(fixed("Timer List Version: v0.10\n"), 0o400, kind="clock"),
    "tty": directory(
        {
            "driver": directory({}, 0o500),
            "drivers": file(fixed("")),
            "ldisc": directory({}),
            "ldiscs": file(fixed("n_tty       0\n")),
        }
    ),
    "uptime": file(machine.uptime, kind="clock"),
    "version": file(machine.version, kind="kernel"),
    "vmallocinfo": file(fixed(""), 0o400, kind="memory"),
    "vmstat": file(fixed("nr_free_pages 1000000\n"), kind="memory"),
    "zoneinfo": file(fixed("Node 0, zone   Normal\n"), kind="memory"),
}

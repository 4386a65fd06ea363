"""What an environment consists of inside the kernel, rule by rule. OpenVZ has no switch for most of
them: they are ``ve_is_super()`` tests all over the kernel, and the model lifts them one by one.
"""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan
from simulator.machine.abi.i18n import N_


@dataclass(frozen=True, slots=True)
class VeWall:
    """One of the rules; its absence is what ``VeContext`` tells the kernel."""

    about: About

    def plan(self, plan: LaunchPlan) -> None:
        """Nothing to do: the environment has it by itself."""
        del plan


def _wall(name: str, title: str, cite: str, *hides: str, walls: tuple[str, ...] = ()) -> About:
    return About(
        id=name,
        title=title,
        needs=frozenset({"ve-context"}),
        hides=frozenset(hides),
        walls=frozenset(walls or (name,)),
        cite=cite,
    )


ROOT = VeWall(
    _wall(
        "ve-root",
        N_("environment: where .. ends"),
        "fs/namei.c follow_dotdot()",
        "file",
    )
)
PIDS = VeWall(
    _wall(
        "ve-pids",
        N_("environment: processes of its own"),
        "kernel/ve/vecalls.c init_ve_namespaces()",
        "process",
        walls=("pid-ns",),
    )
)
NET = VeWall(
    _wall(
        "ve-net",
        N_("environment: a network of its own"),
        "kernel/ve/vecalls.c init_ve_netns()",
        "socket",
        "port",
        "interface",
        walls=("net-ns",),
    )
)
IPC = VeWall(
    _wall(
        "ve-ipc",
        N_("environment: IPC objects of its own"),
        "kernel/ve/vecalls.c init_ve_namespaces()",
        "shm",
        "sem",
        "msg",
        walls=("ipc-ns",),
    )
)
UTS = VeWall(
    _wall(
        "ve-uts",
        N_("environment: names of its own"),
        "kernel/ve/vecalls.c init_ve_namespaces()",
        "hostname",
    )
)
USERS = VeWall(
    _wall(
        "ve-users",
        N_("environment: users counted apart"),
        "kernel/ve/vecalls.c create_user_ns()",
        "key",
    )
)
FILESYSTEMS = VeWall(
    _wall(
        "ve-filesystems",
        N_("environment: filesystems made for it"),
        "fs/filesystems.c check_ve_fstype()",
        "kernel",
        "mount",
    )
)
PROC = VeWall(
    _wall(
        "ve-proc",
        N_("environment: a /proc of fewer files"),
        "fs/proc/root.c glob_proc_root",
        "memory",
        "kernel",
        "disk",
    )
)
STATS = VeWall(
    _wall(
        "ve-stats",
        N_("environment: its own memory, load and uptime"),
        "fs/proc/meminfo.c, loadavg.c, stat.c, uptime.c",
        "memory",
        "cpu",
        "clock",
    )
)
SYSCTLS = VeWall(
    _wall(
        "ve-sysctls",
        N_("environment: the machine's settings are read only"),
        "kernel/sysctl.c sysctl_ve_table()",
        "sysctl",
    )
)
LOG = VeWall(
    _wall(
        "ve-log",
        N_("environment: a kernel log of its own"),
        "kernel/printk.c",
        "kernel-log",
    )
)
MODULES = VeWall(
    _wall(
        "ve-modules",
        N_("environment: an empty list of modules"),
        "kernel/module.c m_start()",
        "module",
    )
)
SYSRQ = VeWall(
    _wall(
        "ve-sysrq",
        N_("environment: magic keys that only gossip"),
        "drivers/char/sysrq.c write_sysrq_trigger()",
        "reboot",
    )
)
HANDLES = VeWall(
    _wall(
        "ve-handles",
        N_("environment: no opening by handle"),
        "fs/fhandle.c",
        "file",
    )
)
PERF = VeWall(
    _wall(
        "ve-perf",
        N_("environment: no counting of the processor's events"),
        "kernel/events/core.c sys_perf_event_open()",
        "cpu",
    )
)

WALLS: tuple[VeWall, ...] = (
    ROOT, PIDS, NET, IPC, UTS, USERS, FILESYSTEMS, PROC, STATS, SYSCTLS, LOG, MODULES, SYSRQ,
    HANDLES, PERF,
)  # fmt: skip
"""All of them, for an environment of 2.6.32."""

FINER: tuple[str, ...] = (*(wall.about.id for wall in WALLS), "ve-devices")
"""What the kernel is told to leave out when a launch lacks it."""

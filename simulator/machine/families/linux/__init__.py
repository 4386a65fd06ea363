"""Linux releases as values of a family."""

from dataclasses import replace

from simulator.machine.abi.x86_64 import NUMBERS
from simulator.machine.families.linux import releases
from simulator.machine.families.linux.apparmor import APPARMOR
from simulator.machine.families.linux.capabilities import BEFORE_SYSLOG, CAPABILITIES
from simulator.machine.families.linux.devices import CGROUP_DEVICES, FREEZER
from simulator.machine.families.linux.filesystems import FILESYSTEMS
from simulator.machine.families.linux.numbers import ERRNO_NUMBERS
from simulator.machine.families.linux.seccomp import SECCOMP
from simulator.machine.families.linux.signals import SIGNALS
from simulator.machine.families.linux.sysctls import SYSCTLS
from simulator.machine.families.linux.tracing import TRACING, YAMA
from simulator.machine.families.linux.visibility import PID_NAMESPACES
from simulator.machine.kernel.family import Family, Release, Traits
from simulator.machine.kernel.security import Chain
from simulator.machine.syscalls.registry import enter_all, linux, posix

enter_all()

CHAIN = Chain(
    (
        FREEZER,
        SECCOMP,
        PID_NAMESPACES,
        CAPABILITIES,
        SIGNALS,
        TRACING,
        YAMA,
        CGROUP_DEVICES,
        APPARMOR,
    )
)
"""The wall-keepers of an unpatched Linux, in the order they are asked."""

_BUILT_IN = """
acct acpi apparmor bpf cgroup-names fanotify io_uring ioports ip_tables kcore kexec keys
landlock modules mtrr perf pmu powercap quota scsi swap sysrq userfaultfd yama
"""
FEATURES = frozenset(_BUILT_IN.split())
"""What a distribution builds into its kernel; a machine's own facts may take some away."""

LINUX = Family(
    id="linux",
    title="Linux 6.18",
    release=(6, 18),
    release_name="6.18.0",
    table=posix.calls | linux.calls,
    traits=Traits(),
    chain=CHAIN,
    filesystems=FILESYSTEMS,
    errno_numbers=ERRNO_NUMBERS,
    features=FEATURES,
    sysctls=SYSCTLS,
    call_names=frozenset(NUMBERS),
)


def of_release(release: Release, name: str = "") -> Family:
    """Linux as it was, or will be, at ``release``: what is younger isn't there (releases.py)."""
    words = ".".join(map(str, release))
    return replace(
        LINUX,
        title=f"Linux {words}",
        release=release,
        release_name=name or (words if len(release) > 2 else f"{words}.0"),
        table=releases.calls(LINUX.table, release),
        chain=LINUX.chain if release >= (2, 6, 37) else before_syslog(LINUX.chain),
        traits=releases.traits(LINUX.traits, release),
        filesystems=releases.filesystems(LINUX.filesystems, release),
        controllers=releases.controllers(LINUX.controllers, release),
        features=releases.features(LINUX.features, release),
        sysctls=releases.sysctls(LINUX.sysctls, release),
        capabilities=LINUX.capabilities & releases.capabilities(release),
        disk=releases.root_disk(release),
    )


def before_syslog(chain: Chain) -> Chain:
    """``chain`` with the capabilities of Linux 2.6.36, where the kernel's log took SYS_ADMIN."""
    return Chain(tuple(BEFORE_SYSLOG if one is CAPABILITIES else one for one in chain.policies))

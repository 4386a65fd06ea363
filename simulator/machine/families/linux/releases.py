"""What each release of Linux brought, as data: what an older kernel lacks follows from it.

``since`` is the release in which a thing first worked. Nothing listed here has always been there
(or at least since 2.4). Source: the HISTORY, VERSIONS and STANDARDS sections of man-pages,
capabilities(7), namespaces(7), kernelnewbies.org's lists of changes, kernel git history.
"""

from collections.abc import Mapping
from dataclasses import replace

from simulator.machine.abi.constants import CAPABILITY_NAMES
from simulator.machine.kernel.family import Release, Syscall, Traits
from simulator.machine.kernel.fs.registry import FilesystemType

_CALLS: tuple[tuple[Release, str], ...] = (
    ((2, 4, 11), "gettid"),
    ((2, 4, 20), "setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr"),
    ((2, 4, 20), "flistxattr removexattr lremovexattr fremovexattr tkill"),
    ((2, 5, 35), "exit_group"),
    ((2, 5, 48), "set_tid_address"),
    ((2, 5, 52), "semtimedop"),
    ((2, 5, 63), "clock_gettime clock_settime clock_nanosleep"),
    ((2, 6, 16), "openat mkdirat mknodat fchownat newfstatat fstatat unlinkat renameat linkat"),
    ((2, 6, 16), "symlinkat readlinkat fchmodat faccessat"),
    ((2, 6, 22), "utimensat eventfd"),
    ((2, 6, 27), "dup3 pipe2"),
    ((2, 6, 28), "accept4"),
    ((2, 6, 39), "syncfs"),
)

CALLS: Mapping[str, Release] = {name: since for since, names in _CALLS for name in names.split()}
"""Calls that every family has, so that their entry in the table can't say since when Linux does;
``@linux("name", since=...)`` says it for the others."""

FEATURES: Mapping[str, Release] = {
    "keys": (2, 6, 10),
    "kexec": (2, 6, 13),
    "perf": (2, 6, 31),
    "pmu": (2, 6, 31),
    "cgroup-names": (2, 6, 32),
    "apparmor": (2, 6, 36),
    "fanotify": (2, 6, 37),
    "yama": (3, 4),
    "powercap": (3, 13),
    "bpf": (3, 18),
    "userfaultfd": (4, 3),
    "io_uring": (5, 1),
    "landlock": (5, 13),
}
"""Parts of a kernel, as ``Family.features`` names them."""

FILESYSTEMS: Mapping[str, Release] = {
    "tmpfs": (2, 4, 1),
    "ext3": (2, 4, 15),
    "xfs": (2, 4, 25),
    "hugetlbfs": (2, 5, 46),
    "sysfs": (2, 6),
    "mqueue": (2, 6, 6),
    "debugfs": (2, 6, 11),
    "securityfs": (2, 6, 14),
    "fuse": (2, 6, 14),
    "fuse.lxcfs": (2, 6, 14),
    "configfs": (2, 6, 16),
    "cgroup": (2, 6, 24),
    "ext4": (2, 6, 28),
    "btrfs": (2, 6, 29),
    "squashfs": (2, 6, 29),
    "devtmpfs": (2, 6, 32),
    "pstore": (2, 6, 39),
    "overlay": (3, 18),
    "tracefs": (4, 1),
    "bpf": (4, 4),
    "cgroup2": (4, 5),
}
"""Lines of /proc/filesystems. ENODEV for mount(2) before."""

CGROUP_CONTROLLERS: Mapping[str, Release] = {
    "cpuset": (2, 6, 24),
    "cpu": (2, 6, 24),
    "cpuacct": (2, 6, 24),
    "memory": (2, 6, 25),
    "devices": (2, 6, 26),
    "freezer": (2, 6, 28),
    "net_cls": (2, 6, 29),
    "blkio": (2, 6, 33),
    "perf_event": (2, 6, 39),
    "net_prio": (3, 3),
    "hugetlb": (3, 5),
    "pids": (4, 3),
    "rdma": (4, 11),
    "misc": (5, 13),
}
"""Control group subsystems of version 1: cgroups(7)."""

CAPABILITIES: Mapping[str, Release] = {
    "AUDIT_WRITE": (2, 6, 11),
    "AUDIT_CONTROL": (2, 6, 11),
    "SETFCAP": (2, 6, 24),
    "MAC_OVERRIDE": (2, 6, 25),
    "MAC_ADMIN": (2, 6, 25),
    "SYSLOG": (2, 6, 37),
    "WAKE_ALARM": (3, 0),
    "BLOCK_SUSPEND": (3, 5),
    "AUDIT_READ": (3, 16),
    "PERFMON": (5, 8),
    "BPF": (5, 8),
    "CHECKPOINT_RESTORE": (5, 9),
}
"""capabilities(7); CAP_CHOWN to CAP_LEASE are older than 2.4.1."""

SYSCTLS: Mapping[str, Release] = {
    "fs.nr_open": (2, 6, 25),
    "fs.protected_symlinks": (3, 6),
    "fs.protected_hardlinks": (3, 6),
    "fs.protected_fifos": (4, 19),
    "fs.protected_regular": (4, 19),
    "fs.suid_dumpable": (2, 6, 13),
    "kernel.core_pattern": (2, 4, 21),
    "kernel.cap_last_cap": (3, 2),
    "kernel.dmesg_restrict": (2, 6, 37),
    "kernel.io_uring_disabled": (6, 6),
    "kernel.kexec_load_disabled": (3, 14),
    "kernel.keys.maxbytes": (2, 6, 26),
    "kernel.keys.maxkeys": (2, 6, 26),
    "kernel.keys.root_maxkeys": (2, 6, 26),
    "kernel.kptr_restrict": (2, 6, 38),
    "kernel.modules_disabled": (2, 6, 31),
    "kernel.ngroups_max": (2, 6, 4),
    "kernel.perf_event_paranoid": (2, 6, 31),
    "kernel.pid_max": (2, 5, 34),
    "kernel.randomize_va_space": (2, 6, 12),
    "kernel.unprivileged_bpf_disabled": (4, 4),
    "kernel.yama.ptrace_scope": (3, 4),
    "user.max_user_namespaces": (4, 9),
    "user.max_pid_namespaces": (4, 9),
    "user.max_mnt_namespaces": (4, 9),
    "vm.drop_caches": (2, 6, 16),
    "vm.panic_on_oom": (2, 6, 18),
    "vm.swappiness": (2, 6),
    "vm.unprivileged_userfaultfd": (5, 2),
}
"""Settings of /proc/sys: proc_sys_*(5)."""

_OLD_VALUES: tuple[tuple[str, Release, str], ...] = (
    ("kernel.pid_max", (4, 20), "32768"),
    ("kernel.threads-max", (2, 6), "14000"),
    ("fs.file-max", (2, 6, 38), "203000"),
    ("kernel.randomize_va_space", (2, 6, 25), "1"),
    ("kernel.overflowuid", (2, 4), "65534"),
)
"""(setting, release, value before it)."""

SOCKET_FAMILIES: Mapping[int, Release] = {40: (3, 9), 44: (4, 18)}
"""AF_VSOCK and AF_XDP."""

TRAITS: tuple[tuple[Release, Mapping[str, bool]], ...] = (
    ((2, 6, 24), {"scheduling_compares_capabilities": False}),
    ((2, 6, 30), {"queues_belong_to_ipc_namespace": False}),
    ((3, 9), {"userns_clone_refused_in_chroot": False}),
    ((4, 3), {"bind_mount_ends_at_its_root": False}),
    ((3, 11), {"has_unnamed_files": False}),
    ((4, 7), {"devpts_is_one": True}),
    ((5, 8), {"mknod_whiteout_unprivileged": False}),
    ((5, 14), {"nproc_counts_per_user_namespace": False}),
    ((5, 17), {"release_agent_needs_rights": False}),
)
"""Behaviour before a release."""


def calls(table: Mapping[str, Syscall], release: Release) -> dict[str, Syscall]:
    """``table`` with what is younger than ``release`` marked so: it answers ENOSYS."""
    return {
        name: replace(entry, since=CALLS[name]) if CALLS.get(name, ()) > release else entry
        for name, entry in table.items()
    }


def features(given: frozenset[str], release: Release) -> frozenset[str]:
    """What of ``given`` a kernel of ``release`` can have been built with."""
    return frozenset(name for name in given if FEATURES.get(name, ()) <= release)


def controllers(given: frozenset[str], release: Release) -> frozenset[str]:
    """What of ``given`` a kernel of ``release`` can have been built with."""
    return frozenset(name for name in given if CGROUP_CONTROLLERS.get(name, ()) <= release)


def filesystems(given: Mapping[str, FilesystemType], release: Release) -> dict[str, FilesystemType]:
    """What of ``given`` a kernel of ``release`` can mount."""
    return {name: kind for name, kind in given.items() if FILESYSTEMS.get(name, ()) <= release}


def capabilities(release: Release) -> int:
    """The capabilities that exist, as a mask: CAP_LAST_CAP and all below it."""
    return sum(
        1 << number
        for number, name in enumerate(CAPABILITY_NAMES)
        if CAPABILITIES.get(name.removeprefix("CAP_"), ()) <= release
    )


def sysctls(given: Mapping[str, str], release: Release) -> dict[str, str]:
    """The settings that exist, with the values they had."""
    kept = {name: value for name, value in given.items() if SYSCTLS.get(name, ()) <= release}
    kept |= {
        name: value for name, before, value in _OLD_VALUES if name in kept and release < before
    }
    if "kernel.cap_last_cap" in kept:
        kept["kernel.cap_last_cap"] = str(capabilities(release).bit_length() - 1)
    return kept


def traits(given: Traits, release: Release) -> Traits:
    """The behaviour that a kernel of ``release`` had."""
    older = given
    for before, values in TRAITS:
        if release < before:
            older = replace(older, **values)
    families = frozenset(
        one for one in older.socket_families if SOCKET_FAMILIES.get(one, ()) <= release
    )
    return replace(older, socket_families=families)


def root_disk(release: Release) -> tuple[str, str]:
    """What a distribution of the day put on its first disk."""
    ext4 = FILESYSTEMS["ext4"]
    return ("ext4" if release >= ext4 else "ext3" if release >= (2, 4, 15) else "ext2", "/dev/sda1")

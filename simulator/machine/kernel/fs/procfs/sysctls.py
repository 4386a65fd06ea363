"""Settings as files: whose they are, who may write them, and what writing does.

Source: fs/proc/proc_sysctl.c (test_perm, proc_sys_permission), net/sysctl_net.c, ipc/ipc_sysctl.c,
kernel/ucount.c, kernel/utsname_sysctl.c.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST, Domain, KGid, KUid, NsId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import cred as credentials
from simulator.machine.kernel import sysctl
from simulator.machine.kernel.fs.procfs import dynamic, settings, settings_net
from simulator.machine.kernel.namespace import IpcNs, NetNs, UserNs, to_kernel
from simulator.machine.kernel.net import interface, params
from simulator.machine.kernel.vfs import permission

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_IPC = re.compile(
    r"kernel\.(shm(max|all|mni|_rmid_forced|_next_id)|msg(max|mnb|mni|_next_id)|sem(_next_id)?|"
    r"auto_msgmni)$|fs\.mqueue\."
)
_TEXT = re.compile(
    r"kernel\.(core_pattern|modprobe|poweroff_cmd|hotplug|hostname|domainname|printk_devkmsg|"
    r"seccomp\.actions_logged|panic_sys_info|watchdog_cpumask)$|net\..*(congestion|qdisc|ports|"
    r"ratemask|key|bitmap|cpu_mask|default_mask)|fs\.binfmt"
)
_NUMBERS = re.compile(r"\s*[-+]?\d+(\s+[-+]?\d+)*\s*")


_SHOWN_SINCE = (6, 9)


class Setting(NamedTuple):
    """A file under /proc/sys: permission bits, value at boot, whether only the first net ns.

    ``shown``: with ``initial_only``, whether the others show it too, to read, since Linux 6.9.
    """

    mode: int
    default: str
    initial_only: bool = False
    shown: bool = False


@cache
def _known() -> dict[str, Setting]:
    return _parsed(settings.KERNEL) | _parsed(settings_net.NET)


@cache
def _per_interface() -> tuple[tuple[str, dict[str, Setting]], ...]:
    return (
        ("net.ipv4.conf", _parsed(settings_net.INTERFACE_4)),
        ("net.ipv6.conf", _parsed(settings_net.INTERFACE_6)),
    )


def _parsed(text: str) -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    for line in text.splitlines():
        name, mode, *value = line.split(" ", 2)
        found[name.lstrip("!*")] = Setting(
            int(mode, 8), "".join(value), name[0] in "!*", name[0] == "*"
        )
    return found


_NEEDS = {
    "kernel.yama.ptrace_scope": "yama",
    "kernel.modprobe": "modules",
    "kernel.modules_disabled": "modules",
    "kernel.kexec_load_disabled": "kexec",
    "kernel.kexec_load_limit_panic": "kexec",
    "kernel.sysrq": "sysrq",
}
"""Settings of parts that a kernel may be built without."""


@dataclass(frozen=True)
class Listing:
    """Every setting by dotted name, and every dotted name that has others below it."""

    settings: Mapping[str, Setting]
    directories: frozenset[str]


class _Settled:
    """A family's settings at boot, known by which object they are: nobody changes them."""

    __slots__ = ("values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values

    def __hash__(self) -> int:
        return id(self.values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Settled) and other.values is self.values


def listing(trap: "Trap") -> Listing:
    """What the caller's namespaces show below /proc/sys."""
    return trap.once("sysctls", _listed)


def _listed(trap: "Trap") -> Listing:
    return _listing(
        _Settled(trap.family.sysctls),
        trap.family.features,
        _in_initial_net(trap),
        trap.family.release >= _SHOWN_SINCE,
        tuple(row.name for row in interface.listed(trap.store, trap.task.ns.net)),
    )


@functools.lru_cache(maxsize=64)
def _listing(
    sysctls: "_Settled",
    features: frozenset[str],
    initial: bool,
    others: bool,
    interfaces: tuple[str, ...],
) -> Listing:
    """Made once for each sort of kernel and network: a thousand names, asked for all the time."""
    found = dict.fromkeys(dynamic.NAMES, Setting(0o444, ""))
    found |= {name: Setting(0o644, "") for name in dynamic.WRITABLE}
    found["kernel.ns_last_pid"] = Setting(0o666, "")
    found |= {name: Setting(0o644, value) for name, value in sysctls.values.items()}
    found |= _known()
    if not initial:
        locked = {
            name: one._replace(mode=one.mode & 0o444)
            for name, one in found.items()
            if others and one.shown
        }
        found = {name: one for name, one in found.items() if not one.initial_only} | locked
    for prefix, each in _per_interface():
        for name in ("all", "default", *interfaces):
            found |= {f"{prefix}.{name.replace('.', '/')}.{key}": one for key, one in each.items()}
    for name, feature in _NEEDS.items():
        if feature not in features:
            found.pop(name, None)
    above = {name[:end] for name in found for end, letter in enumerate(name) if letter == "."}
    return Listing(found, frozenset(above))


def _in_initial_net(trap: "Trap") -> bool:
    # The first is made at boot and never goes, so it stays the oldest row.
    return next(iter(trap.store.tables[NetNs])) == trap.task.ns.net


def setting(trap: "Trap", name: str) -> Setting | None:
    """The setting called ``name``, or None."""
    known = _known().get(name)
    if known is not None and not known.initial_only and name not in _NEEDS:
        return known
    return listing(trap).settings.get(name)


@functools.lru_cache(maxsize=4096)
def scope(name: str) -> str:
    """Which namespace keeps it: ``net``, ``ipc``, ``uts``, ``user``, ``pid``, or ``machine``."""
    if name.startswith("net."):
        return "net"
    if _IPC.match(name):
        return "ipc"
    if name in ("kernel.hostname", "kernel.domainname"):
        return "uts"
    return "user" if name.startswith("user.") else "machine"


def read(trap: "Trap", name: str) -> str:
    """The value that the caller sees, without its newline."""
    if name in dynamic.NAMES or name in dynamic.WRITABLE:
        return dynamic.read(trap, name)
    store, where = trap.store, scope(name)
    kept: str | None = None
    if where == "net":
        kept = _kept(store.row(NetNs, trap.task.ns.net).sysctls, name)
        if kept is None and name in params.DEFAULTS:
            kept = params.read(store, trap.task.ns.net, name)
    elif where == "ipc":
        kept = _kept(store.row(IpcNs, trap.task.ns.ipc).sysctls, name)
    else:
        row = store.get(sysctl.Sysctl, name)
        kept = row.value if row is not None else trap.family.sysctls.get(name)
    if kept is not None:
        return kept
    found = setting(trap, name)
    return found.default if found is not None else ""


def _kept(values: object, name: str) -> str | None:
    return values.get(name) if isinstance(values, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def write(trap: "Trap", name: str, data: bytes) -> None:
    """Take what write(2) brings; EINVAL for what is no value."""
    text = data.decode("utf-8", "surrogateescape").split("\0", 1)[0].strip("\n")
    if name in dynamic.WRITABLE:
        dynamic.write(trap, name, text)
        return
    if not _TEXT.match(name):
        text = _checked(trap, name, text)
    store, where = trap.store, scope(name)
    if where == "net" and name.endswith((".ip_forward", ".forwarding")):
        trap.need(Privilege.NET_CONFIG, store.row(NetNs, trap.task.ns.net).owner)
    if where == "net":
        params.write(store, trap.task.ns.net, name, text)
    elif where == "ipc":
        row = store.row(IpcNs, trap.task.ns.ipc)
        store.put(msgspec.structs.replace(row, sysctls={**(row.sysctls or {}), name: text}))
    else:
        sysctl.write(store, name, text)


_RANGES = {
    "kernel.dmesg_restrict": (0, 1),
    "kernel.kptr_restrict": (0, 2),
    "kernel.randomize_va_space": (0, 2),
    "kernel.yama.ptrace_scope": (0, 3),
    "kernel.modules_disabled": (1, 1),
    "kernel.unprivileged_bpf_disabled": (0, 2),
    "kernel.io_uring_disabled": (0, 2),
    "fs.protected_symlinks": (0, 1),
    "fs.protected_hardlinks": (0, 1),
    "fs.protected_regular": (0, 2),
    "fs.protected_fifos": (0, 2),
    "fs.suid_dumpable": (0, 2),
    "vm.overcommit_memory": (0, 2),
    "vm.swappiness": (0, 200),
    "vm.drop_caches": (1, 4),
    "vm.panic_on_oom": (0, 2),
    "kernel.pid_max": (301, 4194304),
    "net.ipv4.ip_unprivileged_port_start": (0, 65535),
    "net.ipv4.ip_default_ttl": (1, 255),
}
"""extra1 and extra2 of each ctl_table entry."""


def _checked(trap: "Trap", name: str, text: str) -> str:
    if not text.strip():
        return read(trap, name)
    if _NUMBERS.fullmatch(text) is None:
        _invalid(trap)
    numbers = [int(word) for word in text.split()]
    low, high = _RANGES.get(name, (-(1 << 63), (1 << 64) - 1))
    if any(not low <= number <= high for number in numbers):
        _invalid(trap)
    old = read(trap, name).split()
    return "\t".join([str(number) for number in numbers[: len(old) or 1]] + old[len(numbers) :])


def _invalid(trap: "Trap") -> None:
    trap.fail(Errno.EINVAL, N_("The setting does not take this value."), "proc_sys(5)")


def owner(trap: "Trap", name: str) -> tuple[KUid, KGid]:
    """Who owns the file: the root of the user namespace that owns the setting's namespace."""
    where = scope(name) if name else "machine"
    if where not in ("net", "ipc"):
        return KUid(0), KGid(0)
    row = (
        trap.store.row(NetNs, trap.task.ns.net)
        if where == "net"
        else trap.store.row(IpcNs, trap.task.ns.ipc)
    )
    user_ns = trap.store.row(UserNs, row.owner)
    uid, gid = to_kernel(user_ns.uid_map, 0), to_kernel(user_ns.gid_map, 0)
    return KUid(uid or 0), KGid(gid or 0)


def domain(trap: "Trap", name: str) -> Domain:
    """Whose the setting is: its namespace's maker, or the host."""
    where = scope(name)
    if where == "net":
        return trap.store.row(NetNs, trap.task.ns.net).domain
    if where == "ipc":
        return trap.store.row(IpcNs, trap.task.ns.ipc).domain
    if where == "uts":
        return dynamic.uts(trap).domain
    return trap.store.row(UserNs, trap.task.cred.user_ns).domain if where == "user" else HOST


def need(trap: "Trap", name: str, found: Setting, want: int) -> None:
    """sysctl_perm(): user id 0 of the machine counts here, CAP_DAC_OVERRIDE does not.

    ``want`` is of ``vfs/permission.py``. EACCES.
    """
    mode, where, writing = found.mode, scope(name), want & permission.WRITE
    if where == "user":
        # set_permissions() of kernel/ucount.c: with CAP_SYS_RESOURCE whoever one is.
        held = trap.has(Privilege.RESOURCE_RAISE, NsId(trap.task.cred.user_ns))
        _allow(mode >> 6 if held else mode & permission.READ, want, trap)
        return
    if writing and not mode & 0o222:
        _refuse(trap)
    if writing:
        trap.ask("may_write_sysctl", name)
    uid, gid = owner(trap, name)
    cred = trap.task.cred
    administers = where == "net" and trap.has(
        Privilege.NET_CONFIG, trap.store.row(NetNs, trap.task.ns.net).owner
    )
    if cred.euid == uid or administers:
        mode >>= 6
    elif credentials.in_group(cred, gid):
        mode >>= 3
    _allow(mode, want, trap)


def _allow(bits: int, want: int, trap: "Trap") -> None:
    if want & ~bits & (permission.READ | permission.WRITE):
        _refuse(trap)


def _refuse(trap: "Trap") -> None:
    trap.deny(
        Errno.EACCES,
        "sysctl",
        N_("A setting is for the user with id 0 of the namespace that it belongs to."),
        "proc_sys(5)",
    )

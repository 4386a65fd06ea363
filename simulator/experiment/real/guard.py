"""The last look before a call leaves for the real kernel: what could harm the machine stays here.

Namespaces do not hold everything: the clock, modules, swap, kexec, sysctls and block devices are
the machine's own. A call that an actor has the right to make and that would change one of them is
refused with a reason, so the comparison says *model only*. Without the right, in effect over the
machine and not only in a user namespace of one's own, the kernel itself refuses, and that refusal
is what a probe wants to see, so the call goes through. The look is at the real process as it waits
to make the call, never at what the model expects.

Calls of programs that nobody knows, a shell line's or an execve's, are looked at in ``judge``.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import cast

from simulator.experiment.real import around, disk, objects
from simulator.experiment.real.link import BASE
from simulator.experiment.real.standing import capable, hierarchy_there, shares
from simulator.machine.abi.call import Call, Value
from simulator.machine.abi.i18n import N_

LAST = 999
_CAP_SYS_MODULE, _CAP_SYS_ADMIN, _CAP_SYS_BOOT = 16, 21, 22
_CAP_SYS_PACCT, _CAP_SYS_TIME, _CAP_SYSLOG = 20, 25, 34

SHARED = ("mnt", "pid", "uts", "ipc", "net", "cgroup")


def apart(pid: int) -> tuple[str, ...]:
    """Namespaces that the process shares with us although it must not."""
    same: list[str] = []
    for kind in SHARED:
        ours, theirs = f"/proc/self/ns/{kind}", f"/proc/{pid}/ns/{kind}"
        try:
            apart_here = os.path.exists(ours) and os.readlink(ours) != os.readlink(theirs)
        except OSError:
            # A process that is gone harms nobody.
            return ()
        if not apart_here:
            same.append(kind)
    return tuple(same)


def refusal(pid: int, call: Call, host: int | None = None) -> str | None:
    """Why this call must not reach the real kernel, or ``None``.

    ``host`` is the scratch machine's first process: what a whole machine would do and a scratch
    machine can't is refused to whoever is not in a namespace of its own there.
    """
    rule, whole = _RULES.get(call.name), _WHOLE.get(call.name)
    reason = rule(pid, call.args) if rule is not None else None
    if reason is None and whole is not None:
        return whole(pid, host, call.args)
    return reason


def turns_a_setting(pid: int, call: Call, host: int) -> bool:
    """Whether a write(2) is to a setting of namespaces that the process has with its machine."""
    if call.name not in ("write", "pwrite64"):
        return False
    try:
        found = os.readlink(f"/proc/{pid}/fd/{_int(call.args, 0, -1)}")
    except OSError:
        return False
    own = not shares(pid, host, "net") and not shares(pid, host, "ipc")
    return not own and found.partition("/sys/")[2].startswith(objects.PRIVATE_SYSCTLS)


def _int(args: tuple[Value, ...], at: int, default: int = 0) -> int:
    value = args[at] if at < len(args) else default
    return value if isinstance(value, int) else default


def _mode(pid: int, path: Value) -> int | None:
    """The mode of what is there, following symlinks; 0 for a link that leads nowhere here."""
    for follow in (True, False):
        with objects.named(pid, path, follow=follow) as found:
            if found is not None:
                return found.mode if follow else 0
    return None


def _foreign_disk(pid: int, value: Value) -> bool:
    """Whether a path names a block device that is not the scratch machine's own."""
    with objects.named(pid, value) as found:
        block = found is not None and stat.S_ISBLK(found.mode)
        return block and found is not None and not disk.ours(found.device, pid)


def _within(pid: int, host: int | None, kind: str) -> bool:
    """Whether a namespace is a sandbox's own: neither this machine's nor the scratch machine's."""
    return not shares(pid, host, kind) and not shares(pid, os.getpid(), kind)


def _reboot(pid: int, host: int | None, args: tuple[Value, ...]) -> str | None:
    """reboot(2): a sandbox with processes of its own ends itself, and nothing else can be meant."""
    magic = (_int(args, 0) & 0xFFFFFFFF, _int(args, 1) & 0xFFFFFFFF)
    right = magic[0] == 0xFEE1DEAD and magic[1] in (672274793, 85072278, 369367448, 537993216)
    if right and capable(pid, _CAP_SYS_BOOT) and not _within(pid, host, "pid"):
        return N_("reboot with its right magic numbers is not tried on a real machine")
    return None


def _hierarchy(pid: int, host: int | None, args: tuple[Value, ...]) -> str | None:
    """mount(2) of control groups that nobody has mounted: cgroup1_root_to_use() makes them anew."""
    kind, options = (*args[2:3], None)[0], (*args[4:5], None)[0]
    new = kind == "cgroup" and not hierarchy_there(options if isinstance(options, str) else "")
    if new and capable(pid, _CAP_SYS_ADMIN) and not _within(pid, host, "cgroup"):
        return N_("no new hierarchy of control groups is made on a real machine: it is one for all")
    return None


def _clock(pid: int, args: tuple[Value, ...]) -> str | None:
    """clock_settime(2): only the real-time clock can be set, to a valid time."""
    if _int(args, 0) == 0 and _valid_time(args[1:2], 1_000_000_000) and capable(pid, _CAP_SYS_TIME):
        return N_("the clock of a real machine is not set")
    return None


def _day(pid: int, args: tuple[Value, ...]) -> str | None:
    """settimeofday(2): a valid time, or a time zone."""
    zone = len(args) > 1 and args[1] is not None
    if (_valid_time(args[:1], 1_000_000) or zone) and capable(pid, _CAP_SYS_TIME):
        return N_("the clock of a real machine is not set")
    return None


def _valid_time(args: tuple[Value, ...], parts: int) -> bool:
    value = args[0] if args else None
    if not isinstance(value, tuple):
        return False
    return _int(value, 0) >= 0 and 0 <= _int(value, 1) < parts


def _adjtimex(pid: int, args: tuple[Value, ...]) -> str | None:
    last = args[-1] if args else None
    if not isinstance(last, dict) or not capable(pid, _CAP_SYS_TIME):
        return None
    fields = cast("dict[str, int]", last)
    modes = fields.get("modes", 0)
    harmless = modes == 0 or (modes == 0x4000 and not 9000 <= fields.get("tick", 0) <= 11000)
    return None if harmless else N_("the clock of a real machine is not adjusted")


def _named_file(capability: int, why: str) -> Callable[[int, tuple[Value, ...]], str | None]:
    def rule(pid: int, args: tuple[Value, ...]) -> str | None:
        mode = _mode(pid, args[0]) if args else None
        harmful = mode is not None and not stat.S_ISDIR(mode)
        return why if harmful and capable(pid, capability) else None

    return rule


def _module(pid: int, args: tuple[Value, ...]) -> str | None:
    name = args[0] if args else None
    try:
        loaded = {line.split()[0] for line in Path("/proc/modules").read_text().splitlines()}
    except OSError:
        loaded = set[str]()
    if name in loaded and capable(pid, _CAP_SYS_MODULE):
        return N_("a module of a real machine is not removed")
    return None


def _load(pid: int, args: tuple[Value, ...]) -> str | None:
    image = args[0] if args else None
    content = image.encode() if isinstance(image, str) else image
    if isinstance(content, bytes) and content.startswith(b"\x7fELF"):
        return N_("no code is loaded into a real kernel") if capable(pid, _CAP_SYS_MODULE) else None
    return None


def _finit(pid: int, args: tuple[Value, ...]) -> str | None:
    if not os.path.exists(f"/proc/{pid}/fd/{_int(args, 0, -1)}"):
        return None
    return N_("no code is loaded into a real kernel") if capable(pid, _CAP_SYS_MODULE) else None


def _kexec(pid: int, args: tuple[Value, ...]) -> str | None:
    if (_int(args, 1) or len(args) > 4) and capable(pid, _CAP_SYS_BOOT):
        return N_("no code is loaded into a real kernel")
    return None


def _quota(pid: int, args: tuple[Value, ...]) -> str | None:
    command = _int(args, 0) >> 8 & 0xFFFFFF
    changes = command in (0x800002, 0x800003, 0x800006, 0x800008)
    there = len(args) > 1 and _mode(pid, args[1]) is not None
    if changes and there and capable(pid, _CAP_SYS_ADMIN):
        return N_("quotas of a real file system are not changed")
    return None


def _syslog(pid: int, args: tuple[Value, ...]) -> str | None:
    if _int(args, 0) in (4, 5, 6, 7, 8, 2) and capable(pid, _CAP_SYSLOG):
        return N_("the kernel log of a real machine is not emptied or changed")
    return None


def _write(pid: int, args: tuple[Value, ...]) -> str | None:
    return objects.written(pid, _int(args, 0, -1))


def _copy(pid: int, args: tuple[Value, ...]) -> str | None:
    return objects.written(pid, _int(args, 2, -1))


def _ioctl(pid: int, args: tuple[Value, ...]) -> str | None:
    return objects.controlled(pid, _int(args, 0, -1), _int(args, 1) & 0xFFFFFFFF)


def _mount(pid: int, args: tuple[Value, ...]) -> str | None:
    kind = args[2] if len(args) > 2 else None
    if not capable(pid, _CAP_SYS_ADMIN):
        return None
    if kind == "devtmpfs":
        return N_("the device tree of a real machine is not mounted: it is one for all")
    if (
        args
        and isinstance(kind, str)
        and not _int(args, 3) & 0x1000
        and _foreign_disk(pid, args[0])
    ):
        return N_("a disk of a real machine is not mounted")
    return around.turned(pid, args) or around.agent_named(pid, args)


def _fsconfig(pid: int, args: tuple[Value, ...]) -> str | None:
    if args[2:3] == ("release_agent",):
        return around.agent_named(pid, (*args[:2], None, 0, "release_agent"))
    if len(args) > 3 and args[2] == "source" and _foreign_disk(pid, args[3]):
        return N_("a disk of a real machine is not mounted")
    return None


def _fsopen(pid: int, args: tuple[Value, ...]) -> str | None:
    if args and args[0] == "devtmpfs" and capable(pid, _CAP_SYS_ADMIN):
        return N_("the device tree of a real machine is not mounted: it is one for all")
    return None


def _own(_pid: int, args: tuple[Value, ...]) -> str | None:
    if any(isinstance(arg, int) and BASE <= arg <= LAST for arg in args[:2]):
        return N_("descriptors 200 to 999 belong to the agent")
    return None


def _map(_pid: int, args: tuple[Value, ...]) -> str | None:
    if _int(args, 3) & 0x10:
        return N_("a fixed mapping could overwrite the agent")
    return None


def _clone3(_pid: int, args: tuple[Value, ...]) -> str | None:
    if any(not isinstance(arg, int) and arg is not None for arg in args):
        return N_("clone3 is made with a null pointer only")
    return None


_RULES: dict[str, Callable[[int, tuple[Value, ...]], str | None]] = {
    **around.RULES,
    "clock_settime": _clock,
    "settimeofday": _day,
    "adjtimex": _adjtimex,
    "clock_adjtime": _adjtimex,
    "swapon": _named_file(_CAP_SYS_ADMIN, N_("swap of a real machine is not changed")),
    "swapoff": _named_file(_CAP_SYS_ADMIN, N_("swap of a real machine is not changed")),
    "acct": _named_file(_CAP_SYS_PACCT, N_("accounting of a real machine is not turned on")),
    "delete_module": _module,
    "init_module": _load,
    "finit_module": _finit,
    "kexec_load": _kexec,
    "kexec_file_load": _kexec,
    "quotactl": _quota,
    "syslog": _syslog,
    "write": _write,
    "pwrite64": _write,
    "sendfile": _write,
    "fallocate": _write,
    "sendto": _write,
    "sendmsg": _write,
    "copy_file_range": _copy,
    "ioctl": _ioctl,
    "mount": _mount,
    "fsconfig": _fsconfig,
    "fsopen": _fsopen,
    "close": _own,
    "dup2": _own,
    "dup3": _own,
    "mmap": _map,
    "clone3": _clone3,
}

_WHOLE: dict[str, Callable[[int, int | None, tuple[Value, ...]], str | None]] = {
    "reboot": _reboot,
    "mount": _hierarchy,
}
"""What depends on whether the process is in a namespace of a sandbox's own."""

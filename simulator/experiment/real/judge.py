"""What a program that nobody knows may ask of this machine's kernel: each call as it waits.

The rules are those of ``guard`` where the arguments are all there is to see. Where an argument is
an address, what lies there could change between the look and the call, and so could whatever a
path leads to. So threads, shared memory of files, and calls that write into others' memory are not
for such programs; a file is judged as the object that is written to, not by its path when it is
opened; and where a path would decide, the call is refused to whoever has the right to do harm.
"""

import errno
import os
import stat

import msgspec

from simulator.experiment.real import around, objects
from simulator.experiment.real.asked import NOT_IN_A_LINE, NOT_SEEN, Asked, Rule, Verdict
from simulator.experiment.real.memory import UnsteadyError, number, text
from simulator.experiment.real.mounting import mounted, opened_kind
from simulator.experiment.real.standing import Standing, shares
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.x86_64 import NUMBERS

FIRST_UNKNOWN = 470
"""The first call that is newer than this list: Linux 6.18 ends with file_setattr(2), 469."""

_NAMES = {number: name for name, number in NUMBERS.items()}


def _needing(*capabilities: str) -> Rule:
    """Nobody needs it in a line; without the right the kernel itself refuses."""

    def rule(asked: Asked) -> str | None:
        return NOT_IN_A_LINE if asked.may(*capabilities) else None

    return rule


def _never(_asked: Asked) -> str:
    """What writes where nobody looks, or takes another's descriptor: a filter's other end."""
    return NOT_SEEN


def _written(place: int) -> Rule:
    def rule(asked: Asked) -> str | None:
        return objects.written(asked.pid, _signed(asked.args[place]))

    return rule


def _controlled(asked: Asked) -> str | None:
    return objects.controlled(asked.pid, _signed(asked.args[0]), asked.args[1] & 0xFFFFFFFF)


def _mapped(asked: Asked) -> str | None:
    """mmap(2) that is shared: what is written to memory is written to the file."""
    if asked.args[3] & _MAP_ANONYMOUS:
        # Between processes of one line; ``memory`` believes nothing that lies in it.
        return None
    return objects.written(asked.pid, _signed(asked.args[4]))


_MAP_ANONYMOUS = 0x20


def _cloned(asked: Asked) -> str | None:
    """clone(2): vfork's child may share memory, its parent waits; nobody shares descriptors."""
    flags = asked.args[0]
    waits = flags & _CLONE_VFORK and not flags & (_CLONE_THREAD | _CLONE_FILES)
    return None if waits else _THREADS


_THREADS = N_("a program that a line starts has no threads: what was judged could change")
_CLONE_VM, _CLONE_FILES, _CLONE_VFORK, _CLONE_THREAD = 0x100, 0x400, 0x4000, 0x10000


def _numbers(rule: around.Rule) -> Rule:
    """A rule of programs' calls that only looks at numbers."""
    return lambda asked: rule(asked.pid, tuple(_signed(one) for one in asked.args))


def _signal(at: int) -> Rule:
    """The signal is argument ``at``."""

    def rule(asked: Asked) -> str | None:
        return around.signalled(asked.pid, (asked.args[at] & 0xFFFFFFFF,))

    return rule


def _node(mode_at: int) -> Rule:
    """mknod(2) of a device that is this machine's."""

    def rule(asked: Asked) -> str | None:
        mode, dev = asked.args[mode_at] & 0xFFFF, asked.args[mode_at + 1] & 0xFFFFFFFF
        if not stat.S_ISCHR(mode) and not stat.S_ISBLK(mode):
            return None
        device = os.makedev((dev & 0xFFF00) >> 8, (dev & 0xFF) | (dev >> 12 & 0xFFF00))
        if asked.may("MKNOD") and objects.awake(mode, device, asked.pid):
            return N_("a program that a line starts gives no name to a device of a real machine")
        return None

    return rule


def _given(place: int, directory: int | None = None) -> Rule:
    """chmod(2), chown(2): by a path, which decides nothing but modes of the kernel's own files."""
    rule = around.given(place, directory)

    def judged(asked: Asked) -> str | None:
        if Standing.of(asked.pid).user and not _of_us(asked):
            return None
        args: list[int | str | None] = [_signed(one) for one in asked.args]
        try:
            args[place] = asked.text(place)
        except UnsteadyError:
            return NOT_SEEN
        return rule(asked.pid, tuple(args))

    return judged


def _keys(asked: Asked) -> str | None:
    """keyctl(2): keyrings of a user are the machine's; what only asks, or joins, may go on."""
    if asked.args[0] & 0xFFFFFFFF in _KEY_QUESTIONS or not _of_us(asked):
        return None
    return N_("a program that a line starts changes no keys of a real machine")


_KEY_QUESTIONS = {0, 1, 6, 10, 11, 17, 30, 31}
"""GET_KEYRING_ID, JOIN_SESSION_KEYRING, DESCRIBE, SEARCH, READ, GET_SECURITY, ..., CAPABILITIES."""


def _of_us(asked: Asked) -> bool:
    return shares(asked.pid, os.getpid(), "user")


def _key(ring: int) -> Rule:
    """add_key(2), request_key(2): into keyrings of the process itself."""

    def rule(asked: Asked) -> str | None:
        own = _signed(asked.args[ring]) in (-1, -2, -3)
        return None if own and ring == 4 else _keys(msgspec.structs.replace(asked, args=(2,)))

    return rule


def _socket(asked: Asked) -> str | None:
    """socket(2): of what has no namespace nothing: the way to a hypervisor, crypto, drivers."""
    domain, protocol = asked.args[0] & 0xFFFFFFFF, asked.args[2] & 0xFFFFFFFF
    apart = domain in (0, 1, 2, 10, 17) or (domain == 16 and protocol in (0, 4, 6, 12, 15))
    return None if apart else N_("sockets of kinds that a real machine has only one of stay closed")


def _logged(asked: Asked) -> str | None:
    """syslog(2): the log is shown, not emptied, and nobody decides what a console shows."""
    changes = asked.args[0] & 0xFFFFFFFF in (2, 4, 5, 6, 7, 8)
    return NOT_IN_A_LINE if changes and asked.may("SYSLOG") else None


def _adjusted(at: int) -> Rule:
    """adjtimex(2): an empty ``modes``, the structure's first field, only asks."""

    def rule(asked: Asked) -> str | None:
        asks = asked.args[at] and number(asked.pid, asked.args[at]) == 0
        return None if asks or not asked.may("SYS_TIME") else NOT_IN_A_LINE

    return rule


def _signed(value: int) -> int:
    low = value & 0xFFFFFFFF
    return low - (1 << 32) if low >= 1 << 31 else low


_SOMETIMES: dict[str, tuple[int, int] | None] = {
    "clone": (0, _CLONE_VM | _CLONE_FILES | _CLONE_THREAD),
    "mmap": (3, 1),
    "mknod": (1, 0x2000),
    "mknodat": (2, 0x2000),
}
_RULES: dict[str, Rule] = {
    **{name: _written(0) for name in ("write", "pwrite64", "writev", "pwritev", "pwritev2")},
    **{name: _written(0) for name in ("sendfile", "fallocate", "ftruncate")},
    **{name: _written(0) for name in ("vmsplice", "sendto", "sendmsg", "sendmmsg")},
    **{name: _written(2) for name in ("splice", "copy_file_range")},
    "tee": _written(1),
    "ioctl": _controlled,
    "mmap": _mapped,
    "clone": _cloned,
    "mknod": _node(1),
    "mknodat": _node(2),
    "setns": _numbers(around.entered),
    "ptrace": _numbers(around.traced),
    "fanotify_mark": _numbers(around.asked_first),
    "open_by_handle_at": _needing("DAC_READ_SEARCH"),
    "kill": _signal(1),
    "tkill": _signal(1),
    "tgkill": _signal(2),
    "rt_sigqueueinfo": _signal(1),
    "rt_tgsigqueueinfo": _signal(2),
    "pidfd_send_signal": _signal(1),
    "chmod": _given(0),
    "chown": _given(0),
    "lchown": _given(0),
    "fchmodat": _given(1, 0),
    "fchownat": _given(1, 0),
    "fchmodat2": _given(1, 0),
    "fchmod": _numbers(around.given_opened),
    "fchown": _numbers(around.given_opened),
    "mount": mounted,
    "fsopen": opened_kind,
    "fspick": _needing("SYS_ADMIN"),
    "keyctl": _keys,
    "add_key": _key(4),
    "request_key": _key(3),
    "socket": _socket,
    "reboot": _needing("SYS_BOOT"),
    "kexec_load": _needing("SYS_BOOT"),
    "kexec_file_load": _needing("SYS_BOOT"),
    "init_module": _needing("SYS_MODULE"),
    "finit_module": _needing("SYS_MODULE"),
    "delete_module": _needing("SYS_MODULE"),
    "iopl": _needing("SYS_RAWIO"),
    "ioperm": _needing("SYS_RAWIO"),
    "acct": _needing("SYS_PACCT"),
    "settimeofday": _needing("SYS_TIME"),
    "clock_settime": _needing("SYS_TIME"),
    "adjtimex": _adjusted(0),
    "clock_adjtime": _adjusted(1),
    "syslog": _logged,
    "swapon": _needing("SYS_ADMIN"),
    "swapoff": _needing("SYS_ADMIN"),
    "quotactl": _needing("SYS_ADMIN"),
    "quotactl_fd": _needing("SYS_ADMIN"),
    "bpf": _needing("SYS_ADMIN", "BPF"),
    "perf_event_open": _needing("SYS_ADMIN", "PERFMON"),
    **{
        name: _never
        for name in (
            "clone3",
            "io_uring_setup",
            "io_uring_enter",
            "io_uring_register",
            "io_setup",
            "io_submit",
            "pidfd_getfd",
            "process_vm_writev",
            "userfaultfd",
            "remap_file_pages",
            "vserver",
        )
    },
}
ASKED = {name: _SOMETIMES.get(name) for name in (*_RULES, "execve", "execveat")}
"""Every call that waits for a verdict; of some only those with certain bits in one argument."""


class Judge:
    """Judges the calls of one program and of whatever it starts.

    ``actor`` is what its actor could do before the gate, ``process`` who is behind it.
    """

    def __init__(self, actor: Standing, process: int) -> None:
        self._actor = actor
        self._kept = Standing.of(process).no_new_privs and not self._actor.no_new_privs

    @staticmethod
    def foreign() -> Verdict:
        """A call of another architecture."""
        return Verdict(errno.ENOSYS, NOT_SEEN)

    def verdict(self, pid: int, number: int, args: tuple[int, ...]) -> Verdict | None:
        """What the call gives instead of being made; ``None``: the kernel is asked."""
        name = _NAMES.get(number, "")
        if number >= FIRST_UNKNOWN:
            return Verdict(errno.ENOSYS, NOT_SEEN)
        if name in ("execve", "execveat"):
            return self._gains(pid, name, args)
        try:
            found = _RULES[name](Asked(pid, args, self._actor))
        except UnsteadyError:
            found = NOT_SEEN
        return Verdict(errno.EPERM, found) if isinstance(found, str) else found

    def _gains(self, pid: int, name: str, args: tuple[int, ...]) -> Verdict | None:
        """execve(2) where a filter took no_new_privs: without it the program would have rights.

        A name that leads elsewhere a moment later gains nothing all the same.
        """
        if not self._kept:
            return None
        directory, at = (_signed(args[0]), 1) if name == "execveat" else (None, 0)
        try:
            path = text(pid, args[at])
        except UnsteadyError:
            return Verdict(errno.EPERM, NOT_SEEN)
        told = Standing.of(pid)
        own = objects.named(pid, path, directory) if path else objects.opened(pid, _signed(args[0]))
        with own as found:
            gains = found is not None and objects.gives_rights(found, told.user, told.group)
        if gains or (told.root and told.bounding & ~told.permitted):
            return Verdict(errno.EPERM, _RIGHTS)
        return None


_RIGHTS = N_("a program to which its file gives rights is not run: behind the guard it gets none")


def unseen() -> Verdict:
    """A process that could not be looked at."""
    return Verdict(errno.EPERM, NOT_SEEN)

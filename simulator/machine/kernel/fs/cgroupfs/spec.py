"""One file of a control group: its name, its mode, what it reads as, what writing it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.resource.group import Cgroup, put_setting
from simulator.machine.kernel.trap import Trap

Release = tuple[int, ...]
Read = Callable[[Trap, Cgroup], str]
Write = Callable[[Trap, Cgroup, str], None]

READ_ONLY, READ_WRITE, WRITE_ONLY = 0o444, 0o644, 0o200


@dataclass(frozen=True, slots=True)
class FileSpec:
    """``root`` False keeps it out of the root group, ``child`` False out of all others.

    ``since`` is the first release of Linux that has it, ``until`` the first that has it no more.
    """

    name: str
    mode: int = READ_WRITE
    read: Read | None = None
    write: Write | None = None
    root: bool = True
    child: bool = True
    since: Release = ()
    until: Release = ()


def invalid(trap: Trap) -> NoReturn:
    """EINVAL: the text is not what the file takes."""
    trap.fail(Errno.EINVAL, N_("The control group file does not take this value."), "cgroups(7)")


def out_of_range(trap: Trap) -> NoReturn:
    """ERANGE: a number, and not one that the file takes."""
    trap.fail(Errno.ERANGE, N_("The number is out of the file's range."), "cgroups(7)")


def integer(trap: Trap, text: str) -> int:
    """kstrtoint() with base 0: decimal, ``0x`` or a leading 0. EINVAL."""
    text = text.strip()
    sign = -1 if text[:1] == "-" else 1
    digits = text[1:] if text[:1] in ("-", "+") else text
    base = 16 if digits[:2].lower() == "0x" else 8 if digits[:1] == "0" and digits != "0" else 10
    digits = digits[2:] if base == 16 else digits
    if not digits.isascii() or not digits.isalnum():
        invalid(trap)
    try:
        return sign * int(digits, base)
    except ValueError:
        invalid(trap)


def setting(name: str, default: str) -> Read:
    """A read that gives the stored text, or ``default``."""

    def read(_trap: Trap, group: Cgroup) -> str:
        return f"{group.settings.get(name, default)}\n"

    return read


def fixed(text: str) -> Read:
    """A read that always gives ``text``."""
    return lambda _trap, _group: text


def whole(
    name: str, least: int, most: int, *, clamp: bool = False, errno_range: bool = True
) -> Write:
    """A write that stores a number of a range; ``clamp`` moves others to its ends."""

    def write(trap: Trap, group: Cgroup, text: str) -> None:
        value = integer(trap, text)
        if clamp and value >= 0:
            value = min(max(value, least), most)
        elif not least <= value <= most:
            if errno_range and not clamp:
                out_of_range(trap)
            invalid(trap)
        put_setting(trap.store, group, name, str(value))

    return write


def bounded(name: str, most: int, *, errno_range: bool = False) -> Write:
    """A write that stores ``max`` or a number from 0 to ``most``. EINVAL, or ERANGE."""

    def write(trap: Trap, group: Cgroup, text: str) -> None:
        text = text.strip()
        if text != "max":
            value = integer(trap, text)
            if not 0 <= value <= most:
                if errno_range:
                    out_of_range(trap)
                invalid(trap)
            text = str(value)
        put_setting(trap.store, group, name, text)

    return write


def flag(name: str) -> Write:
    """A write that stores 0 or 1, any other number as 1. EINVAL."""

    def write(trap: Trap, group: Cgroup, text: str) -> None:
        value = integer(trap, text)
        if value < 0:
            invalid(trap)
        put_setting(trap.store, group, name, str(int(value != 0)))

    return write


def size(trap: Trap, text: str) -> int:
    """Bytes with a unit (memparse()), cut to whole pages. EINVAL."""
    text = text.strip()
    unit = {"k": 10, "m": 20, "g": 30, "t": 40, "p": 50, "e": 60}.get(text[-1:].lower())
    digits = text[:-1] if unit is not None else text
    if not digits.isascii() or not digits.isdigit():
        invalid(trap)
    value = int(digits) << (unit or 0)
    return value // 4096 * 4096


def stored(name: str, default: str) -> FileSpec:
    """A number of which the model only keeps the value."""
    return FileSpec(name, READ_WRITE, setting(name, default), whole(name, 0, 1 << 63))


def zeroed(trap: Trap, _group: Cgroup, text: str) -> None:
    """A counter that only takes 0, to begin again. EINVAL (cpuusage_write())."""
    if integer(trap, text):
        invalid(trap)

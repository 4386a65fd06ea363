"""The ``data`` of mount(2): comma-separated options, as every simple filesystem reads them.

Source: fs/fs_context.c (generic_parse_monolithic), lib/cmdline.c (memparse).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_SUPERBLOCK_FLAGS = {
    "ro": True, "rw": False, "sync": None, "async": None, "dirsync": None, "lazytime": None,
    "nolazytime": None, "mand": None, "nomand": None,
}  # fmt: skip
"""Options that the kernel takes before the filesystem sees them; ro and rw say which way."""

_UNITS = {"k": 10, "m": 20, "g": 30, "t": 40, "p": 50, "e": 60}


def split(text: str) -> Iterator[tuple[str, str | None]]:
    """Each option as (key, value), the value None when there is no ``=``."""
    for word in text.split(","):
        key, equals, value = word.partition("=")
        if key:
            yield key, value if equals else None


def own(text: str) -> tuple[str, bool | None]:
    """``text`` without what is everybody's; and whether it asks for read-only (None: nothing)."""
    read_only: bool | None = None
    rest: list[str] = []
    for key, value in split(text):
        if value is None and key in _SUPERBLOCK_FLAGS:
            wish = _SUPERBLOCK_FLAGS[key]
            read_only = read_only if wish is None else wish
        else:
            rest.append(key if value is None else f"{key}={value}")
    return ",".join(rest), read_only


def refuse(trap: "Trap") -> NoReturn:
    """EINVAL: the filesystem does not know the option or its value."""
    trap.fail(
        Errno.EINVAL, N_("The filesystem does not know this option or its value."), "mount(2)"
    )


def none_known(trap: "Trap", text: str) -> None:
    """Refuse every option: for filesystems that have none."""
    if any(split(text)):
        refuse(trap)


def number(trap: "Trap", value: str | None, base: int = 10) -> int:
    """An unsigned number (fsparam_u32, fsparam_u32oct). EINVAL."""
    try:
        result = int(value or "", base)
    except ValueError:
        refuse(trap)
    if not 0 <= result < 1 << 32:
        refuse(trap)
    return result


def size(trap: "Trap", value: str | None, whole: int) -> int:
    """Bytes, with a unit (``64k``, ``1g``) or as a percentage of ``whole``. EINVAL."""
    text = (value or "").lower()
    percent = text.endswith("%")
    digits = text.rstrip("%kmgtpe")
    if not digits.isascii() or not digits.isdigit():
        refuse(trap)
    unit = text[len(digits) :]
    if percent and unit == "%":
        return int(digits) * whole // 100
    if unit and unit not in _UNITS:
        refuse(trap)
    return int(digits) << _UNITS.get(unit, 0)

"""The descriptors of a table, in pages: one that has thousands is changed by changing one page."""

from collections.abc import Iterator, Mapping

import msgspec

from simulator.machine.abi.ids import FileId

_BITS = 6


class Slot(msgspec.Struct, frozen=True, gc=False):
    """One descriptor: the description it refers to, and FD_CLOEXEC."""

    file: FileId
    cloexec: bool = False


_EMPTY: Mapping[int, Slot] = {}


class Slots(Mapping[int, Slot]):
    """Descriptors by number, which never change: ``put`` and ``without`` give others.

    ``pages`` has a mapping for each 64 numbers that are not all free; tables share them. ``used``
    has a bit for each number that is taken.
    """

    __slots__ = ("pages", "used")

    def __init__(self, slots: Mapping[int, Slot] = {}) -> None:
        self.pages: dict[int, dict[int, Slot]] = {}
        self.used = 0
        for fd, slot in slots.items():
            self.pages.setdefault(fd >> _BITS, {})[fd] = slot
            self.used |= 1 << fd

    def put(self, fd: int, slot: Slot) -> "Slots":
        """With ``slot`` as ``fd``."""
        number = fd >> _BITS
        page = {**self.pages.get(number, _EMPTY), fd: slot}
        return self._with(number, page, self.used | 1 << fd)

    def without(self, fd: int) -> "Slots":
        """Without ``fd``, which there must be (KeyError)."""
        number = fd >> _BITS
        page = self.pages[number].copy()
        del page[fd]
        return self._with(number, page, self.used ^ 1 << fd)

    def _with(self, number: int, page: dict[int, Slot], used: int) -> "Slots":
        other = Slots.__new__(Slots)
        other.pages = self.pages.copy()
        other.used = used
        if page:
            other.pages[number] = page
        else:
            del other.pages[number]
        return other

    def lowest_free(self, lowest: int) -> int:
        """The lowest number from ``lowest`` that is free."""
        above = self.used >> lowest
        return lowest + (~above & above + 1).bit_length() - 1

    def get(self, fd: int, default: Slot | None = None) -> Slot | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The descriptor ``fd``, if it is open."""
        page = self.pages.get(fd >> _BITS)
        return default if page is None else page.get(fd, default)

    def __getitem__(self, fd: int) -> Slot:
        return self.pages[fd >> _BITS][fd]

    def __contains__(self, fd: object) -> bool:
        return isinstance(fd, int) and fd in self.pages.get(fd >> _BITS, ())

    def __iter__(self) -> Iterator[int]:
        return (fd for page in self.pages.values() for fd in page)

    def values(self) -> list[Slot]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The descriptors; a list, which is made faster than a view is gone through."""
        return [slot for page in self.pages.values() for slot in page.values()]

    def items(self) -> list[tuple[int, Slot]]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The descriptors with their numbers; a list too."""
        return [pair for page in self.pages.values() for pair in page.items()]

    def __len__(self) -> int:
        return self.used.bit_count()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slots) and self.pages == other.pages

    __hash__ = None  # pyright: ignore[reportAssignmentType]

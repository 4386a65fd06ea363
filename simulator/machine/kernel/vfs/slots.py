"""The descriptors of a table, in pages: one that has thousands is changed by changing one page."""

from collections.abc import Iterator, Mapping

import msgspec

from simulator.machine.abi.ids import FileId

_BITS = 6
_PAGE = 1 << _BITS


class Slot(msgspec.Struct, frozen=True):
    """One descriptor: the description it refers to, and FD_CLOEXEC."""

    file: FileId
    cloexec: bool = False


class Slots(Mapping[int, Slot]):
    """Descriptors by number, which never change: ``put`` and ``without`` give others.

    ``pages`` has a mapping for each 64 numbers that are not all free; tables share them.
    """

    __slots__ = ("pages",)

    def __init__(self, slots: Mapping[int, Slot] = {}) -> None:
        self.pages: dict[int, dict[int, Slot]] = {}
        for fd, slot in slots.items():
            self.pages.setdefault(fd >> _BITS, {})[fd] = slot

    def put(self, fd: int, slot: Slot) -> "Slots":
        """With ``slot`` as ``fd``."""
        number = fd >> _BITS
        return self._with(number, {**self.pages.get(number, {}), fd: slot})

    def without(self, fd: int) -> "Slots":
        """Without ``fd``, which there must be (KeyError)."""
        number = fd >> _BITS
        page = self.pages[number].copy()
        del page[fd]
        return self._with(number, page)

    def _with(self, number: int, page: dict[int, Slot]) -> "Slots":
        other = Slots()
        other.pages = self.pages.copy()
        if page:
            other.pages[number] = page
        else:
            del other.pages[number]
        return other

    def lowest_free(self, lowest: int) -> int:
        """The lowest number from ``lowest`` that is free."""
        fd = lowest
        while page := self.pages.get(fd >> _BITS):
            if len(page) == _PAGE:
                fd = (fd >> _BITS) + 1 << _BITS
                continue
            if fd not in page:
                return fd
            fd += 1
        return fd

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

    def __len__(self) -> int:
        return sum(map(len, self.pages.values()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slots) and self.pages == other.pages

    __hash__ = None  # pyright: ignore[reportAssignmentType]

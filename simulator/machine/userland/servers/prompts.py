"""What clients have in common: lines that a person types, with a prompt on a terminal."""

from collections.abc import AsyncIterator

from simulator.machine.abi.constants import TCGETS
from simulator.machine.userland.process import Process, SysError


async def terminal(sys: Process, fd: int) -> bool:
    """isatty(3)."""
    return await sys.succeeds("ioctl", fd, TCGETS)


class Prompt:
    """Lines of standard input; ``text`` is shown before each on a terminal, else nothing is."""

    def __init__(self, sys: Process, text: str, *, typed: bool) -> None:
        self.text = text
        self.typed = typed
        self._sys = sys
        self._left = b""

    async def lines(self) -> AsyncIterator[str]:
        """One line after another, as soon as it is there."""
        while True:
            if self.typed and b"\n" not in self._left:
                await self._sys.out(self.text)
            while b"\n" not in self._left:
                try:
                    block = await self._sys.read(0)
                except SysError:
                    block = b""
                if not block:
                    if self._left:
                        yield self._left.decode("utf-8", "surrogateescape")
                    self._left = b""
                    return
                self._left += block
            line, _, self._left = self._left.partition(b"\n")
            yield line.decode("utf-8", "surrogateescape").rstrip("\r")

"""What a container reads and prints: to the log, and to whoever is attached.

The shim's end of the pipes or of the terminal is the container's; the daemon's end is here. A
worker copies each output to the log and to every reader; a reader that attached late sees the
log's past first.
"""

from typing import NamedTuple

from simulator.isolation.control.docker.engine.sync import Bell, Channel
from simulator.machine.userland.process import Process

STDIN, STDOUT, STDERR = 0, 1, 2


class Piece(NamedTuple):
    """Bytes of one stream."""

    stream: int
    data: bytes


def frame(piece: Piece) -> bytes:
    """With the 8-byte header of a multiplexed stream (moby ``api/pkg/stdcopy``)."""
    return bytes((piece.stream, 0, 0, 0)) + len(piece.data).to_bytes(4, "big") + piece.data


class Streams:
    """The daemon's side of one container's (or exec's) input and output."""

    def __init__(self) -> None:
        self.stdin = -1
        self.terminal = False
        self.readers: list[Channel[Piece]] = []
        self.open_outputs = 0
        self.drained = Bell()
        self.opened = Bell()
        """Rung when ``stdin`` can be written to."""

    def attach(self) -> Channel[Piece]:
        """A channel that gets everything printed from now on."""
        channel: Channel[Piece] = Channel()
        self.readers.append(channel)
        return channel

    def detach(self, channel: Channel[Piece]) -> None:
        """Nothing more to it."""
        if channel in self.readers:
            self.readers.remove(channel)

    async def publish(self, sys: Process, piece: Piece) -> None:
        """Hand a piece to every reader."""
        for channel in tuple(self.readers):
            await channel.put(sys, piece)

    async def end_output(self, sys: Process) -> None:
        """One output has ended; with the last one the readers' channels end."""
        self.open_outputs -= 1
        if self.open_outputs <= 0:
            for channel in tuple(self.readers):
                await channel.close(sys)
            self.readers.clear()
            await self.drained.ring(sys)

    async def close_stdin(self, sys: Process) -> None:
        """The container reads the end of its input."""
        fd, self.stdin = self.stdin, -1
        if fd >= 0:
            await sys.succeeds("close", fd)

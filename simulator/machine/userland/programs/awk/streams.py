"""What an awk program reads and writes: files, commands behind pipes, records."""

import re

from simulator.machine.abi.constants import O_APPEND, O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY
from simulator.machine.userland.process import Process, SysError

_MODES = {">": O_WRONLY | O_CREAT | O_TRUNC, ">>": O_WRONLY | O_CREAT | O_APPEND}


class Records:
    """Records of a descriptor, one after another."""

    def __init__(self, sys: Process, fd: int) -> None:
        self.sys = sys
        self.fd = fd
        self.left = ""
        self.ended = False

    async def next(self, separator: str) -> str | None:
        """The next record; None at the end. An empty separator parts at blank lines."""
        pattern = separator or "\n\n+"
        plain = len(separator) == 1
        if not separator:
            self.left = self.left.lstrip("\n")
        while True:
            found = None
            if plain:
                at = self.left.find(separator)
                span = (at, at + 1) if at >= 0 else None
            else:
                found = re.search(pattern, self.left)
                span = found.span() if found and found.end() > found.start() else None
                if span and span[1] == len(self.left) and not self.ended:
                    span = None
            if span is not None:
                record, self.left = self.left[: span[0]], self.left[span[1] :]
                return record
            if self.ended:
                record, self.left = self.left, ""
                if not separator:
                    record = record.rstrip("\n")
                return record if record else None
            block = await self.sys.read(self.fd)
            self.ended = not block
            self.left += block.decode("utf-8", "surrogateescape")
            if not separator and not self.left.strip("\n"):
                self.left = ""


class Streams:
    """Everything that is open, by its name."""

    def __init__(self, sys: Process) -> None:
        self.sys = sys
        self.files: dict[str, int] = {}
        self.commands: dict[str, list[str]] = {}
        self.inputs: dict[str, Records] = {}

    async def write(self, sign: str, name: str, text: str) -> None:
        """print with a redirection. Raises ``SysError``."""
        if sign == "|":
            self.commands.setdefault(name, []).append(text)
            return
        if name not in self.files:
            special = {"/dev/stdout": 1, "/dev/stderr": 2, "-": 1}
            known = special.get(name)
            self.files[name] = (
                known if known is not None else await self.sys.open(name, _MODES[sign], 0o666)
            )
        await self.sys.write(self.files[name], text.encode("utf-8", "surrogateescape"))

    async def records(self, kind: str, name: str) -> Records | None:
        """What ``getline < name`` and ``name | getline`` read; None where nothing can be."""
        if name in self.inputs:
            return self.inputs[name]
        if kind == "|":
            out = await self._run(name, b"")
            made = Records(self.sys, 0)
            made.left, made.ended = out, True
        else:
            try:
                fd = 0 if name == "-" else await self.sys.open(name, O_RDONLY)
            except SysError:
                return None
            made = Records(self.sys, fd)
        self.inputs[name] = made
        return made

    async def _run(self, command: str, given: bytes, *, gives: bool = False) -> str:
        """A command's output; its own goes to ours when something is given to it."""
        inner, outer = await self.sys.data("pipe2", 0)

        async def body(own: Process) -> int:
            read, written = (0, inner) if gives else (1, outer)
            await own.call("dup2", written, read)
            await own.succeeds("close", inner)
            await own.succeeds("close", outer)
            await own.execve("/bin/sh", ["sh", "-c", command], dict(own.env))
            return 127

        pid = await self.sys.spawn(body)
        await self.sys.succeeds("close", inner if gives else outer)
        out = b""
        try:
            if gives:
                await self.sys.write(outer, given)
            else:
                while block := await self.sys.read(inner):
                    out += block
        except SysError:
            pass
        await self.sys.succeeds("close", outer if gives else inner)
        await self.sys.succeeds("wait4", pid, 0)
        return out.decode("utf-8", "surrogateescape")

    async def system(self, command: str) -> float:
        """system(): the status of a command."""

        async def body(own: Process) -> int:
            await own.execve("/bin/sh", ["sh", "-c", command], dict(own.env))
            return 127

        pid = await self.sys.spawn(body)
        reply = await self.sys.call("wait4", pid, 0)
        status = reply.data if isinstance(reply.data, int) else 0
        return float(status >> 8 if status & 0x7F == 0 else 256 + (status & 0x7F))

    async def close(self, name: str) -> float:
        """close(): 0, or -1 for what was not open."""
        if name in self.commands:
            given = "".join(self.commands.pop(name)).encode("utf-8", "surrogateescape")
            await self._run(name, given, gives=True)
            return 0.0
        if name in self.files:
            fd = self.files.pop(name)
            if fd > 2:
                await self.sys.close(fd)
            return 0.0
        if name in self.inputs:
            records = self.inputs.pop(name)
            if records.fd > 2:
                await self.sys.close(records.fd)
            return 0.0
        return -1.0

    async def close_all(self) -> None:
        """At the end."""
        for name in [*self.commands, *self.files, *self.inputs]:
            await self.close(name)

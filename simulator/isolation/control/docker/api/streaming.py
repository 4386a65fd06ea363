"""Attach, logs, exec: what goes on while a process runs."""

from collections.abc import Callable

import msgspec

from simulator.isolation.control.docker.api.errors import ApiError, BadRequest, Conflict
from simulator.isolation.control.docker.engine import execs, logs, times
from simulator.isolation.control.docker.engine.container import Container
from simulator.isolation.control.docker.engine.execs import ExecConfig
from simulator.isolation.control.docker.engine.streams import (
    STDERR,
    STDOUT,
    Piece,
    Streams,
    frame,
)
from simulator.isolation.control.docker.engine.sync import Channel, go, stop
from simulator.isolation.control.docker.wire.exchange import (
    MULTIPLEXED_STREAM,
    RAW_STREAM,
    Exchange,
    Gone,
)
from simulator.isolation.control.docker.wire.router import route
from simulator.machine.userland.process import Process, SysError

_TIOCSWINSZ = 0x5414
_DETACH_KEYS = b"\x10\x11"
_KEYS = {f"ctrl-{chr(97 + at)}": bytes((at + 1,)) for at in range(26)} | {
    "ctrl-@": b"\0",
    "ctrl-[": b"\x1b",
    "ctrl-\\": b"\x1c",
    "ctrl-]": b"\x1d",
    "ctrl-^": b"\x1e",
    "ctrl-_": b"\x1f",
}


def detach_keys(text: str) -> bytes:
    """``ctrl-p,ctrl-q`` as bytes. Raises ``BadRequest``."""
    if not text:
        return _DETACH_KEYS
    found = b""
    for one in text.split(","):
        key = _KEYS.get(one) or (one.encode() if len(one) == 1 else None)
        if key is None:
            raise BadRequest(f"Invalid detach keys ({text}) provided")
        found += key
    return found


class _Attachment:
    """One client on a process's streams: a worker brings its input, this one its output."""

    def __init__(self, x: Exchange, streams: Streams, *, tty: bool, keys: bytes) -> None:
        self.x, self.streams, self.tty, self.keys = x, streams, tty, keys
        self.output: Channel[Piece] = streams.attach()

    async def run(
        self, early: bytes, *, wants_input: bool, once: bool, wanted: tuple[int, ...]
    ) -> None:
        """Until the output ends, or the client goes."""
        x = self.x
        over: list[bool] = []

        async def typed(own: Process) -> None:
            await self._bring(own, early, wants_input, once)
            over.append(True)

        reader = await go(x.sys, typed)
        try:
            while (piece := await self.output.get(x.sys)) is not None:
                if piece.stream in wanted:
                    await x.connection.send(x.sys, piece.data if self.tty else frame(piece))
        except Gone:
            pass
        self.streams.detach(self.output)
        await x.half_close()
        if not over:
            await stop(x.sys, reader)

    async def _bring(self, own: Process, early: bytes, wants_input: bool, once: bool) -> None:
        """What the client types, to the process; its end, or the detach keys."""
        streams = self.streams
        data, seen = early, b""
        while True:
            if data:
                seen, data, left = self._detached(seen, data)
                if data and wants_input:
                    await streams.opened.until(
                        own, lambda: streams.stdin >= 0 or self.output.closed
                    )
                    if streams.stdin >= 0 and not await _written(own, streams.stdin, data):
                        wants_input = False
                if left:
                    await self.output.close(own)
                    return
            data = await self.x.connection.receive(own)
            if not data:
                break
        if wants_input and once and not self.tty:
            await streams.opened.until(own, lambda: streams.stdin >= 0 or self.output.closed)
            await streams.close_stdin(own)

    def _detached(self, seen: bytes, data: bytes) -> tuple[bytes, bytes, bool]:
        """Hold back a beginning of the detach keys (moby ``term.EscapeProxy``)."""
        if not self.tty or not self.keys:
            return b"", data, False
        both = seen + data
        at = both.find(self.keys)
        if at >= 0:
            return b"", both[:at], True
        for size in range(len(self.keys) - 1, 0, -1):
            if both.endswith(self.keys[:size]):
                return both[-size:], both[:-size], False
        return b"", both, False


async def _written(own: Process, fd: int, data: bytes) -> bool:
    try:
        await own.write(fd, data)
    except SysError:
        return False
    return True


def _chosen(x: Exchange) -> tuple[int, ...]:
    return tuple(
        number for number, name in ((STDOUT, "stdout"), (STDERR, "stderr")) if x.flag(name)
    )


@route("POST", "/containers/{name}/attach")
async def attach(x: Exchange) -> None:
    """The container's streams on this connection."""
    one = x.engine.find(x.names["name"])
    keys = detach_keys(x.query.get("detachKeys", ""))
    if one.state.Paused:
        raise Conflict(f"container {one.id} is paused, unpause the container before attach")
    if one.state.Restarting:
        raise Conflict(f"Container {one.id} is restarting, wait until the container is running")
    tty = one.config.Tty
    wanted = _chosen(x)
    attachment = _Attachment(x, one.streams, tty=tty, keys=keys)
    early = await x.hijack(tty=tty)
    if x.flag("logs"):
        for line in await logs.read(x.sys, one):
            if line.stream in wanted:
                piece = Piece(line.stream, line.text)
                await x.connection.send(x.sys, line.text if tty else frame(piece))
    if not x.flag("stream"):
        one.streams.detach(attachment.output)
        return
    await x.engine.tell(x.sys, one, "attach")
    stdin = x.flag("stdin") and one.config.OpenStdin
    once = one.config.StdinOnce
    await attachment.run(early, wants_input=stdin, once=once, wanted=wanted)


@route("GET", "/containers/{name}/logs")
async def log(x: Exchange) -> None:
    """What it printed, and with ``follow`` what it prints."""
    one = x.engine.find(x.names["name"])
    wanted = _chosen(x)
    if not wanted:
        raise BadRequest("Bad parameters: you must choose at least one stream")
    if one.host.LogConfig.Type == "none":
        raise ApiError("configured logging driver does not support reading", 501)
    since = _time(x, "since", 0)
    until = _time(x, "until", 0)
    lines = await logs.read(x.sys, one)
    follow = x.flag("follow") and (one.state.Running or one.state.Restarting)
    channel = one.streams.attach() if follow else None
    lines = [line for line in lines if line.time >= since and (not until or line.time <= until)]
    tail = x.query.get("tail", "all")
    if tail.isdigit():
        lines = lines[len(lines) - min(int(tail), len(lines)) :]
    lines = [line for line in lines if line.stream in wanted]
    write = _writer(x, one)
    if channel is not None:

        async def left(own: Process) -> None:
            await channel.close(own)

        await x.watch(left)
    raw = one.config.Tty or x.version < (1, 42)
    await x.begin(200, RAW_STREAM if raw else MULTIPLEXED_STREAM)
    for line in lines:
        await x.write(write(line.stream, line.text, line.time))
    while channel is not None and (piece := await channel.get(x.sys)) is not None:
        if piece.stream in wanted:
            now = await times.now(x.sys)
            for text in piece.data.splitlines(keepends=True):
                await x.write(write(piece.stream, text, now))
    if channel is not None:
        one.streams.detach(channel)
    await x.finish()


def _writer(x: Exchange, one: Container) -> Callable[[int, bytes, int], bytes]:
    stamped, tty = x.flag("timestamps"), one.config.Tty

    def write(stream: int, text: bytes, when: int) -> bytes:
        if stamped:
            text = f"{times.fixed(when)} ".encode() + text
        return text if tty else frame(Piece(stream, text))

    return write


def _time(x: Exchange, name: str, default: int) -> int:
    text = x.query.get(name, "")
    if not text or text == "0":
        return default
    found = times.parse(text)
    if found is None:
        raise ApiError(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return found


# -- exec


@route("POST", "/containers/{name}/exec")
async def exec_create(x: Exchange) -> None:
    """201 with the id of an exec instance."""
    one = x.engine.find(x.names["name"])
    config = await x.json(ExecConfig)
    execs.may_run(one, x.names["name"])
    try:
        detach_keys(config.DetachKeys)
    except BadRequest:
        raise ApiError(f"Invalid escape keys ({config.DetachKeys}) provided") from None
    made = await execs.create(x.sys, x.engine, one, config)
    await x.reply(201, {"Id": made.id})


class _ExecStart(msgspec.Struct):
    Detach: bool = False
    Tty: bool = False
    ConsoleSize: list[int] | None = None


@route("POST", "/exec/{name}/start")
async def exec_start(x: Exchange) -> None:
    """Run it: detached, or with its streams on this connection."""
    one = x.engine.exec_of(x.names["name"])
    asked = await x.json(_ExecStart, default=_ExecStart())
    if asked.Detach:
        await execs.start(x.sys, x.engine, one)
        await x.reply(200)
        return
    config = one.config
    keys = detach_keys(config.DetachKeys)
    execs.may_run(one.container)
    attachment = _Attachment(x, one.streams, tty=config.Tty, keys=keys)
    early = await x.hijack(tty=config.Tty)
    try:
        await execs.start(x.sys, x.engine, one)
    except ApiError as error:
        text = error.message.encode() + b"\r\n"
        await x.connection.send(x.sys, text if config.Tty else frame(Piece(STDOUT, text)))
        one.streams.detach(attachment.output)
        await x.half_close()
        return
    wanted = tuple(
        number
        for number, flag in ((STDOUT, config.AttachStdout), (STDERR, config.AttachStderr))
        if flag
    )
    await attachment.run(early, wants_input=config.AttachStdin, once=True, wanted=wanted)
    await one.ended.until(x.sys, lambda: not one.running)


@route("GET", "/exec/{name}/json")
async def exec_inspect(x: Exchange) -> None:
    """How it is, and what it ended with."""
    await x.reply(200, x.engine.exec_of(x.names["name"]).shown())


# -- sizes of terminals


@route("POST", "/containers/{name}/resize")
async def resize(x: Exchange) -> None:
    """The size of its terminal."""
    one = x.engine.find(x.names["name"])
    rows, columns = x.number("h"), x.number("w")
    if not one.state.Running:
        raise Conflict(f"container {one.id} is not running")
    await _resize(x.sys, one.streams, rows, columns)
    told = {"height": str(rows), "width": str(columns)}
    await x.engine.tell(x.sys, one, "resize", **told)
    await x.reply(200)


@route("POST", "/exec/{name}/resize")
async def exec_resize(x: Exchange) -> None:
    """The size of an exec's terminal."""
    one = x.engine.exec_of(x.names["name"])
    rows, columns = x.number("h"), x.number("w")
    await _resize(x.sys, one.streams, rows, columns)
    await x.reply(200)


async def _resize(sys: Process, streams: Streams, rows: int, columns: int) -> None:
    if streams.terminal and streams.stdin >= 0:
        await sys.succeeds("ioctl", streams.stdin, _TIOCSWINSZ, (rows, columns))

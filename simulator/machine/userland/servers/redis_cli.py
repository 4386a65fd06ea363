"""redis-cli: a client of redis-server, over RESP."""

import shlex
from collections.abc import Sequence

from simulator.machine.userland.options import parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.servers import serving
from simulator.machine.userland.servers.redis import PORT
from simulator.machine.userland.servers.serving import Closed, Connection


@enter("redis-cli", collection=IMAGES)
async def cli(sys: Process, argv: Sequence[str]) -> int:
    """``redis-cli [-h HOST] [-p PORT] [-a PASSWORD] [COMMAND ...]``; else lines from input."""
    options = parse(argv, "h:p:a:n:", {"no-auth-warning": "!", "raw": "r"}, stop_early=True)
    host, port = options.value("h", "127.0.0.1"), int(options.value("p", str(PORT)))
    try:
        far = await serving.connect(sys, host, port)
    except (SysError, LookupError) as error:
        why = error.message if isinstance(error, SysError) else "Name or service not known"
        await sys.err(f"Could not connect to Redis at {host}:{port}: {why}\n")
        return 1
    try:
        if options.has("a"):
            await _asked(sys, far, ["AUTH", options.value("a")])
        if options.rest:
            await sys.out(await _asked(sys, far, options.rest) + "\n")
            return 0
        lines = (await sys.drain(0)).decode("utf-8", "surrogateescape").splitlines()
        for line in lines:
            if words := shlex.split(line):
                await sys.out(await _asked(sys, far, words) + "\n")
    except Closed:
        await sys.err("Error: Server closed the connection\n")
        return 1
    return 0


async def _asked(sys: Process, far: Connection, words: list[str]) -> str:
    parts = [word.encode("utf-8", "surrogateescape") for word in words]
    request = b"*%d\r\n" % len(parts)
    await far.send(sys, request + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
    return await _reply(sys, far)


async def _reply(sys: Process, far: Connection) -> str:
    line = (await far.line(sys)).decode("utf-8", "surrogateescape")
    mark, text = line[:1], line[1:]
    if mark == "+":
        return text
    if mark == "-":
        return f"(error) {text}"
    if mark == ":":
        return f"(integer) {text}"
    if mark == "$":
        if text == "-1":
            return "(nil)"
        data = await far.exactly(sys, int(text) + 2)
        return '"' + data[:-2].decode("utf-8", "surrogateescape") + '"'
    count = int(text)
    if not count:
        return "(empty array)"
    return "\n".join([f"{n}) {await _reply(sys, far)}" for n in range(1, count + 1)])

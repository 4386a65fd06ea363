"""redis-cli: a client of redis-server, over RESP."""

import shlex
from collections.abc import Sequence

from simulator.machine.userland.options import parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.servers import serving
from simulator.machine.userland.servers.prompts import Prompt, terminal
from simulator.machine.userland.servers.redis import PORT, VERSION
from simulator.machine.userland.servers.serving import Closed, Connection


@enter("redis-cli", collection=IMAGES)
async def cli(sys: Process, argv: Sequence[str]) -> int:
    """``redis-cli [-h HOST] [-p PORT] [-a PASSWORD] [COMMAND ...]``; else lines from input.

    Replies are dressed for a terminal only, as the real one's (``--raw`` and ``--no-raw`` decide).
    """
    if "--version" in argv[1:2] or "-v" in argv[1:2]:
        await sys.out(f"redis-cli {VERSION}\n")
        return 0
    options = parse(
        argv, "h:p:a:n:", {"no-auth-warning": "!", "raw": "r", "no-raw": "R"}, stop_early=True
    )
    host, port = options.value("h", "127.0.0.1"), int(options.value("p", str(PORT)))
    try:
        far = await serving.connect(sys, host, port)
    except (SysError, LookupError) as error:
        why = error.message if isinstance(error, SysError) else "Name or service not known"
        await sys.err(f"Could not connect to Redis at {host}:{port}: {why}\n")
        return 1
    dressed = options.has("R") or (await terminal(sys, 1) and not options.has("r"))
    try:
        if options.has("a"):
            if not options.has("!"):
                await sys.err("Warning: Using a password with '-a' or '-u' option on the command"
                              " line interface may not be safe.\n")  # fmt: skip
            await _asked(sys, far, ["AUTH", options.value("a")], dressed)
        if options.has("n"):
            await _asked(sys, far, ["SELECT", options.value("n")], dressed)
        if options.rest:
            await sys.out(await _asked(sys, far, options.rest, dressed) + "\n")
            return 0
        prompt = Prompt(sys, f"{host}:{port}> ", typed=await terminal(sys, 0))
        async for line in prompt.lines():
            try:
                words = shlex.split(line)
            except ValueError:
                await sys.out("Invalid argument(s)\n")
                continue
            if words and words[0].lower() in ("exit", "quit"):
                return 0
            if words:
                await sys.out(await _asked(sys, far, words, dressed) + "\n")
    except Closed:
        await sys.err("Error: Server closed the connection\n")
        return 1
    return 0


async def _asked(sys: Process, far: Connection, words: list[str], dressed: bool) -> str:
    parts = [word.encode("utf-8", "surrogateescape") for word in words]
    request = b"*%d\r\n" % len(parts)
    await far.send(sys, request + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
    return await _reply(sys, far, dressed)


async def _reply(sys: Process, far: Connection, dressed: bool, indent: str = "") -> str:
    line = (await far.line(sys)).decode("utf-8", "surrogateescape")
    mark, text = line[:1], line[1:]
    if mark == "+":
        return text
    if mark == "-":
        return f"(error) {text}" if dressed else text + "\n"
    if mark == ":":
        return f"(integer) {text}" if dressed else text
    if mark == "$":
        if text == "-1":
            return "(nil)" if dressed else ""
        data = await far.exactly(sys, int(text) + 2)
        shown = data[:-2].decode("utf-8", "surrogateescape")
        return _quoted(shown) if dressed else shown
    count = int(text)
    if count < 1:
        return "(empty array)" if dressed else ""
    width = len(str(count))
    inner = indent + " " * (width + 2)
    parts = [await _reply(sys, far, dressed, inner) for _ in range(count)]
    if not dressed:
        return "\n".join(parts)
    heads = [f"{'' if n == 1 else indent}{n:>{width}}) " for n in range(1, count + 1)]
    return "\n".join(head + part for head, part in zip(heads, parts, strict=True))


def _quoted(text: str) -> str:
    """sdscatrepr()."""
    for char, told in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = text.replace(char, told)
    return f'"{text}"'

"""warden: the client that talks to the daemon, a command at a time or line by line.

Source: warden/lib/warden/repl/{repl_v2,repl_v2_runner,commands_manager}.rb; the words are turned
into the arrays of the line protocol as warden-client/lib/warden/client/v1.rb does.
"""

import shlex
from collections.abc import Sequence
from typing import Any, cast

from simulator.isolation.control.warden.fields import COMMANDS, CommandError, describe, read
from simulator.isolation.control.warden.wire import Lines, WardenError, connect
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_USAGE = """Usage: warden [options] -- [commands]
Runs an interactive REPL by default.

[options] can be one of the following:

        --socket socket              Warden socket path.
        --trace                      Writes each command preceded by a '+' to stdout before executing.
        --exit_on_error              Exit after the first unsuccessful command.
        --help                       Show help.

[commands] can be one of the following separated by a newline.
"""  # noqa: E501


@enter("warden", collection=TOOLS)
async def warden(sys: Process, argv: Sequence[str]) -> int:
    """``warden [--socket S] [--trace] [-- COMMAND ...]``; without a command, one on each line."""
    words = list(argv[1:])
    at = words.index("--") if "--" in words else len(words)
    options, command = words[:at], words[at + 1 :]
    socket, trace, strict = "/tmp/warden.sock", False, False
    while options:
        match options.pop(0):
            case "--help":
                await sys.out(f"{_USAGE}{_listed()}\n")
                return 0
            case "--trace":
                trace = True
            case "--exit_on_error":
                strict = True
            case "--socket" if options:
                socket = options.pop(0)
            case "--socket":
                text = "missing argument: --socket (OptionParser::MissingArgument)"
                return await sys.complain(text)
            case other:
                return await sys.complain(f"invalid option: {other} (OptionParser::InvalidOption)")
    try:
        client = await connect(sys, socket)
    except SysError as error:
        return await sys.complain(f"{error.message} - connect(2) for {socket}")
    if command:
        return await _once(sys, client, command, trace=trace)
    return await _repl(sys, client, trace=trace, strict=strict)


def _listed() -> str:
    lines = [f"\t{name:<15}{text}" for name, (text, _fields) in COMMANDS.items()]
    return (
        "\n"
        + "\n".join([*lines, f"\t{'help':<15}Show help."])
        + ("\n\nUse --help with each command for more information.\n")
    )


async def _once(sys: Process, client: Lines, command: list[str], *, trace: bool) -> int:
    try:
        return await _run(sys, client, command, trace=trace)
    except (CommandError, WardenError) as error:
        return await _told(sys, error)


async def _told(sys: Process, error: Exception) -> int:
    await sys.err(f"{error}\n")
    return 1


async def _repl(sys: Process, client: Lines, *, trace: bool, strict: bool) -> int:
    held, status = "", 0
    while True:
        await sys.out("warden> ")
        while "\n" not in held:
            block = await sys.read(0)
            if not block:
                return status
            held += block.decode("utf-8", "surrogateescape")
        line, _, held = held.partition("\n")
        if not line.strip():
            continue
        try:
            words = shlex.split(line)
        except ValueError:
            status = await _told(sys, CommandError(f"Unmatched double quote: {line}"))
            continue
        try:
            status = await _run(sys, client, words, trace=trace)
        except (CommandError, WardenError) as error:
            status = await _told(sys, error)
        if strict and status:
            return status


async def _run(sys: Process, client: Lines, words: list[str], *, trace: bool) -> int:
    """One command: its exit status, which is the job's for ``run``."""
    if trace:
        await sys.out(f"+ {' '.join(words)}\n")
    name = words[0].lower()
    if name in ("help", "--help"):
        await sys.out(_listed())
        return 0
    if "--help" in words:
        await sys.out(describe(name))
        return 0
    given = read(name, words[1:])
    if name == "run":
        await _told_to(client, _request("spawn", given))
        job = await _answer(client)
        given = {"handle": given["handle"], "job_id": job}
    if name in ("run", "stream"):
        status = await _streamed(sys, client, given)
        return status if name == "run" else 0
    await _told_to(client, _request(name, given))
    await sys.out(_shown(name, await _answer(client)))
    return 0


async def _streamed(sys: Process, client: Lines, given: dict[str, Any]) -> int:
    await _told_to(client, ["stream", given["handle"], given["job_id"]])
    while True:
        part = await _answer(client)
        match part:
            case ["stdout", text]:
                await sys.out(text)
            case ["stderr", text]:
                await sys.err(text)
            case [_, _, status]:
                return int(status if status is not None else 255)
            case _:
                return 255


async def _told_to(client: Lines, request: list[Any]) -> None:
    await client.send(request)


async def _answer(client: Lines) -> Any:
    reply = await client.receive()
    if reply is None:
        raise WardenError("EOFError")
    if reply["type"] == "error":
        raise WardenError(reply["payload"])
    return reply["payload"]


def _request(name: str, given: dict[str, Any]) -> list[Any]:
    """The array that says it."""
    given = dict(given)
    handle = given.pop("handle", None)
    match name:
        case "ping" | "list":
            return [name]
        case "echo":
            return ["echo", given["message"]]
        case "create":
            if handle:
                given["handle"] = handle
            mounts = given.get("bind_mounts", [])
            given["bind_mounts"] = [
                [one["src_path"], one["dst_path"], {"mode": one["mode"].lower()}] for one in mounts
            ]
            return ["create", given]
        case "spawn":
            return ["spawn", handle, given.pop("script"), given]
        case "link":
            return ["link", handle, given["job_id"]]
        case "stop":
            return ["stop", handle, given]
        case "limit_memory":
            return ["limit", handle, "mem", *given.values()]
        case "limit_cpu":
            return ["limit", handle, "cpu", *given.values()]
        case "limit_disk":
            return ["limit", handle, "disk"]
        case "limit_bandwidth":
            return ["limit", handle, "bandwidth", given["rate"], given["burst"]]
        case "net_in":
            return ["net", handle, "in", given.get("host_port"), given.get("container_port")]
        case "net_out":
            port = f":{given['port']}" if "port" in given else ""
            return ["net", handle, "out", f"{given.get('network', '')}{port}"]
        case "copy_in" | "copy_out":
            paths = [given["src_path"], given["dst_path"]]
            return ["copy", handle, name[5:], *paths, *given.get("owner", "").split()]
        case _:
            return [name, handle]


def _shown(name: str, payload: Any) -> str:
    """describe_response(): ``field : value``, nested fields with a dot."""
    match name:
        case "create":
            return f"handle : {payload}\n"
        case "spawn":
            return f"job_id : {payload}\n"
        case "list":
            return "".join(f"handles[{at}] : {one}\n" for at, one in enumerate(payload))
        case "echo":
            return f"message : {payload}\n"
        case "limit_memory":
            return f"limit_in_bytes : {payload}\n"
        case "limit_cpu":
            return f"limit_in_shares : {payload}\n"
        case "link":
            names = ("exit_status", "stdout", "stderr")
            pairs = zip(names, payload, strict=True)
            return "".join(f"{key} : {value}\n" for key, value in pairs if value not in (None, ""))
        case _ if isinstance(payload, dict):
            return _flat("", cast("dict[str, Any]", payload))
        case _:
            return ""


def _flat(prefix: str, payload: dict[str, Any]) -> str:
    lines: list[str] = []
    for key, value in payload.items():
        if isinstance(value, dict):
            lines.append(_flat(f"{prefix}{key}.", cast("dict[str, Any]", value)))
        elif isinstance(value, list):
            items = enumerate(cast("list[Any]", value))
            lines += [f"{prefix}{key}[{at}] : {one}\n" for at, one in items]
        else:
            lines.append(f"{prefix}{key} : {value}\n")
    return "".join(lines)

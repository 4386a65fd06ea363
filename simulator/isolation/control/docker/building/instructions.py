"""One instruction carried out on the stage: moby ``builder/dockerfile/dispatchers.go``."""

import posixpath
from collections.abc import Awaitable, Callable
from typing import Any

from simulator.isolation.control.docker.api.errors import ApiError, BadRequest
from simulator.isolation.control.docker.building import arguments, layers, lex
from simulator.isolation.control.docker.building.dockerfile import Instruction, wrong
from simulator.isolation.control.docker.building.state import SHELL, Build
from simulator.isolation.control.docker.engine.ids import new_id
from simulator.isolation.control.docker.engine.verifying import signal_number
from simulator.isolation.control.docker.images.store import Image

Dispatch = Callable[[Build, Instruction], Awaitable[str]]
"""Changes the stage's configuration; what the history says of it."""

_TABLE: dict[str, Dispatch] = {}


def _on(word: str) -> Callable[[Dispatch], Dispatch]:
    def decorate(dispatch: Dispatch) -> Dispatch:
        _TABLE[word] = dispatch
        return dispatch

    return decorate


async def carry_out(build: Build, one: Instruction) -> Image | None:
    """The image after an instruction that changes the configuration alone."""
    comment = await _TABLE[one.word](build, one)
    # moby withCmdCommentString(): WORKDIR is one of three whose note is a single word
    note = [f"#(nop) {comment}"] if one.word == "WORKDIR" else ["#(nop) ", comment]
    command = [*SHELL, *note]
    hit = layers.probed(build, command)
    if hit is not None:
        await build.say(" ---> Using cache\n")
        return hit
    ident = await new_id(build.sys)
    build.containers.append(ident)
    await build.say(f" ---> Running in {ident[:12]}\n")
    layer = await _working_directory(build) if one.word == "WORKDIR" else None
    return await layers.commit(build, command, ident, layer)


async def _working_directory(build: Build) -> bytes:
    """WORKDIR makes its directory at once (``ContainerCreateWorkdir``)."""
    from simulator.isolation.control.docker.engine import files

    async with layers.Mounted(build, build.stage.image) as layer:
        await files.make(build.sys, layer.root + build.stage.config["WorkingDir"])
        return await layer.archive()


def _expanded(build: Build, text: str) -> str:
    return lex.expand(text, build.variables(), build.escape)


def _words(build: Build, one: Instruction) -> list[str]:
    words = lex.split(one.text, build.escape)
    if not words:
        raise wrong(one.line, f"{one.word} requires at least one argument")
    return [_expanded(build, word) for word in words]


@_on("ENV")
async def _env(build: Build, one: Instruction) -> str:
    config = build.stage.config
    variables = build.variables()
    found = [
        (name, lex.expand(value, variables, build.escape))
        for name, value in arguments.pairs(one, build.escape)
    ]
    env: list[str] = list(config.get("Env") or [])
    for name, value in found:
        names = [pair.partition("=")[0] for pair in env]
        if name in names:
            env[names.index(name)] = f"{name}={value}"
        else:
            env.append(f"{name}={value}")
    config["Env"] = env
    return " ".join(["ENV", *(f"{name}={value}" for name, value in found)])


@_on("LABEL")
async def _label(build: Build, one: Instruction) -> str:
    found = [
        (_expanded(build, name), _expanded(build, value))
        for name, value in arguments.pairs(one, build.escape)
    ]
    build.stage.config["Labels"] = {**(build.stage.config.get("Labels") or {}), **dict(found)}
    return " ".join(["LABEL", *(f"{name}={value}" for name, value in found)])


@_on("ARG")
async def _arg(build: Build, one: Instruction) -> str:
    told = ["ARG"]
    for word in lex.split(one.text, build.escape) or [arguments.exactly_one(one)]:
        name, equals, value = word.partition("=")
        if not name:
            raise wrong(one.line, "ARG names can not be blank")
        default = _expanded(build, value) if equals else None
        build.arguments.declare(name, default)
        told.append(f"{name}={default}" if equals else name)
    return " ".join(told)


@_on("CMD")
async def _cmd(build: Build, one: Instruction) -> str:
    command = arguments.command(one, build.stage.shell)
    build.stage.config["Cmd"] = command
    build.stage.cmd_set = bool(one.text)
    return f"CMD {arguments.quoted(command)}"


@_on("ENTRYPOINT")
async def _entrypoint(build: Build, one: Instruction) -> str:
    command = arguments.command(one, build.stage.shell)
    build.stage.config["Entrypoint"] = command
    if not build.stage.cmd_set:
        build.stage.config["Cmd"] = None
    return f"ENTRYPOINT {arguments.quoted(command)}"


@_on("EXPOSE")
async def _expose(build: Build, one: Instruction) -> str:
    ports: dict[str, Any] = {}
    for word in _words(build, one):
        number, _, protocol = word.partition("/")
        first, dash, last = number.partition("-")
        valid = first.isdigit() and (not dash or last.isdigit()) and int(last or first) < 1 << 16
        protocol = protocol or "tcp"
        if not valid or protocol not in ("tcp", "udp", "sctp"):
            raise ApiError(f"invalid containerPort: {word}")
        for port in range(int(first), int(last or first) + 1):
            ports[f"{port}/{protocol}"] = {}
    build.stage.config["ExposedPorts"] = {
        **(build.stage.config.get("ExposedPorts") or {}), **ports
    }  # fmt: skip
    return "EXPOSE " + " ".join(sorted(lex.split(one.text)))


@_on("USER")
async def _user(build: Build, one: Instruction) -> str:
    build.stage.config["User"] = _expanded(build, arguments.exactly_one(one))
    return f"USER {build.stage.config['User']}"


@_on("WORKDIR")
async def _workdir(build: Build, one: Instruction) -> str:
    path = _expanded(build, arguments.exactly_one(one))
    before = build.stage.config.get("WorkingDir") or "/"
    build.stage.config["WorkingDir"] = posixpath.normpath(posixpath.join(before, path))
    return f"WORKDIR {build.stage.config['WorkingDir']}"


@_on("VOLUME")
async def _volume(build: Build, one: Instruction) -> str:
    places = [_expanded(build, word) for word in arguments.places(one)]
    if not places:
        raise wrong(one.line, "VOLUME requires at least one argument")
    if not all(places):
        raise BadRequest("VOLUME specified can not be an empty string")
    volumes: dict[str, Any] = {place: {} for place in places}
    build.stage.config["Volumes"] = {**(build.stage.config.get("Volumes") or {}), **volumes}
    return f"VOLUME [{' '.join(places)}]"


@_on("STOPSIGNAL")
async def _stop_signal(build: Build, one: Instruction) -> str:
    signal = _expanded(build, arguments.exactly_one(one))
    if signal_number(signal) is None:
        raise BadRequest(f"invalid signal: {signal}")
    build.stage.config["StopSignal"] = signal
    return f"STOPSIGNAL {signal}"


def check(one: Instruction) -> None:
    """What is found wrong before anything is done. Raises ``BadRequest``."""
    if one.word == "SHELL":
        _shell_words(one)
    elif one.word == "ONBUILD":
        _check_trigger(one)
    elif one.word == "HEALTHCHECK":
        _health(one)


def _shell_words(one: Instruction) -> list[str]:
    words = arguments.json_list(one.text)
    if not words:
        raise wrong(one.line, "SHELL requires the arguments to be in JSON form")
    return words


@_on("SHELL")
async def _shell(build: Build, one: Instruction) -> str:
    words = _shell_words(one)
    build.stage.config["Shell"] = words
    return f"SHELL [{' '.join(words)}]"


@_on("MAINTAINER")
async def _maintainer(build: Build, one: Instruction) -> str:
    build.stage.maintainer = arguments.exactly_one(one)
    return f"MAINTAINER {one.text}"


def _check_trigger(one: Instruction) -> None:
    word = arguments.exactly_one(one).split()[0].upper()
    if word == "ONBUILD":
        message = "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"
        raise wrong(one.line, message)
    if word in ("FROM", "MAINTAINER"):
        raise wrong(one.line, f"{word} isn't allowed as an ONBUILD trigger")


@_on("ONBUILD")
async def _onbuild(build: Build, one: Instruction) -> str:
    _check_trigger(one)
    build.stage.config["OnBuild"] = [*(build.stage.config.get("OnBuild") or []), one.text]
    return f"ONBUILD {one.text}"


def _health(one: Instruction) -> dict[str, Any]:
    """What a HEALTHCHECK says, as the image's configuration has it."""
    kind, _, rest = one.text.partition(" ")
    rest = rest.strip()
    check: dict[str, Any]
    if kind.upper() == "NONE":
        if rest:
            raise wrong(one.line, "HEALTHCHECK NONE takes no arguments")
        check = {"Test": ["NONE"]}
    elif kind.upper() == "CMD":
        if not rest:
            raise wrong(one.line, "Missing command after HEALTHCHECK CMD")
        listed = arguments.json_list(rest)
        check = {"Test": ["CMD", *listed] if listed is not None else ["CMD-SHELL", rest]}
        for flag, name in (("interval", "Interval"), ("timeout", "Timeout"),
                           ("start-period", "StartPeriod"),
                           ("start-interval", "StartInterval")):  # fmt: skip
            if length := arguments.duration(one, flag):
                check[name] = length
        if retries := one.flag("retries"):
            if not retries.isdigit() or int(retries) < 1:
                raise wrong(one.line, f"--retries must be at least 1 (not {retries})")
            check["Retries"] = int(retries)
    else:
        raise wrong(one.line, f'Unknown type "{kind.upper()}" in HEALTHCHECK (try CMD)')
    return check


@_on("HEALTHCHECK")
async def _healthcheck(build: Build, one: Instruction) -> str:
    check = _health(one)
    old = build.stage.config.get("Healthcheck")
    if old and old.get("Test", ["NONE"])[0] != "NONE" and check["Test"] != ["NONE"]:
        was = " ".join(old["Test"])
        await build.say(f"Note: overriding previous HEALTHCHECK: [{was}]\n")
    build.stage.config["Healthcheck"] = check
    # Go's %q of the structure, whose last field is a number and so becomes a character
    lengths = [f'"{arguments.shown(check.get(name, 0))}"' for name in
               ("Interval", "Timeout", "StartPeriod", "StartInterval")]  # fmt: skip
    told = [arguments.quoted(check["Test"]), *lengths, f"'\\x{check.get('Retries', 0):02x}'"]
    return f"HEALTHCHECK &{{{' '.join(told)}}}"

"""``/containers``: making, starting, ending, listing. moby ``router/container``."""

import contextlib
import re
from typing import Any

import msgspec

from simulator.isolation.control.docker.api import describe, filters
from simulator.isolation.control.docker.api.errors import (
    ApiError,
    BadRequest,
    Conflict,
    NotModified,
)
from simulator.isolation.control.docker.engine import (
    create,
    files,
    oom,
    removing,
    resources,
    running,
    technology,
    times,
    verifying,
)
from simulator.isolation.control.docker.engine.config import (
    CreateRequest,
    HostSettings,
)
from simulator.isolation.control.docker.engine.container import NEVER, Container
from simulator.isolation.control.docker.images import platforms
from simulator.isolation.control.docker.wire.exchange import Exchange
from simulator.isolation.control.docker.wire.router import route
from simulator.isolation.technologies.options.docker_limits import limits_of
from simulator.machine.userland.process import Process

_LIST = frozenset(
    ("ancestor", "before", "exited", "expose", "health", "id", "isolation", "is-task", "label",
     "name", "network", "publish", "since", "status", "volume")
)  # fmt: skip
_STATUSES = ("created", "running", "paused", "restarting", "removing", "exited", "dead")


@route("POST", "/containers/create")
async def make(x: Exchange) -> None:
    """201 with the id and warnings."""
    request = await x.json(CreateRequest)
    name = x.query.get("name", "")
    mismatch = await platforms.check(x, request, x.query.get("platform", ""))
    made, warnings = await create.create(x.sys, x.engine, name, request)
    await x.reply(201, {"Id": made.id, "Warnings": [*mismatch, *warnings]})


@route("GET", "/containers/json")
async def listing(x: Exchange) -> None:
    """Those that run, or all, newest first."""
    wanted = filters.read(x.query.get("filters", ""), _LIST)
    for one in wanted.get("status", []):
        if one not in _STATUSES:
            raise BadRequest(f"invalid filter 'status={one}'")
    _check(wanted)
    everything = x.flag("all") or "status" in wanted or "exited" in wanted
    limit = x.number("limit", 0)
    now = await times.now(x.sys)
    found: list[dict[str, Any]] = []
    every = list(enumerate(x.engine.listed))
    for _number, one in sorted(every, key=lambda pair: (_age(pair[1]), pair[0]), reverse=True):
        if (everything or limit > 0 or one.state.Running) and _wanted(x, one, wanted):
            told = describe.listed(x.engine, one, now)
            if x.flag("size"):
                told |= {k: v for k, v in (await sizes(x.sys, x.engine, one)).items() if v}
            found.append(told)
    await x.reply(200, found[:limit] if limit > 0 else found)


def _check(wanted: filters.Filters) -> None:
    """foldFilter(), portOp(). Raises ``BadRequest``, ``ApiError``."""
    for text in wanted.get("exited", []):
        if not re.fullmatch(r"[+-]?\d+", text):
            raise ApiError(f'strconv.Atoi: parsing "{text}": invalid syntax')
    filters.boolean(wanted, "is-task", default=False)
    for key in ("publish", "expose"):
        for text in wanted.get(key, []):
            if ":" in text:
                raise ApiError(f"filter for '{key}' should not contain ':': {text}")
            for number in text.partition("/")[0].split("-", 1):
                if not number.isdigit():
                    raise ApiError(
                        f"error while looking up for {key} {text}: strconv.ParseUint: parsing"
                        f' "{number}": invalid syntax'
                    )


def _age(one: Container) -> int:
    return times.parse(one.record.Created) or 0


async def sizes(sys: Process, engine: Any, one: Container) -> dict[str, int]:
    """What its own layer holds, and that with the image's."""
    own = await files.size(sys, f"{one.layer}/diff")
    image = engine.images.images.get(one.record.Image)
    below = engine.images.size(image) if image is not None else 0
    return {"SizeRw": own, "SizeRootFs": own + below}


def _wanted(x: Exchange, one: Container, wanted: filters.Filters) -> bool:
    if "status" in wanted and one.state.status not in wanted["status"]:
        return False
    if not filters.labels(wanted.get("label", []), one.config.Labels):
        return False
    names = wanted.get("name", [])
    if not any(filters.matches(names, name) for name in (f"/{one.name}", one.name)):
        return False
    if filters.boolean(wanted, "is-task", default=False):  # no container here is a swarm's
        return False
    if "id" in wanted and not any(one.id.startswith(text) for text in wanted["id"]):
        return False
    if "exited" in wanted:
        ended = not one.state.Running and one.state.StartedAt != NEVER
        if not ended or str(one.state.ExitCode) not in wanted["exited"]:
            return False
    if "health" in wanted:
        word = one.state.Health.Status if one.state.Health is not None else "none"
        if word not in wanted["health"]:
            return False
    if "ancestor" in wanted and not any(_descends(x, one, text) for text in wanted["ancestor"]):
        return False
    if "network" in wanted:
        nets = one.record.Networks
        names = {*nets, *(settings.NetworkID for settings in nets.values())}
        if not names & set(wanted["network"]):
            return False
    if "volume" in wanted:
        places = {point.Name for point in one.record.Mounts}
        places |= {point.Destination for point in one.record.Mounts}
        if not places & set(wanted["volume"]):
            return False
    for key in ("publish", "expose"):
        if key in wanted and not _has_port(one, wanted[key], published=key == "publish"):
            return False
    return _between(x, one, wanted)


def _has_port(one: Container, wanted: list[str], *, published: bool) -> bool:
    for port, places in one.record.Ports.items():
        numbers = [place["HostPort"] for place in places or []] if published else [port]
        for number in numbers:
            if any(_in_range(int(number.partition("/")[0]), text) for text in wanted):
                return True
    return False


def _in_range(number: int, text: str) -> bool:
    first, _dash, last = text.partition("/")[0].partition("-")
    return int(first) <= number <= int(last or first)


def _descends(x: Exchange, one: Container, text: str) -> bool:
    if one.config.Image == text:
        return True
    try:
        image = x.engine.images.find(text)
    except ApiError:
        return False
    return one.record.Image == image.id


def _between(x: Exchange, one: Container, wanted: filters.Filters) -> bool:
    age = _age(one)
    for key, older in (("before", True), ("since", False)):
        for text in wanted.get(key, []):
            other = _age(x.engine.find(text))
            if (age >= other) if older else (age <= other):
                return False
    return True


@route("GET", "/containers/{name}/json")
async def inspect(x: Exchange) -> None:
    """Everything about one."""
    one = x.engine.find(x.names["name"])
    told = describe.inspected(x.engine, one)
    if x.version < (1, 45):
        describe.old_aliases(one, told["NetworkSettings"]["Networks"])
    if x.flag("size"):
        told |= await sizes(x.sys, x.engine, one)
    await x.reply(200, told)


@route("POST", "/containers/{name}/start")
async def start(x: Exchange) -> None:
    """204, or 304 when it runs."""
    one = x.engine.find(x.names["name"])
    if await x.body(1 << 16) not in (b"", b"{}", b"null"):
        raise BadRequest(
            "starting container with non-empty request body was deprecated since API v1.22 and"
            " removed in v1.24"
        )
    await running.start(x.sys, x.engine, one)
    await x.reply(204)


@route("POST", "/containers/{name}/stop")
async def stop(x: Exchange) -> None:
    """204, or 304 when it does not run."""
    one = x.engine.find(x.names["name"])
    await removing.stop(x.sys, x.engine, one, x.query.get("signal", ""), _seconds(x))
    await x.reply(204)


def _seconds(x: Exchange) -> int | None:
    return x.number("t") if x.query.get("t") else None


@route("POST", "/containers/{name}/restart")
async def restart(x: Exchange) -> None:
    """Stop, then start."""
    one = x.engine.find(x.names["name"])
    with contextlib.suppress(NotModified):
        await removing.stop(x.sys, x.engine, one, x.query.get("signal", ""), _seconds(x))
    await running.start(x.sys, x.engine, one)
    await x.engine.tell(x.sys, one, "restart")
    await x.reply(204)


@route("POST", "/containers/{name}/kill")
async def kill(x: Exchange) -> None:
    """A signal."""
    try:
        one = x.engine.find(x.names["name"])
    except ApiError as error:
        told = f"cannot kill container: {x.names['name']}: {error.message}"
        raise ApiError(told, error.status) from None
    await removing.kill(x.sys, x.engine, one, x.query.get("signal", ""), x.names["name"])
    await x.reply(204)


@route("POST", "/containers/{name}/pause")
async def pause(x: Exchange) -> None:
    """The freezer."""
    await removing.pause(x.sys, x.engine, x.engine.find(x.names["name"]))
    await x.reply(204)


@route("POST", "/containers/{name}/unpause")
async def unpause(x: Exchange) -> None:
    """The freezer thaws."""
    await removing.unpause(x.sys, x.engine, x.engine.find(x.names["name"]))
    await x.reply(204)


@route("POST", "/containers/{name}/rename")
async def rename(x: Exchange) -> None:
    """Another name."""
    one = x.engine.find(x.names["name"])
    await removing.rename(x.sys, x.engine, one, x.query.get("name", ""))
    await x.reply(204)


@route("DELETE", "/containers/{name}")
async def remove(x: Exchange) -> None:
    """204."""
    one = x.engine.find(x.names["name"])
    if x.flag("link"):
        raise Conflict("Conflict, cannot remove the default link name of the container")
    await removing.remove(x.sys, x.engine, one, force=x.flag("force"), volumes=x.flag("v"))
    await x.reply(204)


@route("POST", "/containers/{name}/wait")
async def wait(x: Exchange) -> None:
    """The status it ends with; the answer begins at once, so that the client can start it."""
    one = x.engine.find(x.names["name"])
    condition = x.query.get("condition", "") or "not-running"
    if condition not in ("not-running", "next-exit", "removed"):
        raise BadRequest(f'invalid condition: "{condition}"')
    generation, code = one.generation, [0]
    gone: list[bool] = []

    def over() -> bool:
        state = one.state
        ended = not state.Running or state.Restarting
        if condition == "removed":
            done = one.removed
        elif condition == "next-exit":
            done = (one.generation > generation and ended) or one.removed or bool(state.Error)
            done = done or (was_running and ended)
        else:
            done = ended
        code[0] = state.ExitCode
        return done or bool(gone)

    was_running = one.state.Running

    async def left(own: Process) -> None:
        gone.append(True)
        await one.changed.ring(own)

    await x.body(1 << 16)
    if not over():
        await x.watch(left)
    await x.begin()
    await one.changed.until(x.sys, over)
    if not gone:
        await x.finish(msgspec.json.encode({"StatusCode": code[0]}) + b"\n")


@route("POST", "/containers/{name}/update")
async def update(x: Exchange) -> None:
    """Other limits, another restart policy."""
    one = x.engine.find(x.names["name"])
    given = await x.json(dict[str, Any])
    asked = msgspec.convert(given, HostSettings, strict=True) if given else HostSettings()
    warnings = resources.verify(asked, x.engine.facts, update=True)
    verifying.verify_restart(asked.RestartPolicy)
    resources.change(one, given, asked)
    if one.state.Running:
        limits = limits_of(technology.configured(one.host, "x"))
        await resources.apply(x.sys, x.engine, one, limits)
        await oom.begin(x.sys, x.engine, one)
    await x.engine.save_host(x.sys, one)
    await x.engine.tell(x.sys, one, "update")
    await x.reply(200, {"Warnings": warnings or None})


@route("POST", "/containers/prune")
async def prune(x: Exchange) -> None:
    """Everything that does not run goes."""
    wanted = await filters.of_prune(x.sys, x.query.get("filters", ""), "until")
    gone: list[str] = []
    space = 0
    for one in x.engine.listed:
        if one.state.Running or not wanted.takes(one.config.Labels, _age(one)):
            continue
        space += await files.size(x.sys, f"{one.layer}/diff")
        await removing.remove(x.sys, x.engine, one)
        gone.append(one.id)
    told = {"reclaimed": str(space)}
    await x.engine.events.emit(x.sys, "container", "prune", "", told)
    await x.reply(200, {"ContainersDeleted": gone or None, "SpaceReclaimed": space})

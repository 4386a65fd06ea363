"""``POST /build``: moby ``router/build``. The stream is that of ``pkg/jsonmessage``."""

from typing import TypeVar

import msgspec

from simulator.isolation.control.docker.api.errors import ApiError, BadRequest, NotImplementedHere
from simulator.isolation.control.docker.building import running
from simulator.isolation.control.docker.building.builder import Builder
from simulator.isolation.control.docker.building.context import Context
from simulator.isolation.control.docker.building.state import BuildFailed, Options
from simulator.isolation.control.docker.engine.config import Ulimit
from simulator.isolation.control.docker.wire.exchange import Exchange, Gone
from simulator.isolation.control.docker.wire.router import route
from simulator.machine.userland.process import Process

T = TypeVar("T")


@route("POST", "/build")
async def build(x: Exchange) -> None:
    """Build an image from the context that is the body."""
    options = _options(x)
    if x.query.get("version") == "2":
        raise NotImplementedHere("buildkit not supported by daemon")
    if remote := x.query.get("remote"):
        raise ApiError(
            f"failed to load build context: unable to download remote context {remote}:"
            " this machine has no way to the Internet"
        )
    body = await x.body()
    if not body:
        raise BadRequest("missing build context")
    one = Builder(x, options, Context(body))

    async def left(own: Process) -> None:
        await running.cancel(one.build, own)

    await x.watch(left)
    await x.begin()
    try:
        image = await one.run()
    except BuildFailed as failed:
        await one.build.say_all()
        detail = {"code": failed.code, "message": failed.message}
        await x.line({"errorDetail": detail, "error": failed.message})
        await x.finish()
        return
    except ApiError:
        await one.build.say_all()
        raise
    except Gone:
        one.build.cancelled = True
        await running.remove_all(one.build)
        raise
    for tag in one.tags:
        await x.engine.images.tag(x.sys, tag, image)
        told = {"name": str(tag)}
        await x.engine.events.emit(x.sys, "image", "tag", image.id, told)
    if options.quiet:
        await x.line({"stream": f"{image.id}\n"})
    await one.build.say(f"Successfully built {image.id[7:19]}\n")
    for tag in one.tags:
        await one.build.say(f"Successfully tagged {tag}\n")
    await x.finish()


def _options(x: Exchange) -> Options:
    remove = x.flag("rm", default=x.version >= (1, 12))
    return Options(
        tags=tuple(x.lists.get("t", [])),
        dockerfile=x.query.get("dockerfile") or "Dockerfile",
        target=x.query.get("target", ""),
        arguments=_json(x, "buildargs", dict[str, str | None]),
        labels=_json(x, "labels", dict[str, str]),
        no_cache=x.flag("nocache"),
        pull=x.flag("pull"),
        remove=remove,
        force_remove=x.flag("forcerm"),
        quiet=x.flag("q"),
        network=x.query.get("networkmode") or "default",
        platform=x.query.get("platform", ""),
        memory=x.number("memory"),
        host={
            "MemorySwap": x.number("memswap"),
            "CpuShares": x.number("cpushares"),
            "CpuPeriod": x.number("cpuperiod"),
            "CpuQuota": x.number("cpuquota"),
            "CpusetCpus": x.query.get("cpusetcpus", ""),
            "CpusetMems": x.query.get("cpusetmems", ""),
            "ShmSize": x.number("shmsize"),
            "ExtraHosts": x.lists.get("extrahosts", []),
            "Ulimits": _limits(x),
        },
    )


def _limits(x: Exchange) -> list[Ulimit]:
    try:
        return msgspec.json.decode((x.query.get("ulimits") or "[]").encode(), type=list[Ulimit])
    except msgspec.MsgspecError as error:
        raise BadRequest(f"error reading ulimit settings: {error}") from None


def _json(x: Exchange, name: str, kind: type[T]) -> T:
    text = x.query.get(name) or "{}"
    try:
        return msgspec.json.decode(text.encode(), type=kind)
    except msgspec.MsgspecError as error:
        raise BadRequest(f"error reading {name}: {error}") from None

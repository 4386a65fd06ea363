"""Images that come and go: archives, and what registries have. moby ``router/image``."""

from simulator.isolation.control.docker.api import filters
from simulator.isolation.control.docker.api.errors import BadRequest
from simulator.isolation.control.docker.images import moving, reference
from simulator.isolation.control.docker.wire.exchange import Exchange
from simulator.isolation.control.docker.wire.router import route


@route("POST", "/images/create")
async def create(x: Exchange) -> None:
    """Pull, or import an archive as an image."""
    if x.query.get("fromSrc"):
        await moving.import_(x)
        return
    name = x.query.get("fromImage", "")
    if not name:
        raise BadRequest("invalid reference format")
    mark = x.query.get("tag", "")
    await x.body(1 << 16)
    if mark:
        name = f"{name}@{mark}" if ":" in mark else f"{name}:{mark}"
    await moving.pull(x, reference.parse(name), platform=x.query.get("platform", ""))


@route("POST", "/images/load")
async def load(x: Exchange) -> None:
    """Images from an archive that save made."""
    await moving.load(x)


@route("GET", "/images/get")
async def save_several(x: Exchange) -> None:
    """An archive of several images."""
    names = [name for text in x.lists.get("names", []) for name in text.split(",")]
    await moving.save(x, names)


@route("GET", "/images/{name*}/get")
async def save(x: Exchange) -> None:
    """An archive of an image."""
    await moving.save(x, [x.names["name"]])


@route("POST", "/images/{name*}/push")
async def push(x: Exchange) -> None:
    """To the registry."""
    text = x.names["name"]
    await x.body(1 << 20)
    if x.query.get("tag"):
        text = f"{text}:{x.query['tag']}"
    await moving.push(x, reference.parse(text))


@route("GET", "/images/search")
async def search(x: Exchange) -> None:
    """What the registry has."""
    known = frozenset(("is-automated", "is-official", "stars"))
    wanted = filters.read(x.query.get("filters", ""), known)
    limit = x.number("limit") or 25
    if not 1 <= limit <= 100:
        raise BadRequest(f"limit {limit} is outside the range of [1, 100]")
    official = filters.boolean(wanted, "is-official", default=False)
    least = [text for text in wanted.get("stars", ()) if not text.isdigit()]
    if least:
        raise BadRequest(f"invalid filter 'stars={least[0]}'")
    stars = max((int(text) for text in wanted.get("stars", ())), default=0)
    found = [
        one
        for one in x.engine.registry.search(x.query.get("term", ""))
        if one["star_count"] >= stars
        and ("is-official" not in wanted or one["is_official"] == official)
    ]
    await x.reply(200, found[:limit])


@route("GET", "/distribution/{name*}/json")
async def distribution(x: Exchange) -> None:
    """What the registry says of an image, without pulling it."""
    manifest = await moving.offered(x, reference.parse(x.names["name"]))
    descriptor = {
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "digest": manifest.digest,
        "size": manifest.size,
    }
    platforms = [{"architecture": "amd64", "os": "linux"}]
    await x.reply(200, {"Descriptor": descriptor, "Platforms": platforms})

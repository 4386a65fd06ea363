"""Images coming and going: pull, push, load, save, import, commit.

Progress is told as the Engine tells it, one JSON object a line (moby ``pkg/streamformatter``).
"""

import gzip
import shlex
import zlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import msgspec

from simulator.isolation.control.docker.api.errors import ApiError, BadRequest, NotFound
from simulator.isolation.control.docker.engine import times
from simulator.isolation.control.docker.engine.config import ContainerConfig, shown, words
from simulator.isolation.control.docker.engine.container import Container
from simulator.isolation.control.docker.images import manifests, platforms, tarball
from simulator.isolation.control.docker.images import reference as references
from simulator.isolation.control.docker.images.manifests import Credentials, Manifest
from simulator.isolation.control.docker.images.reference import Reference
from simulator.isolation.control.docker.images.store import Image, chain_id, digest
from simulator.isolation.control.docker.images.tarball import Entry
from simulator.isolation.control.docker.units import human_size
from simulator.isolation.control.docker.wire.exchange import Exchange
from simulator.machine.abi.constants import S_IFREG

Tell: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]


def _short(ident: str) -> str:
    return ident.removeprefix("sha256:")[:12]


async def pull(x: Exchange, wanted: Reference, *, platform: str = "") -> None:
    """Fetch what is not there yet, telling how it goes. Raises ``ApiError``."""
    manifest = await offered(x, wanted, platform)
    await x.begin()
    await _fetch(x, wanted.tagged(), manifest)
    await x.finish()


async def fetch(
    x: Exchange, wanted: Reference, *, platform: str = "", quiet: bool = False
) -> Image:
    """The image of a reference, pulled in an answer that has begun. Raises ``ApiError``."""
    manifest = await offered(x, wanted, platform)
    return await _fetch(x, wanted.tagged(), manifest, quiet=quiet)


async def offered(x: Exchange, wanted: Reference, platform: str = "") -> Manifest:
    """The manifest that the registry has for a reference. Raises ``ApiError``."""
    wanted = wanted.tagged()
    architecture = platforms.architecture_of(platform) or await platforms.host(x.sys)
    return await x.engine.registry.manifest(x.sys, wanted, architecture, who(x, wanted))


def who(x: Exchange, wanted: Reference) -> Credentials:
    """The credentials that a request brings for a registry.

    A build brings those of every registry that its client knows (X-Registry-Config).
    """
    header = x.headers.get("x-registry-auth", "")
    if header:
        return manifests.credentials(header)
    return manifests.configured(x.headers.get("x-registry-config", ""), wanted.domain)


async def _fetch(
    x: Exchange, wanted: Reference, manifest: Manifest, *, quiet: bool = False
) -> Image:
    store, registry, asking = x.engine.images, x.engine.registry, who(x, wanted)

    async def tell(told: dict[str, Any]) -> None:
        if not quiet:
            await x.line(told)

    await tell({"status": f"Pulling from {wanted.path}", "id": wanted.digest or wanted.tag})
    async with x.engine.pulling.held(x.sys):
        before = store.named(wanted)
        parent = ""
        for layer in manifest.layers:
            chain = chain_id(parent, layer.digest)
            short = _short(layer.digest)
            if chain in store.layers:
                await tell({"status": "Already exists", "progressDetail": {}, "id": short})
            else:
                await tell({"status": "Pulling fs layer", "progressDetail": {}, "id": short})
                await _progress(tell, "Downloading", layer.size, short)
                for word in ("Verifying Checksum", "Download complete"):
                    await tell({"status": word, "progressDetail": {}, "id": short})
                await _progress(tell, "Extracting", layer.size, short)
                content = await registry.blob(x.sys, wanted, layer.digest, asking)
                await store.add_layer(x.sys, parent, content)
                await tell({"status": "Pull complete", "progressDetail": {}, "id": short})
            parent = chain
        config = await registry.blob(x.sys, wanted, manifest.config.digest, asking)
        image = await store.add_image(x.sys, config)
        if wanted.tag:
            await store.tag(x.sys, wanted._replace(digest=""), image)
        by_digest = references.parse(f"{wanted.familiar}@{manifest.digest}")
        await store.tag(x.sys, by_digest, image)
    await tell({"status": f"Digest: {manifest.digest}"})
    news = "Image is up to date for" if before is image else "Downloaded newer image for"
    await tell({"status": f"Status: {news} {wanted}"})
    await x.engine.events.emit(x.sys, "image", "pull", str(wanted), {"name": wanted.familiar})
    return image


async def _progress(tell: Tell, word: str, size: int, ident: str) -> None:
    for part in (size // 2, size):
        detail = {"current": part, "total": size}
        bar = "=" * (50 * part // max(size, 1))
        shown_bar = f"[{bar}>{' ' * (50 - len(bar))}]  {human_size(part)}/{human_size(size)}"
        told = {"status": word, "progressDetail": detail, "progress": shown_bar, "id": ident}
        await tell(told)


async def push(x: Exchange, wanted: Reference) -> None:
    """Bring an image to the registry. Raises ``NotFound``."""
    store = x.engine.images
    wanted = wanted.tagged()
    await x.begin()
    await x.line({"status": f"The push refers to repository [{wanted.full}]"})
    if not any(references.parse(name).familiar == wanted.familiar for name in store.names):
        raise NotFound(f"An image does not exist locally with the tag: {wanted.familiar}")
    image = store.named(wanted)
    if image is None:
        raise NotFound(f"tag does not exist: {wanted}")
    asking, depot = who(x, wanted), x.engine.registry.depot(wanted.domain)
    layers = [await store.archive(x.sys, chain) for chain in image.chains]
    for content in reversed(layers):
        ident = _short(digest(content))
        await x.line({"status": "Preparing", "progressDetail": {}, "id": ident})
    for content in reversed(layers):
        name, ident = digest(content), _short(digest(content))
        if await depot.has_blob(x.sys, wanted.path, name, asking):
            await x.line({"status": "Layer already exists", "progressDetail": {}, "id": ident})
        else:
            await _progress(x.line, "Pushing", tarball.stated_size(content) or len(content), ident)
            await depot.put_blob(x.sys, wanted.path, name, content, asking)
            await x.line({"status": "Pushed", "progressDetail": {}, "id": ident})
    config = await store.raw_config(x.sys, image)
    await depot.put_blob(x.sys, wanted.path, image.id, config, asking)
    manifest = manifests.encoded(config, layers)
    await depot.put_manifest(x.sys, wanted.path, wanted.tag, manifest, asking)
    name, size = manifests.digest(manifest), len(manifest)
    by_digest = references.parse(f"{wanted.familiar}@{name}")
    await store.tag(x.sys, by_digest, image)
    await x.line({"status": f"{wanted.tag}: digest: {name} size: {size}"})
    detail = {"Tag": wanted.tag, "Digest": name, "Size": size}
    await x.line({"progressDetail": {}, "aux": detail})
    await x.engine.events.emit(x.sys, "image", "push", str(wanted), {"name": wanted.familiar})
    await x.finish()


async def save(x: Exchange, names: list[str]) -> None:
    """The archive of ``docker save``: manifest.json, repositories, configurations, layers."""
    store = x.engine.images
    chosen: dict[str, list[str]] = {}
    for name in names:
        image = store.find(name)
        tags = chosen.setdefault(image.id, [])
        bare = name.removeprefix("sha256:")
        if not image.id[7:].startswith(bare):
            given = references.parse(name)
            if not given.digest:
                tags.append(str(given.tagged()))
    entries: dict[str, Entry] = {}
    manifest: list[dict[str, Any]] = []
    repositories: dict[str, dict[str, str]] = {}
    for ident, tags in chosen.items():
        image = store.images[ident]
        layers: list[str] = []
        for chain in image.chains:
            content = await store.archive(x.sys, chain)
            path = f"blobs/sha256/{digest(content)[7:]}"
            entries[path] = Entry(path, S_IFREG | 0o644, content)
            layers.append(path)
        path = f"blobs/sha256/{ident[7:]}"
        entries[path] = Entry(path, S_IFREG | 0o644, await store.raw_config(x.sys, image))
        manifest.append({"Config": path, "RepoTags": tags or None, "Layers": layers})
        for name in tags:
            repository, _, mark = name.rpartition(":")
            repositories.setdefault(repository, {})[mark] = layers[-1][-64:] if layers else ""
        await x.engine.events.emit(x.sys, "image", "save", ident, {"name": ident})
    for name, content in (("manifest.json", manifest), ("repositories", repositories)):
        entries[name] = Entry(name, S_IFREG | 0o644, msgspec.json.encode(content) + b"\n")
    await x.reply(200, tarball.made(entries.values()), content_type="application/x-tar")


async def load(x: Exchange) -> None:
    """The images of an archive that ``docker save`` made."""
    content = await x.body()
    found: dict[str, bytes] = {}
    try:
        members = list(tarball.members(content))
    except ApiError:
        await x.begin()
        raise
    for info, data in members:
        name = info.name.removeprefix("./")
        found[name] = found.get(_linked(name, info.linkname), b"") if info.issym() else data
    if "manifest.json" not in found:
        raise BadRequest("invalid archive: does not contain a manifest.json")
    await x.begin()
    for one in msgspec.json.decode(found["manifest.json"], type=list[dict[str, Any]]):
        await _load_one(x, one, found)
    await x.finish()


def changes_of(x: Exchange) -> list[str]:
    """Instructions of the query: one a line of each word ``changes``."""
    return [line for text in x.lists.get("changes", []) for line in text.splitlines() if line]


def _linked(name: str, target: str) -> str:
    import posixpath

    return posixpath.normpath(posixpath.join(posixpath.dirname(name), target))


async def _load_one(x: Exchange, one: dict[str, Any], found: dict[str, bytes]) -> None:
    store = x.engine.images
    parent = ""
    try:
        config, layers = found[one["Config"]], [found[name] for name in one["Layers"]]
    except KeyError as missing:
        raise ApiError(f"open {missing}: no such file or directory") from None
    for content in layers:
        layer = await store.add_layer(x.sys, parent, content)
        parent = layer.chain
    image = await store.add_image(x.sys, config)
    tags: list[str] = one.get("RepoTags") or []
    for name in tags:
        await store.tag(x.sys, references.parse(name), image)
        await x.line({"stream": f"Loaded image: {name}\n"})
    if not one.get("RepoTags"):
        await x.line({"stream": f"Loaded image ID: {image.id}\n"})
    await x.engine.events.emit(x.sys, "image", "load", image.id, {"name": image.id})


async def import_(x: Exchange) -> None:
    """An archive of a root filesystem becomes an image of one layer."""
    source = x.query["fromSrc"]
    if source != "-":
        raise BadRequest(f"invalid url {source}: this machine has no way to fetch it")
    repository, mark = x.query.get("repo", ""), x.query.get("tag", "")
    name = None
    if repository:
        name = references.parse(f"{repository}:{mark}" if mark else repository)
    config: dict[str, Any] = {}
    for change in changes_of(x):
        apply_change(config, change)
    content = await x.body()
    if not content:
        raise BadRequest("the body is empty")
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except EOFError:
            raise ApiError("Error processing tar file(exit status 1): unexpected EOF") from None
        except (OSError, zlib.error):
            told = "Error processing tar file(exit status 1): gzip: invalid header"
            raise ApiError(told) from None
    layer = await x.engine.images.add_layer(x.sys, "", content)
    await x.begin()
    created = times.rfc3339(await times.now(x.sys))
    comment = x.query.get("message") or "Imported from -"
    made = {
        "architecture": "amd64",
        "comment": comment,
        "config": config,
        "created": created,
        "docker_version": "27.5.1",
        "history": [{"created": created, "comment": comment}],
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [layer.diff]},
    }
    image = await x.engine.images.add_image(x.sys, msgspec.json.encode(made))
    if name is not None:
        await x.engine.images.tag(x.sys, name, image)
    await x.line({"status": image.id})
    await x.engine.events.emit(x.sys, "image", "import", image.id, {"name": image.id})
    await x.finish()


def apply_change(config: dict[str, Any], text: str) -> None:
    """A Dockerfile instruction of ``--change``. Raises ``BadRequest``."""
    word, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    match word.upper():
        case "CMD" | "ENTRYPOINT":
            config["Cmd" if word.upper() == "CMD" else "Entrypoint"] = command(rest)
        case "ENV" | "LABEL":
            pairs = _pairs(rest)
            if word.upper() == "LABEL":
                config["Labels"] = {**(config.get("Labels") or {}), **pairs}
            else:
                old: list[str] = config.get("Env") or []
                kept = [one for one in old if one.partition("=")[0] not in pairs]
                config["Env"] = kept + [f"{key}={value}" for key, value in pairs.items()]
        case "WORKDIR":
            config["WorkingDir"] = rest
        case "USER":
            config["User"] = rest
        case "STOPSIGNAL":
            config["StopSignal"] = rest
        case "EXPOSE":
            ports: dict[str, Any] = {p if "/" in p else f"{p}/tcp": {} for p in rest.split()}
            config["ExposedPorts"] = {**(config.get("ExposedPorts") or {}), **ports}
        case "VOLUME":
            places = command(rest) if rest.startswith("[") else rest.split()
            config["Volumes"] = {**(config.get("Volumes") or {}), **{p: {} for p in places}}
        case "ONBUILD":
            config["OnBuild"] = [*(config.get("OnBuild") or []), rest]
        case _:
            raise BadRequest(f"{word.lower()} is not a valid change command")


def command(text: str) -> list[str]:
    """The exec form (a JSON list), or the shell's."""
    try:
        return msgspec.json.decode(text.encode(), type=list[str])
    except msgspec.MsgspecError:
        return ["/bin/sh", "-c", text]


def _pairs(text: str) -> dict[str, str]:
    if "=" not in text.split(" ", 1)[0]:
        key, _, value = text.partition(" ")
        return {key: value}
    found: dict[str, str] = {}
    for one in shlex.split(text):
        key, _, value = one.partition("=")
        found[key] = value
    return found


async def commit(
    x: Exchange, container: Container, changes: ContainerConfig, name: Reference | None
) -> Image:
    """An image of a container's image and its own layer. Raises ``BadRequest``."""
    store = x.engine.images
    base = store.images.get(container.record.Image)
    chain = base.chains[-1] if base is not None and base.chains else ""
    config = _merged(changes, container)
    for change in changes_of(x):
        apply_change(config, change)
    content = await tarball.pack(x.sys, f"{container.layer}/diff", layer=True)
    above: list[str] = []
    if not tarball.is_empty(content):
        above.append((await store.add_layer(x.sys, chain, content)).diff)
    created = times.rfc3339(await times.now(x.sys))
    comment = x.query.get("comment", "")
    step: dict[str, Any] = {"created": created}
    if x.query.get("author"):
        step["author"] = x.query["author"]
    step["created_by"] = " ".join(words(container.config.Cmd) or [])
    if comment:
        step["comment"] = comment
    if not above:
        step["empty_layer"] = True
    old: dict[str, Any] = base.config if base is not None else {}
    made: dict[str, Any] = {
        "architecture": "amd64",
        "author": x.query.get("author", ""),
        "comment": comment,
        "config": config,
        "container": container.id,
        "created": created,
        "docker_version": "27.5.1",
        "history": [*(old.get("history") or []), step],
        "os": "linux",
        "rootfs": {
            "type": "layers",
            "diff_ids": [*(base.diff_ids if base is not None else []), *above],
        },
    }
    parent = base.id if base is not None else ""
    image = await store.add_image(x.sys, msgspec.json.encode(made), parent)
    if name is not None:
        await store.tag(x.sys, name, image)
    told = {"comment": comment, "imageID": image.id, "imageRef": str(name) if name else ""}
    await x.engine.tell(x.sys, container, "commit", **told)
    return image


def _merged(changes: ContainerConfig, container: Container) -> dict[str, Any]:
    """The container's configuration, changed by the request's."""
    config = shown(container.config)
    for key, value in shown(changes).items():
        if value:
            config[key] = value
    config["Image"] = container.config.Image
    return config

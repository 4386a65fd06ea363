"""``/images`` and ``/commit``. moby ``router/image``."""

import contextlib
from typing import Any

from simulator.isolation.control.docker.api import filters
from simulator.isolation.control.docker.api.errors import BadRequest, Conflict, NotFound
from simulator.isolation.control.docker.engine import removing, times
from simulator.isolation.control.docker.engine.config import ContainerConfig
from simulator.isolation.control.docker.images import moving, reference
from simulator.isolation.control.docker.images.store import Image
from simulator.isolation.control.docker.wire.exchange import Exchange
from simulator.isolation.control.docker.wire.router import route

_LIST = frozenset(("before", "dangling", "label", "reference", "since", "until"))


def summary(
    x: Exchange, image: Image, *, containers_too: bool = False, shared_too: bool = False
) -> dict[str, Any]:
    """One element of the list of images; counting costs, so only where it was asked for."""
    store = x.engine.images
    names = store.references(image)
    using = sum(one.record.Image == image.id for one in x.engine.containers.values())
    return {
        "Containers": using if containers_too else -1,
        "Created": (times.parse(image.config.get("created") or "") or 0) // times.SECOND,
        "Id": image.id,
        "Labels": image.run_config.get("Labels"),
        "ParentId": image.parent,
        "RepoDigests": [name for name in names if "@" in name],
        "RepoTags": [name for name in names if "@" not in name],
        "SharedSize": _shared(x, image) if shared_too else -1,
        "Size": store.size(image),
        **({"VirtualSize": store.size(image)} if x.version < (1, 44) else {}),
    }


def _shared(x: Exchange, image: Image) -> int:
    """Bytes of its layers that another image has too (moby ``images/images.go``)."""
    store = x.engine.images
    others = {chain for one in store.images.values() if one.id != image.id for chain in one.chains}
    return sum(store.layers[chain].size for chain in set(image.chains) & others)


@route("GET", "/images/json")
async def listing(x: Exchange) -> None:
    """Every image with a name or without children, newest first."""
    given = filters.read(x.query.get("filters", ""), _LIST)
    if x.query.get("filter"):
        given["reference"] = [x.query["filter"]]
    store = x.engine.images
    found: list[dict[str, Any]] = []
    for image in store.images.values():
        told = summary(x, image, shared_too=x.flag("shared-size"))
        named = bool(told["RepoTags"] or told["RepoDigests"])
        if not store.shown(image) and not x.flag("all"):
            continue
        if "dangling" in given and filters.boolean(given, "dangling", default=True) == named:
            continue
        if not filters.labels(given.get("label", []), told["Labels"]):
            continue
        if "reference" in given:
            told["RepoTags"] = [
                name for name in told["RepoTags"]
                if any(_fits(pattern, name) for pattern in given["reference"])
            ]  # fmt: skip
            if not told["RepoTags"]:
                continue
        if _between(x, told, given):
            found.append(told)
    found.sort(key=lambda told: _born(x, told["Id"]), reverse=True)
    await x.reply(200, found)


def _born(x: Exchange, ident: str) -> int:
    return times.parse(x.engine.images.images[ident].config.get("created") or "") or 0


def _fits(pattern: str, name: str) -> bool:
    """path.Match() of the name with or without its tag."""
    import fnmatch

    bare = name.rpartition(":")[0]
    return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(bare, pattern)


def _between(x: Exchange, told: dict[str, Any], given: filters.Filters) -> bool:
    for key, older in (("before", True), ("since", False)):
        for text in given.get(key, []):
            other = summary(x, x.engine.images.find(text))["Created"]
            if (told["Created"] >= other) if older else (told["Created"] <= other):
                return False
    return True


@route("GET", "/images/{name*}/json")
async def inspect(x: Exchange) -> None:
    """Everything about one."""
    image = x.engine.images.find(x.names["name"])
    store = x.engine.images
    names = store.references(image)
    lower = store.lower(image)
    graph: dict[str, Any] = {}
    if lower:
        top = lower[0].removesuffix("/diff")
        graph = {"MergedDir": f"{top}/merged", "UpperDir": lower[0], "WorkDir": f"{top}/work"}
        if len(lower) > 1:
            graph["LowerDir"] = ":".join(lower[1:])
    config = ContainerConfig(
        **{key: value for key, value in image.run_config.items()
           if key in ContainerConfig.__struct_fields__ and key != "Healthcheck"}
    )  # fmt: skip
    from simulator.isolation.control.docker.engine.config import shown

    told_config = shown(config)
    if image.run_config.get("Healthcheck"):
        told_config["Healthcheck"] = image.run_config["Healthcheck"]
    await x.reply(
        200,
        {
            "Id": image.id,
            "RepoTags": [name for name in names if "@" not in name],
            "RepoDigests": [name for name in names if "@" in name],
            "Parent": image.parent,
            "Comment": image.config.get("comment") or "",
            "Created": image.config.get("created") or "",
            "DockerVersion": image.config.get("docker_version") or "",
            "Author": image.config.get("author") or "",
            "Config": told_config,
            "Architecture": image.config.get("architecture") or "amd64",
            "Os": image.config.get("os") or "linux",
            "Size": store.size(image),
            **({"VirtualSize": store.size(image)} if x.version < (1, 44) else {}),
            "GraphDriver": {"Data": graph, "Name": "overlay2"},
            "RootFS": {"Type": "layers", "Layers": image.diff_ids},
            "Metadata": {"LastTagTime": "0001-01-01T00:00:00Z"},
        },
    )


@route("GET", "/images/{name*}/history")
async def history(x: Exchange) -> None:
    """How it was made, the last step first."""
    image = x.engine.images.find(x.names["name"])
    store = x.engine.images
    chains = iter(image.chains)
    found: list[dict[str, Any]] = []
    steps: list[dict[str, Any]] = image.config.get("history") or []
    for step in steps:
        layer = None if step.get("empty_layer") else store.layers.get(next(chains, ""))
        found.append(
            {
                "Comment": step.get("comment") or "",
                "Created": (times.parse(step.get("created") or "") or 0) // times.SECOND,
                "CreatedBy": step.get("created_by") or "",
                "Id": "<missing>",
                "Size": layer.size if layer is not None else 0,
                "Tags": None,
            }
        )
    found.reverse()
    if found:
        found[0]["Id"] = image.id
        found[0]["Tags"] = [name for name in store.references(image) if "@" not in name] or None
    at = image
    for told in found[1:]:
        parent = store.images.get(at.parent)
        if parent is None:
            break
        told["Id"] = parent.id
        told["Tags"] = store.references(parent) or None
        at = parent
    await x.reply(200, found)


@route("POST", "/images/{name*}/tag")
async def tag(x: Exchange) -> None:
    """201: one name more."""
    image = x.engine.images.find(x.names["name"])
    repository = x.query.get("repo", "")
    text = f"{repository}:{x.query['tag']}" if x.query.get("tag") else repository
    new = reference.parse(text)
    if new.digest:
        raise BadRequest("refusing to create a tag with a digest reference")
    await x.engine.images.tag(x.sys, new, image)
    told = {"name": str(new.tagged())}
    await x.engine.events.emit(x.sys, "image", "tag", image.id, told)
    await x.reply(201)


@route("DELETE", "/images/{name*}")
async def remove(x: Exchange) -> None:
    """What became of it: names taken away, layers deleted."""
    text = x.names["name"]
    image = x.engine.images.find(text)
    told = await remove_image(x, image, text, force=x.flag("force"), prune=not x.flag("noprune"))
    await x.reply(200, told)


async def remove_image(
    x: Exchange, image: Image, text: str, *, force: bool, prune: bool
) -> list[dict[str, str]]:
    """moby ``image_delete.go``. Raises ``Conflict``."""
    store = x.engine.images
    told: list[dict[str, str]] = []
    names = store.references(image)
    by_name = not image.id.removeprefix("sha256:").startswith(text.removeprefix("sha256:"))
    using = [c for c in x.engine.containers.values() if c.record.Image == image.id]
    if by_name:
        name = str(reference.parse(text).tagged())
        others = [one for one in names if one != name and "@" not in one]
        if not others:
            _may_untag(using, text, image, force)
        repository = name.rpartition(":")[0]
        last = not any(one.startswith(f"{repository}:") for one in others)
        digests = [one for one in names if last and one.startswith(f"{repository}@")]
        for one in [name, *digests] if others else names:
            await store.untag(x.sys, one)
            told.append({"Untagged": one})
            await x.engine.events.emit(x.sys, "image", "untag", image.id, {"name": image.id})
        if others or (using and force):
            return told
    else:
        tags = [one for one in names if "@" not in one]
        repositories = {one.rpartition(":")[0] for one in tags}
        if len(repositories) > 1 and not force:
            raise Conflict(
                f"conflict: unable to delete {_short(image)} (must be forced) - image is"
                " referenced in multiple repositories"
            )
        _may_delete(using, image, force)
        for one in names:
            await store.untag(x.sys, one)
            told.append({"Untagged": one})
            await x.engine.events.emit(x.sys, "image", "untag", image.id, {"name": image.id})
    if store.children(image):
        if by_name:
            return told
        raise Conflict(
            f"conflict: unable to delete {_short(image)} (cannot be forced) - image has dependent"
            " child images"
        )
    told += await _delete(x, image)
    parent = store.images.get(image.parent)
    while prune and parent is not None:
        used = any(c.record.Image == parent.id for c in x.engine.containers.values())
        if used or store.references(parent) or store.children(parent):
            break
        told += await _delete(x, parent)
        parent = store.images.get(parent.parent)
    return told


async def _delete(x: Exchange, image: Image) -> list[dict[str, str]]:
    layers = await x.engine.images.remove_image(x.sys, image)
    await x.engine.events.emit(x.sys, "image", "delete", image.id, {"name": image.id})
    return [{"Deleted": image.id}, *({"Deleted": chain} for chain in layers)]


def _short(image: Image) -> str:
    return image.id[7:19]


def _may_untag(using: list[Any], text: str, image: Image, force: bool) -> None:
    if using and not force:
        raise Conflict(
            f'conflict: unable to remove repository reference "{text}" (must force) - container'
            f" {using[0].id[:12]} is using its referenced image {_short(image)}"
        )


def _may_delete(using: list[Any], image: Image, force: bool) -> None:
    for one in using:
        if one.state.Running:
            raise Conflict(
                f"conflict: unable to delete {_short(image)} (cannot be forced) - image is being"
                f" used by running container {one.id[:12]}"
            )
        if not force:
            raise Conflict(
                f"conflict: unable to delete {_short(image)} (must be forced) - image is being"
                f" used by stopped container {one.id[:12]}"
            )


@route("POST", "/images/prune")
async def prune(x: Exchange) -> None:
    """Images without a name go; with ``dangling=false`` every unused one."""
    wanted = await filters.of_prune(x.sys, x.query.get("filters", ""), "dangling", "until")
    dangling = filters.boolean(wanted.given, "dangling", default=True)
    store = x.engine.images
    told: list[dict[str, str]] = []
    before = sum(layer.size for layer in store.layers.values())
    for image in [one for one in store.images.values() if store.shown(one)]:
        names = store.references(image)
        if dangling and any("@" not in name for name in names):
            continue
        made = times.parse(image.config.get("created") or "")
        if not wanted.takes(image.run_config.get("Labels"), made):
            continue
        for name in names or [image.id]:
            if image.id not in store.images:  # it went with a child, or with its last name
                break
            with contextlib.suppress(Conflict, NotFound):
                told += await remove_image(x, image, name, force=False, prune=True)
    space = before - sum(layer.size for layer in store.layers.values())
    await x.engine.events.emit(x.sys, "image", "prune", "", {"reclaimed": str(space)})
    await x.reply(200, {"ImagesDeleted": told or None, "SpaceReclaimed": space})


@route("POST", "/commit")
async def commit(x: Exchange) -> None:
    """201: an image of a container."""
    container = x.engine.find(x.query.get("container", ""))
    changes = await x.json(ContainerConfig, default=ContainerConfig())
    repository = x.query.get("repo", "")
    name = None
    if repository:
        mark = x.query.get("tag", "")
        name = reference.parse(f"{repository}:{mark}" if mark else repository)
    pause = x.flag("pause", default=True) and container.state.Running
    if pause and not container.state.Paused:
        await removing.pause(x.sys, x.engine, container)
        try:
            made = await moving.commit(x, container, changes, name)
        finally:
            await removing.unpause(x.sys, x.engine, container)
    else:
        made = await moving.commit(x, container, changes, name)
    await x.reply(201, {"Id": made.id})

"""A container made of another, as lxc-copy(1) and lxc-snapshot(1) both make it, and its end.

Source: lxc src/lxc/lxccontainer.c (do_lxcapi_clone(), copy_storage(), container_destroy(),
do_lxcapi_destroy()), storage/storage.c (storage_copy()).
"""

import msgspec

from simulator.isolation.control import files
from simulator.isolation.control.lxc import container, storage
from simulator.isolation.control.lxc.container import Container
from simulator.isolation.control.lxc.storage import Storage, Unfit
from simulator.machine.userland.process import Process

_CLONE = "lxccontainer.c: do_lxcapi_clone:"
_COPY = "storage/storage.c: storage_copy:"
_DESTROY = "lxccontainer.c: do_lxcapi_destroy:"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """How the copy is to be made: the flags LXC_CLONE_* and the backing store, "" for the usual.

    ``keep_store`` is KEEPBDEVTYPE with MAYBE_SNAPSHOT: of a directory it copies instead of sharing.
    """

    share: bool = False
    keep_store: bool = False
    keep_name: bool = False
    allow_running: bool = False
    store: str = ""
    ephemeral: bool = False


async def root_of(sys: Process, one: Container) -> Storage | None:
    """The root filesystem that its configuration names."""
    pairs = await container.keys(sys, await sys.text_or_empty(one.config))
    return storage.of(container.value_of(pairs, "lxc.rootfs.path"))


async def place_of_snapshots(sys: Process, one: Container) -> str:
    """get_snappath_dir(): inside its directory, unless the machine has the older place for all."""
    old = f"{one.path}snaps"
    return f"{old}/{one.name}" if await files.exists(sys, old) else f"{one.directory}/snaps"


async def has_snapshots(sys: Process, one: Container) -> bool:
    """Whether there is any."""
    place = await place_of_snapshots(sys, one)
    return await files.exists(sys, place) and bool(await sys.names(place))


async def has_clones(sys: Process, one: Container) -> bool:
    """Whether somebody's root filesystem needs its files."""
    return await files.exists(sys, f"{one.directory}/{storage.CLONES}")


async def clone(
    sys: Process, asked: str, one: Container, other: Container, wanted: Request
) -> bool:
    """Make ``other`` of ``one``; False after a complaint, which names the container ``asked``."""
    if not wanted.allow_running and await container.processes(sys, one):
        text = (
            f"error: Original container ({one.name}) is running. Use --allowrunning if you want"
            " to force a snapshot of the running container."
        )
        await container.said(sys, asked, f"{_CLONE} 3748", text)
        return False
    if await container.defined(sys, other):
        text = f"error: clone: {other.config} exists"
        await container.said(sys, asked, f"{_CLONE} 3766", text)
        return False
    known = await files.exists(sys, other.directory)
    await container.run(sys, "/bin/mkdir", "-p", other.directory)
    try:
        made = await _root(sys, asked, one, other, wanted)
    except Unfit as unfit:
        await container.said(sys, asked, unfit.place, str(unfit))
        text = "Error copying storage."
        await container.said(sys, asked, "lxccontainer.c: copy_storage: 3545", text)
        if not known:
            await files.remove(sys, other.directory)
        return False
    await _written(sys, one, other, made, wanted)
    on = one if made.upper and not _restores(one, other) else None
    await storage.depend(sys, other, on, bases=one if wanted.share else other)
    if not wanted.keep_name:
        await storage.rename_inside(sys, made, other.name)
    return True


async def _root(
    sys: Process, asked: str, one: Container, other: Container, wanted: Request
) -> Storage:
    """storage_copy(). Raises ``Unfit``."""
    had = await root_of(sys, one)
    if had is None:
        raise Unfit(f"{_COPY} 325", "No rootfs specified")
    if one.name not in had.value:
        text = f'Original rootfs path "{had.value}" does not include container name "{one.name}"'
        raise Unfit(f"{_COPY} 333", text)
    share, kind = wanted.share, wanted.store
    if wanted.keep_store and not kind and had.kind == "dir":
        share = False
    if not kind and not wanted.keep_store and share and had.kind == "dir":
        kind = "overlay"
    if not kind:
        kind = "dir" if not share and one.path != other.path else had.kind
    if kind not in storage.MODELLED:
        raise Unfit(f"{_COPY} 418", f"Failed to initialize {kind} storage driver")
    try:
        return await storage.copied(sys, had, other, kind, share=share)
    except Unfit as unfit:
        await container.said(sys, asked, unfit.place, str(unfit))
        text = f'Failed creating new paths for clone of "{had.value}"'
        raise Unfit(f"{_COPY} 429", text) from None


def _restores(one: Container, other: Container) -> bool:
    """ovl_clonepaths(): between an overlay and its own snapshots there is no dependency."""
    for inner, outer in ((one, other), (other, one)):
        if inner.path.endswith("/snaps"):
            return inner.path.startswith(f"{outer.path}/{outer.name}")
    return False


async def _written(
    sys: Process, one: Container, other: Container, made: Storage, wanted: Request
) -> None:
    """The new configuration, which is the old one's but for its names."""
    lines: list[str] = []
    for line in (await sys.text(one.config)).splitlines():
        key = line.partition("=")[0].strip()
        if key == "lxc.rootfs.path":
            line = f"{key} = {made.value}"
        elif key == "lxc.uts.name" and not wanted.keep_name:
            line = f"{key} = {other.name}"
        if key != "lxc.ephemeral":
            lines.append(line)
    if wanted.ephemeral:
        lines.append("lxc.ephemeral = 1")
    await files.write(sys, other.config, "".join(f"{line}\n" for line in lines), 0o640)


async def destroy(sys: Process, asked: str, one: Container) -> bool:
    """do_lxcapi_destroy(): a container that nobody depends on; False after a complaint."""
    if not await container.defined(sys, one):
        return False
    if await has_snapshots(sys, one):
        text = f"Container {one.name} has snapshots;  not removing"
        await container.said(sys, asked, f"{_DESTROY} 3062", text)
        return False
    if await has_clones(sys, one):
        text = f"container {one.name} has snapshots on its rootfs"
        await container.said(sys, asked, f"{_DESTROY} 3067", text)
        return False
    root = await root_of(sys, one)
    if root is not None:
        await container.run(sys, "/bin/rm", "-rf", root.upper or root.lower)
    await storage.release(sys, one)
    await container.run(sys, "/bin/rm", "-rf", one.directory)
    return True

"""Where a container's root filesystem is, how it is copied, and who depends on whose.

Source: lxc src/lxc/storage/storage.c (storage_copy()), overlay.c, dir.c, lxccontainer.c
(mod_rdep(), add_rdepends()). Of the backing stores, directories and overlays are modelled.
"""

import msgspec

from simulator.isolation.control import files
from simulator.isolation.control.lxc import container
from simulator.isolation.control.lxc.container import Container
from simulator.machine.abi.constants import (
    CLONE_NEWNS,
    MS_REC,
    MS_SLAVE,
    O_APPEND,
    O_CREAT,
    O_WRONLY,
)
from simulator.machine.userland.process import Process, SysError

MODELLED = ("dir", "overlay", "overlayfs")
CLONES = "lxc_snapshots"
"""In a container's directory: who needs its files, a path and a name each."""
_BASES = "lxc_rdepends"
"""In a clone's: whose files it needs."""
_OVERLAY = ("overlay:", "overlayfs:")
_OPAQUE = "trusted.overlay.opaque"


class Unfit(Exception):
    """There is no such copy: where LXC says so, and what it says."""

    def __init__(self, place: str, text: str) -> None:
        super().__init__(text)
        self.place = place


class Storage(msgspec.Struct, frozen=True):
    """``lxc.rootfs.path``; ``upper`` is the layer of an overlay that takes what is written."""

    lower: str
    upper: str = ""

    @property
    def kind(self) -> str:
        """The type as messages name it."""
        return "overlay" if self.upper else "dir"

    @property
    def base(self) -> str:
        """The directory in which an overlay's delta, work and merged are."""
        return self.upper.rpartition("/")[0]

    @property
    def value(self) -> str:
        """As a configuration says it."""
        return f"overlay:{self.lower}:{self.upper}" if self.upper else f"dir:{self.lower}"


def of(value: str) -> Storage | None:
    """What a configuration says; None: it has no root filesystem."""
    for prefix in _OVERLAY:
        if value.startswith(prefix):
            lower, _colon, upper = value.removeprefix(prefix).partition(":")
            return Storage(lower, upper)
    return Storage(value.removeprefix("dir:")) if value else None


async def layers(sys: Process, one: Container) -> None:
    """What an overlay of the container's own needs beside the layer below."""
    for path in ("overlay", "overlay/delta", "overlay/work", "overlay/merged"):
        await sys.succeeds("mkdir", f"{one.directory}/{path}", 0o755)


async def copied(
    sys: Process, had: Storage, other: Container, kind: str, *, share: bool
) -> Storage:
    """The root filesystem of ``other``, a ``kind`` made of ``had``. Raises ``Unfit``.

    ``share``: the layer below stays where it is. rsync(1) copies ``--delete``, so that nothing
    stays of what an overlay had before.
    """
    if kind == "dir":
        if share:
            text = "Invalid argument - Directories cannot be snapshotted"
            raise Unfit("storage/dir.c: dir_clonepaths: 33", text)
        made = Storage(f"{other.directory}/rootfs")
        if had.upper:
            await _in_overlay(sys, had, "/bin/cp", "-a", f"{had.base}/merged", made.lower)
        else:
            await container.run(sys, "/bin/cp", "-a", had.lower, made.lower)
        return made
    if not share:
        text = "The overlay storage driver can only be used for snapshots"
        raise Unfit("storage/overlay.c: ovl_clonepaths: 43", text)
    await layers(sys, other)
    made = Storage(had.lower, f"{other.directory}/overlay/delta")
    if had.upper:
        await files.remove(sys, made.upper)
        await container.run(sys, "/bin/cp", "-a", had.upper, made.upper)
        await _opaque(sys, had.upper, made.upper)
    return made


async def _opaque(sys: Process, source: str, target: str) -> None:
    """cp(1) takes no attributes along, and one of them says that a directory hides another."""
    for name in await sys.names(target):
        try:
            below = await sys.open_directory(f"{target}/{name}")
        except SysError:
            continue
        await sys.close(below)
        if await sys.succeeds("lgetxattr", f"{source}/{name}", _OPAQUE, 1):
            await sys.succeeds("lsetxattr", f"{target}/{name}", _OPAQUE, b"y", 1, 0)
        await _opaque(sys, f"{source}/{name}", f"{target}/{name}")


async def _in_overlay(sys: Process, one: Storage, *argv: str) -> None:
    """A program that finds the overlay put together at ``merged``; nobody else does."""

    async def body(child: Process) -> int:
        await child.call("unshare", CLONE_NEWNS)
        await child.succeeds("mount", "none", "/", "", MS_REC | MS_SLAVE, "")
        words = f"lowerdir={one.lower},upperdir={one.upper},workdir={one.base}/work"
        await child.call("mount", "overlay", f"{one.base}/merged", "overlay", 0, words)
        await child.execve(argv[0], argv, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        return 127

    await sys.call("waitpid", await sys.spawn(body), 0)


async def rename_inside(sys: Process, one: Storage, name: str) -> None:
    """clone_update_rootfs(): a host name that the filesystem has in a file is the new one's."""
    if one.upper:
        text = f"[ ! -f {one.base}/merged/etc/hostname ] ||"
        text += f" printf %s {name} > {one.base}/merged/etc/hostname"
        await _in_overlay(sys, one, "/bin/sh", "-c", text)
    elif await files.exists(sys, f"{one.lower}/etc/hostname"):
        await files.write(sys, f"{one.lower}/etc/hostname", name)


async def depend(sys: Process, one: Container, on: Container | None, *, bases: Container) -> None:
    """``one`` needs the files of those that ``bases`` needs, and of ``on``; all are told."""
    text = await sys.text_or_empty(f"{bases.directory}/{_BASES}")
    if on is not None:
        text += f"{on.path}\n{on.name}\n"
    if text:
        await files.write(sys, f"{one.directory}/{_BASES}", text)
    for base in await _bases(sys, one):
        try:
            path = f"{base.directory}/{CLONES}"
            fd = await sys.open(path, O_WRONLY | O_APPEND | O_CREAT, 0o644)
        except SysError:
            continue
        await sys.write(fd, f"{one.path}\n{one.name}\n".encode())
        await sys.close(fd)


async def release(sys: Process, one: Container) -> None:
    """``one`` needs nobody's files any more: those whose files it needed are told."""
    for base in await _bases(sys, one):
        path = f"{base.directory}/{CLONES}"
        text = (await sys.text_or_empty(path)).replace(f"{one.path}\n{one.name}\n", "")
        if text:
            await files.write(sys, path, text)
        else:
            await sys.succeeds("unlink", path)


async def _bases(sys: Process, one: Container) -> list[Container]:
    lines = (await sys.text_or_empty(f"{one.directory}/{_BASES}")).splitlines()
    return [Container(name, path) for path, name in zip(lines[::2], lines[1::2], strict=False)]

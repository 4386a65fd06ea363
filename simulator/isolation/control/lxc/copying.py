"""lxc-copy(1): copy, snapshot by an overlay, rename, or start a copy that is gone when it stops."""

from collections.abc import Sequence

from simulator.isolation.control import files
from simulator.isolation.control.lxc import container, making, starting, words
from simulator.isolation.control.lxc.container import Container
from simulator.isolation.technologies.base import SpecError
from simulator.machine.userland.process import Process
from simulator.machine.userland.registry import TOOLS, enter

_LONG = {
    "newname": "N",
    "newpath": "p",
    "rename": "R",
    "snapshot": "s",
    "ephemeral": "e",
    "backingstorage": "B",
    "daemon": "d",
    "foreground": "F",
    "keepdata": "D",
    "allowrunning": "a",
}


@enter("lxc-copy", collection=TOOLS)
async def lxc_copy(sys: Process, argv: Sequence[str]) -> int:
    """Exit status 1 when there is nothing to copy, or the new name is taken."""
    usage = "lxc-copy --name=NAME [-P lxcpath] -N newname [-p newpath] [-B backingstorage] [-s]"
    line = await words.read(sys, argv, "N:p:RseB:dFDa", _LONG, usage=usage)
    if isinstance(line, int):
        return line
    one, has = line.one, line.options.has
    name = line.options.value("N") or (f"{one.name}_0" if has("e") else "")
    if not name:
        text = "You must provide a NEWNAME for the clone"
        return await container.said(sys, one.name, "tools/lxc_copy.c: main: 167", text)
    if not await container.defined(sys, one):
        text = f"Container {one.name} is not defined"
        return await container.said(sys, one.name, "tools/lxc_copy.c: main: 209", text)
    other = Container(name, line.options.value("p", one.path))
    if await container.defined(sys, other):
        return await container.said(
            sys, one.name, "tools/lxc_copy.c: do_clone: 394", "Failed to clone"
        )
    if has("R"):
        return await _renamed(sys, one, other)
    if not (has("a") or has("e")) and await container.processes(sys, one):
        text = (
            f"error: Original container ({one.name}) is running. Use --allowrunning if you want"
            " to force a snapshot of the running container."
        )
        await container.said(sys, one.name, "lxccontainer.c: do_lxcapi_clone: 3747", text)
        return await container.said(
            sys, one.name, "tools/lxc_copy.c: do_clone: 394", "Failed to clone"
        )
    await sys.succeeds("mkdir", other.directory, 0o755)
    overlay = has("s") or has("e")
    await _written(sys, one, other, overlay=overlay, ephemeral=has("e") and not has("D"))
    if not has("e"):
        return 0
    await sys.out(f"Created {other.name} as clone of {one.name}\n")
    try:
        pairs = await container.keys(sys, await sys.text(other.config))
        built = container.built([pair for pair in pairs if pair[0] != "lxc.ephemeral"])
    except SpecError as error:
        return await container.said(sys, other.name, "confile.c: parse_line: 2925", str(error))
    return 0 if await starting.begin(sys, other, built) is not None else 1


async def _renamed(sys: Process, one: Container, other: Container) -> int:
    """Only while it is stopped."""
    if await container.processes(sys, one):
        text = f"Renaming container {one.name} to {other.name} failed"
        return await container.said(sys, one.name, "tools/lxc_copy.c: do_rename: 519", text)
    await sys.call("rename", one.directory, other.directory)
    text = await sys.text(other.config)
    await files.write(sys, other.config, text.replace(one.directory, other.directory), 0o640)
    return 0


async def _written(
    sys: Process, one: Container, other: Container, *, overlay: bool, ephemeral: bool
) -> None:
    """The new container's files and its configuration, which is the old one's but for the names."""
    lines: list[str] = []
    for line in (await sys.text(one.config)).splitlines():
        key, _equals, value = (part.strip() for part in line.partition("="))
        if key == "lxc.rootfs.path":
            line = f"{key} = {await _root(sys, value, other, overlay=overlay)}"
        elif key == "lxc.uts.name":
            line = f"{key} = {other.name}"
        lines.append(line)
    if ephemeral:
        lines.append("lxc.ephemeral = 1")
    await files.write(sys, other.config, "".join(f"{line}\n" for line in lines), 0o640)


async def _root(sys: Process, value: str, other: Container, *, overlay: bool) -> str:
    lower = value.removeprefix("overlay:").removeprefix("dir:").partition(":")[0]
    if overlay:
        await making.layers(sys, other)
        return f"overlay:{lower}:{other.directory}/overlay/delta"
    await container.run(sys, "/bin/cp", "-a", lower, f"{other.directory}/rootfs")
    return f"dir:{other.directory}/rootfs"

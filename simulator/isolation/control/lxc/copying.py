"""lxc-copy(1): copy, snapshot by an overlay, rename, or start a copy that is gone when it stops."""

from collections.abc import Sequence

from simulator.isolation.control.lxc import cloning, container, starting, words
from simulator.isolation.control.lxc.cloning import Request
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
    "keepname": "K",
    "allowrunning": "a",
}


@enter("lxc-copy", collection=TOOLS)
async def lxc_copy(sys: Process, argv: Sequence[str]) -> int:
    """Exit status 1 when there is nothing to copy, or the new name is taken."""
    usage = "lxc-copy --name=NAME [-P lxcpath] -N newname [-p newpath] [-B backingstorage] [-s]"
    line = await words.read(sys, argv, "N:p:RseB:dFDKa", _LONG, usage=usage)
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
    if has("R"):
        return await _renamed(sys, one, Container(name, one.path))
    other = Container(name, line.options.value("p", one.path))
    wanted = Request(
        share=has("s") or has("e"),
        keep_name=has("K"),
        allow_running=has("a") or has("e"),
        store=line.options.value("B"),
        ephemeral=has("e") and not has("D"),
    )
    if not await cloning.clone(sys, one.name, one, other, wanted):
        return await container.said(
            sys, one.name, "tools/lxc_copy.c: do_clone: 394", "Failed to clone"
        )
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
    """do_lxcapi_rename(): a clone on the same backing store, then the end of the old one.

    An overlay can only be cloned as a snapshot, so that it can't be renamed.
    """
    root = await cloning.root_of(sys, one)
    place = "lxccontainer.c: do_lxcapi_rename:"
    done = False
    if await cloning.has_clones(sys, one) or await cloning.has_snapshots(sys, one):
        text = "Renaming a container with snapshots is not supported"
        await container.said(sys, one.name, f"{place} 3955", text)
    elif root is None:
        text = "Failed to find original backing store type"
        await container.said(sys, one.name, f"{place} 3960", text)
    else:
        wanted = Request(store=root.kind)
        done = await cloning.clone(sys, one.name, one, other, wanted)
        done = done and await cloning.destroy(sys, one.name, one)
    if done:
        return 0
    text = f"Renaming container {one.name} to {other.name} failed"
    return await container.said(sys, one.name, "tools/lxc_copy.c: do_clone_rename: 519", text)

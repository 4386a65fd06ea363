"""lxc-snapshot(1): copies of a container below its own directory, and going back to one.

Source: lxc src/lxc/tools/lxc_snapshot.c, lxccontainer.c (do_lxcapi_snapshot() and below).
"""

from collections.abc import Sequence

from simulator.isolation.control import files
from simulator.isolation.control.lxc import cloning, container, storage, words
from simulator.isolation.control.lxc.cloning import Request
from simulator.isolation.control.lxc.container import Container
from simulator.machine.abi.constants import CLOCK_REALTIME
from simulator.machine.userland import calendar
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_LONG = {
    "list": "L",
    "restore": "r",
    "newname": "N",
    "destroy": "d",
    "comment": "c",
    "showcomments": "C",
}
_TOOL = "tools/lxc_snapshot.c:"
_LIBRARY = "lxccontainer.c:"
_COPIED = (
    "Snapshot of directory-backed container requested",
    "Making a copy-clone.  If you do want snapshots, then",
    "please create overlay clone first, snapshot that",
    "and keep the original container pristine",
)
"""Said, from line 4129 on, of a container that is no overlay."""


@enter("lxc-snapshot", collection=TOOLS)
async def lxc_snapshot(sys: Process, argv: Sequence[str]) -> int:
    """Exit status 1 for whatever can't be done."""
    usage = (
        "lxc-snapshot --name=NAME [-P lxcpath] [-L [-C]] [-c commentfile]"
        " [-r snapname [-N newname]]"
    )
    line = await words.read(sys, argv, "Lr:N:d:c:C", _LONG, usage=usage)
    if isinstance(line, int):
        return line
    one, options = line.one, line.options
    if await sys.value("geteuid") and not await sys.succeeds("access", one.path, 0):
        text = f"You lack access to {one.path}"
        return await container.said(sys, one.name, f"{_TOOL} lxc_snapshot_main: 91", text)
    if not await container.may_control(sys, one, f"{_TOOL} lxc_snapshot_main: 126"):
        return 1
    task = next((letter for letter in reversed(options.given) if letter in "Lrd"), "")
    if task == "L":
        return await _listed(sys, one, comments=options.has("C"))
    if task == "d":
        return await _destroyed(sys, one, options.value("d"))
    if task == "r":
        return await _restored(sys, line)
    return await _made(sys, one, options.value("c"))


async def _made(sys: Process, one: Container, comment: str) -> int:
    if await container.defined(sys, one) and await _snapshot(sys, one, comment):
        return 0
    text = "Error creating a snapshot"
    return await container.said(sys, one.name, f"{_TOOL} do_snapshot: 200", text)


async def _snapshot(sys: Process, one: Container, comment: str) -> bool:
    """do_lxcapi_snapshot(): a clone, when it was made, and what the operator says of it."""
    place = f"{_LIBRARY} do_lxcapi_snapshot:"
    root = await cloning.root_of(sys, one)
    if root is None:
        text = f"{one.name}'s backing store cannot be backed up"
        await container.said(sys, one.name, f"{place} 4103", text)
        text = "Your container must use another backing store type"
        await container.said(sys, one.name, f"{place} 4104", text)
        return False
    where = await cloning.place_of_snapshots(sys, one)
    number = 0
    while await files.exists(sys, f"{where}/snap{number}"):
        number += 1
    await container.run(sys, "/bin/mkdir", "-p", where)
    if not root.upper:
        for ordinal, text in enumerate(_COPIED):
            await container.said(sys, one.name, f"{place} {4129 + ordinal}", text)
    other = Container(f"snap{number}", where)
    wanted = Request(share=bool(root.upper), keep_store=True, keep_name=True)
    if not await cloning.clone(sys, one.name, one, other, wanted):
        text = f"Failed to clone of {one.path}:{one.name}"
        await container.said(sys, one.name, f"{place} 4138", text)
        return False
    seconds, _rest = await sys.data("clock_gettime", CLOCK_REALTIME)
    stamp = calendar.moment(seconds).iso().replace("-", ":")
    await files.write(sys, f"{other.directory}/ts", stamp)
    if not comment:
        return True
    try:
        await files.write(sys, f"{other.directory}/comment", await sys.slurp(comment))
    except SysError as error:
        text = f"{error.message} - Error opening original file {comment}"
        await container.said(sys, one.name, f"{_LIBRARY} copy_file: 3315", text)
        return False
    return True


async def _listed(sys: Process, one: Container, *, comments: bool) -> int:
    if not await container.defined(sys, one):
        text = "Error listing snapshots"
        return await container.said(sys, one.name, f"{_TOOL} do_snapshot_list: 231", text)
    where = await cloning.place_of_snapshots(sys, one)
    names = await sys.names(where) if await files.exists(sys, where) else []
    found = [Container(name, where) for name in names]
    found = [snap for snap in found if await container.defined(sys, snap)]
    if not found:
        await sys.out("No snapshots\n")
    for snap in found:
        stamp = await sys.text_or_empty(f"{snap.directory}/ts") or "(null)"
        await sys.out(f"{snap.name} ({where}) {stamp}\n")
        if comments:
            await sys.out(await sys.text_or_empty(f"{snap.directory}/comment"))
    return 0


async def _destroyed(sys: Process, one: Container, name: str) -> int:
    where = await cloning.place_of_snapshots(sys, one)
    every = "ALL".startswith(name)
    if await (_all_gone(sys, one, where) if every else gone(sys, one, Container(name, where))):
        return 0
    text = f"Error destroying snapshot {name}"
    return await container.said(sys, one.name, f"{_TOOL} do_snapshot_destroy: 217", text)


async def gone(sys: Process, one: Container, snap: Container) -> bool:
    """do_snapshot_destroy(): one snapshot is removed; False after a complaint."""
    if await cloning.destroy(sys, one.name, snap):
        return True
    place = f"{_LIBRARY} do_snapshot_destroy: 4421"
    await container.said(sys, one.name, place, f"Could not destroy snapshot {snap.name}")
    return False


async def all_gone(sys: Process, one: Container) -> bool:
    """remove_all_snapshots(): and the directory that they were in."""
    return await _all_gone(sys, one, await cloning.place_of_snapshots(sys, one))


async def _all_gone(sys: Process, one: Container, where: str) -> bool:
    place = f"{_LIBRARY} remove_all_snapshots:"
    try:
        names = await sys.names(where)
    except SysError as error:
        text = f"{error.message} - opendir on snapshot path {where}"
        await container.said(sys, one.name, f"{place} 4442", text)
        return False
    done = [await gone(sys, one, Container(name, where)) for name in names]
    try:
        await sys.call("rmdir", where)
    except SysError as error:
        text = f"{error.message} - Error removing directory {where}"
        await container.said(sys, one.name, f"{place} 4460", text)
    return all(done)


async def _restored(sys: Process, line: words.Line) -> int:
    one, name = line.one, line.options.value("r")
    place = f"{_TOOL} do_snapshot_restore:"
    new = line.options.value("N")
    if not new and len(line.rest) > 1:
        return await container.said(sys, one.name, f"{place} 265", "Too many arguments")
    new = new or (line.rest[0] if line.rest else one.name)
    if await _restore(sys, one, name, Container(new, one.path)):
        return 0
    text = f"Error restoring snapshot {name}"
    return await container.said(sys, one.name, f"{place} 274", text)


async def _restore(sys: Process, one: Container, name: str, other: Container) -> bool:
    """do_lxcapi_snapshot_restore(): of an overlay the layer below stays where it is."""
    place = f"{_LIBRARY} do_lxcapi_snapshot_restore:"
    root = await cloning.root_of(sys, one)
    snap = Container(name, await cloning.place_of_snapshots(sys, one))
    if await cloning.has_clones(sys, one):
        text = "container rootfs has dependent snapshots"
        await container.said(sys, one.name, f"{place} 4341", text)
        return False
    if root is None:
        text = "Failed to find original backing store type"
        await container.said(sys, one.name, f"{place} 4346", text)
        return False
    if not await container.defined(sys, snap):
        text = f"Could not open snapshot {name}"
        await container.said(sys, one.name, f"{place} 4370", text)
        return False
    if one.name == other.name and not await _cleared(sys, one, root):
        text = f"Could not destroy existing container {other.name}"
        await container.said(sys, one.name, f"{place} 4381", text)
        return False
    wanted = Request(share=bool(root.upper), store=root.kind, allow_running=True)
    return await cloning.clone(sys, one.name, snap, other, wanted)


async def _cleared(sys: Process, one: Container, root: storage.Storage) -> bool:
    """container_destroy(): what the snapshot takes the place of; the snapshots stay."""
    if await container.processes(sys, one):
        text = f"container {one.name} is not stopped"
        place = f"{_LIBRARY} container_destroy: 2928"
        await container.said(sys, one.name, place, text)
        return False
    await storage.release(sys, one)
    if root.upper:
        await sys.call("unlink", one.config)
        return True
    await container.run(sys, "/bin/rm", "-rf", root.lower)
    for name in await sys.names(one.directory):
        if name != "snaps":
            await files.remove(sys, f"{one.directory}/{name}")
    return True

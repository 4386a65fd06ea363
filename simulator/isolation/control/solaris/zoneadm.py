"""zoneadm(1M): list, verify, install, uninstall, ready, boot, halt, reboot, clone, move and so on.

What zoneadmd does on its behalf, a daemon for each zone, is done here by the tool itself.
Source: cmd/zoneadm/zoneadm.c and cmd/zoneadmd of illumos.
"""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from simulator.isolation.control import files
from simulator.isolation.control.getopt import misread
from simulator.isolation.control.launch import Refused, launch, prepare
from simulator.isolation.control.solaris import states, store, trees
from simulator.isolation.control.solaris.store import Entry
from simulator.isolation.control.solaris.usages import SHORT, USAGE
from simulator.isolation.mechanisms.base import Image, LaunchStep, Phase, PlanError
from simulator.isolation.mechanisms.zone import Zone
from simulator.isolation.mechanisms.zone_limitpriv import PrivilegeError
from simulator.isolation.technologies.base import Technology, change, plan, put
from simulator.isolation.technologies.options import zonecfg
from simulator.isolation.technologies.options.zonecfg import Config, ConfigError, Resource
from simulator.isolation.technologies.zone import TECHNOLOGY
from simulator.machine.abi.call import Call
from simulator.machine.userland.options import UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.programs.network import devices
from simulator.machine.userland.registry import TOOLS, enter

_UNMOUNT_FORCE = 0x400

_LIMITPRIV = {
    "unknown": 'unknown privilege "{}" specified in the zone\'s privilege set\n',
    "prohibited": 'privilege "{}" is not permitted within the zone\'s privilege set\n',
    "required": 'required privilege "{}" is missing from the zone\'s privilege set\n',
}
"""verify_limitpriv()."""

Command = Callable[[Process, "Zoneadm", list[str]], Awaitable[int]]


class Zoneadm(msgspec.Struct):
    """The zone that a subcommand is about: its entry and, where it has one, its configuration."""

    entry: Entry
    config: Config | None

    @property
    def root(self) -> str:
        """zonepath/root."""
        return f"{self.entry.path}/root"


@enter("zoneadm", collection=TOOLS)
async def zoneadm(sys: Process, argv: Sequence[str]) -> int:
    """Exit status 0 for success, 1 for an error, 2 for wrong usage."""
    try:
        options = parse(argv, "z:u:R:", stop_early=True)
    except UsageError as error:
        return await misread(sys, error, USAGE, 2)
    words, name = options.rest, options.value("z")
    if not words or words[0] == "help":
        await (sys.out if words else sys.err)(USAGE)
        return 0 if words else 2
    if words[0] == "list":
        return await _list(sys, words, name)
    command = COMMANDS.get(words[0])
    if command is None:
        await sys.err(USAGE)
        return 2
    refused = await states.check_caller(sys, name, words[0])
    if refused:
        return refused
    known = {one.name: one for one in await store.zones(sys)}
    if name not in known:
        return await sys.complain(f"{name}: No such zone configured")
    try:
        target = Zoneadm(known[name], await store.load(sys, name))
        return await command(sys, target, words[1:])
    except (ConfigError, PlanError) as error:
        return await states.say(sys, name, str(error))
    except SysError as error:
        return await states.say(sys, name, f"{error.call}: {error.message}")


async def _list(sys: Process, words: list[str], name: str) -> int:
    try:
        options = parse(words, "cipv")
    except UsageError as error:
        return await misread(sys, error, USAGE, 2)
    rows = await store.zones(sys)
    least = {"configured", "incomplete", "installed"} if options.has("c") else set[str]()
    if options.has("i"):
        least |= {"installed"}
    shown = [one for one in rows if one.number >= 0 or one.state in least]
    if name:
        shown = [one for one in rows if one.name == name]
        if not shown:
            return await sys.complain(f"{name}: No such zone configured")
    if options.has("v"):
        await sys.out(_row("ID", "NAME", "STATUS", "PATH", "BRAND", "IP"))
    for one in shown:
        number = str(one.number) if one.number >= 0 else "-"
        ip_type = "excl" if one.exclusive else "shared"
        if options.has("v"):
            await sys.out(_row(number, one.name, one.state, one.path, one.brand, ip_type))
        elif options.has("p"):
            line = f"{number}:{one.name}:{one.state}:{one.path}::{one.brand}:{ip_type}\n"
            await sys.out(line)
        else:
            await sys.out(f"{one.name}\n")
    return 0


def _row(number: str, name: str, state: str, path: str, brand: str, ip_type: str) -> str:
    """zone_print()."""
    return f"{number:>4} {name:<16} {state:<10} {path:<30} {brand:<8} {ip_type:<6}\n"


async def _verify(sys: Process, target: Zoneadm, _words: list[str]) -> int:
    if target.config is None:
        return await sys.complain(f"{target.entry.name}: No such zone configured")
    refused = await states.check(sys, target.entry, "verify")
    return refused or await _verified(sys, target)


async def _verified(sys: Process, target: Zoneadm) -> int:
    """verify_details(): 1, after what is wrong; a card that is not there only earns a warning.

    What it was for is left out of ``target.config``, as zoneadmd does without it.
    """
    assert target.config is not None
    cards = {one.name for one in await devices(sys)}
    kept: list[Resource] = []
    for one in target.config.resources:
        card = one.properties.get("physical", "") if one.type == "net" else ""
        shared = target.config.properties.get("ip-type", "shared") == "shared"
        if card and shared and card not in cards:
            await sys.err(
                f"WARNING: skipping network interface '{card}' which may not be"
                " present/plumbed in the global zone.\n"
            )
            continue
        kept.append(one)
    target.config = msgspec.structs.replace(target.config, resources=tuple(kept))
    try:
        _technology(target)
    except (ConfigError, PlanError) as error:
        privilege = isinstance(error, PrivilegeError)
        await sys.err(_LIMITPRIV[error.wrong].format(error.name) if privilege else f"{error}\n")
        return await sys.complain(f"zone {target.entry.name} failed to verify")
    return 0


def _technology(target: Zoneadm) -> Technology:
    """The zone's configuration as mechanisms, with its own zonepath."""
    assert target.config is not None
    base = put(change(TECHNOLOGY, image=Image(root=target.root)), Zone())
    return zonecfg.technology_of(base, target.config)


async def _install(sys: Process, target: Zoneadm, _words: list[str]) -> int:
    name = target.entry.name
    refused = await states.check(sys, target.entry, "install")
    refused = refused or await _verified(sys, target)
    if refused:
        return refused
    assert target.config is not None
    shared = tuple(one.properties["dir"] for one in target.config.of("inherit-pkg-dir"))
    await sys.out(f"Preparing to install zone <{name}>.\n")
    await sys.out("Creating list of files to copy from the global zone.\n")
    await store.set_state(sys, name, "incomplete", target.entry.path)
    await _zonepath(sys, target)
    count = await trees.install(sys, target.root, shared)
    await sys.out(f"Copying <{count}> files to the zone.\nInitializing zone product registry.\n")
    await sys.out(f"Zone <{name}> is initialized.\n")
    await store.set_state(sys, name, "installed", target.entry.path)
    return 0


async def _zonepath(sys: Process, target: Zoneadm) -> None:
    """The zonepath is for the global zone's root alone: mode 0700."""
    path = ""
    for name in filter(None, target.entry.path.split("/")):
        path += f"/{name}"
        await sys.succeeds("mkdir", path, 0o755)
    await sys.call("chmod", target.entry.path, 0o700)
    await sys.succeeds("mkdir", target.root, 0o755)


async def _uninstall(sys: Process, target: Zoneadm, words: list[str]) -> int:
    refused = await states.check(sys, target.entry, "uninstall")
    if refused:
        return refused
    if "-F" not in words:
        return await states.say(sys, target.entry.name, "use -F to uninstall without being asked.")
    await files.remove(sys, target.root)
    await store.set_state(sys, target.entry.name, "configured", target.entry.path)
    return 0


async def _ready(sys: Process, target: Zoneadm, _words: list[str]) -> int:
    """The zone as the kernel has it before any process: made, furnished, with its addresses."""
    refused = await states.check(sys, target.entry, "ready") or await _verified(sys, target)
    if refused:
        return refused
    if target.entry.state == "ready":
        await states.say(sys, target.entry.name, "zone is already ready")
        return 0
    await _clear(sys, target)
    before, _behind = _steps(target)
    try:
        await prepare(sys, before)
    except Refused as error:
        return await _failed(sys, target, error)
    return 0


def _steps(target: Zoneadm) -> tuple[tuple[LaunchStep, ...], tuple[LaunchStep, ...]]:
    """What makes the zone ready, and what boots it then, up to its first program."""
    steps = [one for one in plan(_technology(target), target.entry.name) if one.phase < Phase.EXEC]
    at = next(at for at, one in enumerate(steps) if one.name == "zone_boot")
    return tuple(steps[:at]), tuple(steps[at:])


async def _boot(sys: Process, target: Zoneadm, _words: list[str]) -> int:
    name = target.entry.name
    refused = await states.check(sys, target.entry, "boot") or await _verified(sys, target)
    if refused:
        return refused
    if target.entry.state in ("running", "shutting_down", "down"):
        # Two may want it at once; the second finds it as wished, which is no failure.
        await states.say(sys, name, "zone is already booted")
        return 0
    before, behind = _steps(target)
    try:
        known = {"zid": target.entry.number}
        if target.entry.state != "ready":
            known = await prepare(sys, before)
        started = await launch(sys, name, behind, known)
    except Refused as error:
        return await _failed(sys, target, error)
    await sys.drive(started.pid, Call("exit", (0,)), name, "zone")
    await sys.call("waitpid", started.number, 0)
    return 0


async def _failed(sys: Process, target: Zoneadm, error: Refused) -> int:
    await _clear(sys, target)
    await states.say(sys, target.entry.name, str(error))
    return await states.say(sys, target.entry.name, "call to zoneadmd failed")


async def _halt(sys: Process, target: Zoneadm, _words: list[str]) -> int:
    entry = target.entry
    if entry.state == "installed":
        await states.say(sys, entry.name, "zone is already halted")
        return 0
    if entry.number < 0:
        await states.say(
            sys, entry.name, f"halt operation is invalid for zones in state '{entry.state}'"
        )
        return await states.say(sys, entry.name, "call to zoneadmd failed")
    await _clear(sys, target)
    return 0


async def _move(sys: Process, target: Zoneadm, words: list[str]) -> int:
    """The zone's tree to another zonepath, in its configuration too."""
    refused = await states.check(sys, target.entry, "move")
    if refused:
        return refused
    if len(words) != 1:
        await sys.err(f"usage:\t{SHORT['move']}\n")
        return 2
    new, old = words[0].rstrip("/"), target.entry.path
    if not new.startswith("/"):
        await sys.err(f"{new} is not an absolute path.\n")
        return 1
    if await sys.succeeds("stat", new):
        return await states.say(sys, target.entry.name, f"{new} already exists.")
    assert target.config is not None
    above = ""
    for name in new.split("/")[1:-1]:
        above += f"/{name}"
        await sys.succeeds("mkdir", above, 0o755)
    await sys.call("rename", old, new)
    properties = {**target.config.properties, "zonepath": new}
    moved = msgspec.structs.replace(target.config, properties=properties)
    await store.save(sys, target.entry.name, moved)
    return 0


async def _mark(sys: Process, target: Zoneadm, words: list[str]) -> int:
    """incomplete is the only state that one may say."""
    if words != ["incomplete"]:
        await sys.err(f"usage:\t{SHORT['mark']}\n")
        return 2
    refused = await states.check(sys, target.entry, "mark")
    if not refused:
        await store.set_state(sys, target.entry.name, "incomplete", target.entry.path)
    return refused


async def _clear(sys: Process, target: Zoneadm) -> None:
    """zone_shutdown(), the mounts below its root, zone_destroy()."""
    try:
        number = await sys.value("zone_lookup", target.entry.name)
    except SysError:
        return
    await sys.call("zone_shutdown", number)
    root = target.root if target.config is not None else target.entry.path
    lines = (await sys.text_or_empty("/etc/mnttab")).splitlines()
    for place in reversed([line.split("\t")[1] for line in lines]):
        if place.startswith(f"{root}/"):
            await sys.succeeds("umount2", place, _UNMOUNT_FORCE)
    await sys.call("zone_destroy", number)


async def _reboot(sys: Process, target: Zoneadm, words: list[str]) -> int:
    refused = await states.check(sys, target.entry, "reboot") or await _verified(sys, target)
    if refused:
        return refused
    await _clear(sys, target)
    stopped = msgspec.structs.replace(target.entry, number=-1, state="installed")
    return await _boot(sys, Zoneadm(stopped, target.config), words)


async def _clone(sys: Process, target: Zoneadm, words: list[str]) -> int:
    refused = await states.check(sys, target.entry, "clone")
    if refused:
        return refused
    if not words:
        await sys.err(f"usage:\t{SHORT['clone']}\n")
        return 2
    source = words[-1]
    known = {one.name: one for one in await store.zones(sys)}
    if source not in known:
        return await sys.complain(f"{source}: could not get state: No such zone configured")
    if known[source].number >= 0:
        return await states.say(sys, target.entry.name, f"source zone {source} must be halted")
    if known[source].state != "installed":
        return await states.say(sys, target.entry.name, f"source zone {source} must be installed")
    await sys.out(f"Copying {known[source].path}...\n")
    await _zonepath(sys, target)
    await trees.copy(sys, f"{known[source].path}/root", target.root, {})
    await store.set_state(sys, target.entry.name, "installed", target.entry.path)
    return 0


async def _detach(sys: Process, target: Zoneadm, words: list[str]) -> int:
    refused = await states.check(sys, target.entry, "detach")
    if refused:
        return refused
    assert target.config is not None
    text = store.zone_xml.text(target.config)
    if "-n" in words:
        await sys.out(text)
        return 0
    await files.write(sys, f"{target.entry.path}/SUNWdetached.xml", text)
    await store.set_state(sys, target.entry.name, "configured", target.entry.path)
    return 0


async def _attach(sys: Process, target: Zoneadm, words: list[str]) -> int:
    refused = await states.check(sys, target.entry, "attach")
    if refused:
        return refused
    manifest = f"{target.entry.path}/SUNWdetached.xml"
    if "-F" not in words and not await sys.succeeds("stat", manifest):
        return await states.say(sys, target.entry.name, "not a detached zone.")
    await sys.succeeds("unlink", manifest)
    await store.set_state(sys, target.entry.name, "installed", target.entry.path)
    return 0


COMMANDS: dict[str, Command] = {
    "attach": _attach,
    "boot": _boot,
    "clone": _clone,
    "detach": _detach,
    "halt": _halt,
    "install": _install,
    "mark": _mark,
    "move": _move,
    "ready": _ready,
    "reboot": _reboot,
    "uninstall": _uninstall,
    "verify": _verify,
}

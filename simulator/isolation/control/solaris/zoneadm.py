"""zoneadm(1M): list, verify, install, uninstall, boot, halt, reboot, clone, detach, attach.

What zoneadmd does on its behalf, a daemon for each zone, is done here by the tool itself.
"""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from simulator.isolation.control import files
from simulator.isolation.control.getopt import misread
from simulator.isolation.control.launch import Refused, launch
from simulator.isolation.control.solaris import store, trees
from simulator.isolation.control.solaris.store import Entry
from simulator.isolation.mechanisms.base import Image, Phase, PlanError
from simulator.isolation.mechanisms.zone import Zone
from simulator.isolation.technologies.base import Technology, change, plan, put
from simulator.isolation.technologies.options import zonecfg
from simulator.isolation.technologies.options.zonecfg import Config, ConfigError
from simulator.isolation.technologies.zone import TECHNOLOGY
from simulator.machine.abi.call import Call
from simulator.machine.userland.options import UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

USAGE = """usage:\tzoneadm help
\tzoneadm [-z <zone>] list
\tzoneadm -z <zone> <subcommand>

Subcommands:

attach [-F] [-n <path>] [brand-specific options]
boot [-- boot_arguments]
clone [-m method] [-s <ZFS snapshot>] [brand-specific options] zonename
detach [-n] [brand-specific options]
halt
install [-x nodataset] [brand-specific options]
list [-cipv]
reboot [-- boot_arguments]
uninstall [-F] [brand-specific options]
verify

"""
_UNMOUNT_FORCE = 0x400

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
    if command is None or not name:
        await sys.err(USAGE)
        return 2
    if not await store.is_global(sys):
        return await sys.complain(f"must be in the global zone to {words[0]} a zone.")
    if name == "global":
        return await sys.complain(f"{words[0]} operation is invalid for the global zone.")
    known = {one.name: one for one in await store.zones(sys)}
    if name not in known:
        return await sys.complain(f"{name}: No such zone configured")
    try:
        target = Zoneadm(known[name], await store.load(sys, name))
        return await command(sys, target, words[1:])
    except (ConfigError, PlanError) as error:
        return await _say(sys, name, str(error))
    except SysError as error:
        return await _say(sys, name, f"{error.call}: {error.message}")


async def _say(sys: Process, name: str, text: str) -> int:
    """zerror(): ``zoneadm: zone 'web': text``."""
    return await sys.complain(f"zone '{name}': {text}")


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
    _technology(target)
    return 0


def _technology(target: Zoneadm) -> Technology:
    """The zone's configuration as mechanisms, with its own zonepath."""
    assert target.config is not None
    base = put(change(TECHNOLOGY, image=Image(root=target.root)), Zone())
    return zonecfg.technology_of(base, target.config)


async def _install(sys: Process, target: Zoneadm, _words: list[str]) -> int:
    name = target.entry.name
    refused = await _need_state(sys, target, "install", "configured")
    if refused:
        return refused
    assert target.config is not None
    _technology(target)
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
    refused = await _need_state(sys, target, "uninstall", "installed", "incomplete")
    if refused:
        return refused
    if "-F" not in words:
        return await _say(sys, target.entry.name, "use -F to uninstall without being asked.")
    await files.remove(sys, target.root)
    await store.set_state(sys, target.entry.name, "configured", target.entry.path)
    return 0


async def _boot(sys: Process, target: Zoneadm, _words: list[str]) -> int:
    name = target.entry.name
    refused = await _need_state(sys, target, "boot", "installed")
    if refused:
        return refused
    steps = tuple(step for step in plan(_technology(target), name) if step.phase < Phase.EXEC)
    try:
        started = await launch(sys, name, steps)
    except Refused as error:
        await _clear(sys, target)
        return await _say(sys, name, f"call to zoneadmd failed: {error}")
    await sys.drive(started.pid, Call("exit", (0,)), name, "zone")
    await sys.call("waitpid", started.number, 0)
    return 0


async def _halt(sys: Process, target: Zoneadm, _words: list[str]) -> int:
    if target.entry.number < 0:
        return await _say(sys, target.entry.name, "is already halted.")
    await _clear(sys, target)
    return 0


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
    if target.entry.number < 0:
        return await _say(sys, target.entry.name, "must be running before reboot.")
    await _clear(sys, target)
    stopped = msgspec.structs.replace(target.entry, number=-1, state="installed")
    return await _boot(sys, Zoneadm(stopped, target.config), words)


async def _clone(sys: Process, target: Zoneadm, words: list[str]) -> int:
    refused = await _need_state(sys, target, "clone", "configured")
    if refused:
        return refused
    if not words:
        await sys.err(
            "usage:\tclone [-m method] [-s <ZFS snapshot>] [brand-specific options] zonename\n"
        )
        return 2
    source = words[-1]
    known = {one.name: one for one in await store.zones(sys)}
    if source not in known:
        return await sys.complain(f"{source}: could not get state: No such zone configured")
    if known[source].number >= 0:
        return await _say(sys, target.entry.name, f"source zone {source} must be halted")
    if known[source].state != "installed":
        return await _say(sys, target.entry.name, f"source zone {source} must be installed")
    await sys.out(f"Copying {known[source].path}...\n")
    await _zonepath(sys, target)
    await trees.copy(sys, f"{known[source].path}/root", target.root, {})
    await store.set_state(sys, target.entry.name, "installed", target.entry.path)
    return 0


async def _detach(sys: Process, target: Zoneadm, words: list[str]) -> int:
    refused = await _need_state(sys, target, "detach", "installed")
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
    refused = await _need_state(sys, target, "attach", "configured")
    if refused:
        return refused
    manifest = f"{target.entry.path}/SUNWdetached.xml"
    if "-F" not in words and not await sys.succeeds("stat", manifest):
        return await _say(sys, target.entry.name, "not a detached zone.")
    await sys.succeeds("unlink", manifest)
    await store.set_state(sys, target.entry.name, "installed", target.entry.path)
    return 0


async def _need_state(sys: Process, target: Zoneadm, command: str, *states: str) -> int:
    """sanity_check(): 1, with a message, unless the zone is in one of ``states``."""
    entry = target.entry
    if entry.number >= 0:
        if command == "boot":
            return await _say(sys, entry.name, f"zone is already {entry.state}")
        return await _say(sys, entry.name, f"{command} operation is invalid for running zones.")
    if entry.state in states:
        return 0
    if entry.state == "installed":
        return await _say(sys, entry.name, f"zone is already {entry.state}.")
    return await _say(sys, entry.name, f"must be {states[0]} before {command}.")


COMMANDS: dict[str, Command] = {
    "attach": _attach,
    "boot": _boot,
    "clone": _clone,
    "detach": _detach,
    "halt": _halt,
    "install": _install,
    "reboot": _reboot,
    "uninstall": _uninstall,
    "verify": _verify,
}

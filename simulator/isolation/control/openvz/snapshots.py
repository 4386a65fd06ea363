"""vzctl snapshot, snapshot-switch, -delete, -list, -mount and -umount, convert and compact.

All of them are for containers in a ploop image. The model's containers are directories (simfs),
and its kernel has no ploop: what vzctl says then is all that is said here. Source: vzctl
src/snapshot.c, src/snapshot-list.c, src/vzctl-actions.c, src/lib/util.c.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from simulator.isolation.control import files
from simulator.isolation.control.openvz import status
from simulator.isolation.control.openvz.config import Container
from simulator.isolation.control.openvz.state import NO_PLOOP, say
from simulator.machine.userland.options import UsageError, parse

if TYPE_CHECKING:
    from simulator.machine.userland.process import Process


class Command(NamedTuple):
    """A command: its options as getopt(3) letters, what it can't do without, and its status."""

    letters: str
    status: int
    id_needed: bool = True
    target_needed: bool = False


_LONG = {
    "id": "u",
    "uuid": "u",
    "name": "n",
    "description": "d",
    "skip-suspend": "s",
    "skip-config": "c",
    "skip_arpdetect": "a",
    "skip-resume": "r",
    "must-resume": "m",
    "target": "t",
}
COMMANDS: Mapping[str, Command] = {
    "snapshot": Command("u:n:d:sc", status.CREATE_SNAPSHOT, id_needed=False),
    "snapshot-switch": Command("u:acrm", status.SWITCH_SNAPSHOT),
    "snapshot-delete": Command("u:", status.DELETE_SNAPSHOT),
    "snapshot-mount": Command("u:t:", status.MOUNT_SNAPSHOT, target_needed=True),
    "snapshot-umount": Command("u:", status.UMOUNT_SNAPSHOT),
}
_LAYOUTS = ("layout", "ve_layout", "velayout")
_UUID = re.compile(r"\{?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?")
_FIELDS = (
    ("uuid", "UUID"),
    ("id", "UUID"),
    ("parent_uuid", "PARENT_UUID"),
    ("parent_id", "PARENT_UUID"),
    ("current", "C"),
    ("date", "DATE"),
    ("name", "NAME"),
    ("desc", "DESC"),
    ("device", "DEVICE"),
    ("target", "TARGET"),
)
_ORDER = "parent_uuid,current,uuid,date,name"
_LIST_USAGE = (
    "vzctl snapshot-list <ctid|name> [-H] [-o field[,field...]] [--id <uuid>]\n"
    "vzctl snapshot-list <ctid|name> -L | --list\n"
)


async def run(sys: "Process", name: str, container: Container, words: list[str]) -> int:
    """One of ``COMMANDS``."""
    command = COMMANDS[name]
    known = {word: letter for word, letter in _LONG.items() if letter in command.letters}
    try:
        options = parse(["vzctl", *words], command.letters, known)
    except UsageError as error:
        return await say(sys, f"vzctl: {error}", status.INVALID_PARAMETER_VALUE)
    option = next((word.partition("=")[0] for word in words if word[:4] in ("--id", "--uu")), "")
    given = options.value("u")
    if options.has("u") and _UUID.fullmatch(given) is None:
        text = f"Bad parameter for {option}: {given}"
        return await say(sys, text, status.INVALID_PARAMETER_VALUE)
    missing = None
    if options.rest:
        missing = f"Invalid extra arguments: {' '.join(options.rest)} "
    elif command.id_needed and not options.has("u"):
        missing = "Invalid syntax: snapshot id is missing"
    elif command.target_needed and not options.has("t"):
        missing = "Invalid syntax: mount target is missing"
    elif options.has("r") and options.has("m"):
        missing = "Invalid syntax: --skip-resume and --must-resume can not be used together"
    if missing is not None:
        return await say(sys, missing, status.INVALID_PARAMETER_SYNTAX)
    return await _unsupported(sys, container, command.status)


async def listed(sys: "Process", container: Container, words: list[str]) -> int:
    """vzctl snapshot-list."""
    long = {"no-header": "H", "output": "o", "help": "h", "uuid": "u", "id": "u", "list": "L"}
    try:
        options = parse(["vzctl", *words], "HhLo:u:", long)
    except UsageError as error:
        await sys.err(f"vzctl: {error}\n{_LIST_USAGE}")
        return status.INVALID_PARAMETER_SYNTAX
    if options.has("u") and _UUID.fullmatch(options.value("u")) is None:
        text = f"Invalid guid is specified: {options.value('u')}"
        return await say(sys, text, status.INVALID_PARAMETER_VALUE)
    if options.has("h"):
        await sys.out(_LIST_USAGE)
        return 0
    if options.has("L"):
        await sys.out("".join(f"{name:<15} {head:<15}\n" for name, head in _FIELDS))
        return 0
    if options.rest:
        text = f"non-option ARGV-elements: {' '.join(options.rest)} "
        return await say(sys, text, status.INVALID_PARAMETER_SYNTAX)
    names = [name for name, _head in _FIELDS]
    for field in options.value("o", _ORDER).split(","):
        if field.lower() not in names:
            text = f"Unknown field: {field}"
            return await say(sys, text, status.INVALID_PARAMETER_VALUE)
    return await _unsupported(sys, container, status.LIST_SNAPSHOT)


async def convert(sys: "Process", container: Container, words: list[str]) -> int:
    """vzctl convert: to ploop, and to nothing else."""
    try:
        options = parse(["vzctl", *words], "l:", dict.fromkeys(_LAYOUTS, "l"))
    except UsageError as error:
        return await say(sys, f"vzctl: {error}", status.INVALID_PARAMETER_VALUE)
    layout = options.value("l")
    if layout and not layout.startswith("ploop"):
        text = "Only conversion to ploop is supported"
        return await say(sys, text, status.INVALID_PARAMETER_VALUE)
    if await _is_ploop(sys, container):
        return await say(sys, "CT is already on ploop")
    await sys.err(NO_PLOOP)
    return status.PLOOP_UNSUP


async def compact(sys: "Process", container: Container, words: list[str]) -> int:
    """vzctl compact."""
    if words:
        text = f"Invalid options: {' '.join(words)} "
        return await say(sys, text, status.INVALID_PARAMETER_SYNTAX)
    if not await files.exists(sys, container.private):
        text = f"Container private area {container.private} does not exist"
        return await say(sys, text, status.FS_NOPRVT)
    if not await _is_ploop(sys, container):
        return await say(sys, "Compact only makes sense for ploop containers")
    await sys.err(NO_PLOOP)
    return status.PLOOP_UNSUP


async def _unsupported(sys: "Process", container: Container, code: int) -> int:
    """is_snapshot_supported()."""
    if not await _is_ploop(sys, container):
        return await say(sys, "Snapshot feature is only available for ploop-based CTs", code)
    await sys.err(NO_PLOOP)
    return code


async def _is_ploop(sys: "Process", container: Container) -> bool:
    """ve_private_is_ploop(): what the file says, or what lies in the private area."""
    layout = container.own.get("VE_LAYOUT", "")
    if layout:
        return layout.startswith("ploop")
    return await files.exists(sys, f"{container.private}/root.hdd/DiskDescriptor.xml")

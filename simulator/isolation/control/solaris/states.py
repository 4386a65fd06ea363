"""Who may do what to a zone in which state: sanity_check() of zoneadm(1M), and its complaints."""

from simulator.isolation.control.solaris import store
from simulator.isolation.control.solaris.store import Entry
from simulator.machine.userland.process import Process

_BY_ITSELF = ("halt", "reboot")
"""What a zone's own root does by a command of the same name."""
_IDLE = frozenset(("install", "uninstall", "clone", "move", "detach", "attach", "mark"))
"""Invalid while the zone is ready or running."""
_FRESH = ("install", "clone", "attach")
_BUILT = ("boot", "ready", "move", "detach")


async def say(sys: Process, name: str, text: str) -> int:
    """zerror(): ``zoneadm: zone 'web': text``."""
    return await sys.complain(f"zone '{name}': {text}" if name else text)


async def check_caller(sys: Process, name: str, command: str) -> int:
    """1, with a message, unless root of the global zone asks about a zone other than that."""
    if not await store.is_global(sys):
        if command in _BY_ITSELF:
            return await say(sys, name, f"use {command}(1M) to {command} this zone.")
        return await say(sys, name, f"must be in the global zone to {command} a zone.")
    if await sys.value("geteuid"):
        return await say(sys, name, f"only a privileged user may {command} a zone.")
    if not name:
        return await say(sys, "", "no zone specified")
    if name == "global":
        return await say(sys, name, f"{command} operation is invalid for the global zone.")
    return 0


async def check(sys: Process, entry: Entry, command: str) -> int:
    """1, with a message, when the zone's state forbids ``command``."""
    text = _wrong(entry, command)
    return await say(sys, entry.name, text) if text else 0


def _wrong(entry: Entry, command: str) -> str:
    if command == "reboot":
        return "" if entry.number >= 0 else "not running"
    if entry.number >= 0:
        return f"{command} operation is invalid for {entry.state} zones." * (command in _IDLE)
    match entry.state:
        case "configured" if command == "uninstall":
            return "is already in state 'configured'."
        case "installed" if command in _FRESH:
            return "is already installed."
        case "incomplete" if command in (*_FRESH, "verify"):
            return "zone is incomplete; uninstall required."
        case "configured" | "incomplete" if command in _BUILT:
            return f"must be installed before {command}."
        case _:
            return ""

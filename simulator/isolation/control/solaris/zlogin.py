"""zlogin(1): a program in a zone, from the global zone: zone_enter(2), then execve(2)."""

from collections.abc import Sequence

from simulator.isolation.control.getopt import misread
from simulator.isolation.control.solaris import store
from simulator.machine.userland.options import UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.programs.basic import become
from simulator.machine.userland.registry import TOOLS, enter

USAGE = "usage: zlogin [ -QCES ] [ -e cmdchar ] [-l user] zonename [command [args ...] ]\n"
_STATUS_BITS = 8


@enter("zlogin", collection=TOOLS)
async def zlogin(sys: Process, argv: Sequence[str]) -> int:
    """The status is the command's; 1 when the zone can't be entered, 2 for wrong usage."""
    try:
        options = parse(argv, "QCESe:l:", stop_early=True)
    except UsageError as error:
        return await misread(sys, error, USAGE, 2)
    if not options.rest:
        await sys.err(USAGE)
        return 2
    name, command = options.rest[0], options.rest[1:]
    if not await store.is_global(sys):
        return await sys.complain("can only be run from the global zone")
    known = {one.name: one for one in await store.zones(sys)}
    if name == "global" or name not in known:
        return await sys.complain(f"zone '{name}' unknown")
    if known[name].state != "running":
        return await sys.complain(
            f"login allowed only to running zones ({name} is '{known[name].state}')."
        )
    if await sys.value("geteuid"):
        text = "You lack sufficient privilege to run this command (all privs required)"
        return await sys.complain(text)
    user = options.value("l")
    number = known[name].number
    if not command and not options.has("S"):
        await sys.out(f"[Connected to zone '{name}' pts/2]\n")
    pid = await sys.spawn(lambda child: _inside(child, number, name, user, command))
    status = (await sys.data("waitpid", pid, 0)) or 0
    if not command and not options.has("S"):
        await sys.out(f"\n[Connection to zone '{name}' pts/2 closed]\n")
    return int(status) >> _STATUS_BITS & 0xFF


async def _inside(sys: Process, number: int, name: str, user: str, command: list[str]) -> int:
    try:
        await sys.call("zone_enter", number)
    except SysError as error:
        return await sys.complain(f"could not enter zone {name}: {error.message}")
    await sys.call("@domain", await sys.value("getpid"), name)
    if user and user != "root":
        command = ["su", user, *(["-c", " ".join(command)] if command else [])]
    elif command:
        command = ["/bin/sh", "-c", " ".join(command)]
    return await become(sys, command or ["/bin/sh"])

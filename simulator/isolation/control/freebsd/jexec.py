"""jexec(8): a command inside a jail that runs. Source: usr.sbin/jexec/jexec.c"""

from collections.abc import Sequence
from typing import cast

from simulator.isolation.control.freebsd.entering import Surroundings, enter_prison, surroundings
from simulator.isolation.control.getopt import misread
from simulator.machine.abi.call import Value
from simulator.machine.userland.options import Options, UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_USAGE = """usage: jexec [-l] [-d working-directory] [-u username] jail [command ...]
       jexec [-l] [-d working-directory] [-U username] jail [command ...]
"""


@enter("jexec", collection=TOOLS)
async def jexec(sys: Process, argv: Sequence[str]) -> int:
    """The command's exit status; without one, a shell."""
    try:
        given = parse(argv, "d:lu:U:", stop_early=True)
    except UsageError as error:
        return await misread(sys, error, _USAGE, 1)
    if not given.rest or (given.has("u") and given.has("U")):
        await sys.err(_USAGE)
        return 1
    name, *command = given.rest
    mine = given.has("u") or (given.has("l") and not given.has("U"))
    around = await _around(sys, given, "") if mine else None
    if mine and around is None:
        return await _nobody(sys, given)
    asked: dict[str, Value] = {"jid": int(name)} if name.isdigit() else {"name": name}
    try:
        reply = await sys.call("jail_get", asked, 0)
    except SysError:
        # jail_getid() takes a number as it is, and jail_attach(2) then says EINVAL.
        if name.isdigit():
            return await sys.complain(f"jail_attach({name}): Invalid argument")
        return await sys.complain(f'jail "{name}" not found')
    jailed = cast("dict[str, str]", reply.data)
    if not mine:
        around = await _around(sys, given, jailed["path"].rstrip("/"))
    if around is None:
        return await _nobody(sys, given)
    shell = (sys.env if around.env is None else around.env).get("SHELL", "/bin/sh")
    try:
        number = await enter_prison(
            sys, reply.value, jailed["name"], command or [shell], around=around
        )
    except SysError as error:
        return await sys.complain(f"jail_attach({reply.value}): {error.message}")
    word = int(await sys.data("wait4", number, 0) or 0)
    return 128 + (word & 0x7F) if word & 0x7F else word >> 8 & 0xFF


async def _around(sys: Process, given: Options, root: str) -> Surroundings | None:
    """-u: a user of the host's; -U: of the jail's own; -l: a clean environment; -d: where."""
    name = given.value("u") or given.value("U")
    return await surroundings(sys, name, root, clean=given.has("l"), place=given.value("d"))


async def _nobody(sys: Process, given: Options) -> int:
    """get_user_info(): the user that was named is not there, or nobody has the caller's uid."""
    name = given.value("u") or given.value("U")
    if not name:
        return await sys.complain(f"unknown uid {await sys.value('getuid')}")
    return await sys.complain(f"{name}: no such user")

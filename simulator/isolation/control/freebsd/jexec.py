"""jexec(8): a command inside a jail that runs. Source: usr.sbin/jexec/jexec.c"""

from collections.abc import Sequence
from typing import cast

from simulator.isolation.control.freebsd.entering import enter_prison
from simulator.isolation.control.getopt import misread
from simulator.machine.abi.call import Value
from simulator.machine.userland.accounts import find_user
from simulator.machine.userland.options import UsageError, parse
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
    if given.has("u") and await find_user(sys, given.value("u")) is None:
        return await sys.complain(f"{given.value('u')}: no such user")
    asked: dict[str, Value] = {"jid": int(name)} if name.isdigit() else {"name": name}
    try:
        reply = await sys.call("jail_get", asked, 0)
    except SysError:
        # jail_getid() takes a number as it is, and jail_attach(2) then says EINVAL.
        if name.isdigit():
            return await sys.complain(f"jail_attach({name}): Invalid argument")
        return await sys.complain(f'jail "{name}" not found')
    jailed = cast("dict[str, str]", reply.data)["name"]
    command = command or ["/bin/sh"]
    if given.has("u") or given.has("U"):
        user = given.value("u") or given.value("U")
        command = ["/bin/su", user, "-c", " ".join(command)]
    try:
        number = await enter_prison(sys, reply.value, jailed, command)
    except SysError as error:
        return await sys.complain(f"jail_attach({reply.value}): {error.message}")
    word = int(await sys.data("wait4", number, 0) or 0)
    return 128 + (word & 0x7F) if word & 0x7F else word >> 8 & 0xFF

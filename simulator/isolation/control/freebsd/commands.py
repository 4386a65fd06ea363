"""The commands of a jail's life: exec.start and its like. Source: usr.sbin/jail/command.c"""

from typing import NamedTuple

from simulator.isolation.control.freebsd.entering import (
    Surroundings,
    enter_prison,
    surroundings,
)
from simulator.isolation.control.freebsd.params import JailError, Params, is_true
from simulator.machine.abi.constants import O_APPEND, O_CLOEXEC, O_CREAT, O_WRONLY
from simulator.machine.userland.process import Process, SysError


async def console_of(sys: Process, params: Params) -> int:
    """exec.consolelog: where commands inside print to, close-on-exec; -1: where jail(8) does."""
    path = params.get("exec.consolelog", [""])[-1]
    if not path:
        return -1
    try:
        return await sys.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC)
    except SysError as error:
        raise JailError(f"open {path}: {error.message}") from None


class Inside(NamedTuple):
    """Where the commands of one jail run, and as whom."""

    jid: int
    name: str
    console: int
    around: Surroundings

    async def start(self, sys: Process, command: list[str]) -> int:
        """A command in the jail; its pid."""
        name = self.name or str(self.jid)
        return await enter_prison(sys, self.jid, name, command, self.console, self.around)

    async def run(self, sys: Process, line: str) -> int:
        """A shell line in the jail, to its end; the exit status."""
        number = await self.start(sys, ["/bin/sh", "-c", line])
        word = int(await sys.data("wait4", number, 0) or 0)
        return word >> 8 & 0xFF


async def around_of(sys: Process, params: Params) -> Surroundings:
    """exec.clean and exec.jail_user, the latter by the host's users or by the jail's."""
    name = params.get("exec.jail_user", [""])[-1]
    root = "" if is_true(params, "exec.system_jail_user") else params.get("path", ["/"])[-1]
    clean = is_true(params, "exec.clean")
    found = await surroundings(sys, name, root.rstrip("/"), clean=clean)
    if found is None:
        uid = await sys.value("getuid")
        raise JailError(f"{name}: no such user" if name else f"unknown uid {uid}")
    return found


async def host_command(sys: Process, line: str) -> None:
    """exec.prestart and the like: a shell line outside, to its end."""

    async def body(own: Process) -> int:
        await own.execve("/bin/sh", ["/bin/sh", "-c", line], own.env)
        return 127

    child = await sys.spawn(body)
    await sys.call("wait4", child, 0)

"""One jail: made with its commands, changed, removed.

Source: usr.sbin/jail/jail.c, command.c; jail(8).
"""

from collections.abc import Awaitable
from typing import NamedTuple

import msgspec

from simulator.isolation.control.freebsd.commands import Commands
from simulator.isolation.control.freebsd.params import (
    JailError,
    Params,
    check,
    is_true,
    kernel_words,
)
from simulator.isolation.mechanisms.base import Phase
from simulator.isolation.mechanisms.devfs_rules import DevfsRules
from simulator.isolation.mechanisms.prison import Prison
from simulator.isolation.mechanisms.steps import filled
from simulator.isolation.technologies.base import SpecError, Technology, change, plan, put
from simulator.isolation.technologies.jail import TECHNOLOGY
from simulator.isolation.technologies.options import jail as options
from simulator.machine.abi.call import Failed, Returned, Value
from simulator.machine.abi.constants import (
    JAIL_UPDATE,
    S_IFDIR,
    S_IFMT,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.userland.options import Options
from simulator.machine.userland.process import Process, SysError


class Job(NamedTuple):
    """What is asked for, and the jail's name where it comes from a file: messages bear it."""

    given: Options
    doing: list[str]
    name: str = ""

    @property
    def says(self) -> bool:
        """Whether what is done is told: jails of a file are, others with -v."""
        quiet = self.given.has("q") or self.given.has("i")
        return not quiet and (bool(self.name) or self.given.has("v"))

    @property
    def label(self) -> str:
        """What stands before a message about the jail."""
        return f"{self.name}: " if self.name else ""


async def one(sys: Process, job: Job, params: Params) -> int:
    """-c, -m or both: create what isn't there, change what is."""
    check(params)
    name = params.get("name", params.get("jid", [""]))[0]
    jid = await running(sys, name) if name else None
    if jid is not None and "m" not in job.doing:
        return await sys.complain(f'"{name}" already exists')
    if jid is None and "c" not in job.doing:
        return await sys.complain(f'"{name}" not found' if name else "no jail specified")
    if jid is not None:
        await _change(sys, jid, params)
        if job.says:
            await sys.out(f"{job.label}updated\n")
        return 0
    return await create(sys, job, name, params)


async def running(sys: Process, name: str) -> int | None:
    """The jid of a jail by name or number."""
    asked: dict[str, Value] = {"jid": int(name)} if name.isdigit() else {"name": name}
    try:
        return await sys.value("jail_get", asked, 0)
    except SysError:
        return None


async def remove(sys: Process, jid: int, name: str, params: Params, *, told: bool) -> int:
    """One jail, with its commands for the end; one that fails before the end keeps the jail."""
    commands = Commands(sys, name, f"{name}: ", params)
    for line in commands.lines("exec.prestop"):
        await commands.outside(line)
    for line in commands.lines("exec.stop"):
        await commands.inside(jid, line)
    await commands.terminate(jid)
    try:
        await sys.call("jail_remove", jid)
    except SysError as error:
        return await sys.complain(f"{name}: jail_remove: {error.message}")
    if told:
        await sys.out(f"{name}: removed\n")
    status = 0
    for line in commands.lines("exec.poststop"):
        status |= await _tried(sys, name, commands.outside(line))
    status |= await _tried(sys, name, commands.unmount())
    if is_true(params, "mount.devfs"):
        place = f"{params.get('path', ['/'])[-1].rstrip('/')}/dev"
        await sys.succeeds("unmount", place, 0)
    for line in commands.lines("exec.release"):
        status |= await _tried(sys, name, commands.outside(line))
    return status


async def _tried(sys: Process, name: str, command: Awaitable[None]) -> int:
    """A command that others come behind, even if it fails."""
    try:
        await command
    except JailError as error:
        return await sys.complain(f"{name}: {error}")
    return 0


def _technology(params: Params) -> Technology:
    base = change(TECHNOLOGY, image=msgspec.structs.replace(TECHNOLOGY.image, root="/"))
    unnamed = Prison() if params.get("name") else Prison((("name", ""),))
    base = put(put(base, unnamed), DevfsRules(mounted=False))
    base = change(base, guest=msgspec.structs.replace(base.guest, hostname=""))
    try:
        return options.read(base, kernel_words(params))
    except SpecError:
        raise JailError("jail_set: Invalid argument") from None


async def create(sys: Process, job: Job, name: str, params: Params) -> int:
    """Everything that makes a jail, and what is in it; undone when something fails."""
    held = Commands(sys, name, job.label, params)
    jid = 0
    try:
        params = await _need_path(sys, job, params)
        held.params = params
        for line in held.lines("exec.prepare"):
            await held.outside(line)
        await held.mount()
        for line in held.lines("exec.prestart"):
            await held.outside(line)
        jid = await _jail_set(sys, job, name, params)
        await _within(held, jid)
    except JailError as error:
        await sys.complain(f"{job.label}{error}")
        if jid and await sys.succeeds("jail_remove", jid) and job.says:
            await sys.out(f"{job.label}removed\n")
        if held.mounted:
            await _tried(sys, name, held.unmount())
        return 1
    if not is_true(params, "persist"):
        await sys.succeeds("jail_set", {"jid": jid, "persist": 0}, JAIL_UPDATE)
    return 0


async def _jail_set(sys: Process, job: Job, name: str, params: Params) -> int:
    """create_jail(): the jid; persistent for the time being."""
    works = any(params.get(one) for one in ("command", "exec.start", "exec.poststart"))
    if not (is_true(params, "persist") or works):
        raise JailError("new jail must persist or attach")
    if name.isdigit() and params.get("jid", [""])[0] != name:
        raise JailError("name cannot be numeric (unless it is the jid)")
    jid = await _make(sys, _technology({**params, "persist": []}), name)
    if job.given.has("i"):
        await sys.out(f"{jid}\n")
    if job.says:
        await sys.out(f"{job.label}created\n")
    if job.given.has("J"):
        await _note(sys, job.given.value("J"), jid, name)
    return jid


async def _within(held: Commands, jid: int) -> None:
    """The commands behind jail_set(2)."""
    for line in held.lines("exec.created"):
        await held.outside(line)
    for line in held.lines("exec.start"):
        await held.inside(jid, line)
    command = held.params.get("command", [])
    if command:
        await held.inside(jid, " ".join(command), command)
    for line in held.lines("exec.poststart"):
        await held.outside(line)


async def _need_path(sys: Process, job: Job, params: Params) -> Params:
    """create_jail(): a better message about the path than jail_set(2) has.

    On the command line it may be relative.
    """
    path = params.get("path", [""])[-1]
    if not path:
        return params
    if not path.startswith("/"):
        if job.name:
            raise JailError(f"path {path}: not an absolute pathname")
        path = f"{str(await sys.data('getcwd', 1024)).rstrip('/')}/{path}"
    try:
        status = await sys.stat(path)
    except SysError as error:
        raise JailError(f"path {path}: {error.message}") from None
    if status["mode"] & S_IFMT != S_IFDIR:
        raise JailError(f"path {path}: {Errno.ENOTDIR.message}")
    return {**params, "path": [path]}


async def _make(sys: Process, technology: Technology, name: str) -> int:
    """The steps of the launch that come before there is anybody inside."""
    bound: dict[str, int] = {}
    steps = plan(technology, name or "jail", 9)
    for step in (one for one in steps if one.phase is Phase.PREPARE):
        result = await sys.drive(sys.pid, filled(step.name, step.args, bound), "", step.mechanism)
        if isinstance(result, Failed) and result.errno not in step.tolerates:
            raise JailError(f"{step.name}: {result.errno.message}")
        if step.binds and isinstance(result, Returned):
            bound[step.binds] = result.value
    return bound["jid"]


async def _note(sys: Process, path: str, jid: int, name: str) -> None:
    fd = await sys.open(path, 0x601, 0o644)
    await sys.write(fd, f"jid={jid} name={name}\n".encode())
    await sys.close(fd)


async def _change(sys: Process, jid: int, params: Params) -> None:
    """-m: jail_set(2) with JAIL_UPDATE."""
    technology = _technology({k: v for k, v in params.items() if k not in ("name", "jid")})
    held = technology.get("prison")
    assert isinstance(held, Prison)
    asked: dict[str, Value] = dict(held.params)
    if technology.guest.hostname:
        asked["host.hostname"] = technology.guest.hostname
    asked["jid"] = jid
    try:
        await sys.call("jail_set", asked, JAIL_UPDATE)
    except SysError as error:
        raise JailError(f"jail_set: {error.message}") from None

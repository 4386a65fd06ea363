"""One jail: made with its commands, changed, removed.

Source: usr.sbin/jail/jail.c, command.c; jail(8).
"""

from typing import NamedTuple

import msgspec

from simulator.isolation.control.freebsd.commands import (
    Inside,
    around_of,
    console_of,
    host_command,
)
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
    """One jail, with its commands for the end."""
    for line in params.get("exec.prestop", []):
        await host_command(sys, line)
    if "exec.stop" in params:
        inside = Inside(jid, name, await console_of(sys, params), await around_of(sys, params))
        for line in params["exec.stop"]:
            await inside.run(sys, line)
    path = str((await sys.data("jail_get", {"jid": jid}, 0))["path"])
    try:
        await sys.call("jail_remove", jid)
    except SysError as error:
        return await sys.complain(f"{name}: jail_remove: {error.message}")
    if told:
        await sys.out(f"{name}: removed\n")
    if path != "/":
        await sys.succeeds("unmount", f"{path}/dev", 0)
    for line in params.get("exec.poststop", []):
        await host_command(sys, line)
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
    """jail_set(2) and what goes before it, then the commands inside."""
    command = params.get("command", [])
    starts = params.get("exec.start", [])
    params = await _need_path(sys, job, params)
    persists = is_true(params, "persist")
    if not (persists or command or starts):
        raise JailError("new jail must persist or attach")
    if name.isdigit() and params.get("jid", [""])[0] != name:
        raise JailError("name cannot be numeric (unless it is the jid)")
    for line in params.get("exec.prestart", []):
        await host_command(sys, line)
    console = await console_of(sys, params)
    jid = await _make(sys, _technology({**params, "persist": []}), name)
    if job.given.has("i"):
        await sys.out(f"{jid}\n")
    if job.says:
        await sys.out(f"{job.label}created\n")
    for line in params.get("exec.created", []):
        await host_command(sys, line)
    if job.given.has("J"):
        await _note(sys, job.given.value("J"), jid, name)
    inside = Inside(jid, name, console, await around_of(sys, params))
    for line in starts:
        status = await inside.run(sys, line)
        if status:
            return await _failed(sys, job, jid, line)
    for line in params.get("exec.poststart", []):
        await host_command(sys, line)
    number = await inside.start(sys, command) if command else 0
    if not persists:
        await sys.succeeds("jail_set", {"jid": jid, "persist": 0}, JAIL_UPDATE)
    if not command:
        return 0
    status = int(await sys.data("wait4", number, 0) or 0)
    if status:
        return await _failed(sys, job, jid, " ".join(command), status & 0x7F)
    return 0


async def _failed(sys: Process, job: Job, jid: int, line: str, signo: int = 0) -> int:
    """A command inside has failed, so the jail is taken away again."""
    how = f"exited on signal {signo}" if signo else "failed"
    await sys.complain(f"{job.label}{line}: {how}")
    if await sys.succeeds("jail_remove", jid) and job.says:
        await sys.out(f"{job.label}removed\n")
    return 1


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

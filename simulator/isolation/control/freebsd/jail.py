"""jail(8): make, change and remove prisons, from the command line or from /etc/jail.conf.

Source: usr.sbin/jail/jail.c, command.c; jail(8).
"""

import fnmatch
import posixpath
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from simulator.isolation.control.freebsd import conf
from simulator.isolation.control.freebsd.commands import (
    Inside,
    around_of,
    console_of,
    host_command,
)
from simulator.isolation.control.freebsd.conf import ConfError
from simulator.isolation.control.freebsd.params import (
    JailError,
    Params,
    check,
    is_true,
    kernel_words,
    switches,
)
from simulator.isolation.control.freebsd.running import prisons
from simulator.isolation.control.getopt import misread
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
from simulator.machine.userland.options import Options, UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

CONF = "/etc/jail.conf"
_DEEPEST = 32
"""Files that include each other (usr.sbin/jail/config.c MAX_INCLUDE_DEPTH)."""
_USAGE = """usage: jail [-dhilqv] [-J jid_file] [-u username] [-U username]
            -[cmr] param=value ... [command=command ...]
       jail [-dqv] [-f file] -[cmr] [jail]
       jail [-qv] [-f file] -[rR] ['*' | jail ...]
       jail [-dhilqv] [-J jid_file] [-u username] [-U username]
            [-n jailname] [-s securelevel]
            path hostname [ip[,...]] command ...
"""


@enter("jail", collection=TOOLS)
async def jail(sys: Process, argv: Sequence[str]) -> int:
    """-c, -m and -r, of one jail or of every one in the file; and the old form without them."""
    try:
        given = parse(argv, "cde:f:hiJ:lmn:p:qrRs:u:U:v", stop_early=True)
    except UsageError as error:
        return await misread(sys, error, _USAGE, 1)
    doing = [letter for letter in "cmrR" if given.has(letter)]
    try:
        if not doing:
            return await _old_form(sys, given)
        if doing == ["r"] or "R" in doing:
            return await _remove_all(sys, given)
        if given.rest and (len(given.rest) > 1 or "=" in given.rest[0]):
            params = {**switches(given), **_typed(given.rest)}
            return await _one(sys, Job(given, doing), params)
        return await _of_file(sys, given, doing)
    except (JailError, ConfError) as error:
        return await sys.complain(str(error))


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


async def _of_file(sys: Process, given: Options, doing: list[str]) -> int:
    """Jails of the file, what they depend on first; a failure of one does not keep others."""
    blocks = await _blocks(sys, given)
    known = conf.names(blocks)
    status = 0
    for name in given.rest:
        if name not in known:
            return await sys.complain(f'"{name}" not found')
    if doing == ["c", "r"]:
        # -rc: removed first, then made anew; what does not run can't be removed.
        status = await _remove_all(sys, given)
        if status:
            return status
    done: set[str] = set()
    for name in given.rest or known:
        for one in _in_order(blocks, name, done):
            job = Job(given, doing, one)
            try:
                params = conf.settings(blocks, one)
                missing = next((n for n in params.get("depend", []) if n not in known), None)
                if missing is not None:
                    raise JailError(f'depends on undefined jail "{missing}"')
                if one in given.rest or await _running(sys, one) is None:
                    status |= await _one(sys, job, params)
            except (JailError, ConfError) as error:
                status |= await sys.complain(f"{job.label}{error}")
    return status


def _in_order(blocks: list[conf.Block], name: str, done: set[str]) -> list[str]:
    """The jail, behind those that it depends on and that were not dealt with."""
    if name in done or name not in conf.names(blocks):
        return []
    done.add(name)
    needed = [
        value
        for block in blocks
        if block.pattern == name
        for one in block.settings
        if one.name == "depend"
        for value, _replaced in one.values
    ]
    return [*(found for one in needed for found in _in_order(blocks, one, done)), name]


async def _usage(sys: Process) -> int:
    await sys.err(_USAGE)
    return 1


def _typed(words: list[str]) -> Params:
    """``name=value`` words; ``command=`` takes all that follows."""
    found: Params = {}
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == "command":
            found["command"] = [value, *words[at + 1 :]]
            break
        found[name] = [value] if equals else []
    return found


async def _blocks(sys: Process, given: Options) -> list[conf.Block]:
    return await _read(sys, given.value("f", CONF))


async def _read(sys: Process, path: str, depth: int = 0) -> list[conf.Block]:
    """A file's blocks, with those of the files that it includes where it does."""
    if depth > _DEEPEST:
        raise JailError(f"maximum include depth exceeded in {path}")
    try:
        blocks = conf.parse(await sys.text(path), path)
    except SysError as error:
        raise JailError(f"{path}: {error.message}") from None
    found: list[conf.Block] = []
    for block in blocks:
        if not block.include:
            found.append(block)
            continue
        for name in await _matching(sys, posixpath.join(posixpath.dirname(path), block.include)):
            found += await _read(sys, name, depth + 1)
    return found


async def _matching(sys: Process, pattern: str) -> list[str]:
    """glob(3), the last component only; what is no pattern is a name."""
    above, _slash, last = pattern.rpartition("/")
    if not set(last) & set("*?["):
        return [pattern]
    names = sorted(await sys.names(above or "/")) if await sys.succeeds("stat", above) else []
    return [f"{above}/{name}" for name in names if fnmatch.fnmatchcase(name, last)]


async def _one(sys: Process, job: Job, params: Params) -> int:
    """-c, -m or both: create what isn't there, change what is."""
    check(params)
    name = params.get("name", params.get("jid", [""]))[0]
    running = await _running(sys, name) if name else None
    if running is not None and "m" not in job.doing:
        return await sys.complain(f'"{name}" already exists')
    if running is None and "c" not in job.doing:
        return await sys.complain(f'"{name}" not found' if name else "no jail specified")
    if running is not None:
        await _change(sys, running, params)
        if job.says:
            await sys.out(f"{job.label}updated\n")
        return 0
    return await _create(sys, job, name, params)


async def _running(sys: Process, name: str) -> int | None:
    """The jid of a jail by name or number."""
    asked: dict[str, Value] = {"jid": int(name)} if name.isdigit() else {"name": name}
    try:
        return await sys.value("jail_get", asked, 0)
    except SysError:
        return None


def _technology(params: Params) -> Technology:
    base = change(TECHNOLOGY, image=msgspec.structs.replace(TECHNOLOGY.image, root="/"))
    unnamed = Prison() if params.get("name") else Prison((("name", ""),))
    base = put(put(base, unnamed), DevfsRules(mounted=False))
    base = change(base, guest=msgspec.structs.replace(base.guest, hostname=""))
    try:
        return options.read(base, kernel_words(params))
    except SpecError:
        raise JailError("jail_set: Invalid argument") from None


async def _create(sys: Process, job: Job, name: str, params: Params) -> int:
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


async def _remove_all(sys: Process, given: Options) -> int:
    """-r: exec.stop inside, then jail_remove(2); -R leaves the commands out."""
    if not given.rest or any("=" in word for word in given.rest):
        return await _usage(sys)
    names = given.rest
    blocks: list[conf.Block] = []
    path = given.value("f", CONF)
    if not given.has("R") and await sys.succeeds("stat", path):
        blocks = await _blocks(sys, given)
    says = (bool(blocks) or len(names) > 1 or "*" in names) and not given.has("q")
    if names == ["*"]:
        names = [str(one["name"]) async for one in prisons(sys)]
    status = 0
    for name in names:
        jid = await _running(sys, name)
        if jid is None:
            if not given.has("q"):
                await sys.complain(f'"{name}" not found')
            status = 1
            continue
        known = name in conf.names(blocks)
        params = conf.settings(blocks, name) if known else {}
        status |= await _remove(sys, jid, name if known else "", params)
        if says and await _running(sys, name) is None:
            await sys.out(f"{name}: removed\n")
    return status


async def _remove(sys: Process, jid: int, name: str, params: Params) -> int:
    """One jail; ``name`` where it comes from a file."""
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
        label = f"{name}: " if name else ""
        return await sys.complain(f"{label}jail_remove: {error.message}")
    if path != "/":
        await sys.succeeds("unmount", f"{path}/dev", 0)
    for line in params.get("exec.poststop", []):
        await host_command(sys, line)
    return 0


async def _old_form(sys: Process, given: Options) -> int:
    """``jail path hostname [ip] command``: the command line of FreeBSD 4."""
    if len(given.rest) < 4 or not given.rest[0].startswith("/"):
        return await _usage(sys)
    path, hostname, address, *command = given.rest
    params = {**switches(given), "path": [path], "host.hostname": [hostname], "command": command}
    if address:
        params["ip4.addr"] = address.split(",")
    check(params)
    return await _create(sys, Job(given, ["c"]), given.value("n"), params)

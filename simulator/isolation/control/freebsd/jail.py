"""jail(8): make, change and remove prisons, from the command line or from /etc/jail.conf.

Source: usr.sbin/jail/jail.c, command.c; jail(8).
"""

from collections.abc import Sequence

import msgspec

from simulator.isolation.control.freebsd import conf
from simulator.isolation.control.freebsd.conf import ConfError
from simulator.isolation.control.freebsd.entering import enter_prison
from simulator.isolation.control.freebsd.running import prisons
from simulator.isolation.mechanisms.base import Phase
from simulator.isolation.mechanisms.devfs_rules import DevfsRules
from simulator.isolation.mechanisms.prison import Prison
from simulator.isolation.mechanisms.steps import filled
from simulator.isolation.technologies.base import SpecError, Technology, change, plan, put
from simulator.isolation.technologies.jail import TECHNOLOGY
from simulator.isolation.technologies.options import jail as options
from simulator.machine.abi.call import Failed, Returned, Value
from simulator.machine.abi.constants import JAIL_UPDATE
from simulator.machine.userland.options import Options, UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

CONF = "/etc/jail.conf"
_USAGE = """usage: jail [-dhilqv] [-J jid_file] [-u username] [-U username]
            -[cmr] param=value ... [command=command ...]
       jail [-dqv] [-f file] -[cmr] [jail]
       jail [-qv] [-f file] -[rR] ['*' | jail ...]
       jail [-dhilqv] [-J jid_file] [-u username] [-U username]
            [-n jailname] [-s securelevel]
            path hostname [ip[,...]] command ...
"""
_OWN = frozenset(
    (
        "command", "exec.start", "exec.stop", "exec.prestart", "exec.poststart", "exec.prestop",
        "exec.poststop", "exec.clean", "exec.timeout", "exec.consolelog", "stop.timeout", "name",
        "interface", "depend", "exec.jail_user", "exec.system_user",
    )
)  # fmt: skip
"""Parameters that jail(8) keeps to itself; the others are the kernel's."""

Params = dict[str, list[str]]


class JailError(Exception):
    """What jail(8) prints after its own name."""


@enter("jail", collection=TOOLS)
async def jail(sys: Process, argv: Sequence[str]) -> int:
    """-c, -m and -r, of one jail or of every one in the file; and the old form without them."""
    try:
        given = parse(argv, "cdf:hiJ:lmn:pqrRs:u:U:v", stop_early=True)
    except UsageError:
        return await _usage(sys)
    doing = [letter for letter in "cmrR" if given.has(letter)]
    try:
        if not doing:
            return await _old_form(sys, given)
        if doing[0] in ("r", "R"):
            return await _remove_all(sys, given)
        if given.rest and "=" in given.rest[0]:
            return await _one(sys, given, doing, await _typed(given.rest))
        status = 0
        for name in given.rest or await _every(sys, given):
            params = await _from_file(sys, given, name)
            status = await _one(sys, given, doing, params) or status
        return status
    except (JailError, ConfError, SpecError) as error:
        return await sys.complain(str(error))


async def _usage(sys: Process) -> int:
    await sys.err(_USAGE)
    return 1


async def _typed(words: list[str]) -> Params:
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
    path = given.value("f", CONF)
    try:
        return conf.parse(await sys.text(path), path)
    except SysError as error:
        raise JailError(f"{path}: {error.message}") from None


async def _every(sys: Process, given: Options) -> list[str]:
    return conf.names(await _blocks(sys, given))


async def _from_file(sys: Process, given: Options, name: str) -> Params:
    blocks = await _blocks(sys, given)
    if name not in conf.names(blocks):
        raise JailError(f'"{name}" not found')
    return conf.settings(blocks, name)


async def _one(sys: Process, given: Options, doing: list[str], params: Params) -> int:
    """-c, -m or both: create what isn't there, change what is."""
    name = params.get("name", [""])[0]
    running = await _running(sys, name) if name else None
    if running is not None and "m" not in doing:
        raise JailError(f'jail "{name}" already exists')
    if running is None and "c" not in doing:
        raise JailError(f'jail "{name}" not found')
    if running is not None:
        await _change(sys, running, params)
        return 0
    return await _create(sys, given, name, params)


async def _running(sys: Process, name: str) -> int | None:
    """The jid of a jail by name or number."""
    asked: dict[str, Value] = {"jid": int(name)} if name.isdigit() else {"name": name}
    try:
        return await sys.value("jail_get", asked, 0)
    except SysError:
        return None


def _words(params: Params) -> list[str]:
    """The kernel's parameters, as one would type them."""
    words: list[str] = []
    for name, values in params.items():
        if name not in _OWN:
            words.append(f"{name}={','.join(values)}" if values else name)
    return words


def _technology(params: Params) -> Technology:
    base = change(TECHNOLOGY, image=msgspec.structs.replace(TECHNOLOGY.image, root="/"))
    unnamed = Prison() if params.get("name") else Prison((("name", ""),))
    base = put(put(base, unnamed), DevfsRules(mounted=False))
    base = change(base, guest=msgspec.structs.replace(base.guest, hostname=""))
    try:
        return options.read(base, _words(params))
    except SpecError as error:
        for name in params:
            if name not in _OWN and name not in options.TABLE and "no" not in name:
                raise JailError(f"unknown parameter: {name}") from None
        raise JailError(str(error)) from None


async def _create(sys: Process, given: Options, name: str, params: Params) -> int:
    """jail_set(2) and what goes before it, then the commands inside."""
    command = params.get("command", [])
    starts = params.get("exec.start", [])
    persists = "persist" in params and params["persist"] not in (["0"], ["false"])
    if not (persists or command or starts):
        raise JailError(f"{name or 'jail'}: jail_set: Invalid argument")
    for line in params.get("exec.prestart", []):
        await _host_command(sys, line)
    jid = await _make(sys, _technology({**params, "persist": []}), name)
    if not given.has("q"):
        await sys.out(f"{name or jid}: created\n")
    if given.has("J"):
        await _note(sys, given.value("J"), jid, name)
    for line in starts:
        status = await _inside(sys, jid, name, ["/bin/sh", "-c", line])
        if status:
            await sys.err(f"jail: {name or jid}: {line}: failed\n")
            await sys.succeeds("jail_remove", jid)
            return 1
    for line in params.get("exec.poststart", []):
        await _host_command(sys, line)
    number = await enter_prison(sys, jid, name or str(jid), command) if command else 0
    if not persists:
        await sys.succeeds("jail_set", {"jid": jid, "persist": 0}, JAIL_UPDATE)
    return int(await sys.data("wait4", number, 0) or 0) >> 8 & 0xFF if command else 0


async def _make(sys: Process, technology: Technology, name: str) -> int:
    """The steps of the launch that come before there is anybody inside."""
    bound: dict[str, int] = {}
    steps = plan(technology, name or "jail", 9)
    for step in (one for one in steps if one.phase is Phase.PREPARE):
        result = await sys.drive(sys.pid, filled(step.name, step.args, bound), "", step.mechanism)
        if isinstance(result, Failed) and result.errno not in step.tolerates:
            raise JailError(f"{name}: {step.name}: {result.errno.message}")
        if step.binds and isinstance(result, Returned):
            bound[step.binds] = result.value
    return bound["jid"]


async def _inside(sys: Process, jid: int, name: str, command: list[str]) -> int:
    """A command in the jail, to its end."""
    number = await enter_prison(sys, jid, name or str(jid), command)
    word = int(await sys.data("wait4", number, 0) or 0)
    return word >> 8 & 0xFF


async def _host_command(sys: Process, line: str) -> None:
    async def body(own: Process) -> int:
        await own.execve("/bin/sh", ["/bin/sh", "-c", line], own.env)
        return 127

    child = await sys.spawn(body)
    await sys.call("wait4", child, 0)


async def _note(sys: Process, path: str, jid: int, name: str) -> None:
    fd = await sys.open(path, 0x601, 0o644)
    await sys.write(fd, f"jid={jid} name={name}\n".encode())
    await sys.close(fd)


async def _change(sys: Process, jid: int, params: Params) -> None:
    """-m: jail_set(2) with JAIL_UPDATE."""
    technology = _technology({k: v for k, v in params.items() if k != "name"})
    held = technology.get("prison")
    assert isinstance(held, Prison)
    asked: dict[str, Value] = dict(held.params)
    if technology.guest.hostname:
        asked["host.hostname"] = technology.guest.hostname
    asked["jid"] = jid
    try:
        await sys.call("jail_set", asked, JAIL_UPDATE)
    except SysError as error:
        raise JailError(f"{params.get('name', [jid])[0]}: jail_set: {error.message}") from None


async def _remove_all(sys: Process, given: Options) -> int:
    """-r: exec.stop inside, then jail_remove(2); -R leaves the commands out."""
    if not given.rest:
        return await _usage(sys)
    names = given.rest
    if names in (["*"], ["-a"]):
        names = [str(one["jid"]) async for one in prisons(sys)]
    status = 0
    for name in names:
        jid = await _running(sys, name)
        if jid is None:
            await sys.err(f'jail: "{name}" not found\n')
            status = 1
            continue
        params = await _known(sys, given, name) if not given.has("R") else {}
        for line in params.get("exec.prestop", []):
            await _host_command(sys, line)
        for line in params.get("exec.stop", []):
            await _inside(sys, jid, name, ["/bin/sh", "-c", line])
        path = str((await sys.data("jail_get", {"jid": jid}, 0))["path"])
        try:
            await sys.call("jail_remove", jid)
        except SysError as error:
            await sys.err(f"jail: {name}: jail_remove: {error.message}\n")
            status = 1
            continue
        if path != "/":
            await sys.succeeds("unmount", f"{path}/dev", 0)
        for line in params.get("exec.poststop", []):
            await _host_command(sys, line)
        if not given.has("q"):
            await sys.out(f"{name}: removed\n")
    return status


async def _known(sys: Process, given: Options, name: str) -> Params:
    try:
        return await _from_file(sys, given, name)
    except (JailError, ConfError):
        return {}


async def _old_form(sys: Process, given: Options) -> int:
    """``jail path hostname [ip] command``: the command line of FreeBSD 4."""
    if len(given.rest) < 3:
        return await _usage(sys)
    path, hostname, address, *command = given.rest
    if not command:
        command, address = [address], ""
    params: Params = {"path": [path], "host.hostname": [hostname], "command": command}
    if address:
        params["ip4.addr"] = address.split(",")
    if given.has("n"):
        params["name"] = [given.value("n")]
    if given.has("s"):
        params["securelevel"] = [given.value("s")]
    quiet = given._replace(given={**given.given, "q": 1})
    return await _create(sys, quiet, given.value("n"), params)

"""A process inside a prison: fork(2), jail_attach(2), execve(2).

Source: usr.sbin/jail/command.c, usr.sbin/jexec/jexec.c; login.conf(5) for the default class.
"""

from typing import NamedTuple

from simulator.machine.abi.call import Call, Executed, Failed, Value
from simulator.machine.userland.accounts import User, groups, users
from simulator.machine.userland.process import Process, SysError

PATH = "/sbin:/bin:/usr/sbin:/usr/bin"
_CLASS_PATH = f"{PATH}:/usr/local/sbin:/usr/local/bin"


class Surroundings(NamedTuple):
    """As whom and where a command runs: calls to make first, and its environment."""

    calls: tuple[Call, ...] = ()
    env: dict[str, str] | None = None
    """None: that of the caller."""


async def surroundings(
    sys: Process, name: str = "", root: str = "", *, clean: bool = False, place: str = ""
) -> Surroundings | None:
    """User ``name`` by the files of the tree at ``root``; None: there is no such user.

    ``clean``: an environment of its own, in the user's home. ``place``: in this directory instead.
    """
    there = (Call("chdir", (place,)),) if place else ()
    if not (name or clean):
        return Surroundings(there)
    uid = await sys.value("geteuid")
    known = await users(sys, root)
    user = next((one for one in known if (one.name == name if name else one.uid == uid)), None)
    if user is None:
        return None
    at_home = (Call("chdir", (user.home,)),) if clean else ()
    become = await _become(sys, user, root) if name else ()
    return Surroundings((*become, *(there or at_home)), _environment(sys, user, clean=clean))


async def _become(sys: Process, user: User, root: str) -> tuple[Call, ...]:
    """initgroups(3), setgid(2), setuid(2)."""
    listed = await groups(sys, root)
    extra: list[Value] = [gid for gid, names in listed.values() if user.name in names]
    every: list[Value] = [user.gid, *(gid for gid in extra if gid != user.gid)]
    return (
        Call("setgroups", (len(every), every)),
        Call("setgid", (user.gid,)),
        Call("setuid", (user.uid,)),
    )


def _environment(sys: Process, user: User, *, clean: bool) -> dict[str, str]:
    """What setusercontext(3) and the tool put into it."""
    kept = {name: sys.env[name] for name in ("TERM",) if name in sys.env} if clean else sys.env
    return {
        **kept,
        "PATH": f"{_CLASS_PATH}:{user.home.rstrip('/')}/bin",
        "BLOCKSIZE": "K",
        "USER": user.name,
        "HOME": user.home,
        "SHELL": user.shell or "/bin/sh",
    }


async def enter_prison(
    sys: Process,
    jid: int,
    name: str,
    command: list[str],
    console: int = -1,
    around: Surroundings | None = None,
    label: str = "",
) -> int:
    """Start ``command`` there, printing to descriptor ``console``; its pid. Raises ``SysError``.

    ``label`` stands before what is said of a failure.
    """
    around = around or Surroundings()
    pid, number = await sys.bear(Call("fork"), "prison")
    for standard in (1, 2) if console >= 0 else ():
        await sys.drive(pid, Call("dup2", (console, standard)), "", "")
    result = await sys.drive(pid, Call("jail_attach", (jid,)), "", "prison")
    if isinstance(result, Failed):
        await sys.drive(pid, Call("exit", (1,)), "", "")
        await sys.call("wait4", number, 0)
        raise SysError(result.errno, "jail_attach")
    await sys.succeeds("@domain", number, name)
    for call in around.calls:
        result = await sys.drive(pid, call, "", "")
        if isinstance(result, Failed):
            told = f"{call.name}: {call.args[-1]}" if call.name == "chdir" else call.name
            await sys.err(f"{sys.name}: {label}{told}: {result.errno.message}\n")
            await sys.drive(pid, Call("exit", (1,)), "", "")
            return number
    given = sys.env if around.env is None else around.env
    places = [""] if "/" in command[0] else [f"{one}/" for one in PATH.split(":")]
    env: list[Value] = [f"{key}={value}" for key, value in given.items()]
    words: list[Value] = list(command)
    for place in places:
        call = Call("execve", (f"{place}{command[0]}", words, env))
        result = await sys.drive(pid, call, "", "")
        if isinstance(result, Executed):
            return number
    what = "exec" if sys.name == "jail" else "execvp:"
    why = result.errno.message if isinstance(result, Failed) else ""
    await sys.err(f"{sys.name}: {label}{what} {command[0]}: {why}\n")
    await sys.drive(pid, Call("exit", (1,)), "", "")
    return number

"""``vserver NAME build|start|stop|restart|enter|exec|suexec|running|status|delete``: vserver(8).

Messages and exit statuses are those of scripts/vserver and its parts.
"""

from collections.abc import Sequence

import msgspec

from simulator.isolation.control import launch
from simulator.isolation.control.vserver import build, config, kernel
from simulator.isolation.control.vserver.config import Guest
from simulator.isolation.mechanisms.base import PlanError
from simulator.isolation.technologies.base import SpecError, change, plan
from simulator.machine.abi.constants import SIGKILL, SIGTERM
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_USAGE = (
    "Usage: {name} <vserver>"
    " {{start|stop|suexec|restart|condrestart|exec|enter|chkconfig|running|status|delete}}\n"
)
_HELP = """Usage: {name} [-s|--sync] [-v|--verbose] [--silent]
                <vserver> <command> <args>*

Possible commands are:
    start       ... starts the specified vserver
    stop        ... stops the specified vserver
    restart     ... restarts the specified vserver
    suexec <user> <shell-args>*
                ... executes a command as <user> in the specified vserver
    exec <shell-args>*
                ... executes a command as root in the specified vserver
    enter       ... executes the configured shell in the vserver
    running     ... succeeds iff vserver is running
    status      ... gives out some human readable status information
    build <buildopts>*
                ... builds a new vserver from scratch
    delete      ... remove a vserver
    unify       ... (de)unify the vserver with its reference vserver(s).
    hashify     ... hashify the guest.
"""
_NO_SETUP = """Can not find a vserver-setup at '{path}/'.

Possible solutions:
* fix the spelling of the '{name}' vserver name
* read 'vserver {name} build --help' about ways to create a new vserver
* see 'vserver --help' for the syntax of this command

"""
_DEFAULT_SHELL = "/bin/sh"
_RC = ("/etc/rc.d/rc", "3")


@enter("vserver", collection=TOOLS)
async def main(sys: Process, argv: Sequence[str]) -> int:
    """vserver(8)."""
    words = list(argv[1:])
    silent = False
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word == "--help":
            await sys.out(_HELP.format(name=argv[0]))
            return 0
        if word == "--silent":
            silent = True
        elif word not in ("-s", "--sync", "-v", "--verbose", "--debug", "--"):
            await sys.err(f"{argv[0]}: unrecognized option '{word}'\n")
            return 1
    if len(words) < 2:
        await sys.err(_USAGE.format(name=argv[0]))
        return 2
    name, command, *rest = words
    if command == "build":
        return await build.main(sys, name, rest)
    guest = await config.find(sys, name)
    if guest is None:
        await sys.err(_NO_SETUP.format(path=f"{config.CONFDIR}/{name}", name=name))
        return 5
    known = COMMANDS.get(command)
    if known is None:
        await sys.err(_USAGE.format(name=argv[0]))
        return 2
    return await known(sys, guest, rest, silent)


async def running_context(sys: Process, guest: Guest) -> int:
    """isVserverRunning: the number of the guest's context; 0 when it is stopped."""
    kept = (await sys.text_or_empty(guest.run)).strip().removeprefix("S_CONTEXT=")
    number = int(kept) if kept.isdigit() else guest.context
    return number if number and await kernel.is_alive(sys, number) else 0


async def _start(sys: Process, guest: Guest, rest: list[str], silent: bool) -> int:
    """scripts/vserver.start."""
    del rest, silent
    if await running_context(sys, guest):
        await sys.err(f"vserver '{guest.name}' already running\n")
        return 0
    if not await config.is_directory(sys, guest.vdir):
        await sys.err(f"vdir '{guest.vdir}' does not exist\n")
        return await _failed(sys, guest)
    written = (await sys.text_or_empty(f"{guest.confdir}/context")).strip()
    if not guest.old and written and not written.isdigit():
        await sys.err(f"Invalid context number '{written}': vserver does not exist\n")
        return await _failed(sys, guest)
    if not guest.context:
        guest = msgspec.structs.replace(guest, context=await kernel.first_free(sys))
    argv = await _init(sys, guest)
    try:
        technology = await config.technology(sys, guest)
        first = msgspec.structs.replace(technology.guest, argv=argv)
        steps = plan(change(technology, guest=first), guest.name)
        await launch.launch(sys, guest.name, steps)
    except (SpecError, PlanError) as error:
        await sys.err(f"{error}\n")
        return await _failed(sys, guest)
    except launch.Refused as refused:
        if refused.call.name == "execve":
            await sys.err(f'vcontext: execvp("{argv[0]}"): {refused.errno.message}\n')
        else:
            await sys.err(f"{_wrapper(refused)}\n")
        return await _failed(sys, guest)
    text = f"S_CONTEXT={guest.context}\n" if guest.old else f"{guest.context}\n"
    fd = await sys.value("open", guest.run, 0o1101, 0o644)
    await sys.write(fd, text.encode())
    await sys.close(fd)
    return 0


def _wrapper(refused: launch.Refused) -> str:
    """What the program of util-vserver says that makes the call."""
    told = launch.of_iproute(refused)
    if told is not None:
        return told
    first = refused.call.args[0] if refused.call.args else ""
    if refused.call.name != "vserver" or not isinstance(first, str):
        return str(refused)
    command = first.removeprefix("VCMD_")
    program = "setattr" if "iattr" in command else "ncontext" if "net" in command else "vcontext"
    return f"{program}: vc_{command}(): {refused.errno.message}"


async def _init(sys: Process, guest: Guest) -> tuple[str, ...]:
    """``apps/init/cmd.start``, a word a line; else the rc script of a System V init."""
    given = (await sys.text_or_empty(f"{guest.confdir}/apps/init/cmd.start")).split()
    return tuple(given) or _RC


async def _failed(sys: Process, guest: Guest) -> int:
    await sys.err(f"\n\nFailed to start vserver '{guest.name}'\n")
    return 1


async def _stop(sys: Process, guest: Guest, rest: list[str], silent: bool) -> int:
    """scripts/vserver.stop: TERM, then KILL for what is left."""
    del rest, silent
    number = await running_context(sys, guest)
    if not number:
        await sys.err(f"vserver '{guest.name}' is not running\n")
        return 0
    for signo in (SIGTERM, SIGKILL):
        if await kernel.is_alive(sys, number):
            await kill_all(sys, number, signo)
    if guest.old:
        # Without a namespace of its own a guest's mounts are the host's, and stay.
        for place in ("/dev/pts", "/proc"):
            await sys.succeeds("umount2", guest.vdir + place, 0)
    await sys.succeeds("unlink", guest.run)
    return 0


async def kill_all(sys: Process, number: int, signo: int) -> None:
    """A signal for everybody in a context: by vserver(2), or from inside it on 2.4."""
    if await kernel.is_new(sys):
        await sys.succeeds("vserver", "VCMD_ctx_kill", number, {"pid": 0, "sig": signo})
        return

    async def inside(own: Process) -> int:
        await own.call("new_s_context", number, 0, ())
        await own.succeeds("kill", -1, signo)
        return 0

    child = await sys.spawn(inside)
    await sys.call("wait4", child, 0)


async def _restart(sys: Process, guest: Guest, rest: list[str], silent: bool) -> int:
    await _stop(sys, guest, rest, silent)
    return await _start(sys, guest, rest, silent)


async def _condrestart(sys: Process, guest: Guest, rest: list[str], silent: bool) -> int:
    """A restart of what runs; of what is stopped nothing, and no failure."""
    if not await running_context(sys, guest):
        return 0
    return await _restart(sys, guest, rest, silent)


async def _suexec(sys: Process, guest: Guest, rest: list[str], silent: bool) -> int:
    del silent
    if not rest:
        await sys.err(_USAGE.format(name="vserver"))
        return 2
    return await _inside(sys, guest, rest[0], rest[1:] or [_DEFAULT_SHELL])


async def _exec(sys: Process, guest: Guest, rest: list[str], silent: bool) -> int:
    del silent
    return await _inside(sys, guest, "0", rest or [_DEFAULT_SHELL])


async def _enter(sys: Process, guest: Guest, rest: list[str], silent: bool) -> int:
    del rest, silent
    return await _inside(sys, guest, "0", [_DEFAULT_SHELL])


async def _inside(sys: Process, guest: Guest, user: str, argv: list[str]) -> int:
    """scripts/vserver.suexec: become one of the guest's processes and run ``argv``."""
    number = await running_context(sys, guest)
    if not number:
        await sys.err("'vserver ... suexec' is supported for running vservers only; aborting...\n")
        return 1
    uid = 0 if user == "root" else int(user) if user.isdigit() else await _uid(sys, guest, user)
    if uid < 0:
        await sys.err(f"vcontext: Username '{user}' does not exist\n")
        return 255
    await kernel.join(sys, number, guest.vdir, guest.address)
    if uid:
        await sys.call("setuid", uid)
    program, message = argv[0], ""
    paths = [program] if "/" in program else [f"{d}/{program}" for d in ("/bin", "/usr/bin")]
    for path in paths:
        try:
            await sys.execve(path, argv, {"PATH": "/sbin:/usr/sbin:/bin:/usr/bin"})
        except SysError as error:
            message = error.message
    await sys.err(f'vcontext: execvp("{program}"): {message}\n')
    return 255


async def _uid(sys: Process, guest: Guest, name: str) -> int:
    """getpwnam(3) with the guest's own file; -1 when nobody is called so."""
    for line in (await sys.text_or_empty(f"{guest.vdir}/etc/passwd")).splitlines():
        fields = line.split(":")
        if fields[0] == name and len(fields) > 2 and fields[2].isdigit():
            return int(fields[2])
    return -1


async def _running(sys: Process, guest: Guest, rest: list[str], silent: bool) -> int:
    del rest, silent
    return 0 if await running_context(sys, guest) else 1


async def _status(sys: Process, guest: Guest, rest: list[str], silent: bool) -> int:
    del rest
    number = await running_context(sys, guest)
    if not number:
        if not silent:
            await sys.out(f"Vserver '{guest.name}' is stopped\n")
        return 3
    if not silent:
        count = await kernel.members(sys, number)
        await sys.out(
            f"Vserver '{guest.name}' is running at context '{number}'\n"
            f"Number of processes: {count}\n"
        )
    return 0


async def _delete(sys: Process, guest: Guest, rest: list[str], silent: bool) -> int:
    """scripts/vserver.delete."""
    del rest
    if not silent:
        await sys.err(f"Are you sure you want to delete the vserver {guest.name} (y/N) ")
        if (await sys.read(0, 64)).strip()[:1] not in (b"y", b"Y"):
            return 2
    if await running_context(sys, guest):
        await _stop(sys, guest, [], True)
    await build.remove(sys, guest.vdir)
    await build.remove(sys, guest.confdir)
    await sys.succeeds("unlink", guest.run)
    return 0


async def _unify(sys: Process, guest: Guest, rest: list[str], silent: bool) -> int:
    del silent
    argv = ["vunify", *rest, guest.name]
    await sys.execve("/usr/sbin/vunify", argv, sys.env)
    return 0


async def _hashify(sys: Process, guest: Guest, rest: list[str], silent: bool) -> int:
    del silent
    argv = ["vhashify", *rest, guest.name]
    await sys.execve("/usr/sbin/vhashify", argv, sys.env)
    return 0


COMMANDS = {
    "start": _start,
    "stop": _stop,
    "restart": _restart,
    "condrestart": _condrestart,
    "exec": _exec,
    "suexec": _suexec,
    "enter": _enter,
    "running": _running,
    "status": _status,
    "delete": _delete,
    "unify": _unify,
    "hashify": _hashify,
}

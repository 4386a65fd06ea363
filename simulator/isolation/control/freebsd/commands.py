"""The commands of a jail's life: exec.start and its like, mounts. Source: usr.sbin/jail/command.c

Each ends before the next begins. What fails raises ``JailError``.
"""

import re
from typing import Any, cast

from simulator.isolation.control.freebsd.entering import (
    PATH,
    Surroundings,
    enter_prison,
    surroundings,
)
from simulator.isolation.control.freebsd.params import JailError, Params, is_true
from simulator.machine.abi.constants import (
    O_APPEND,
    O_CLOEXEC,
    O_CREAT,
    O_WRONLY,
    S_IFLNK,
    S_IFMT,
    SIGTERM,
    WNOHANG,
)
from simulator.machine.userland.process import Process, SysError

_SHELL = re.compile(r"""[!"$&'()*;<>?\[\\\]`{|}~]""")
"""What of a command only a shell understands; without any of it there is no shell."""
_LOOK = 100_000_000
"""How often it is looked whether a process is still there, in nanoseconds."""
_TERM = 10
"""DEFAULT_STOP_TIMEOUT: seconds between SIGTERM and the end."""


class Commands:
    """The commands of one jail; ``label`` stands before what its children say."""

    def __init__(self, sys: Process, name: str, label: str, params: Params) -> None:
        self.sys = sys
        self.name = name
        self.label = label
        self.params = params
        self.mounted: list[tuple[str, str]] = []
        """What is mounted, the last one last: its type and place."""

    def lines(self, name: str) -> list[str]:
        """The commands of a parameter."""
        return [one for one in self.params.get(name, []) if one]

    async def inside(self, jid: int, line: str, words: list[str] | None = None) -> None:
        """A command in the jail, to its end."""
        command, waits = _words(line) if words is None else (words, True)
        if not command:
            return
        console = await self._console()
        name = self.name or str(jid)
        number = await enter_prison(
            self.sys, jid, name, command, console, await self._around(), self.label
        )
        if console >= 0:
            await self.sys.close(console)
        await self._ended(number, command, waits=waits)

    async def outside(self, line: str) -> None:
        """A command on the host, to its end."""
        command, waits = _words(line)
        if command:
            await self._run(command, waits=waits)

    async def _run(self, command: list[str], *, waits: bool = True) -> None:
        user = self.params.get("exec.system_user", [""])[-1]
        clean = is_true(self.params, "exec.clean")
        around = await surroundings(self.sys, user, clean=clean)
        if around is None:
            raise JailError(f"{user}: no such user")

        async def body(own: Process) -> int:
            for call in around.calls:
                await own.call(call.name, *call.args)
            return await _become(own, command, around, self.label)

        number = await self.sys.spawn(body)
        await self._ended(number, command, waits=waits)

    async def _ended(self, number: int, command: list[str], *, waits: bool) -> None:
        """finish_command(): how it has ended, unless nobody waits for it."""
        if not waits:
            return
        line = " ".join(command)
        limit = int(self.params.get("exec.timeout", ["0"])[-1])
        pause = 0
        reply = await self.sys.call("wait4", number, WNOHANG if limit else 0)
        while not reply.value:
            if pause >= limit * 1_000_000_000:
                raise JailError(f"{line}: timed out")
            await self.sys.call("nanosleep", (0, _LOOK))
            pause += _LOOK
            reply = await self.sys.call("wait4", number, WNOHANG)
        word = cast("int", reply.data or 0)
        if word & 0x7F:
            raise JailError(f"{line}: exited on signal {word & 0x7F}")
        if word:
            raise JailError(f"{line}: failed")

    async def _console(self) -> int:
        """exec.consolelog: where commands inside print to; -1: where jail(8) does."""
        path = self.params.get("exec.consolelog", [""])[-1]
        if not path:
            return -1
        try:
            return await self.sys.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC)
        except SysError as error:
            raise JailError(f"open {path}: {error.message}") from None

    async def _around(self) -> Surroundings:
        """exec.clean and exec.jail_user, the latter by the host's users or by the jail's."""
        params, sys = self.params, self.sys
        name = params.get("exec.jail_user", [""])[-1]
        root = "" if is_true(params, "exec.system_jail_user") else params.get("path", ["/"])[-1]
        clean = is_true(params, "exec.clean")
        found = await surroundings(sys, name, root.rstrip("/"), clean=clean)
        if found is None:
            uid = await sys.value("getuid")
            raise JailError(f"{name}: no such user" if name else f"unknown uid {uid}")
        return found

    async def _mounts(self) -> list[tuple[str, list[str]]]:
        """What is to be mounted for the jail, with the parameter's name: the words of fstab(5)."""
        found = [("mount", line.split()[:4]) for line in self.params.get("mount", [])]
        for path in self.lines("mount.fstab"):
            try:
                text = await self.sys.text(path)
            except SysError as error:
                raise JailError(f"mount.fstab: {path}: {error.message}") from None
            lines = [line.partition("#")[0] for line in text.splitlines()]
            found += [("mount.fstab", line.split()[:4]) for line in lines]
        path = self.params.get("path", ["/"])[-1].rstrip("/")
        for name, kind, place in (("mount.fdescfs", "fdescfs", "/dev/fd"), _PROC):
            if is_true(self.params, name):
                source = "proc" if kind == "procfs" else "."
                found.append((name, [source, f"{path}{place}", kind]))
        return [(name, words) for name, words in found if words]

    async def mount(self) -> None:
        """Mount it all, each with mount(8)."""
        for name, words in await self._mounts():
            if len(words) < 3:
                raise JailError(f"{name}: {' '.join(words)}: missing information")
            source, place, kind, *options = words
            await self._check_path(name, place)
            extra = ["-o", *options] if options else []
            await self._run(["/sbin/mount", "-t", kind, *extra, source, place])
            self.mounted.append((kind, place))

    async def unmount(self) -> None:
        """Take it all down again, the last one first."""
        mounted = self.mounted
        if not mounted:
            mounted = [(words[2], words[1]) for _name, words in await self._mounts() if words[2:]]
        for kind, place in reversed(mounted):
            await self._run(["/sbin/umount", "-t", kind, place])
        self.mounted = []

    async def _check_path(self, name: str, path: str) -> None:
        """check_path(): absolute, and below the jail's own root through no symbolic link."""
        if not path.startswith("/"):
            raise JailError(f"{name}: {path}: not an absolute pathname")
        root = self.params.get("path", [""])[-1]
        if not path.startswith(f"{root}/"):
            return
        above = root
        for part in path[len(root) + 1 :].split("/"):
            above += f"/{part}"
            try:
                status = await self.sys.lstat(above)
            except SysError as error:
                raise JailError(f"{name}: {above}: {error.message}") from None
            if status["mode"] & S_IFMT == S_IFLNK:
                raise JailError(f"{name}: {above} is a symbolic link")

    async def terminate(self, jid: int) -> None:
        """term_procs(): SIGTERM for everybody inside, and some time to end."""
        limit = int(self.params.get("stop.timeout", [str(_TERM)])[-1])
        if not limit:
            return
        pids = [pid for pid in await self._inmates(jid) if await self.sys.succeeds(*_kill(pid))]
        pause = 0
        while pause < limit * 1_000_000_000 and set(pids) & set(await self._inmates(jid)):
            await self.sys.call("nanosleep", (0, _LOOK))
            pause += _LOOK

    async def _inmates(self, jid: int) -> list[int]:
        rows = await self.sys.data("__sysctlbyname", "kern.proc.proc", None)
        listed = cast("list[dict[str, Any]]", rows)
        return [one["pid"] for one in listed if one["jid"] == jid and one["stat"][:1] != "Z"]


_PROC = ("mount.procfs", "procfs", "/proc")
_PLACES = {"/sbin/mount": "/bin/mount", "/sbin/umount": "/bin/umount"}
"""Where the model's tree has programs that messages call by their real place."""


def _kill(pid: int) -> tuple[str, int, int]:
    return "kill", pid, SIGTERM


def _words(line: str) -> tuple[list[str], bool]:
    """A command's words, and whether it is waited for: not with a lone & at the end."""
    met = _SHELL.search(line)
    if met is None:
        return line.split(), True
    if line[met.start() :] == "&":
        return line[: met.start()].split(), False
    return ["/bin/sh", "-c", line], True


async def _become(own: Process, command: list[str], around: Surroundings, label: str) -> int:
    """execvp(3), and 1 with the reason when it does not succeed."""
    env = own.env if around.env is None else around.env
    path = _PLACES.get(command[0], command[0])
    places = [""] if "/" in path else [f"{one}/" for one in PATH.split(":")]
    why = ""
    for place in places:
        try:
            await own.execve(f"{place}{path}", command, env)
        except SysError as error:
            why = error.message
    await own.err(f"jail: {label}exec {command[0]}: {why}\n")
    return 1

"""/etc/rc.d/jail: the jails of jail.conf as a service. Source: libexec/rc/rc.d/jail

Jails described by variables of rc.conf alone, of which the script makes a jail.conf first, are not
modelled; it is said, and the jail is ignored.
"""

import re
from collections.abc import Sequence

from simulator.isolation.control import files
from simulator.isolation.control.freebsd import rcconf
from simulator.isolation.control.freebsd.rc import Method, Script
from simulator.machine.abi.constants import O_CREAT, O_EXCL, O_RDONLY, O_RDWR
from simulator.machine.userland.process import Process, SysError

_GLOBAL = """
jail_enable jail_conf jail_parallel_start jail_list jail_reverse_stop jail_flags jail_program
jail_consolecmd jail_jexec jail_jls
"""
_EACH = ("conf", "rootdir", "hostname", "flags", "program", "consolecmd")
_USUAL = {
    "jail_program": "/usr/sbin/jail",
    "jail_consolecmd": "/usr/bin/login -f root",
    "jail_jexec": "/usr/sbin/jexec",
    "jail_jls": "/usr/sbin/jls",
}
_ALL = "_ALL"


async def jail(sys: Process, words: list[str]) -> int:
    """The script's exit status."""
    names = _GLOBAL.split()
    for word in words[1:]:
        names += [f"jail_{_variable(word)}_{one}" for one in _EACH]
    settings = await rcconf.load(sys, "jail", names)
    for name, value in _USUAL.items():
        settings[name] = settings[name] or value
    service = Jails(settings)
    if len(words) == 1:
        words = [*words, *(settings["jail_list"].split() or [_ALL])]
        for word in words[1:]:
            more = [f"jail_{_variable(word)}_{one}" for one in _EACH]
            settings |= await rcconf.load(sys, "jail", more)
    else:
        settings["jail_reverse_stop"] = "no"
    methods: dict[str, Method] = {
        "start": service.start,
        "stop": service.stop,
        "config": service.config,
        "console": service.console,
        "status": service.status,
    }
    service.script = Script(
        name="jail",
        description="Manage system jails",
        methods=methods,
        extra=("config", "console", "status"),
        settings=settings,
    )
    return await service.script.run(sys, words[0] if words else "", words[1:])


def _label(word: str) -> str:
    """A jail's name as the script looks for it: ``tr /. _``."""
    return word.replace("/", "_").replace(".", "_")


def _variable(word: str) -> str:
    """What of it can be in a variable's name."""
    return re.sub(r"[^0-9A-Za-z]", "_", _label(word))


class Jails:
    """What the script does with jails."""

    script: Script

    def __init__(self, settings: dict[str, str]) -> None:
        self.settings = settings

    def _of(self, word: str, name: str, usual: str = "") -> str:
        """A variable of one jail's own, or the one of all."""
        return self.settings.get(f"jail_{_variable(word)}_{name}", "") or usual

    async def _file(self, sys: Process, word: str) -> str:
        """parse_options(): the jail.conf that a jail is in; empty, after a warning, for none."""
        name = _label(word)
        if self._of(word, "rootdir") and self._of(word, "hostname"):
            variable = f"jail_{_variable(word)}_rootdir"
            await self.script.warn(sys, f"${variable}: not modelled.  Jail {name} was ignored.")
            return ""
        for path in (
            self._of(word, "conf", f"/etc/jail.{name}.conf"),
            f"/etc/jail.conf.d/{name}.conf",
            self.settings["jail_conf"],
        ):
            if await sys.succeeds("access", path, 4):
                return path
        await self.script.warn(
            sys,
            f"Invalid configuration for {name}  (no jail.conf, no hostname, or no path).  "
            f" Jail {name} was ignored.",
        )
        return ""

    async def start(self, sys: Process, words: list[str]) -> int:
        """jail_start(): the file's jails, or those named, one by one; a failure is told only."""
        await sys.out("Starting jails:")
        if words == [_ALL]:
            command = self.settings["jail_program"].split()
            flags = self.settings["jail_flags"].split()
            more = [] if await self.script.is_yes(sys, "jail_parallel_start") else ["-p1"]
            command += [*flags, "-f", self.settings["jail_conf"], "-c", *more]
            status, told = await captured(sys, command)
            if status:
                await sys.out(told)
            else:
                _status, rows = await captured(sys, [*self._jls, "jid", "name"])
                for row in rows.splitlines():
                    number, _space, name = row.partition(" ")
                    await sys.out(f" {name}")
                    await files.write(sys, f"/var/run/jail_{name}.id", f"{number}\n")
            await sys.out(".\n")
            return 0
        await self.script.is_yes(sys, "jail_parallel_start")
        for word in words:
            await self._start(sys, word)
        await sys.out(".\n")
        return 0

    async def _start(self, sys: Process, word: str) -> None:
        path = await self._file(sys, word)
        if not path:
            return
        name, shown = _label(word), self._of(word, "hostname", _label(word))
        command = self._of(word, "program", self.settings["jail_program"]).split()
        flags = self._of(word, "flags", self.settings["jail_flags"]).split()
        status, told = await captured(sys, [*command, *flags, "-i", "-f", path, "-c", name])
        if status:
            await sys.out(f' cannot start jail  "{shown}": \n{told}')
            return
        await sys.out(f" {shown}")
        _status, number = await captured(sys, [*self._jls, "-j", name, "jid"])
        await files.write(sys, f"/var/run/jail_{name}.id", number)

    async def stop(self, sys: Process, words: list[str]) -> int:
        """jail_stop(): every jail that runs, the file's or not, or those named."""
        await sys.out("Stopping jails:")
        every = words == [_ALL]
        if every:
            _status, rows = await captured(sys, [*self._jls, "name"])
            words = rows.split()
        if await self.script.is_yes(sys, "jail_reverse_stop"):
            words = words[::-1]
        for word in words:
            if every:
                path, flags = self.settings["jail_conf"], self.settings["jail_flags"].split()
                name, shown, program = word, word, self.settings["jail_program"]
            else:
                path, flags, name = await self._file(sys, word), ["-q"], _label(word)
                if not path or not await self._runs(sys, name):
                    continue
                shown = self._of(word, "hostname", name)
                program = self._of(word, "program", self.settings["jail_program"])
            await sys.out(f" {shown}")
            command = [*program.split(), *flags, "-f", path, "-r", name]
            _status, told = await captured(sys, command)
            if await self._runs(sys, name):
                await sys.out(told)
            else:
                await sys.succeeds("unlink", f"/var/run/jail_{name}.id")
        await sys.out(".\n")
        return 0

    async def config(self, sys: Process, words: list[str]) -> int:
        """jail_config(): where a jail's parameters are."""
        for word in words if words[:1] != [_ALL] else ():
            path = await self._file(sys, word)
            if path:
                await sys.out(f"{_label(word)}: parameters are in {path}.\n")
        return 0

    async def console(self, sys: Process, words: list[str]) -> int:
        """jail_console(): a login, or a command, in a jail."""
        if words[:1] in ([], [_ALL]):
            await self.script.fail(sys, 3, "Specify a jail name.")
        usual = self._of(words[0], "consolecmd", self.settings["jail_consolecmd"])
        command = words[1:] or usual.split()
        return await run(sys, [*self.settings["jail_jexec"].split(), _label(words[0]), *command])

    async def status(self, sys: Process, _words: list[str]) -> int:
        """jail_status(): every jail that runs."""
        return await run(sys, [*self._jls, "-N"])

    @property
    def _jls(self) -> list[str]:
        return self.settings["jail_jls"].split()

    async def _runs(self, sys: Process, name: str) -> bool:
        status, _told = await captured(sys, [*self._jls, "-j", name])
        return status == 0


async def run(sys: Process, command: Sequence[str], told: int = -1) -> int:
    """A command to its end; its output goes to the descriptor ``told`` instead of the caller's."""

    async def body(own: Process) -> int:
        if told >= 0:
            await own.call("dup2", await own.open("/dev/null", O_RDONLY), 0)
            await own.call("dup2", told, 1)
            await own.call("dup2", told, 2)
            await own.close(told)
        try:
            await own.execve(command[0], list(command), own.env)
        except SysError as error:
            await own.err(f"{command[0]}: {error.message}\n")
        return 127

    number = await sys.spawn(body)
    word = int(await sys.data("wait4", number, 0) or 0)
    return 128 + (word & 0x7F) if word & 0x7F else word >> 8 & 0xFF


async def captured(sys: Process, command: Sequence[str]) -> tuple[int, str]:
    """Exit status and output, by a file: what lives on in a jail may hold on to it."""
    path = f"/tmp/jail.{await sys.value('getpid'):010d}"
    fd = await sys.open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
    try:
        status = await run(sys, command, fd)
        return status, await sys.text(path)
    finally:
        await sys.close(fd)
        await sys.call("unlink", path)

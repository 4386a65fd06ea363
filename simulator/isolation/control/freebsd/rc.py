"""What scripts of /etc/rc.d share: run_rc_command() and its words. Source: libexec/rc/rc.subr

A script whose work is done otherwise than by starting a daemon: methods by its own commands. A
jail(8) that runs already, for which rc.subr would look by its name, does not hinder a start: in
the model every sandbox of a session has one, its launcher.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn

import msgspec

from simulator.isolation.control.freebsd import rcconf
from simulator.machine.userland.options import UsageError
from simulator.machine.userland.process import Process, SysError

_KEYWORDS = [
    "start",
    "stop",
    "restart",
    "rcvar",
    "enable",
    "disable",
    "delete",
    "enabled",
    "describe",
    "extracommands",
]
_UNASKED = frozenset(("rcvar", "delete", "enable", "describe"))
"""What a service that is not enabled does all the same."""
YES = frozenset(("yes", "true", "on", "1"))
"""What checkyesno() takes for one, in small letters."""
_NO = frozenset(("no", "false", "off", "0"))


def getopts(error: UsageError) -> str:
    """What scripts that read their options by getopts of sh(1) say of one that is wrong."""
    letter = str(error)[-2]
    lacks = "requires" in str(error)
    return f"No arg for -{letter} option" if lacks else f"Illegal option -{letter}"


class Ended(Exception):
    """The script has exited in the middle of what it did."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


Method = Callable[[Process, list[str]], Awaitable[int]]


class Script(msgspec.Struct):
    """One script: its methods, those beyond start and stop in ``extra`` too."""

    name: str
    description: str
    methods: dict[str, Method]
    extra: tuple[str, ...]
    settings: dict[str, str]
    quiet: bool = False

    @property
    def path(self) -> str:
        """What messages begin with."""
        return f"/etc/rc.d/{self.name}"

    @property
    def variable(self) -> str:
        """The variable that enables the service."""
        return f"{self.name}_enable"

    async def warn(self, sys: Process, text: str) -> None:
        """warn()."""
        await sys.err(f"{self.path}: WARNING: {text}\n")

    async def fail(self, sys: Process, status: int, text: str) -> NoReturn:
        """err(). Raises ``Ended``."""
        await sys.err(f"{self.path}: ERROR: {text}\n")
        raise Ended(status)

    async def is_yes(self, sys: Process, variable: str) -> bool:
        """checkyesno(): whether a variable says so; what is neither is warned about."""
        value = self.settings.get(variable, "").lower()
        if value not in YES | _NO:
            await self.warn(sys, f"${variable} is not set properly - see rc.conf(5).")
        return value in YES

    async def run(self, sys: Process, argument: str, more: list[str]) -> int:
        """run_rc_command()."""
        prefix = next((p for p in ("fast", "force", "one", "quiet") if argument.startswith(p)), "")
        argument = argument.removeprefix(prefix)
        self.quiet = prefix in ("fast", "quiet")
        if prefix in ("force", "one"):
            self.settings[self.variable] = "YES"
        # rc.subr adds the last two for a script that knows a program, which jail's does.
        known = (*_KEYWORDS, *self.extra, "status", "poll")
        if not argument:
            return await self._usage(sys, known)
        if argument == "enabled":
            return 0 if await self.is_yes(sys, self.variable) else 1
        if argument not in known:
            await sys.err(f"{self.path}: unknown directive '{argument}'.\n")
            return await self._usage(sys, known)
        if argument not in _UNASKED and not await self.is_yes(sys, self.variable):
            if not self.quiet:
                await sys.out(
                    f"Cannot '{argument}' {self.name}. Set {self.variable} to YES in /etc/rc.conf"
                    f" or use 'one{argument}' instead of '{argument}'.\n"
                )
            return 0
        # eval: what the caller had quoted are words of their own again.
        more = " ".join(more).split()
        if argument in self.methods:
            status = await self.methods[argument](sys, more)
            return status if prefix == "force" else min(status, 1)
        return await self._usual(sys, argument, more)

    async def _usage(self, sys: Process, known: Sequence[str]) -> int:
        """rc_usage()."""
        await sys.err(f"Usage: {self.path} [fast|force|one|quiet]({'|'.join(known)})\n")
        return 1

    async def _usual(self, sys: Process, argument: str, more: list[str]) -> int:
        """What every script does; what is not here waits for a daemon that there is not."""
        match argument:
            case "restart":
                await self.methods["stop"](sys, more)
                return await self.methods["start"](sys, more)
            case "describe":
                await sys.out(f"{self.description}\n")
            case "extracommands":
                await sys.out(f"{' '.join(self.extra)}\n")
            case "rcvar":
                value = self.settings[self.variable]
                await sys.out(
                    f"# {self.name} : {self.description}\n#\n"
                    f'{self.variable}="{value}"\n#   (default: "")\n\n'
                )
            case "enable" | "disable" | "delete":
                return await self._configure(sys, argument)
            case _:
                pass
        return 0

    async def _configure(self, sys: Process, argument: str) -> int:
        """Through sysrc(8), which complains by itself and whose failure counts for nothing."""
        try:
            if argument == "delete":
                changed = await rcconf.forget(sys, rcconf.places(self.name), self.variable)
                await sys.out(f"{self.variable} deleted in {' '.join(changed)}\n")
                return 0
            value = "YES" if argument == "enable" else "NO"
            places = rcconf.places(self.name)
            path = await rcconf.assign(sys, places, self.variable, value)
            await sys.out(f"{self.name} {argument}d in {path}\n")
        except SysError as error:
            await sys.err(f"sysrc: cannot create /etc/rc.conf: {error.message}\n")
        return 0

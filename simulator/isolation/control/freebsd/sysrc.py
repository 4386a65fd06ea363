"""sysrc(8): variables of rc.conf(5) told and set. Source: usr.sbin/sysrc"""

import re
from collections.abc import Sequence

from simulator.isolation.control.freebsd import rc, rcconf
from simulator.isolation.control.freebsd.etc import DEFAULTS
from simulator.machine.userland.options import Options, UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_USAGE = """Usage: sysrc [OPTIONS] {name[[+|-]=value] ... | -a | -A | -l | -L [name ...]}
Try `sysrc --help' for more information.
"""
_NOT_HERE = "aAdDEjLRX"


@enter("sysrc", collection=TOOLS)
async def sysrc(sys: Process, argv: Sequence[str]) -> int:
    """1 when something is not set, or can't be."""
    long = next((word for word in argv[1:] if word in ("--help", "--version")), "")
    if long:
        return await sys.complain(f"{long} is not modelled")
    try:
        given = parse(argv, "aAcdDeEf:Fhij:lLnNqR:s:vxX", stop_early=True)
    except UsageError as error:
        await sys.err(f"{rc.getopts(error)}\n")
        return await _usage(sys)
    absent = next((letter for letter in _NOT_HERE if given.has(letter)), "")
    if absent:
        return await sys.complain(f"-{absent} is not modelled")
    if given.has("h"):
        return await _usage(sys)
    for word in given.rest:
        name = re.split(r":[+=-]|[%#+=-]", word, maxsplit=1)[0]
        if re.search(r"\W", name):
            return await sys.complain(f"{name}: name contains characters not allowed in shell")
    paths = given.values["f"] if given.has("f") else rcconf.places(given.value("s"))
    if given.has("l"):
        if given.rest:
            return await _usage(sys)
        await sys.out(f"{' '.join(paths)}\n")
        return 0
    if not given.rest:
        return await _usage(sys)
    status = 0
    for word in given.rest:
        name, equals, value = word.partition("=")
        change = _Variable(sys, given, tuple(paths), name.rstrip("+-"))
        done = change.set(name[-1], value) if equals else change.show()
        status |= await done
    return status


async def _usage(sys: Process) -> int:
    await sys.err(_USAGE)
    return 1


class _Variable:
    """One variable on the command line."""

    def __init__(self, sys: Process, given: Options, paths: tuple[str, ...], name: str) -> None:
        self.sys = sys
        self.given = given
        self.paths = paths
        self.name = name
        self.verbose = given.has("v") and not given.has("q")
        bare = given.has("n") or given.has("N") or given.has("F")
        self.equals = given.has("e") and not bare

    async def _value(self) -> str | None:
        return (await rcconf.read(self.sys, self.paths, [self.name]))[self.name]

    async def _where(self, path: str) -> None:
        if self.verbose:
            await self.sys.out(f": {path}; " if self.equals else f"{path}: ")

    @property
    def _head(self) -> str:
        if self.given.has("n") and not self.given.has("N"):
            return ""
        return f'{self.name}="' if self.equals else f"{self.name}: "

    @property
    def _tail(self) -> str:
        return '"' if self.equals else ""

    async def show(self) -> int:
        """The value, the file, or nothing left of it."""
        value = await self._value()
        if value is None:
            if not (self.given.has("i") or self.given.has("q")):
                await self.sys.complain(f"unknown variable '{self.name}'")
            return 1
        if self.given.has("c"):
            return 0
        if self.given.has("x"):
            return await self._forget()
        place = await rcconf.find(self.sys, self.paths, self.name)
        if self.given.has("F"):
            await self.sys.out(f"{self._head}{place}\n")
            return 0
        await self._where(place)
        text = f"{self._head}{value}{self._tail}"
        await self.sys.out(f"{self.name if self.given.has('N') else text}\n")
        return 0

    async def _forget(self) -> int:
        try:
            await rcconf.forget(self.sys, self.paths, self.name)
        except SysError:
            return await self.sys.complain(f"cannot create {self.paths[0]}: permission denied")
        return 0

    async def set(self, sign: str, value: str) -> int:
        """NAME=VALUE, NAME+=WORDS, NAME-=WORDS."""
        before = await self._value()
        new = _joined(before or "", sign, value)
        if self.given.has("c"):
            return await self._check(before, new)
        old = await rcconf.find(self.sys, self.paths, self.name)
        await self._where(self.paths[0] if old in ("", DEFAULTS) else old)
        if self.given.has("x"):
            return await self._forget()
        if self.given.has("N"):
            await self.sys.out(f"{self.name}\n")
        try:
            path = await rcconf.assign(self.sys, self.paths, self.name, new)
        except SysError as error:
            return await self.sys.complain(f"cannot create {self.paths[0]}: {error.message}")
        if self.given.has("N"):
            return 0
        first, second = (old, path) if self.given.has("F") else (before or "", await self._value())
        middle = '" # -> "' if self.equals else " -> "
        await self.sys.out(f"{self._head}{first}{middle}{second or ''}{self._tail}\n")
        return 0

    async def _check(self, before: str | None, new: str) -> int:
        """-c: whether there is nothing to change; with -v in words."""
        if before is None:
            words = f"{self.name}: not currently set"
        else:
            place = await rcconf.find(self.sys, self.paths, self.name)
            how = f"already set to `{before}'"
            if new != before:
                how = f"would change from `{before}' to `{new}'"
            words = f"{place}: {self.name}: {how}"
        if self.verbose:
            await self.sys.out(f"{words}\n")
        return 0 if new == before else 1


def _joined(before: str, sign: str, value: str) -> str:
    """The new value: all of it, or the old with words more or less.

    The first character says what is between the words, unless it could be of a word.
    """
    if sign not in "+-":
        return value
    between = value[:1] if value[:1] and not re.match(r"[\sa-zA-Z0-9./]", value) else " "
    asked = [one for one in (value.split() if between == " " else value.split(between)) if one]
    held = [one for one in (before.split() if between == " " else before.split(between)) if one]
    if sign == "-":
        return between.join(one for one in held if one not in asked)
    return between.join([*([before] if before else []), *(o for o in asked if o not in held)])

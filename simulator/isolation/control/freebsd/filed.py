"""Jails of jail.conf(5), and those that run: made and removed in the order of dependencies.

Source: usr.sbin/jail/jail.c, config.c; jail(8).
"""

import fnmatch
import posixpath

from simulator.isolation.control.freebsd import conf, making
from simulator.isolation.control.freebsd.conf import ConfError
from simulator.isolation.control.freebsd.depending import (
    SET,
    START,
    STOP,
    Order,
    is_wild,
    matches,
)
from simulator.isolation.control.freebsd.making import Job
from simulator.isolation.control.freebsd.params import JailError, Params
from simulator.isolation.control.freebsd.running import prisons
from simulator.machine.userland.options import Options
from simulator.machine.userland.process import Process, SysError

CONF = "/etc/jail.conf"
_DEEPEST = 32
"""Files that include each other (usr.sbin/jail/config.c MAX_INCLUDE_DEPTH)."""


class Deeds:
    """What the tool does to one jail of a file, or of those that run."""

    def __init__(self, sys: Process, job: Job, settings: dict[str, Params]) -> None:
        self.sys = sys
        self.job = job
        self.settings = settings
        self.notes = False
        """Whether removing is told."""

    async def running(self, name: str) -> bool:
        """Whether there is a prison of that name."""
        return await making.running(self.sys, name) is not None

    async def warn(self, name: str, text: str) -> None:
        """A complaint about a jail."""
        await self.sys.complain(f"{name}: {text}")

    async def absent(self, name: str) -> None:
        """The jail is not there, and was to be."""
        await self.sys.complain(f'"{name}" not found')

    async def exists(self, name: str) -> None:
        """The jail is there, and was not to be."""
        await self.sys.complain(f'"{name}" already exists')

    async def create(self, name: str) -> int:
        """Make the jail, with its commands."""
        return await self._tried(name, ["c"])

    async def update(self, name: str) -> int:
        """Change what can be changed of it."""
        return await self._tried(name, ["m"])

    async def remove(self, name: str) -> int:
        """Its commands for the end, and away with it."""
        jid = await making.running(self.sys, name)
        assert jid is not None
        try:
            params = self.settings.get(name, {})
            return await making.remove(self.sys, jid, name, params, told=self.notes)
        except JailError as error:
            return await self.sys.complain(f"{name}: {error}")

    async def _tried(self, name: str, doing: list[str]) -> int:
        try:
            return await making.one(self.sys, Job(self.job.given, doing, name), self.settings[name])
        except (JailError, ConfError) as error:
            return await self.sys.complain(f"{name}: {error}")


async def of_file(sys: Process, given: Options, doing: list[str]) -> int:
    """Jails of the file, with what they depend on; a failure of one does not keep others."""
    order = await _order(sys, given, await _blocks(sys, given), doing)
    op = sum({"c": START, "m": SET, "r": STOP}[letter] for letter in doing)
    for target in given.rest or ["*"]:
        if target == "*":
            order.want_all(op)
        elif is_wild(target):
            for name in [one for one in order.nodes if matches(one, target)]:
                order.want(name, op, wild=True)
        elif target in order.nodes:
            order.want(target, op)
        else:
            return await sys.complain(f'"{target}" not found')
    return await order.run()


async def remove_all(sys: Process, given: Options) -> int:
    """-r: exec.stop inside, then jail_remove(2), of a jail and of those that depend on it.

    -R leaves the commands and the file out, and takes a star for any jail that runs.
    """
    path = given.value("f", CONF)
    filed = not given.has("R") and await sys.succeeds("stat", path)
    order = await _order(sys, given, await _blocks(sys, given) if filed else [], ["r"])
    assert isinstance(order.deeds, Deeds)
    several = len(given.rest) > 1 or is_wild(given.rest[0])
    order.deeds.notes = (filed or several or given.has("v")) and order.tells
    status = 0
    for target in given.rest:
        names = [str(one["name"]) async for one in prisons(sys)] if given.has("R") else []
        if target == "*" and not given.has("R"):
            order.want_all(STOP)
        elif is_wild(target):
            for name in [one for one in names or order.nodes if matches(one, target)]:
                order.want(name, STOP, wild=True)
        elif target in order.nodes or await making.running(sys, target) is not None:
            order.want(target, STOP)
        else:
            status = await sys.complain(f'"{target}" not found')
    return await order.run() | status


async def _order(sys: Process, given: Options, blocks: list[conf.Block], doing: list[str]) -> Order:
    """The file's jails, each with its parameters; what is wrong with one is said at once."""
    settings: dict[str, Params] = {}
    broken: list[str] = []
    for name in conf.names(blocks):
        try:
            settings[name] = conf.settings(blocks, name)
        except ConfError as error:
            await sys.complain(f"{name}: {error}")
            broken.append(name)
    deeds = Deeds(sys, Job(given, doing), settings)
    quiet = given.has("q") or given.has("i")
    order = Order(conf.names(blocks), deeds, tells=not quiet)
    for name in broken:
        order.nodes[name].failed = True
    await order.connect({name: params.get("depend", []) for name, params in settings.items()})
    return order


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

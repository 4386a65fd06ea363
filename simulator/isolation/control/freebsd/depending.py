"""In which order jails start and stop: what they depend on, and what depends on them.

Source: usr.sbin/jail/state.c, and the main loop of jail.c. One jail's commands end before another
begins; the real tool lets several run at a time.
"""

import re
from collections.abc import Iterable
from typing import Protocol

import msgspec

START, SET, STOP = 1, 2, 4
"""What is to happen to a jail; START and STOP together are a restart."""


class Edge(msgspec.Struct, eq=False):
    """``by`` depends on ``on``; ``light``: for being its child, which needs no more than to be."""

    by: "Node"
    on: "Node"
    light: bool = False
    seen: bool = False


class Node(msgspec.Struct, eq=False):
    """One jail: what is to happen to it, why, and how many it still waits for."""

    name: str
    op: int = 0
    failed: bool = False
    wild: bool = False
    """Nobody has named it: it is one of all."""
    implied: bool = False
    """It is only here because another depends on it, or it on another."""
    needs: list[Edge] = []
    needed: list[Edge] = []
    waits: int = 0

    @property
    def edges(self) -> list[Edge]:
        """What it waits for: who depends on it, when it stops, or else what it depends on."""
        return self.needed if self.op & STOP else self.needs

    def reset(self) -> None:
        """dep_reset()."""
        self.waits = len(self.edges)


class Deeds(Protocol):
    """What jail(8) does to one jail; every answer is an exit status."""

    async def running(self, name: str) -> bool:
        """Whether there is a prison of that name."""
        ...

    async def warn(self, name: str, text: str) -> None:
        """A complaint about a jail."""
        ...

    async def absent(self, name: str) -> None:
        """The jail is not there, and was to be."""
        ...

    async def exists(self, name: str) -> None:
        """The jail is there, and was not to be."""
        ...

    async def create(self, name: str) -> int:
        """Make the jail, with its commands."""
        ...

    async def update(self, name: str) -> int:
        """Change what can be changed of it."""
        ...

    async def remove(self, name: str) -> int:
        """Its commands for the end, and away with it."""
        ...


class Order:
    """The jails of a file, and of a command line."""

    def __init__(self, names: Iterable[str], deeds: Deeds, *, tells: bool) -> None:
        self.nodes = {name: Node(name) for name in names}
        self.deeds = deeds
        self.tells = tells
        self.ready: list[Node] = []
        self.waiting: list[Node] = []

    async def connect(self, depends: dict[str, list[str]]) -> None:
        """dep_setup(): who depends on whom; what depends on nothing there is has failed."""
        explicit, implicit = 0, 0
        for name, node in self.nodes.items():
            for other in () if node.failed else depends.get(name, []):
                if other in self.nodes:
                    self._add(node, self.nodes[other])
                    explicit += 1
                else:
                    await self.deeds.warn(name, f'depends on undefined jail "{other}"')
                    node.failed = True
            above = name.rpartition(".")[0]
            if above in self.nodes and not node.failed:
                self._add(node, self.nodes[above], light=True)
                implicit += 1
        if explicit and (explicit > 1 or implicit):
            await self._break_loops()

    def _add(self, by: Node, on: Node, *, light: bool = False) -> None:
        edge = Edge(by, on, light)
        by.needs.append(edge)
        on.needed.append(edge)

    async def _break_loops(self) -> None:
        self.want_all(0)
        while self.ready or self.waiting:
            if not self.ready:
                node = self.waiting[0]
                await self.deeds.warn(node.name, "dependency loop")
                node.failed, node.waits = True, 0
                self._queue(node)
            node = self.ready.pop(0)
            await self._done(node, fails=False)
        for node in self.nodes.values():
            for edge in node.needs:
                edge.seen = False

    def want_all(self, op: int) -> None:
        """start_state() of no name in particular: those that wait for none come first."""
        for node in self.nodes.values():
            node.op, node.wild, node.implied = op, True, False
            node.reset()
            self._queue(node)

    def want(self, name: str, op: int, *, wild: bool = False) -> None:
        """start_state() of one jail, which is ready even if it will have to wait."""
        node = self.nodes.setdefault(name, Node(name))
        node.op, node.wild, node.implied = op, wild, False
        node.reset()
        if node not in self.ready:
            self.ready.append(node)

    def _queue(self, node: Node) -> None:
        """requeue() of a jail whose dependencies were counted."""
        target, other = (self.waiting, self.ready) if node.waits else (self.ready, self.waiting)
        if node not in target:
            target.append(node)
        if node in other:
            other.remove(node)

    def _next(self) -> Node | None:
        """next_jail(): the first that is ready, but of those to stop the last."""
        if not self.ready:
            return None
        at = 0
        if self.ready[0].op & STOP:
            at = max(at for at, one in enumerate(self.ready) if one.op & STOP)
        return self.ready.pop(at)

    async def run(self) -> int:
        """The main loop; 1 when something has failed."""
        status = 0
        while (node := self._next()) is not None:
            if node.op & SET and node.op != SET:
                # Either, as the jail is there or not. That a restart may be needed to change some
                # parameters is left to jail_set(2), which refuses to.
                runs = await self.deeds.running(node.name)
                node.op = SET if runs or not node.op & START else START
                node.wild = node.implied = False
            if not node.failed and await self._waits(node):
                continue
            if not node.failed:
                node.failed = bool(await self._act(node))
            status |= node.failed
            await self._done(node)
            if node.op & STOP and node.op & START and not node.failed:
                node.op &= ~STOP
                node.reset()
                self._queue(node)
        return status

    async def _waits(self, node: Node) -> bool:
        """What is wrong with the jail itself comes first; then what it must wait for."""
        runs = await self.deeds.running(node.name)
        if node.op == START:
            if runs and not (node.implied or node.wild):
                await self.deeds.exists(node.name)
                node.failed = True
                return False
        elif node.op == SET and not runs and not node.implied:
            await self.deeds.absent(node.name)
            node.failed = True
            return False
        return await self._check(node)

    async def _act(self, node: Node) -> int:
        runs = await self.deeds.running(node.name)
        if node.op & STOP:
            if runs:
                return await self.deeds.remove(node.name)
            if node.implied or node.wild:
                return 0
            if self.tells:
                await self.deeds.absent(node.name)
            return 1
        if node.op == SET:
            return 0 if node.implied else await self.deeds.update(node.name)
        return 0 if runs else await self.deeds.create(node.name)

    async def _check(self, node: Node) -> bool:
        """dep_check(): whether it has to wait; others may get something to do for it."""
        if not node.waits:
            return False
        stops, waits = bool(node.op & STOP), 0
        for edge in node.edges:
            if edge.seen:
                continue
            other = edge.by if stops else edge.on
            if other.failed:
                await self._skip(node)
                continue
            if other.op.bit_count() <= 1:
                self._entail(node, other)
            if not (edge.light and await self.deeds.running(other.name) != stops):
                waits += 1
        if waits:
            self.waiting.append(node)
        return waits > 0

    def _entail(self, node: Node, other: Node) -> None:
        """What happens to ``other`` for what happens to ``node``."""
        fresh = not other.op
        if fresh:
            other.implied = True
            self.ready.append(other)
        if node.op & STOP:
            fresh = fresh or not other.op & STOP
            other.op |= STOP
            if other.op & SET:
                other.op ^= START | SET
        elif node.op == START:
            other.op |= START
        elif node.op == SET:
            if fresh:
                other.op |= SET
            elif other.op & STOP:
                other.op |= START
        if fresh:
            other.reset()

    async def _done(self, node: Node, *, fails: bool = True) -> None:
        """dep_done(): those that waited for it go on, or fail with it."""
        stops = bool(node.op & STOP)
        for edge in node.needs if stops else node.needed:
            if edge.seen:
                continue
            edge.seen = True
            other = edge.on if stops else edge.by
            if fails and node.failed and not (node.op == SET and node.implied):
                await self._skip(other)
            other.waits -= 1
            if not other.waits and other in self.waiting:
                self._queue(other)

    async def _skip(self, node: Node) -> None:
        if not node.implied and not node.failed and self.tells:
            await self.deeds.warn(node.name, "skipped")
        node.failed = True


def is_wild(name: str) -> bool:
    """wild_jail_name(): whether a component of the name is a star."""
    return "*" in name.split(".")


def matches(name: str, wild: str) -> bool:
    """wild_jail_match(): a star is one component, and at the end one or more."""
    *inner, last = wild.split(".")
    parts = [r"[^.]+" if one == "*" else re.escape(one) for one in inner]
    parts.append(".+" if last == "*" else re.escape(last))
    return re.fullmatch(r"\.".join(parts), name) is not None

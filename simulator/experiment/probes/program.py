"""A probe as data: a straight line of steps, each a system call or a shell line.

``language.parse`` makes a ``Program`` from text and ``render`` writes one back; nothing here is
ever evaluated by Python. Arguments are small trees whose leaves are literals and names, so that a
step shows the text that a person wrote and is still resolved anew at each run.
"""

import functools
from typing import Literal as OneOf
from typing import TypeAlias

import msgspec

ACTORS = ("host", "guest", "neighbour", "runtime")
"""Actors that every world has; others are born by ``child = actor.fork()``."""

FORKS = frozenset({"fork", "vfork", "clone"})
"""Calls whose bound name is a new actor."""


class Literal(msgspec.Struct, frozen=True, tag=True):
    """A number, a string, bytes or ``None``."""

    value: int | str | bytes | None


class Ref(msgspec.Struct, frozen=True, tag=True):
    """A name: bound by an earlier step, an actor (its pid), a C constant or a world constant."""

    name: str


class Text(msgspec.Struct, frozen=True, tag=True):
    """An f-string: literal pieces and names."""

    parts: "tuple[Literal | Ref, ...]"


class Times(msgspec.Struct, frozen=True, tag=True):
    """``"x" * 300``."""

    left: "Expr"
    right: "Expr"


class Plus(msgspec.Struct, frozen=True, tag=True):
    """``left + right`` of two numbers, strings or bytes."""

    left: "Expr"
    right: "Expr"


class Or(msgspec.Struct, frozen=True, tag=True):
    """``O_CREAT | O_EXCL``."""

    left: "Expr"
    right: "Expr"


class TupleOf(msgspec.Struct, frozen=True, tag=True):
    """``("127.0.0.1", 80)``."""

    items: "tuple[Expr, ...]"


class ListOf(msgspec.Struct, frozen=True, tag=True):
    """``[1000, 1001]``."""

    items: "tuple[Expr, ...]"


class DictOf(msgspec.Struct, frozen=True, tag=True):
    """``{"modes": ADJ_TICK}``; keys are literal."""

    items: "tuple[tuple[int | str, Expr], ...]"


class Makedev(msgspec.Struct, frozen=True, tag=True):
    """``makedev(major, minor)`` of makedev(3)."""

    major: "Expr"
    minor: "Expr"


Expr: TypeAlias = "Literal | Ref | Text | Times | Plus | Or | TupleOf | ListOf | DictOf | Makedev"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a program: who does what, how often, and what its result is called.

    For a shell line ``kind`` is ``shell``, ``call`` is ``shell`` and ``args`` holds the line.
    ``binds`` is empty, one name for the value, or several for the parts of the data (pipe(2)).
    """

    line: int
    text: str
    actor: str
    kind: OneOf["call", "shell"] = "call"
    call: str
    args: tuple[Expr, ...] = ()
    binds: tuple[str, ...] = ()
    repeat: int = 1
    comment: str = ""

    @property
    def forks(self) -> bool:
        """Whether a success gives birth to a new actor."""
        return self.kind == "call" and self.call in FORKS


class Filter(msgspec.Struct, frozen=True):
    """Which technologies a program asks: ``# on: docker lxc`` or ``# on: -none -chroot``."""

    only: tuple[str, ...] = ()
    but: tuple[str, ...] = ()

    def asks(self, technology: str) -> bool:
        """Whether the question makes sense for ``technology`` (a name without options)."""
        return technology not in self.but and (not self.only or technology in self.only)


class Program(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """A probe's steps; ``comments`` are the comment lines before the first step."""

    steps: tuple[Step, ...]
    comments: tuple[str, ...] = ()
    on: Filter = Filter()


def names_in(expr: Expr) -> tuple[str, ...]:
    """Every name that ``expr`` uses, left to right."""
    match expr:
        case Ref(name):
            return (name,)
        case Text(parts):
            return tuple(part.name for part in parts if isinstance(part, Ref))
        case Times(left, right) | Plus(left, right) | Or(left, right):
            return names_in(left) + names_in(right)
        case TupleOf(items) | ListOf(items):
            return tuple(name for item in items for name in names_in(item))
        case DictOf(items):
            return tuple(name for _, item in items for name in names_in(item))
        case Makedev(major, minor):
            return names_in(major) + names_in(minor)
        case Literal():
            return ()


@functools.lru_cache(maxsize=4096)
def lineage(program: Program, actor: str) -> frozenset[str]:
    """``actor`` and every child that it and its children bear in ``program``."""
    family = {actor}
    for step in program.steps:
        if step.forks and step.actor in family:
            family.update(step.binds)
    return frozenset(family)


def without(program: Program, actors: frozenset[str]) -> Program:
    """``program`` without the steps of ``actors``; lines keep their numbers."""
    steps = tuple(step for step in program.steps if step.actor not in actors)
    return msgspec.structs.replace(program, steps=steps)

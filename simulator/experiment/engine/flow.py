"""Who reached whose objects in a run, and which accesses a wall refused: a graph.

Nodes are domains and objects. An edge from a domain to an object is one access: allowed, granted
(an operator asked for it) or denied. What a refused call was after is known from the same program
on the same kernel without any isolation: what the call reached there, it was denied here.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, cast

import msgspec
import networkx as nx

from simulator.experiment.engine.judge import Question, answer
from simulator.experiment.probes.observation import Crossing
from simulator.experiment.probes.oracles.common import walls_of
from simulator.experiment.probes.trace import Entry, Status, Trace
from simulator.isolation.technologies import none
from simulator.isolation.technologies.base import Technology, change

ALLOWED, GRANTED, DENIED = "allowed", "granted", "denied"


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """One access of ``actor``'s domain to an object.

    ``entry`` is its number in the trace, from 0; ``outcome`` one of ``allowed``, ``granted``,
    ``denied``; ``wall`` what refused, or the mechanisms that keep such objects out of sight;
    ``errno`` is empty where the call succeeded, but on something of the caller's own.
    """

    entry: int
    actor: str
    call: str
    kind: str
    name: str
    owner: str
    operation: str
    outcome: str
    wall: str = ""
    errno: str = ""


def accesses(question: Question, technology: Technology) -> tuple[Access, ...]:
    """What the question's program reached on ``technology``, and what it was kept from."""
    here = answer(question, technology).case.main.trace
    bare = change(
        none.TECHNOLOGY,
        id=technology.id,
        kernel=technology.kernel,
        release=technology.release,
    )
    there = answer(question, bare).case.main.trace
    return tuple(_compared(here, there, technology))


def _compared(here: Trace, there: Trace, technology: Technology) -> Iterator[Access]:
    open_case = {(entry.step, entry.rep): entry for entry in there.entries}
    for number, entry in enumerate(here.entries):
        reached = entry.crossings or ()
        for crossing in reached:
            yield _access(number, entry, crossing, GRANTED if crossing.granted else ALLOWED)
        if reached:
            continue
        other = open_case.get((entry.step, entry.rep))
        for crossing in (other.crossings if other is not None else None) or ():
            yield _access(number, entry, crossing, DENIED, _wall(entry, crossing, technology))


def _access(number: int, entry: Entry, crossing: Crossing, outcome: str, wall: str = "") -> Access:
    return Access(
        entry=number,
        actor=entry.actor,
        call=entry.call,
        kind=crossing.kind,
        name=crossing.name,
        owner=crossing.owner,
        operation=crossing.operation,
        outcome=outcome,
        wall=wall,
        errno=str(entry.errno) if entry.status is Status.FAILED and entry.errno else "",
    )


def _wall(entry: Entry, crossing: Crossing, technology: Technology) -> str:
    """The wall that said no; where none did, what keeps such an object from having a name."""
    said = [*walls_of(entry)]
    if said:
        return said[-1]
    return " ".join(m.about.id for m in technology.mechanisms if crossing.kind in m.about.hides)


class Line(NamedTuple):
    """All accesses of one domain to one object by one operation with one outcome."""

    actor: str
    operation: str
    outcome: str
    thing: str
    owner: str
    walls: tuple[str, ...]
    entries: tuple[int, ...]


def lines(found: Iterable[Access]) -> list[Line]:
    """Accesses gathered, in the order of their first entry."""
    gathered: dict[tuple[str, str, str, str, str], list[Access]] = {}
    for one in found:
        key = (one.actor, one.operation, one.outcome, f"{one.kind} {one.name}".strip(), one.owner)
        gathered.setdefault(key, []).append(one)
    return [
        Line(
            *key,
            walls=tuple(dict.fromkeys(word for one in mine for word in one.wall.split())),
            entries=tuple(dict.fromkeys(one.entry for one in mine)),
        )
        for key, mine in gathered.items()
    ]


def graph(found: tuple[Access, ...]) -> "nx.MultiDiGraph[str]":
    """Domains and objects; an edge an access, and one from each object's owner to it."""
    made: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for one in found:
        domain, owner = f"domain:{one.actor}", f"domain:{one.owner}"
        thing = f"object:{one.kind}:{one.owner}:{one.name}"
        for node, label in ((domain, one.actor), (owner, one.owner)):
            made.add_node(node, type="domain", label=label)
        label = f"{one.kind} {one.name}".strip()
        made.add_node(thing, type="object", kind=one.kind, owner=one.owner, label=label)
        if not made.has_edge(owner, thing, "owns"):
            made.add_edge(owner, thing, "owns", relation="owns")
        made.add_edge(
            domain,
            thing,
            f"entry-{one.entry}-{one.operation}",
            relation="access",
            **{
                key: value
                for key, value in msgspec.structs.asdict(one).items()
                if key not in ("kind", "name", "owner", "actor")
            },
        )
    return made


def as_json(made: "nx.MultiDiGraph[str]") -> dict[str, Any]:
    """Node-link data, as ``networkx.node_link_graph`` reads it back."""
    link = cast("Callable[..., dict[str, Any]]", nx.node_link_data)  # pyright: ignore[reportUnknownMemberType]
    return link(made, edges="edges")


def as_graphml(made: "nx.MultiDiGraph[str]") -> str:
    """GraphML, for yEd, Gephi and the like."""
    lines = nx.generate_graphml(made)  # pyright: ignore[reportUnknownMemberType]
    return "\n".join(cast("Iterator[str]", lines)) + "\n"

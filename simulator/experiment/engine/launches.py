"""Many launches on one machine, each from where it parts with the ones before.

Technologies that differ in a mechanism begin with the same steps. The launches are a tree: a node
is the state after some steps, and the next launch takes the way that others went as far as it can,
then leaves it on a timeline of its own.
"""

from collections.abc import Hashable, Sequence
from typing import TypeAlias

import msgspec

from simulator.experiment.engine.launch import Progress, carry_out
from simulator.isolation.mechanisms.base import LaunchStep
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.kernel import Kernel

Tenant: TypeAlias = tuple[str, tuple[LaunchStep, ...]]
"""A sandbox's name, and the steps of its launch."""

_MANY = 512
"""Launches after which all are forgotten: each takes a third of a megabyte."""


class Grown(msgspec.Struct, frozen=True, eq=False):
    """A machine on which all were launched.

    ``lineage`` are the machines that it was branched from, after the first, and itself: all that
    the launches wrote is in their journals.
    """

    kernel: Kernel
    lineage: tuple[Kernel, ...]
    born: tuple[Pid, ...]


class _Node:
    """The state after ``events`` of the last timeline in ``lineage``."""

    __slots__ = ("events", "lineage", "next", "progress")

    def __init__(self, lineage: tuple[Kernel, ...], progress: Progress) -> None:
        self.lineage = lineage
        self.events = len(lineage[-1].timeline)
        self.progress = progress
        self.next: dict[Hashable, _Node] = {}


class Launches:
    """What was launched on one machine so far."""

    def __init__(self, kernel: Kernel, runtime: Pid) -> None:
        self._kernel = kernel
        self._runtime = runtime
        self._clear()

    def _clear(self) -> None:
        self._root = _Node((self._kernel,), Progress())
        self._grown = 0

    def launched(self, tenants: Sequence[Tenant]) -> Grown:
        """The machine with ``tenants`` on it, launched in turn. Raises ``LaunchError``.

        What is returned is nobody else's timeline: it may be branched from, and not written to.
        """
        self._grown += 1
        if self._grown > _MANY:
            self._clear()
        node, mine = self._root, False
        born: list[Pid] = []
        for name, steps in tenants:
            progress = Progress()
            for step in steps:
                key = _key(name, step)
                known = node.next.get(key)
                if known is None:
                    lineage = node.lineage if mine else _parted(node)
                    mine = True
                    progress = carry_out(lineage[-1], self._runtime, name, step, progress)
                    known = node.next[key] = _Node(lineage, progress)
                node, progress = known, known.progress
            born.append(progress.born)
        lineage = node.lineage if mine else _parted(node)
        return Grown(lineage[-1], lineage[1:], tuple(born))


def _parted(node: _Node) -> tuple[Kernel, ...]:
    """A timeline of its own from there."""
    kernel = node.lineage[-1]
    return (*node.lineage, Kernel(kernel.family, kernel.timeline.branch(node.events)))


def _key(name: str, step: LaunchStep) -> Hashable:
    """The same for steps that do the same: arguments may be lists, which have no hash."""
    return (
        name,
        step.actor,
        step.mechanism,
        step.name,
        repr(step.args),
        step.binds,
        step.tolerates,
        repr(step.instead),
    )

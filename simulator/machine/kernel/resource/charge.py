"""Counting a kernel object against whoever asks for it: the one question behind every such limit.

A kernel with a counter for each container (OpenVZ's beancounters) answers ``may_charge`` of the
security chain; a plain one has nobody who does, and then nothing is spent on it. ``RESOURCES`` are
the kernel's own objects, each product counts them under its own names.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

from simulator.machine.kernel.task import Task
from simulator.machine.state.store import World

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

Resource: TypeAlias = Literal[
    "task",
    "file",
    "descriptor",
    "tcp-socket",
    "socket",
    "unix-socket",
    "record-lock",
    "whole-lock",
    "terminal",
    "address-space",
    "heap",
    "private-memory",
    "memory-file",
    "shared-memory",
    "locked-memory",
    "semaphores",
    "semaphore-operations",
    "message-queue",
    "message",
]
"""What is counted: address spaces, the kinds of memory (memory files are those of tmpfs) and a
message in bytes, the rest one by one; of a descriptor it is the number that it is to have."""

Grants: TypeAlias = "Callable[[World, Task], Mapping[str, int]]"

_GRANTS: list[Grants] = []


def charge(trap: "Trap", resource: Resource, amount: int = 1) -> None:
    """Ask for ``amount`` more of ``resource``, before it is made. The errno is the counter's."""
    if trap.family.chain.asked["may_charge"]:
        trap.ask("may_charge", resource, amount)


def at_grant(told: Grants) -> None:
    """Have ``told`` say what a container's own limits grant a task (``grants``)."""
    _GRANTS.append(told)


def grants(world: World, task: Task) -> dict[str, int]:
    """What ``task``'s container may hold: ``memory`` and ``disk`` in bytes, ``pids``, ``files``.

    A name that is missing has no limit there.
    """
    found: dict[str, int] = {}
    for told in _GRANTS:
        found.update(told(world, task))
    return found

"""What a run saw besides its trace: plain data that a model and a real kernel both can fill in."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from simulator.machine.abi.call import Call, Result

Operation: TypeAlias = Literal[
    "read", "write", "name", "connect", "signal", "trace", "exhaust", "privilege"
]
"""What was done to another's object. ``name`` is learning that it exists and what it is called;
``privilege`` is being allowed to command it (mount, clock, module, raw device, reboot)."""

HOST = "host"
KERNEL = "kernel"
"""Owners (domains) that are not the guest's own; a sandbox's own domain is ``guest``."""


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """One access to an object that is not the caller's own.

    ``granted``: an operator asked for it (bind mount, volume, published port, ``--pid=host``).
    ``would_stop`` names the mechanism or wall that would have refused it, where that is known.
    """

    kind: str
    name: str = ""
    owner: str
    operation: Operation
    granted: bool = False
    would_stop: str = ""


class Nested(msgspec.Struct, frozen=True, kw_only=True):
    """One system call that a program of a shell line made."""

    call: Call
    result: Result
    domain: str = ""


class Extra(msgspec.Struct, frozen=True, kw_only=True):
    """What a session can tell about the last call beyond its result; all of it is optional."""

    domain: str = ""
    note: str = ""
    nested: tuple[Nested, ...] = ()
    crossings: tuple[Crossing, ...] | None = None
    """Empty: the call stayed at home. ``None``: this session cannot tell (a real kernel)."""


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """How much of one resource the guest holds; ``granted`` is ``None`` without a limit of its own.

    ``resource`` is ``memory`` (bytes), ``pids`` (tasks), ``disk`` (bytes), ``files`` (open files of
    the whole machine), ``ipc`` (System V objects), ``cpu`` (nanoseconds of processor time) or
    ``io`` (bytes to and from disks). Of ``cpu-share`` and ``io-share`` it is what a neighbour lacks
    of its fair part, in thousandths; a tenth of it is granted, since nobody divides exactly.
    """

    resource: str
    used: int
    granted: int | None = None


Fingerprint: TypeAlias = Mapping[str, str]
"""The host's objects by name, each with a digest of its state: equal before and after, or not."""

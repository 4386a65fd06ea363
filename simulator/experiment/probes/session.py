"""The seam between a question and whatever answers it: a simulated kernel or this machine's.

``run.run`` drives a ``Session`` line by line; a session knows nothing of programs.
"""

from collections.abc import Mapping
from typing import Protocol

from simulator.experiment.probes.observation import Extra, Fingerprint, Use
from simulator.machine.abi.call import Call, Result, Value
from simulator.machine.abi.errors import VitrinaError


class HarnessError(VitrinaError):
    """The apparatus failed (no sandbox, a lost agent): the answer is INCONCLUSIVE, never HOLDS."""


class Session(Protocol):
    """One world with one sandbox in it, from launch to ``close``.

    The actors ``host``, ``guest``, ``neighbour`` and ``runtime`` exist from the start. Every
    method may raise ``HarnessError``.
    """

    def call(self, actor: str, call: Call) -> Result:
        """``actor`` makes one system call. Bound descriptors of pipe(2) come as ``data``."""
        ...

    def shell(self, actor: str, line: str) -> Result:
        """A child of ``actor`` runs ``/bin/sh -c line``.

        ``Returned(value=exit status, data=standard output and error)``; ``Failed`` when the
        child could not be made; ``Blocked`` when it does not end.
        """
        ...

    def fork(self, actor: str, child: str, call: Call) -> Result:
        """``actor`` forks (``call`` is fork, vfork or clone); on success ``child`` is an actor.

        ``Returned.value`` is the child's pid as the parent sees it. An empty ``child`` lives on
        nameless. A ``child`` that already names an actor passes the name to the new process; the
        old one lives on nameless.
        """
        ...

    def asleep(self, actor: str) -> bool:
        """Whether ``actor`` sleeps in a call or is stopped; asked before each of its lines."""
        ...

    def alive(self, actor: str) -> bool:
        """Whether ``actor`` still exists (another actor's step may have killed it)."""
        ...

    def constants(self) -> Mapping[str, Value]:
        """The world constants (``constants.WORLD_CONSTANTS``) with this world's values."""
        ...

    def extra(self) -> Extra:
        """What is known about the last ``call``, ``shell`` or ``fork`` beyond its result."""
        ...

    def fingerprint(self) -> Fingerprint:
        """Digests of everything that is the host's, to be equal before and after a probe."""
        ...

    def uses(self) -> tuple[Use, ...]:
        """What the guest has used so far, by resource."""
        ...

    def close(self) -> None:
        """End every process and free every object of the session; never raises."""
        ...

"""A call of a program that nobody knows, as it waits for a verdict."""

import os
from collections.abc import Callable

import msgspec

from simulator.experiment.real.agent.gate import OF_THE_MACHINE
from simulator.experiment.real.memory import text
from simulator.experiment.real.standing import Standing, capable, shares
from simulator.machine.abi.i18n import N_


class Verdict(msgspec.Struct, frozen=True):
    """What the call gives instead of being made; without a ``reason`` nobody need be told."""

    errno: int
    reason: str = ""


_CAP = {
    "DAC_READ_SEARCH": 2,
    "NET_ADMIN": 12,
    "SYS_MODULE": 16,
    "SYS_RAWIO": 17,
    "SYS_PTRACE": 19,
    "SYS_PACCT": 20,
    "SYS_ADMIN": 21,
    "SYS_BOOT": 22,
    "SYS_TIME": 25,
    "MKNOD": 27,
    "SYSLOG": 34,
    "WAKE_ALARM": 35,
    "PERFMON": 38,
    "BPF": 39,
}


class Asked(msgspec.Struct, frozen=True):
    """One call that waits: who makes it, with which numbers."""

    pid: int
    args: tuple[int, ...]
    actor: Standing

    def may(self, *capabilities: str) -> bool:
        """Whether the caller holds one of these over the machine, or would but for the gate."""
        return any(self._may(_CAP[one]) for one in capabilities)

    def _may(self, capability: int) -> bool:
        if capability not in OF_THE_MACHINE:
            return capable(self.pid, capability)
        told = Standing.of(self.pid)
        gone = not told.bounding >> capability & 1 and self.actor.bounding >> capability & 1
        mine = told.effective >> capability & 1 or (gone and told.effective and not told.user)
        return bool(mine) and shares(self.pid, os.getpid(), "user")

    def text(self, at: int) -> str | None:
        """A string argument; ``None`` for the null pointer. Raises ``UnsteadyError``."""
        return text(self.pid, self.args[at]) if self.args[at] else None


Rule = Callable[[Asked], "Verdict | str | None"]


NOT_IN_A_LINE = N_("a program that a line starts does not do this to a real machine")
NOT_SEEN = N_("a program that a line starts makes no call that can't be looked at beforehand")

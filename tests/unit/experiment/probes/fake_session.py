"""A session that answers from a script, for tests of what drives sessions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from simulator.experiment.probes.observation import Extra, Fingerprint, Use
from simulator.machine.abi.call import Call, Denial, Failed, Result, Returned, Value
from simulator.machine.abi.errno import Errno

CONSTANTS: dict[str, Value] = {
    "CANARY": "/srv/canary/secret",
    "HOST_PID": 300,
    "HOST_NAME": "vitrina-host",
    "GUEST_PID": 301,
    "NEIGHBOUR_PID": 302,
}


def denied(errno: Errno, wall: str = "none") -> Failed:
    return Failed(Denial(errno, wall, "Because.", "manual(2)"))


@dataclass
class FakeSession:
    """``answer`` says what a call gives; everything that was asked is kept in ``asked``."""

    answer: Callable[[str, Call], Result] = lambda _actor, _call: Returned()
    sleeping: set[str] = field(default_factory=set[str])
    dead: set[str] = field(default_factory=set[str])
    asked: list[tuple[str, str, tuple[Value, ...]]] = field(
        default_factory=list[tuple[str, str, tuple[Value, ...]]]
    )
    children: list[str] = field(default_factory=list[str])
    prints: list[Fingerprint] = field(default_factory=list[Fingerprint])
    told: Extra = field(default_factory=Extra)

    def call(self, actor: str, call: Call) -> Result:
        self.asked.append((actor, call.name, call.args))
        return self.answer(actor, call)

    def shell(self, actor: str, line: str) -> Result:
        return self.call(actor, Call("shell", (line,)))

    def fork(self, actor: str, child: str, call: Call) -> Result:
        self.children.append(child)
        return self.call(actor, call)

    def asleep(self, actor: str) -> bool:
        return actor in self.sleeping

    def alive(self, actor: str) -> bool:
        return actor not in self.dead

    def constants(self) -> Mapping[str, Value]:
        return CONSTANTS

    def extra(self) -> Extra:
        return self.told

    def fingerprint(self) -> Fingerprint:
        return self.prints.pop(0) if self.prints else {}

    def uses(self) -> tuple[Use, ...]:
        return ()

    def close(self) -> None:
        self.asked.clear()

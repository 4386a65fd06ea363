"""What tests of tools share: a host, lines typed on it, and what each must answer."""

from typing import NamedTuple

import msgspec

from simulator.experiment.engine.executor import open_session
from simulator.experiment.engine.session import SimSession
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.call import Returned


class Mistake(NamedTuple):
    """A line, the status that it must end with, and words that it must print."""

    line: str
    status: int
    says: str = ""


def host(spec: str, *services: str) -> SimSession:
    """A host on which the product of ``spec`` is installed."""
    world = msgspec.structs.replace(load_world(), services=services) if services else load_world()
    return open_session(world, parse_spec(spec))


def unlike(session: SimSession, mistakes: list[Mistake]) -> list[str]:
    """The lines that answered otherwise, with what they said; typed in order on one host."""
    found: list[str] = []
    for one in mistakes:
        result = session.shell("host", f"{one.line}; echo =$?")
        if not isinstance(result, Returned):
            found.append(f"{one.line}: {result}")
            continue
        text, _, status = result.data.decode().rstrip("\n").rpartition("=")
        if int(status) != one.status or one.says not in text:
            found.append(f"{one.line}: {status}, {text!r}")
    return found


def typed(session: SimSession, line: str, actor: str = "host") -> tuple[int, str]:
    """Exit status and output of a line."""
    done = session.shell(actor, line)
    assert isinstance(done, Returned), done
    return done.value, done.data.decode()


def said(session: SimSession, line: str, actor: str = "host") -> str:
    """The output of a line that succeeds."""
    status, output = typed(session, line, actor)
    assert status == 0, output
    return output

"""Letting a program that nobody knows run: a shell line, or what an execve(2) starts.

It waits at the gate (``agent.gate``) until its filter has somebody who answers (``watch``); without
one it is not run.
"""

import os
from collections.abc import Callable
from typing import Any

from simulator.experiment.real import helper, watch
from simulator.experiment.real.agent import wire
from simulator.experiment.real.link import Asleep, Gone, Link
from simulator.experiment.real.standing import Standing
from simulator.machine.abi.call import Call
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

Ask = Callable[..., Any]
"""``link.ask`` of a session: a request, and limits."""

_LOADING = 5.0
"""Seconds within which whoever says it will load a filter has done so."""
_SETTLING = 0.3
"""Seconds that a program which was just started is given to do something that is refused."""
_NO_FILTER = N_("what it runs could not be watched: {why}")


class Gate:
    """The watches of one session."""

    def __init__(self) -> None:
        self._watches: list[watch.Watch] = []
        self._code = watch.code()

    def news(self) -> str | None:
        """Why a call was refused that nobody was told of yet, or ``None``."""
        found = [reason for one in self._watches if (reason := one.news()) is not None]
        return _(found[0]) if found else None

    def busy(self) -> bool:
        """Whether something that was let through still runs."""
        return any(one.busy() for one in self._watches)

    def line(self, link: Link, line: str, ask: Ask, limit: float) -> Any:
        """A shell line's answer, as the agent gives it."""
        standing = _standing(link.pid)
        request = {"do": "shell", "line": line, "filter": wire.pack(self._code)}
        with helper.lent(link.pid, standing, self._code, self.busy) as path:
            answer = ask(link, request | {"helper": path})
        child = _waiting(answer)
        if child is None:
            return _refused(answer)
        self._watches.append(watch.over_child(standing, link.pid, child))
        return ask(link, {"do": "go"}, limit=limit + 2, quiet=limit)

    def execve(self, link: Link, call: Call, ask: Ask) -> Any:
        """What the actor's execve(2) says: an errno, or that it became another program."""
        standing = _standing(link.pid)
        args = [wire.pack(arg) for arg in call.args]
        request = {"do": "execve", "call": call.name, "args": args}
        answer = ask(link, request | {"filter": wire.pack(self._code)})
        if _waiting(answer) is None:
            return answer
        found = watch.over(standing, link.pid, _LOADING)
        if found is None:
            link.pending = True
            return _refused(link.poll(_LOADING))
        self._watches.append(found)
        answer = ask(link, {"do": "go"})
        if isinstance(answer, Gone):
            # What it is refused at once is told with this call.
            link.rest(_SETTLING, _LOADING)
        return answer


def _standing(pid: int) -> Standing:
    """What an actor may do; whoever is gone may nothing, and asking it will tell."""
    try:
        return Standing.of(pid)
    except OSError:
        return Standing()


def _waiting(answer: Any) -> int | None:
    """What an agent says of who waits at the gate."""
    return None if isinstance(answer, (Asleep, Gone)) else answer.get("waits")


def _refused(answer: Any) -> Any:
    """An answer without a run."""
    if isinstance(answer, (Asleep, Gone)) or not answer.get("unwatched"):
        return answer
    return {"refused": _(_NO_FILTER).format(why=os.strerror(answer["unwatched"]))}

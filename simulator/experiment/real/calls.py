"""Launch steps as calls of an actor: make one, fork, write into its memory."""

import os
from pathlib import Path
from typing import Any

from simulator.experiment.real.agent import wire
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.link import Asleep, Gone, Link, holder_of, open_ends

_MNT_DETACH = 2


def do(link: Link, name: str, *args: Any) -> Any:
    """One call of a launch step; its value, or ``RealError``."""
    answer = link.ask({"do": "call", "call": name, "args": [wire.pack(arg) for arg in args]})
    if isinstance(answer, (Asleep, Gone)):
        raise RealError.broken(f"{name}{args}", type(answer).__name__)
    if answer.get("errno") or "value" not in answer:
        why = os.strerror(answer["errno"]) if answer.get("errno") else str(answer)
        raise RealError.broken(f"{name}{args}", why)
    return answer["value"]


def mountinfo(link: Link) -> str:
    """What is mounted where the actor is: proc_pid_mountinfo(5)."""
    return Path(f"/proc/{link.pid}/mountinfo").read_text()


def unmount_all_but(link: Link, before: str) -> None:
    """Have the actor take away, the newest first, what ``mountinfo`` did not say ``before``."""
    known = set(before.splitlines())
    for line in reversed(mountinfo(link).splitlines()):
        if line not in known:
            do(link, "umount2", line.split()[4], _MNT_DETACH)


def poke(link: Link, address: int, content: bytes) -> None:
    """Write into memory that the actor has mapped."""
    link.ask({"do": "poke", "address": address, "content": wire.pack(content)})


def fork(parent: Link, name: str = "fork", args: tuple[Any, ...] = ()) -> tuple[Any, Link | None]:
    """fork(2) or clone(2) in ``parent``: its answer, and the child's link if one was born."""
    ready = parent.ask({"do": "prepare"})
    if isinstance(ready, (Asleep, Gone)) or "ends" not in ready:
        return ready, None
    ends: list[int] = ready["ends"]
    writing, reading = open_ends(parent.pid, ends[1], ends[2])
    pipe = os.readlink(f"/proc/{parent.pid}/fd/{ends[0]}")
    request = {"do": "fork", "call": name, "args": [wire.pack(arg) for arg in args]}
    answer: Any = parent.ask(request)
    gone = isinstance(answer, Gone)
    born = isinstance(answer, Asleep) or (not gone and answer.get("value", -1) > 0)
    pid = holder_of(pipe, ends[0], parent.pid) if born else None
    if pid is None:
        os.close(writing)
        os.close(reading)
        return answer, None
    child = Link(pid, writing, reading)
    child.poll(5.0)
    return answer, child

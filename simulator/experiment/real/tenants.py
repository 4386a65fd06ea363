"""Sandboxes that outlive a session, while they are as they were when they began.

A container costs more than the programs that run in it. Where a program can't tell, it runs in a
child of the sandbox's first process, and with that child goes whatever it made of itself. What it
did to the sandbox is looked for afterwards: mounts, names and files, which are put back.
"""

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from simulator.experiment.real.agent import wire
from simulator.experiment.real.calls import do, mountinfo, unmount_all_but
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.link import Asleep, Gone, Link, proc_state
from simulator.experiment.real.tree import Tree

_WRITABLE = ("tmpfs", "overlay", "mqueue")
"""File systems that a sandbox may have of its own."""


def mounted(pids: Iterable[int]) -> set[str]:
    """File systems that processes see, by their device numbers: proc_pid_mountinfo(5)."""
    found: set[str] = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
            found.update(line.split()[2] for line in lines)
    return found


_MOMENT = 0.2
"""Seconds between an answer and the wait for the next request, at most."""


def _rests(pid: int) -> bool:
    """Whether a process sleeps, or will in a moment: it has only just answered."""
    deadline = time.monotonic() + _MOMENT
    while (state := proc_state(pid)[0]) == "R" and time.monotonic() < deadline:
        time.sleep(0.002)
    return state == "S"


class Tenant:
    """One sandbox by its first process; ``members`` and ``groups`` came with it.

    ``others`` are the file systems that somebody had mounted before, as ``mounted`` says them.
    """

    def __init__(self, link: Link, members: set[int], groups: set[str], others: set[str]) -> None:
        self.link = link
        self.members = members
        self.groups = groups
        self.sessions = 0
        self._mounts = mountinfo(self.link)
        self._names = self._uname()
        self._root = self._place()
        self._trees = list(self._own_trees(others))

    def mend(self) -> bool:
        """Whether the sandbox is as it was when it was launched, or is so again."""
        try:
            if not self.link.tidy() or self._place() != self._root:
                return False
            # The first process has the rights of the child that mounted it
            unmount_all_but(self.link, self._mounts)
            self._rename()
            return (
                _rests(self.link.pid)
                and mountinfo(self.link) == self._mounts
                and self._uname() == self._names
                and all(tree.mend() for tree in self._trees)
            )
        except (OSError, RealError):
            return False

    def bury(self) -> None:
        """Wait a moment for children of the first process that were killed; dead ones count too."""
        children = Path(f"/proc/{self.link.pid}/task/{self.link.pid}/children")
        for _attempt in range(50):
            try:
                if not self.link.tidy() or not children.read_text().strip():
                    return
            except OSError:
                return
            time.sleep(0.002)

    def _rename(self) -> None:
        now = self._uname()
        for call, field in (("sethostname", "nodename"), ("setdomainname", "domainname")):
            if now[field] != self._names[field]:
                do(self.link, call, self._names[field], len(self._names[field]))

    def end(self) -> None:
        """Let go of it."""
        self.link.kill()
        self.link.close()

    def _own_trees(self, others: set[str]) -> list[Tree]:
        seen = set(others)
        found: list[Tree] = []
        for line in self._mounts.splitlines():
            left, _, right = line.partition(" - ")
            device, place = left.split()[2], f"/proc/{self.link.pid}/root{left.split()[4]}"
            with contextlib.suppress(OSError):
                if right.split()[0] in _WRITABLE and device not in seen and os.path.isdir(place):
                    seen.add(device)
                    found.append(Tree(place.rstrip("/")))
        return found

    def _place(self) -> tuple[str, str]:
        place = f"/proc/{self.link.pid}"
        return os.readlink(f"{place}/root"), os.readlink(f"{place}/cwd")

    def _uname(self) -> Any:
        answer = self.link.ask({"do": "call", "call": "uname", "args": []})
        if isinstance(answer, (Asleep, Gone)):
            raise RealError.broken("uname", type(answer).__name__)
        return wire.unpack(answer["data"])

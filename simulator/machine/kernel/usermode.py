"""Programs that the kernel itself starts, as root of the first namespaces: release agents, cores.

The kernel only notes what it wants run; whoever drives programs (``userland/runtime.py``) takes
the notes up, one ``@helper`` call for each. Source: kernel/umh.c (call_usermodehelper); observed on
Linux 6.18: uid 0, ``/`` for root and directory, the root of every control group.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.sysctl import Sysctl
from simulator.machine.kernel.task import Task
from simulator.machine.state.store import Row, Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

ENVIRONMENT = ("HOME=/", "PATH=/sbin:/bin:/usr/sbin:/usr/bin")
INIT = Pid(1)


class Helper(Row, frozen=True, kw_only=True):
    """A program that the kernel wants run, by its path in the first mount namespace.

    ``why`` is what the kernel runs it for: ``release_agent``, ``core_pattern`` or ``vshelper``.
    """

    argv: tuple[str, ...]
    why: str


def ask(store: Store, argv: tuple[str, ...], why: str) -> None:
    """call_usermodehelper() without waiting for its end."""
    store.put(Helper(id=store.new_id(Helper), argv=argv, why=why))


def dump(store: Store, task: Task, signo: int) -> bool:
    """Hand ``task``'s core to the program that core_pattern names; whether it names one.

    The template's words are split first and filled in then (format_corename()).
    """
    pattern = store.get(Sysctl, "kernel.core_pattern")
    if pattern is None or not pattern.value.startswith("|"):
        return False
    told = {
        "p": task.pids[-1],
        "P": task.id,
        "u": task.cred.ruid,
        "g": task.cred.rgid,
        "s": signo,
        "e": task.comm,
        "%": "%",
    }
    words = pattern.value[1:].split()
    ask(store, tuple(_filled(word, told) for word in words), "core_pattern")
    return True


def _filled(word: str, told: Mapping[str, object]) -> str:
    """``%p`` and its like; a letter that means nothing is left out, as by the kernel."""
    return re.sub("%(.?)", lambda found: str(told.get(found[1], "")), word)


def start(trap: "Trap", number: int) -> Task:
    """A task for helper ``number``, born from the first process, before its execve(2)."""
    from simulator.machine.kernel.fork import fork  # a task's end and its birth know each other

    trap.store.drop(Helper, number)
    return fork(trap)

"""Who may do what: a chain of policies, each with the questions it has an opinion on.

A policy is data: a name and a function for each question it answers. A function returns None when
it has no objection, else the ``Denial``. The chain asks in order and the first objection stands
(deny overrides), so adding a wall never takes one away.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from simulator.machine.abi.call import Call, Denial, Killed
from simulator.machine.abi.ids import NsId
from simulator.machine.abi.privilege import Privilege

if TYPE_CHECKING:
    from simulator.machine.kernel.net.interface import Interface
    from simulator.machine.kernel.net.socket import Socket
    from simulator.machine.kernel.task import At, Task
    from simulator.machine.kernel.trap import Trap
    from simulator.machine.kernel.vfs.inode import Inode

Answer: TypeAlias = "Denial | None"


class Check(msgspec.Struct, frozen=True):
    """One question put to one policy; recorded only when somebody looks (``why``)."""

    policy: str
    question: str
    denial: Denial | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One wall-keeper of a kernel; a question it leaves at None is none of its business."""

    name: str
    filters: "Callable[[Trap, Call], Denial | Killed | None] | None" = None
    """May this call enter the kernel at all, or does it end the caller? (seccomp)"""
    holds: "Callable[[Trap, Privilege, NsId | None], Answer] | None" = None
    """Does the caller hold this privilege over objects of this user namespace (None: initial)?"""
    may_see: "Callable[[Trap, Task], Answer] | None" = None
    """May the caller know that this task exists?"""
    may_list: "Callable[[Trap, Task], Answer] | None" = None
    """May the caller find this task in /proc, where that is not the same as ``may_see``?"""
    may_reach: "Callable[[Trap, Task], Answer] | None" = None
    """May the caller name this task to kill(2), where that is not the same as ``may_see``?"""
    may_signal: "Callable[[Trap, Task, int], Answer] | None" = None
    may_trace: "Callable[[Trap, Task], Answer] | None" = None
    """ptrace(2), /proc/PID/{root,environ,mem}, process_vm_readv(2), kcmp(2)."""
    may_attach: "Callable[[Trap, Task], Answer] | None" = None
    """Beyond ``may_trace``: PTRACE_MODE_ATTACH, where the task could be changed, not only read."""
    may_mount: "Callable[[Trap, str, str, int], Answer] | None" = None
    """May this filesystem type be mounted at this path with these flags?"""
    may_bind: "Callable[[Trap, int, str, int], Answer] | None" = None
    """May a socket of this address family use this local address and port?"""
    may_use_family: "Callable[[Trap, int], Answer] | None" = None
    """May the caller open a socket of this address family (AF_INET, AF_PACKET ...)?"""
    may_use_sysv: "Callable[[Trap, str], Answer] | None" = None
    """May the caller use System V ``shm``, ``sem`` or ``msg`` at all?"""
    may_see_interface: "Callable[[Trap, Interface], Answer] | None" = None
    """May the caller know that this interface exists?"""
    may_see_socket: "Callable[[Trap, Socket], Answer] | None" = None
    """May the caller find this socket in the tables of /proc/net?"""
    may_open_device: "Callable[[Trap, int, int, str], Answer] | None" = None
    """May the device (S_IFBLK or S_IFCHR, number) be used for ``r``, ``w`` or ``m`` (mknod)?"""
    may_pass: "Callable[[Trap, Inode, int], Answer] | None" = None
    """Beyond the mode bits: may this inode be read (4), written (2), searched or run (1) at all?
    (the barrier and the tags of Linux-VServer)"""
    may_open: "Callable[[Trap, At, str, int], Answer] | None" = None
    """May this file, known by this path, be opened with these flags? (AppArmor)"""
    may_charge: "Callable[[Trap, str, int], Answer] | None" = None
    """May the caller have so much more of a counted resource? (``kernel/resource/charge.py``)"""
    may_write_sysctl: "Callable[[Trap, str], Answer] | None" = None
    """May the caller change the setting of this dotted name at all, whoever it is?"""


_QUESTIONS = tuple(one.name for one in fields(Policy) if one.name != "name")


@dataclass(frozen=True)
class Chain:
    """The policies of one kernel, asked in order."""

    policies: tuple[Policy, ...]
    asked: dict[str, tuple[tuple[str, Callable[..., Answer]], ...]] = field(
        init=False,
        repr=False,
        compare=False,
        default_factory=dict[str, tuple[tuple[str, Callable[..., Answer]], ...]],
    )
    """Who answers each question, by name; empty where nobody has an opinion on it."""

    def __post_init__(self) -> None:
        for question in _QUESTIONS:
            self.asked[question] = tuple(
                (policy.name, function)
                for policy in self.policies
                if (function := getattr(policy, question)) is not None
            )

    @cached_property
    def filters(self) -> "tuple[Callable[[Trap, Call], Denial | Killed | None], ...]":
        """What looks at each call before any handler sees it."""
        return tuple(one.filters for one in self.policies if one.filters is not None)

    def filter(self, trap: "Trap", call: Call) -> "Denial | Killed | None":
        """What the filters make of ``call``, aloud if somebody listens."""
        for name, function in self.asked["filters"]:
            answer: Denial | Killed | None = function(trap, call)
            if trap.checks is not None:
                refused = answer if isinstance(answer, Denial) else None
                trap.checks.append(Check(name, _spell("filters", (call,)), refused))
            if answer is not None:
                return answer
        return None

    def ask(self, trap: "Trap", question: str, *about: object) -> Answer:
        """The first objection to ``question``, or None."""
        if trap.checks is not None:
            return self._ask_aloud(trap, trap.checks, question, about)
        for _, function in self.asked[question]:
            denial = function(trap, *about)
            if denial is not None:
                return denial
        return None

    def _ask_aloud(
        self, trap: "Trap", checks: list[Check], question: str, about: tuple[object, ...]
    ) -> Answer:
        for name, function in self.asked[question]:
            denial = function(trap, *about)
            checks.append(Check(name, _spell(question, about), denial))
            if denial is not None:
                return denial
        return None


def _spell(question: str, about: tuple[object, ...]) -> str:
    subject = about[0] if about else ""
    if isinstance(subject, Privilege):
        return f"{question} {subject.name}"
    if isinstance(subject, Call):
        return f"{question} {subject.name}"
    return question

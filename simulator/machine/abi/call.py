"""A system call and what became of it.

``Call`` is what a probe, a launch step or a simulated program says; ``Result`` is the closed
union of what the kernel, simulated or real, answers. Match it exhaustively and close with
``assert_never``.

A history holds very many of them, and what never changes is part of no cycle: the collector of
garbage need not go through them (``gc=False``).
"""

from typing import TypeAlias

import msgspec

from simulator.machine.abi.errno import Errno

Value: TypeAlias = "int | str | bytes | tuple[Value, ...] | list[Value] | dict[str, Value] | None"
"""An argument: exactly what ``probe-language.md`` allows a program to write."""

Data: TypeAlias = "int | str | bytes | tuple[Data, ...] | list[Data] | dict[str, Data] | None"
"""What a call wrote to the caller's memory: bytes read, a path, stat fields, a wait status."""


class Call(msgspec.Struct, frozen=True, gc=False):
    """One system call by name, with the arguments in the kernel's own order."""

    name: str
    args: tuple[Value, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(repr, self.args))})"


class Denial(msgspec.Struct, frozen=True, gc=False):
    """Why the kernel said no: the errno, the rule that refused, one sentence, the manual page.

    ``wall`` is a stable id such as ``capability``, ``pid-ns`` or ``file-mode``; an ordinary
    mistake of the caller (a name that isn't there, a bad descriptor) has the wall ``none``.
    ``why`` is an English message id; it is translated where a person reads it.
    """

    errno: Errno
    wall: str = "none"
    why: str = ""
    cite: str = ""


class Returned(msgspec.Struct, frozen=True, gc=False):
    """The call succeeded with ``value`` and wrote ``data``."""

    value: int = 0
    data: Data = None


class Failed(msgspec.Struct, frozen=True, gc=False):
    """The call returned -1 and set errno."""

    denial: Denial

    @property
    def errno(self) -> Errno:
        """The error's name."""
        return self.denial.errno


class Blocked(msgspec.Struct, frozen=True, gc=False):
    """The caller sleeps inside the call; ``on`` says what it waits for.

    ``data`` is what a shell line had printed by then.
    """

    on: str = ""
    data: Data = None


class Killed(msgspec.Struct, frozen=True, gc=False):
    """The caller's own call ended it by a signal, such as ``SIGKILL``."""

    signal: str


class Executed(msgspec.Struct, frozen=True, gc=False):
    """A successful execve(2): another program runs in the caller's place."""


class Exited(msgspec.Struct, frozen=True, gc=False):
    """exit(2): the caller is gone; ``status`` is its exit status."""

    status: int = 0


class Silent(msgspec.Struct, frozen=True, gc=False):
    """The model does not know this call or this use of it, and does not guess an errno.

    ``data`` is what a shell line had printed by then.
    """

    note: str = ""
    data: Data = None


Result: TypeAlias = Returned | Failed | Blocked | Killed | Executed | Exited | Silent

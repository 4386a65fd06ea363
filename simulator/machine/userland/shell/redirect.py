"""Redirections: opened, put in place, and undone for what runs in the shell itself."""

from typing import NamedTuple

from simulator.machine.abi.constants import (
    F_DUPFD_CLOEXEC,
    O_APPEND,
    O_CREAT,
    O_RDONLY,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.shell import expand
from simulator.machine.userland.shell.state import Shell
from simulator.machine.userland.shell.syntax import Redirect

_SAVED_FROM = 10
_FLAGS = {
    "<": O_RDONLY,
    ">": O_WRONLY | O_CREAT | O_TRUNC,
    ">|": O_WRONLY | O_CREAT | O_TRUNC,
    ">>": O_WRONLY | O_CREAT | O_APPEND,
    "<>": O_RDWR | O_CREAT,
}


class RedirectionError(Exception):
    """A redirection failed; ``str(error)`` is what ash says about it."""


class Saved(NamedTuple):
    """A descriptor that a redirection replaced: where it is kept, None when it was closed."""

    fd: int
    copy: int | None


async def apply(
    shell: Shell, redirects: tuple[Redirect, ...], run: expand.Run, *, keep: bool
) -> list[Saved]:
    """Put ``redirects`` in place; with ``keep``, what they replace is saved for ``undo``."""
    saved: list[Saved] = []
    try:
        for redirect in redirects:
            await _apply_one(shell, redirect, run, saved, keep=keep)
    except RedirectionError:
        await undo(shell.sys, saved)
        raise
    return saved


async def undo(sys: Process, saved: list[Saved]) -> None:
    """Put back what ``apply`` saved, last first."""
    for fd, copy in reversed(saved):
        if copy is None:
            await sys.succeeds("close", fd)
        else:
            await sys.succeeds("dup2", copy, fd)
            await sys.succeeds("close", copy)


async def _apply_one(
    shell: Shell, redirect: Redirect, run: expand.Run, saved: list[Saved], *, keep: bool
) -> None:
    sys = shell.sys
    text = await expand.one(shell, redirect.target, run)
    fd = 1 if redirect.fd < 0 else redirect.fd
    if redirect.op in ("<&", ">&"):
        await _duplicate(sys, text, fd, saved, keep=keep)
    else:
        source = await _source(sys, redirect.op, text)
        if source != fd:
            if keep:
                await _save(sys, fd, saved)
            await sys.call("dup2", source, fd)
            await sys.call("close", source)
        elif keep:
            saved.append(Saved(fd, None))
    if redirect.fd < 0:
        if keep:
            await _save(sys, 2, saved)
        await sys.call("dup2", 1, 2)


async def _duplicate(sys: Process, text: str, fd: int, saved: list[Saved], *, keep: bool) -> None:
    if text != "-" and not text.isdigit():
        raise RedirectionError("syntax error: bad fd number")
    if keep:
        await _save(sys, fd, saved)
    if text == "-":
        await sys.succeeds("close", fd)
        return
    try:
        await sys.call("dup2", int(text), fd)
    except SysError as error:
        raise RedirectionError(f"{text}: {error.message}") from None


async def _save(sys: Process, fd: int, saved: list[Saved]) -> None:
    try:
        saved.append(Saved(fd, await sys.value("fcntl", fd, F_DUPFD_CLOEXEC, _SAVED_FROM)))
    except SysError:
        saved.append(Saved(fd, None))


async def _source(sys: Process, operator: str, text: str) -> int:
    if operator == "<<":
        return await _document(sys, text)
    try:
        return await sys.open(text, _FLAGS[operator])
    except SysError as error:
        writing = operator != "<"
        missing = "nonexistent directory" if writing else "no such file"
        why = missing if error.errno in (Errno.ENOENT, Errno.ENOTDIR) else error.message
        verb = "create" if writing else "open"
        raise RedirectionError(f"can't {verb} {text}: {why}") from None


async def _document(sys: Process, text: str) -> int:
    """A here-document: a pipe that a child fills when it is longer than a pipe holds."""
    reading, writing = await sys.data("pipe")
    content = text.encode("utf-8", "surrogateescape")
    if len(content) <= 4096:
        await sys.write(writing, content)
    else:

        async def body(child: Process) -> int:
            await child.close(reading)
            await child.write(writing, content)
            return 0

        await sys.spawn(body)
    await sys.close(writing)
    return reading

"""docker-init: a small init as pid 1 of a container; the program is its child.

It hands on every signal and reaps every orphan, and ends as its child does. tini 0.19
(``src/tini.c``), which Docker installs under this name.
"""

from collections.abc import Sequence
from typing import cast

from simulator.machine.abi.constants import (
    SIG_IGN,
    SIG_SETMASK,
    SIGABRT,
    SIGBUS,
    SIGCHLD,
    SIGFPE,
    SIGILL,
    SIGKILL,
    SIGSEGV,
    SIGSTOP,
    SIGSYS,
    SIGTRAP,
    SIGTTIN,
    SIGTTOU,
    WNOHANG,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_OWN = frozenset((SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU))
_HANDED_ON = tuple(n for n in range(1, 65) if n not in {*_OWN, SIGKILL, SIGSTOP})
_TIOCSPGRP = 0x5410
_STATUSES = {Errno.ENOENT: 127, Errno.EACCES: 126}
_USAGE = """\
docker-init (tini version 0.19.0)
Usage: docker-init [OPTIONS] PROGRAM -- [ARGS] | --version

Execute a program under the supervision of a valid init process (docker-init)

Command line options:

  --version: Show version and exit.
  -h: Show this help message and exit.
  -g: Send signals to the child's process group.

"""


@enter("docker-init", collection=TOOLS)
async def main(sys: Process, argv: Sequence[str]) -> int:
    """``docker-init [-g] [--] PROGRAM [ARGUMENTS]``."""
    words, group = list(argv[1:]), False
    while words and words[0].startswith("-") and words[0] != "--":
        word = words.pop(0)
        if word == "--version":
            await sys.out("tini version 0.19.0\n")
            return 0
        if word not in ("-g", "-s"):
            await (sys.out if word == "-h" else sys.err)(_USAGE)
            return 0 if word == "-h" else 1
        group = group or word == "-g"
    words = words[1:] if words[:1] == ["--"] else words
    if not words:
        await sys.err(_USAGE)
        return 1
    for signal in (SIGTTIN, SIGTTOU):
        await sys.call("rt_sigaction", signal, SIG_IGN)
    await sys.call("rt_sigprocmask", SIG_SETMASK, _HANDED_ON)
    child = await sys.spawn(_program(words))
    while True:
        await _hand_on(sys, -child if group else child)
        status = await _reap(sys, child)
        if status is not None:
            return status


def _program(words: list[str]):
    async def body(own: Process) -> int:
        await own.succeeds("setpgid", 0, 0)
        await own.succeeds("ioctl", 0, _TIOCSPGRP, await own.value("getpgrp"))
        for signal in (SIGTTIN, SIGTTOU):
            await own.call("rt_sigaction", signal, 0)
        await own.call("rt_sigprocmask", SIG_SETMASK, ())
        refused = Errno.ENOENT
        for path in _candidates(words[0], own.env.get("PATH", "")):
            try:
                await own.execve(path, words, own.env)
            except SysError as error:
                refused = error.errno if error.errno is not Errno.ENOENT else refused
        number = await own.value("getpid")
        await own.err(f"[FATAL tini ({number})] exec {words[0]} failed: {refused.message}\n")
        return _STATUSES.get(refused, 1)

    return body


def _candidates(program: str, path: str) -> list[str]:
    """Where execvp(3) looks."""
    if "/" in program:
        return [program]
    return [f"{place or '.'}/{program}" for place in path.split(":")]


async def _hand_on(sys: Process, target: int) -> None:
    """Wait for one signal, a second at most, and send it on (wait_and_forward_signal())."""
    try:
        signal = await sys.value("rt_sigtimedwait", _HANDED_ON, None, None)
    except SysError:  # EINTR: look for children that ended
        return
    if signal != SIGCHLD:
        await sys.succeeds("kill", target, signal)


async def _reap(sys: Process, child: int) -> int | None:
    """Every zombie; how the container ends when the child was among them (reap_zombies())."""
    status: int | None = None
    while True:
        try:
            reply = await sys.call("wait4", -1, WNOHANG)
        except SysError:  # ECHILD
            return status
        if not reply.value:
            return status
        if reply.value == child:
            word = cast("int", reply.data or 0)
            status = 128 + (word & 0x7F) if word & 0x7F else word >> 8 & 0xFF

"""containerd-shim: a process of its own that carries out a launch and waits for what it launched.

It holds the container's end of its pipes, so a container lives on when a connection of the daemon
ends; it tells the daemon over a pipe, one JSON object a line, how the launch went and how the
container ended. runc's part, the launch, is the plan of the technology, step by step.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, cast

import msgspec

from simulator.isolation.control.launch import Refused, launch
from simulator.isolation.mechanisms.base import LaunchStep
from simulator.machine.abi.call import Call, Executed, Failed
from simulator.machine.abi.constants import (
    CLONE_NEWPID,
    F_DUPFD_CLOEXEC,
    F_SETFD,
    O_CLOEXEC,
    O_RDONLY,
    O_RDWR,
    PR_SET_NAME,
    SIG_DFL,
    SIGCHLD,
    SIGPIPE,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.userland.process import Process, SysError

_REPORT, _BEGIN = 3, 4
_ASIDE = 200
_MOST = 0x7FFFFFFF


class Job(NamedTuple):
    """What a shim is to do.

    ``steps`` end before execve(2), which is tried with each of ``programs``; ``stdio`` are the
    descriptors for 0, 1 and 2 (-1: /dev/null); ``report`` is written to; ``join`` are files in
    /proc/PID/ns to enter before the birth, for an exec or a shared pid namespace. With ``begin``,
    a pipe's end, what was launched waits for a byte in it before its program runs (runc's create
    and start), so that the daemon can first do something in its namespaces.
    """

    name: str
    steps: tuple[LaunchStep, ...]
    programs: tuple[str, ...]
    argv: tuple[str, ...]
    env: tuple[str, ...]
    stdio: tuple[int, int, int]
    report: int
    pid_space: str = ""
    begin: int = -1


class Report(msgspec.Struct, omit_defaults=True):
    """One line from a shim: started, failed, or ended."""

    pid: int = 0
    number: int = 0
    created: bool = False
    error: str = ""
    code: int = 0
    ended: bool = False
    status: int = 0


def body(job: Job) -> Callable[[Process], Awaitable[int]]:
    """The shim's program, for fork(2)."""

    async def main(own: Process) -> int:
        await _become(own, job)
        try:
            pid, number = await _launch(own, job)
        except (Refused, SysError) as refusal:
            await _tell(own, Report(error=_worded(job, refusal), code=_code(refusal)))
            return 1
        for fd in (0, 1, 2):
            await own.succeeds("close", fd)
        await _tell(own, Report(pid=int(pid), number=number))
        word = (await own.call("wait4", number, 0)).data
        await _tell(own, Report(ended=True, status=cast("int", word or 0)))
        return 0

    return main


async def _become(own: Process, job: Job) -> None:
    """Descriptors, signals and a name of its own."""
    own.name = "containerd-shim"
    await own.call("prctl", PR_SET_NAME, own.name)
    await own.call("setsid")
    await own.call("rt_sigaction", SIGCHLD, SIG_DFL)
    await own.call("rt_sigaction", SIGPIPE, SIG_DFL)
    null = -1
    if -1 in job.stdio:
        null = await own.open("/dev/null", O_RDWR)
    kept = [fd if fd >= 0 else null for fd in job.stdio]
    kept += [fd for fd in (job.report, job.begin) if fd >= 0]
    # syscall.forkExec(): first out of the way goes what a later one would be put over
    moved = [
        await own.value("fcntl", fd, F_DUPFD_CLOEXEC, _ASIDE) if fd < number else fd
        for number, fd in enumerate(kept)
    ]
    for number, fd in enumerate(moved):
        if fd == number:
            await own.call("fcntl", fd, F_SETFD, int(number >= _REPORT))
        else:
            await own.call("dup3", fd, number, O_CLOEXEC if number >= _REPORT else 0)
    await own.call("close_range", len(moved), _MOST, 0)


async def _launch(own: Process, job: Job) -> tuple[Any, int]:
    if job.pid_space:
        fd = await own.open(job.pid_space, O_RDONLY | O_CLOEXEC)
        await own.call("setns", fd, CLONE_NEWPID)
        await own.close(fd)
    started = await launch(own, job.name, job.steps)
    if job.begin >= 0:
        await _tell(own, Report(pid=int(started.pid), number=started.number, created=True))
        await own.read(_BEGIN, 1)
        await own.close(_BEGIN)
    refused, named = Errno.ENOENT, job.argv[0]
    for path in job.programs:
        call = Call("execve", (path, list(job.argv), list(job.env)))
        result = await own.drive(started.pid, call, job.name)
        if isinstance(result, Executed):
            return started.pid, started.number
        errno = result.errno if isinstance(result, Failed) else Errno.EIO
        if errno not in (Errno.ENOENT, Errno.ENOTDIR):
            refused, named = errno, path
    if refused is Errno.ENOEXEC:
        # runc has let the container go by then: its first process tells of it itself and ends
        said = f"exec {named}: {_lower(refused)}\n".encode()
        await own.drive(started.pid, Call("write", (2, said, len(said))), job.name)
        await own.drive(started.pid, Call("exit_group", (255,)), job.name)
        return started.pid, started.number
    await own.drive(started.pid, Call("exit_group", (1,)), job.name)
    raise Refused(Call("execve", (job.argv[0],)), refused, "")


async def _tell(own: Process, report: Report) -> None:
    await own.write(_REPORT, msgspec.json.encode(report) + b"\n")


def _worded(job: Job, refusal: Exception) -> str:
    """runc's words (``exec: "x": executable file not found in $PATH``)."""
    if not isinstance(refusal, Refused):
        return str(refusal)
    errno, call = refusal.errno, refusal.call
    if call.name == "execve":
        program = job.argv[0]
        if errno is not Errno.ENOENT:
            return f'exec: "{program}": {_lower(errno)}'
        if "/" not in program:
            return f'exec: "{program}": executable file not found in $PATH'
        return f'exec: "{program}": stat {program}: no such file or directory'
    if call.name == "chdir":
        return f'chdir to cwd ("{call.args[0]}") set in config.json failed: {_lower(errno)}'
    if call.name == "mount":
        return _of_mount(call, _lower(errno))
    return f"{call.name}: {_lower(errno)}"


def _of_mount(call: Call, why: str) -> str:
    """mountError (runc ``mount_linux.go``), with the place as the container has it."""
    source, target, _kind, flags, data = call.args
    _layer, merged, inside = str(target).rpartition("/merged")
    place = inside or "/" if merged else target
    told = f"mount src={source}, dst={place}, dstFd=/proc/thread-self/fd/8"
    told += f", flags=0x{flags:x}" if flags else ""
    told += f", data={data}" if data else ""
    return f'error mounting "{source}" to rootfs at "{place}": {told}: {why}'


def _lower(errno: Errno) -> str:
    return errno.message[:1].lower() + errno.message[1:]


def _code(refusal: Exception) -> int:
    """setExitCodeFromError(): 127 not found, 126 may not be run, else 128."""
    if isinstance(refusal, Refused) and refusal.call.name == "execve":
        if refusal.errno is Errno.ENOENT:
            return 127
        if refusal.errno in (Errno.EACCES, Errno.ENOEXEC, Errno.EISDIR):
            return 126
    return 128

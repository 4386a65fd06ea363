"""Further processes of a running container: exec. moby ``daemon/exec.go``, runc ``setns_init``."""

from typing import TYPE_CHECKING, Any

import msgspec

from simulator.isolation.control.docker.api.errors import ApiError, BadRequest, Conflict
from simulator.isolation.control.docker.engine import launching, running, shim, technology, users
from simulator.isolation.control.docker.engine.config import Words, words
from simulator.isolation.control.docker.engine.container import Container
from simulator.isolation.control.docker.engine.create import working_directory
from simulator.isolation.control.docker.engine.ids import new_id
from simulator.isolation.control.docker.engine.streams import Piece, Streams
from simulator.isolation.control.docker.engine.sync import Bell, go
from simulator.isolation.mechanisms.base import Fill, Guest, LaunchStep, Phase
from simulator.isolation.technologies.base import drop
from simulator.machine.abi.constants import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWUTS,
    O_CLOEXEC,
    O_RDONLY,
    SIGKILL,
)
from simulator.machine.userland.process import Process, SysError

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

_SPACES = (
    ("ipc", CLONE_NEWIPC),
    ("uts", CLONE_NEWUTS),
    ("net", CLONE_NEWNET),
    ("cgroup", CLONE_NEWCGROUP),
    ("mnt", CLONE_NEWNS),
)
"""In nsexec.c's order, the mount namespace last."""
_CANNOT_START = 126
"""What ContainerExecStart() leaves whatever runc complained of (moby ``daemon/exec.go``)."""


class ExecConfig(msgspec.Struct):
    """The body of ``POST /containers/{id}/exec``."""

    User: str = ""
    Privileged: bool = False
    Tty: bool = False
    ConsoleSize: list[int] | None = None
    AttachStdin: bool = False
    AttachStderr: bool = False
    AttachStdout: bool = False
    Detach: bool = False
    DetachKeys: str = ""
    Env: list[str] | None = None
    WorkingDir: str = ""
    Cmd: Words = None


class Exec:
    """One exec instance."""

    def __init__(self, ident: str, container: Container, config: ExecConfig) -> None:
        self.id = ident
        self.container = container
        self.config = config
        self.argv = words(config.Cmd) or []
        self.streams = Streams()
        self.ended = Bell()
        self.running = False
        self.started = False
        self.pid = 0
        self.exit_code: int | None = None

    def action(self, verb: str) -> str:
        """The event's word: with a blank after the program, whether or not more follows."""
        return f"{verb}: {self.argv[0]} {' '.join(self.argv[1:])}"

    def shown(self) -> dict[str, Any]:
        """As inspect shows it."""
        config = self.config
        return {
            "ID": self.id,
            "Running": self.running,
            "ExitCode": self.exit_code,
            "ProcessConfig": {
                "tty": config.Tty,
                "entrypoint": self.argv[0],
                "arguments": self.argv[1:],
                "privileged": config.Privileged,
                **({"user": config.User} if config.User else {}),
            },
            "OpenStdin": config.AttachStdin,
            "OpenStderr": config.AttachStderr,
            "OpenStdout": config.AttachStdout,
            "CanRemove": not self.running and self.started,
            "ContainerID": self.container.id,
            "DetachKeys": "",
            "Pid": self.pid,
        }


async def create(sys: Process, engine: "Engine", container: Container, config: ExecConfig) -> Exec:
    """An exec instance, not started. Raises ``BadRequest``, ``Conflict``."""
    if not words(config.Cmd):
        raise BadRequest("No exec command specified")
    may_run(container)
    if config.Env is not None and any("=" not in one for one in config.Env if one.startswith("=")):
        raise BadRequest("invalid environment variable")
    made = Exec(await new_id(sys), container, config)
    engine.execs[made.id] = made
    container.execs.append(made.id)
    await engine.tell(sys, container, made.action("exec_create"), execID=made.id)
    return made


def may_run(container: Container, term: str = "") -> None:
    """Raise ``Conflict`` unless a process can be put into it; ``term`` is how it was asked for."""
    if not container.state.Running:
        raise Conflict(f"container {container.id} is not running")
    if container.state.Paused:
        raise Conflict(
            f"Container {term or container.id} is paused, unpause the container before exec"
        )
    if container.state.Restarting:
        raise Conflict(
            f"Container {container.id} is restarting, wait until the container is running"
        )


async def start(sys: Process, engine: "Engine", one: Exec) -> None:
    """Run it. Raises ``Conflict`` when it ran before, ``ApiError`` when it can't."""
    if one.started:
        state = "running" if one.running else "has already run"
        raise Conflict(
            f"Error: Exec command {one.id} is already running"
            if one.running
            else f"Error: Exec command {one.id} {state}"
        )
    may_run(one.container)
    one.started = True
    try:
        job, ours = await _job(sys, engine, one)
    except ApiError:
        one.exit_code = _CANNOT_START
        raise
    read, write = await running.pipe(sys)
    await sys.spawn(shim.body(job._replace(report=write)))
    await sys.close(write)
    for fd in {fd for fd in job.stdio if fd >= 0}:
        await sys.close(fd)
    await engine.tell(sys, one.container, one.action("exec_start"), execID=one.id)
    report = await running.reported(sys, read)
    await _copy(sys, one, ours)
    if report is None or report.error:
        await sys.close(read)
        await one.streams.close_stdin(sys)
        one.exit_code = _CANNOT_START
        code = report.code if report is not None else 128
        why = report.error if report is not None else "the shim ended"
        message = (
            "OCI runtime exec failed: exec failed: unable to start container process:"
            f" {why}: unknown"
        )
        await one.ended.ring(sys)
        raise BadRequest(message) if code in (126, 127) else ApiError(message)
    one.running, one.pid = True, report.number

    async def waiter(own: Process) -> None:
        ended = await running.reported(own, read)
        await own.close(read)
        streams = one.streams
        await streams.drained.until(own, lambda: streams.open_outputs <= 0)
        word = ended.status if ended is not None else SIGKILL
        one.exit_code = 128 + (word & 0x7F) if word & 0x7F else word >> 8 & 0xFF
        one.running = False
        await streams.close_stdin(own)
        code = str(one.exit_code)
        await engine.tell(own, one.container, "exec_die", execID=one.id, exitCode=code)
        await one.ended.ring(own)

    await go(sys, waiter)


async def _job(sys: Process, engine: "Engine", one: Exec) -> tuple[shim.Job, dict[int, int]]:
    container, config = one.container, one.config
    hostname = container.config.Hostname
    wanted = technology.configured(container.host, hostname)
    if config.Privileged:
        wanted = drop(wanted, "seccomp", "apparmor", "capabilities")
    merged = f"{container.layer}/merged"
    text = config.User or container.config.User
    user = await users.resolve(sys, merged, text, container.host.GroupAdd or [])
    env = launching.environment(engine, container, user.home)
    if config.Tty:
        env["TERM"] = "xterm"
    for pair in config.Env or []:
        key, given, value = pair.partition("=")
        if given:
            env[key] = value
        else:
            env.pop(key, None)
    if config.WorkingDir and not config.WorkingDir.startswith("/"):
        raise ApiError(
            "OCI runtime exec failed: exec failed: Cwd must be an absolute path: unknown"
        )
    guest = Guest(
        argv=tuple(one.argv),
        env=tuple(env.items()),
        cwd=config.WorkingDir or working_directory(container),
        uid=user.uid,
        gid=user.gid,
        groups=user.groups,
        session=True,
    )
    steps = launching.exec_steps(wanted, container.id, guest, engine.facts)
    if config.Tty:
        steps = launching.with_terminal(steps)
    stdio, ours = await launching.stdio_of(
        sys, one.streams, tty=config.Tty, stdin=config.AttachStdin
    )
    return shim.Job(
        name=container.id,
        steps=_entering(steps, container.state.Pid),
        programs=launching.candidates(one.argv[0], env),
        argv=tuple(one.argv),
        env=tuple(f"{key}={value}" for key, value in env.items()),
        stdio=stdio,
        report=-1,
        pid_space=f"/proc/{container.state.Pid}/ns/pid",
    ), ours


def _entering(steps: tuple[LaunchStep, ...], pid: int) -> tuple[LaunchStep, ...]:
    """The steps with what enters the container's namespaces put in after the birth."""
    opened: list[LaunchStep] = []
    entered: list[LaunchStep] = []
    for kind, flag in _SPACES:
        path = f"/proc/{pid}/ns/{kind}"
        opened.append(
            LaunchStep(
                phase=Phase.PREPARE, actor="runtime", name="open",
                args=(path, O_RDONLY | O_CLOEXEC), mechanism="", binds=f"ns-{kind}",
            )
        )  # fmt: skip
        entered.append(
            LaunchStep(
                phase=Phase.NAMESPACES, actor="guest", name="setns",
                args=(Fill("{ns-" + kind + "}"), flag), mechanism="",
            )
        )  # fmt: skip
    return tuple(sorted((*opened, *entered, *steps), key=lambda step: step.phase))


async def _copy(sys: Process, one: Exec, ours: dict[int, int]) -> None:
    streams = one.streams
    streams.open_outputs = len(ours)

    def copier(stream: int, fd: int):
        async def body(own: Process) -> None:
            while data := await _read(own, fd):
                await streams.publish(own, Piece(stream, data))
            if not streams.terminal:
                await own.succeeds("close", fd)
            await streams.end_output(own)

        return body

    for stream, fd in ours.items():
        await go(sys, copier(stream, fd))


async def _read(sys: Process, fd: int) -> bytes:
    try:
        return await sys.read(fd, 32768)
    except SysError:
        return b""


async def capture(
    sys: Process, engine: "Engine", container: Container, argv: list[str], timeout: int
) -> tuple[int | None, bytes]:
    """Run a command: its exit status (None: it took too long, -1: it could not be run) and what it
    printed.
    """
    config = ExecConfig(Cmd=argv, AttachStdout=True, AttachStderr=True)
    try:
        one = await create(sys, engine, container, config)
        channel = one.streams.attach()
        await start(sys, engine, one)
    except ApiError as error:
        return -1, error.message.encode()
    done = await one.ended.within(sys, lambda: one.exit_code is not None, timeout)
    if not done:
        await sys.succeeds("kill", one.pid, SIGKILL)
    output = b""
    while (piece := await channel.get(sys)) is not None:
        output += piece.data
    engine.execs.pop(one.id, None)
    if one.id in container.execs:
        container.execs.remove(one.id)
    return one.exit_code if done else None, output

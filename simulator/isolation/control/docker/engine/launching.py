"""What a start hands to the shim: stdio, the plan's steps, the program with its words."""

from typing import TYPE_CHECKING, cast

import msgspec

from simulator.isolation.control.docker.api.errors import ApiError, BadRequest
from simulator.isolation.control.docker.engine import devices, links, networking, technology, users
from simulator.isolation.control.docker.engine.container import Container
from simulator.isolation.control.docker.engine.create import working_directory
from simulator.isolation.control.docker.engine.shim import Job
from simulator.isolation.control.docker.engine.streams import STDERR, STDOUT, Streams
from simulator.isolation.mechanisms.base import Guest, LaunchStep, Phase
from simulator.isolation.mechanisms.steps import BIRTHS
from simulator.isolation.technologies.base import Technology, change, plan
from simulator.machine.abi.constants import (
    O_CLOEXEC,
    O_RDWR,
    S_IFDIR,
    S_IFLNK,
    S_IFMT,
    TIOCSCTTY,
)
from simulator.machine.abi.i18n import N_
from simulator.machine.userland.process import Process, SysError

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

_TIOCGPTN, _TIOCSPTLCK = 0x80045430, 0x40045431
_DONE_BY_THE_DAEMON = frozenset({"overlay-root"})
_DIRECTORIES = "container-files"
"""Whose directories the daemon has made: those of containers as it began, each with its own."""


async def prepare(
    sys: Process, engine: "Engine", container: Container
) -> tuple[Job, dict[int, int]]:
    """The shim's job, and the daemon's ends of the outputs by stream. Raises ``ApiError``."""
    config = container.config
    hostname = config.Hostname
    wanted = technology.of(container, container.record.Layers, hostname)
    await devices.check_throttled(sys, container.host)
    handed = await devices.gather(sys, container.host)
    wanted = technology.with_devices(wanted, container.host, handed)
    wanted = await networking.walls(sys, engine, container, wanted)
    root = f"{container.layer}/merged"
    user = await users.resolve(sys, root, config.User, container.host.GroupAdd or [])
    argv = (container.record.Path, *container.record.Args)
    if technology.has_init(container.host):
        argv = (technology.INIT, "--", *argv)
    guest = Guest(
        argv=argv,
        env=tuple(environment(engine, container, user.home).items()),
        cwd=working_directory(container),
        uid=user.uid,
        gid=user.gid,
        groups=user.groups,
        hostname=hostname,
        session=True,
    )
    wanted = change(wanted, guest=guest)
    await _make_working_directory(sys, root, guest.cwd)
    steps = tuple(
        step
        for step in plan(wanted, container.id, 1, engine.facts)
        if step.phase is not Phase.EXEC
        and step.mechanism not in _DONE_BY_THE_DAEMON
        and not (step.name == "mkdir" and step.mechanism == _DIRECTORIES)
    )
    if config.Tty:
        steps = with_terminal(steps)
    streams = container.streams
    stdio, ours = await stdio_of(sys, streams, tty=config.Tty, stdin=config.OpenStdin)
    env = tuple(f"{key}={value}" for key, value in guest.env)
    return Job(
        name=container.id,
        steps=steps,
        programs=candidates(argv[0], dict(guest.env)),
        argv=argv,
        env=env,
        stdio=stdio,
        report=-1,
        pid_space=_pid_space(engine, container),
    ), ours


def _pid_space(engine: "Engine", container: Container) -> str:
    mode = container.host.PidMode
    if not mode.startswith("container:"):
        return ""
    other = engine.find(mode.partition(":")[2])
    if not other.state.Running:
        raise BadRequest(f"cannot join PID of a non running container: {other.id}")
    return f"/proc/{other.state.Pid}/ns/pid"


def environment(engine: "Engine", container: Container, home: str) -> dict[str, str]:
    """moby's CreateDaemonEnvironment(): PATH, HOSTNAME, TERM, what links bring, then its own.

    Raises ``ApiError``.
    """
    config = container.config
    found = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    found["HOSTNAME"] = config.Hostname
    if config.Tty:
        found["TERM"] = "xterm"
    for pair in [*links.variables(engine, container), *(config.Env or [])]:
        key, given, value = pair.partition("=")
        if given:
            found[key] = value
        else:
            found.pop(key, None)
    if "HOME" not in found:
        found["HOME"] = home
    return found


def candidates(program: str, env: dict[str, str]) -> tuple[str, ...]:
    """The paths where a program may be (exec.LookPath)."""
    if "/" in program:
        return (program,)
    return tuple(f"{place or '.'}/{program}" for place in env.get("PATH", "").split(":"))


async def _make_working_directory(sys: Process, root: str, path: str) -> None:
    """SetupWorkingDirectory(). Raises ``ApiError``."""
    names = [name for name in path.split("/") if name]
    for count in range(1, len(names) + 1):
        await sys.succeeds("mkdir", root + "/" + "/".join(names[:count]), 0o755)
    try:
        status = await sys.lstat(root + path)
    except SysError:  # behind a link or a mount: the container itself will see
        return
    if status["mode"] & S_IFMT not in (S_IFDIR, S_IFLNK):
        raise ApiError(f"Cannot mkdir: {path} is not a directory")


async def stdio_of(
    sys: Process, streams: Streams, *, tty: bool, stdin: bool
) -> tuple[tuple[int, int, int], dict[int, int]]:
    """Pipes, or a terminal: the container's ends, and the daemon's by stream."""
    streams.terminal = tty
    if tty:
        master = await sys.open("/dev/ptmx", O_RDWR | O_CLOEXEC)
        await sys.call("ioctl", master, _TIOCSPTLCK, bytes(4))
        number = await sys.value("ioctl", master, _TIOCGPTN, 0)
        data = await sys.data("ioctl", master, _TIOCGPTN, 0)
        number = data if isinstance(data, int) else number
        slave = await sys.open(f"/dev/pts/{number}", O_RDWR | O_CLOEXEC)
        streams.stdin = master
        await streams.opened.ring(sys)
        return (slave, slave, slave), {STDOUT: master}
    heard = -1
    if stdin:
        heard, streams.stdin = cast("tuple[int, int]", await sys.data("pipe2", O_CLOEXEC))
        await streams.opened.ring(sys)
    out, out_end = cast("tuple[int, int]", await sys.data("pipe2", O_CLOEXEC))
    err, err_end = cast("tuple[int, int]", await sys.data("pipe2", O_CLOEXEC))
    return (heard, out_end, err_end), {STDOUT: out, STDERR: err}


def with_terminal(steps: tuple[LaunchStep, ...]) -> tuple[LaunchStep, ...]:
    """The first process takes the terminal for its session (runc ``setupConsole``)."""
    take = LaunchStep(
        phase=Phase.CHILD_INIT,
        actor="guest",
        name="ioctl",
        args=(0, TIOCSCTTY, 0),
        mechanism="",
        why=N_("The terminal is the session's: ^C is for its foreground."),
    )
    return tuple(sorted((*steps, take), key=lambda step: step.phase))


_EXEC_MECHANISMS = frozenset(("", "apparmor", "no-new-privs", "seccomp", "capabilities", "rlimits"))


def exec_steps(
    container_technology: Technology, ident: str, guest: Guest, facts: frozenset[str]
) -> tuple[LaunchStep, ...]:
    """What a further process of a container goes through: the same walls, none built anew."""
    steps = plan(change(container_technology, guest=guest), ident, 1, facts)
    kept: list[LaunchStep] = []
    for step in steps:
        joins = step.mechanism == "cgroup-limits" and step.phase is Phase.AFTER_CLONE
        own = step.phase >= Phase.CLONE and step.mechanism in _EXEC_MECHANISMS
        if step.phase is not Phase.EXEC and (joins or own or step.name in BIRTHS):
            kept.append(step)
    plain = [
        msgspec.structs.replace(step, args=(step.args[0] & 0xFF, *step.args[1:]))
        if step.name == "clone"
        else step
        for step in kept
    ]
    return tuple(plain)

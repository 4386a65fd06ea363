"""wshd: the first process of a container, which starts what the daemon asks for. src/wsh/wshd.c"""

from collections.abc import Sequence
from typing import Any

from simulator.isolation.control.warden.wire import Lines
from simulator.machine.abi.constants import BY_NAME, PR_SET_NAME, SIG_DFL, SIG_IGN, SIGCHLD
from simulator.machine.userland.accounts import User, find_user
from simulator.machine.userland.process import Process
from simulator.machine.userland.registry import TOOLS, enter

_NO_USER = 255
_ROOT = User("root", 0, 0, "/root", "/bin/sh")


@enter("wshd", collection=TOOLS)
async def wshd(sys: Process, argv: Sequence[str]) -> int:
    """``wshd --continue FD``: accept on the socket that was opened outside, for ever."""
    if len(argv) != 3 or argv[1] != "--continue" or not argv[2].isdigit():
        await sys.err(f"Usage: {argv[0]} OPTION...\n")
        return 1
    door = int(argv[2])
    await sys.succeeds("prctl", PR_SET_NAME, "wshd")
    await sys.call("rt_sigaction", SIGCHLD, SIG_IGN)
    while True:
        fd = await sys.value("accept", door)

        async def serve(own: Process, fd: int = fd) -> int:
            await own.call("rt_sigaction", SIGCHLD, SIG_DFL)
            await own.close(door)
            return await _serve(own, Lines(own, fd))

        await sys.spawn(serve)
        await sys.close(fd)


async def _serve(sys: Process, client: Lines) -> int:
    """One job: its script on standard input, its output in frames, its exit status."""
    request: Any = await client.receive()
    if request is None:
        return 0
    given, script = await _pipe(sys)
    ends = {name: await _pipe(sys) for name in ("stdout", "stderr")}

    async def job(own: Process) -> int:
        own_ends = (given, ends["stdout"][1], ends["stderr"][1])
        for number, fd in enumerate(own_ends):
            await own.call("dup2", fd, number)
        for fd in (given, script, client.fd, *ends["stdout"], *ends["stderr"]):
            if fd > 2:
                await own.succeeds("close", fd)
        return await _become(own, request)

    child = await sys.spawn(job)
    pumps: list[int] = []
    for name, (reading, writing) in ends.items():
        await sys.close(writing)

        async def pump(own: Process, name: str = name, reading: int = reading) -> int:
            await own.close(script)
            frames = Lines(own, client.fd)
            while block := await own.read(reading):
                text = block.decode("utf-8", "surrogateescape")
                await frames.send({"name": name, "data": text})
            return 0

        pumps.append(await sys.spawn(pump))
        await sys.close(reading)
    await sys.close(given)
    await sys.write(script, str(request["script"]).encode("utf-8", "surrogateescape"))
    await sys.close(script)
    status = int(await sys.data("wait4", child, 0) or 0)
    for one in pumps:
        await sys.call("wait4", one, 0)
    if not status & 0x7F:
        await client.send({"exit_status": status >> 8 & 0xFF})
    return 0


async def _pipe(sys: Process) -> tuple[int, int]:
    return await sys.data("pipe")


async def _become(sys: Process, request: Any) -> int:
    """child_fork(): session, limits, user, environment, and /bin/sh on what comes in."""
    await sys.succeeds("setsid")
    name = str(request.get("user") or "root")
    user = await find_user(sys, name) or (_ROOT if name == "root" else None)
    if user is None:
        await sys.err("getpwnam: Success\n")
        return _NO_USER
    for limit, most in request.get("rlimits", {}).items():
        await sys.succeeds("setrlimit", BY_NAME[f"RLIMIT_{limit.upper()}"], (most, most))
    await sys.call("setgroups", 0, [])
    await sys.call("setgid", user.gid)
    await sys.call("setuid", user.uid)
    await sys.succeeds("chdir", user.home)
    path = "/sbin:/bin:/usr/sbin:/usr/bin" if not user.uid else "/bin:/usr/bin"
    env = {"HOME": user.home, "USER": user.name, "PATH": path, "LANG": "en_US.UTF-8"}
    await sys.execve("/bin/sh", ["/bin/sh"], env)
    return _NO_USER

"""vzctl exec, exec2, enter, runscript; suspend and resume. Source: vzctl src/lib/exec.c, cpt.c."""

import shlex
from typing import TYPE_CHECKING

from simulator.isolation.control import files
from simulator.isolation.control.openvz import lifecycle, state, status, template
from simulator.isolation.control.openvz.config import Container
from simulator.isolation.control.openvz.state import say
from simulator.machine.abi.constants import WNOHANG
from simulator.machine.userland.process import Body, SysError
from simulator.machine.userland.programs.basic import become

if TYPE_CHECKING:
    from simulator.machine.userland.process import Process

_COMMAND_FAILED = 8
"""VZ_COMMAND_EXECUTION_ERROR: what ``exec`` says of any command that fails."""
_ENV = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}


async def execute(sys: "Process", container: Container, words: list[str], exact: bool) -> int:
    """vzctl exec, exec2: a shell line inside; ``exact`` gives its own status."""
    if not await state.is_running(sys, container.veid):
        return await say(sys, "Container is not running", status.VE_NOT_RUNNING)
    code = await _run(sys, container, ["/bin/sh", "-c", " ".join(words)])
    return code if exact or not code else _COMMAND_FAILED


async def _run(sys: "Process", container: Container, argv: list[str]) -> int:
    pid = await sys.spawn(lambda child: _inside(child, container, argv))
    ended = (await sys.data("waitpid", pid, 0)) or 0
    return int(ended) >> 8 & 0xFF


async def _inside(sys: "Process", container: Container, argv: list[str]) -> int:
    try:
        await state.enter(sys, container)
    except SysError as error:
        await say(sys, f"Container enter failed: {error.message}", 1)
        return status.ENVCREATE_ERROR
    return await become(sys, argv, dict(_ENV))


async def enter(sys: "Process", container: Container, words: list[str]) -> int:
    """vzctl enter [--exec command]."""
    if not await state.is_running(sys, container.veid):
        return await say(sys, "Container is not running", status.VE_NOT_RUNNING)
    command = words[1:] if words[:1] == ["--exec"] else []
    await sys.out(f"entered into CT {container.veid}\n")
    argv = ["/bin/sh", "-c", " ".join(command)] if command else ["/bin/sh"]
    code = await _run(sys, container, argv)
    await sys.out(f"exited from CT {container.veid}\n")
    return code


async def runscript(sys: "Process", container: Container, words: list[str]) -> int:
    """vzctl runscript: a file of the host, run inside; a stopped container is started for it."""
    if not words:
        return await say(sys, "Script not specified", status.INVALID_PARAMETER_SYNTAX)
    if not await files.exists(sys, words[0]):
        return await say(sys, f"Script not found: {words[0]}", status.NOSCRIPT)
    text = await sys.text(words[0])
    stopped = not await state.is_running(sys, container.veid)
    if stopped:
        failed = await lifecycle.start(sys, container)
        if failed:
            return failed
    code = await _run(sys, container, ["/bin/sh", "-c", text])
    if stopped:
        await lifecycle.stop(sys, container)
    return code


async def suspend(sys: "Process", container: Container, given: dict[str, str]) -> int:
    """vzctl suspend (chkpnt): what ran is written down, then it is killed.

    The kernel saves every process in the middle of what it does; here its command line is kept.
    """
    if not await state.is_running(sys, container.veid):
        await say(sys, "Container is not running", 1)
        return status.VE_NOT_RUNNING
    await say(sys, "Setting up checkpoint...")
    await say(sys, "\tsuspend...")
    lines = await _processes(sys, container)
    await say(sys, "\tdump...")
    target = given.get("--dumpfile", container.dump)
    await template.make_directories(sys, target.rpartition("/")[0])
    await files.write(sys, target, "".join(f"{line}\n" for line in lines), 0o600)
    await say(sys, "\tkill...")
    pid = await sys.spawn(lambda child: lifecycle.halt(child, container, True))
    await sys.call("waitpid", pid, 0)
    await sys.succeeds("fairsched_rmnod", container.veid)
    await say(sys, "Checkpointing completed successfully")
    return await lifecycle.umount(sys, container)


async def _processes(sys: "Process", container: Container) -> list[str]:
    """The command lines of the container's processes, but for its init."""
    found: list[str] = []
    proc = f"{container.root}/proc"
    for name in await sys.names(proc):
        if name.isdigit() and name != "1":
            raw = await sys.text_or_empty(f"{proc}/{name}/cmdline")
            words = [word for word in raw.split("\0") if word]
            if words:
                found.append(shlex.join(words))
    return found


def _again(container: Container, argv: list[str]) -> Body:
    """One of the dump's processes, from its beginning."""

    async def body(child: "Process") -> int:
        return await _inside(child, container, argv)

    return body


async def resume(sys: "Process", container: Container, given: dict[str, str]) -> int:
    """vzctl resume (restore): start, and let run again what the dump names."""
    source = given.get("--dumpfile", container.dump)
    if await state.is_running(sys, container.veid):
        return await say(sys, "Container is already running", status.VE_RUNNING)
    try:
        text = await sys.text(source)
    except SysError as error:
        await say(sys, "Restoring container ...")
        return await say(sys, f"Unable to open {source}: {error.message}", status.RESTORE_ERROR)
    await say(sys, "Restoring container ...")
    failed = await lifecycle.start(sys, container)
    if failed:
        return status.RESTORE_ERROR
    await say(sys, "\tundump...")
    for line in text.splitlines():
        await sys.spawn(_again(container, shlex.split(line)))
    await sys.succeeds("waitpid", -1, WNOHANG)
    await say(sys, "\tresume...")
    await sys.succeeds("unlink", source)
    return await say(sys, "Restoring completed successfully")

"""Jobs: spawn, link, stream and run. A job is a script given to ``wshd``'s shell on its input.

A keeper process, one for each job, holds the job's lock while it runs and writes down what comes
out of it, as Warden's iomux-spawn does; whoever links waits for the lock.
"""

from collections.abc import AsyncIterator
from typing import Any, cast

from simulator.isolation.control import files
from simulator.isolation.control.warden import adopting, state
from simulator.isolation.control.warden.state import Container
from simulator.isolation.control.warden.wire import Lines, WardenError
from simulator.machine.abi.constants import LOCK_EX, LOCK_SH, O_CREAT, O_RDWR
from simulator.machine.userland.process import Process, SysError


async def spawn(container: Container, script: str, options: dict[str, Any]) -> int:
    """Start a job; its number. Raises ``WardenError``."""
    container.need("active")
    sys = container.sys
    job = await state.fresh_job(sys, container.config)
    try:
        wshd = await adopting.reach(container)
    except SysError:
        raise WardenError("iomux-spawn failed") from None
    place = f"{container.path}/jobs/{job}"
    await sys.call("mkdir", place, 0o755)
    lock = await sys.open(f"{place}/lock", O_RDWR | O_CREAT, 0o644)
    await sys.call("flock", lock, LOCK_EX)
    given = cast("dict[str, int]", options.get("rlimits") or {})
    limits = {**container.config.rlimits, **given}
    request: dict[str, Any] = {
        "user": "root" if options.get("privileged") else "vcap",
        "script": script,
        "rlimits": limits,
    }
    silent = bool(options.get("discard_output"))

    async def keeper(own: Process) -> int:
        return await _keep(own, wshd.fd, request, place, silent=silent)

    await sys.spawn(keeper)
    await sys.close(lock)
    await sys.close(wshd.fd)
    container.snapshot.jobs.append(job)
    await container.save()
    return job


async def _keep(sys: Process, fd: int, request: Any, place: str, *, silent: bool) -> int:
    await sys.succeeds("setsid")
    lines = Lines(sys, fd)
    await lines.send(request)
    output = {"stdout": "", "stderr": ""}
    status: int | None = None
    while (frame := await lines.receive()) is not None:
        if "exit_status" in frame:
            status = frame["exit_status"]
        elif not silent:
            output[frame["name"]] += frame["data"]
    for name, text in output.items():
        await files.write(sys, f"{place}/{name}", text.encode("utf-8", "surrogateescape"))
    word = "" if status is None else str(status)
    await files.write(sys, f"{place}/exit_status", word.encode())
    return 0


async def link(container: Container, job: object) -> tuple[int | None, str, str]:
    """Wait for a job's end: exit status, output, errors. It is forgotten then."""
    await container.reload()
    if job not in container.snapshot.jobs:
        raise WardenError("no such job")
    sys = container.sys
    place = f"{container.path}/jobs/{job}"
    try:
        lock = await sys.open(f"{place}/lock", O_RDWR)
        await sys.call("flock", lock, LOCK_SH)
        await sys.close(lock)
    except SysError:
        raise WardenError("no such job") from None
    word = (await sys.text_or_empty(f"{place}/exit_status")).strip()
    found = (
        int(word) if word else None,
        await sys.text_or_empty(f"{place}/stdout"),
        await sys.text_or_empty(f"{place}/stderr"),
    )
    await _forget(container, place, job)
    return found


async def _forget(container: Container, place: str, job: object) -> None:
    for name in ("lock", "stdout", "stderr", "exit_status"):
        await container.sys.succeeds("unlink", f"{place}/{name}")
    await container.sys.succeeds("rmdir", place)
    try:
        await container.reload()
    except SysError:
        return
    container.snapshot.jobs = [one for one in container.snapshot.jobs if one != job]
    await container.save()


async def stream(container: Container, job: object) -> AsyncIterator[list[Any]]:
    """``["stdout", text]`` and so on, then ``[null, null, status]``; all of it at the job's end."""
    status, out, errors = await link(container, job)
    for name, text in (("stdout", out), ("stderr", errors)):
        if text:
            yield [name, text]
    yield [None, None, status]

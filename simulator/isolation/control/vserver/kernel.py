"""What the tools ask of either kernel: which one it is, who is in which context, joining one."""

from typing import Any

from simulator.isolation.mechanisms.bounding_set import OLD_SECURE
from simulator.machine.userland.process import Process, SysError

DYNAMIC = range(49152, 65536)
"""Numbers that are given to contexts that nobody numbered."""
WATCH = 1
"""The context that sees everything."""


async def is_new(sys: Process) -> bool:
    """Whether the kernel is one of 2.6, with vserver(2); else it is one of 2.4.

    Not by VCMD_get_version, as the real tools: without CAP_CONTEXT that call is not there either.
    """
    release: str = (await sys.data("uname"))["release"]
    return not release.startswith("2.4.")


async def command(sys: Process, name: str, ident: int, data: Any = None) -> int:
    """One command of vserver(2). Raises ``SysError``."""
    return await sys.value("vserver", f"VCMD_{name}", ident, data)


async def ask(sys: Process, name: str, ident: int, data: Any = None) -> Any:
    """What a command of vserver(2) tells. Raises ``SysError``."""
    return await sys.data("vserver", f"VCMD_{name}", ident, data)


async def watch(sys: Process) -> bool:
    """Step into context 1 for good (switchToWatchXid())."""
    if not await is_new(sys):
        return await sys.succeeds("new_s_context", WATCH, 0, ())
    one = await sys.succeeds("vserver", "VCMD_ctx_migrate", WATCH, None)
    return one and await sys.succeeds("vserver", "VCMD_net_migrate", WATCH, None)


async def context_of(sys: Process, pid: int) -> int:
    """The context that a process is in; -1 when it can't be told (vc_get_task_xid())."""
    try:
        if await is_new(sys):
            return await command(sys, "task_xid", pid)
        return await _old_context_of(sys, pid)
    except SysError:
        return -1


async def _old_context_of(sys: Process, pid: int) -> int:
    """The line ``s_context`` of /proc/PID/status, which the 2.4 patch added."""
    for line in (await sys.text(f"/proc/{pid}/status")).splitlines():
        name, _colon, value = line.partition(":")
        if name == "s_context":
            return int(value.split()[0])
    return -1


async def is_alive(sys: Process, xid: int) -> bool:
    """Whether a context with this number exists."""
    if await is_new(sys):
        return await sys.succeeds("vserver", "VCMD_vx_info", xid, None)
    return await members(sys, xid) > 0


async def first_free(sys: Process) -> int:
    """A number of ``DYNAMIC`` that no context has."""
    for number in DYNAMIC:
        if not await is_alive(sys, number):
            return number
    return DYNAMIC[0]


async def members(sys: Process, xid: int) -> int:
    """How many processes a context has, counted by a child that steps into context 1."""
    read, write = await sys.data("pipe")

    async def counting(own: Process) -> int:
        await watch(own)
        words = [word for word in await own.names("/proc") if word.isdigit()]
        found = [await _lives_in(own, int(word)) for word in words]
        await own.write(write, str(found.count(xid)).encode())
        return 0

    child = await sys.spawn(counting)
    await sys.close(write)
    told = await sys.drain(read)
    await sys.call("wait4", child, 0)
    return int(told or b"0")


async def _lives_in(sys: Process, pid: int) -> int:
    """The context of a process that has not ended; -1 for a zombie."""
    state = (await sys.text_or_empty(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return -1 if state[:1] == ["Z"] else await context_of(sys, pid)


async def join(sys: Process, xid: int, vdir: str, address: str = "") -> None:
    """Go where a guest's processes are: its network, its namespaces, its context, its root.

    The directory is entered before the context, whose barrier stands above it.
    """
    await sys.call("@domain", await sys.value("getpid"), vdir.rstrip("/").rpartition("/")[2])
    if await is_new(sys):
        await sys.succeeds("vserver", "VCMD_net_migrate", xid, None)
        await command(sys, "enter_space", xid)
        await sys.call("chdir", vdir)
        await command(sys, "ctx_migrate", xid)
    else:
        if address:
            await sys.call("set_ipv4root", address, None)
        await sys.call("chdir", vdir)
        await sys.call("new_s_context", xid, ~OLD_SECURE & 0xFFFFFFFF, ())
    await sys.call("chroot", ".")
    await sys.call("chdir", "/")

"""vzctl quotaon, quotaoff, quotainit, and what vzquota(8) says when they run it.

vzquota keeps a container's limits and use in a file of /var/vzquota, in the kernel's own bytes;
here that file tells only that the quota was initialized. Source: vzctl src/lib/quota.c,
src/vzctl-actions.c (CHECK_DQ), vzquota src/quotaon.c, src/quota_io.c (error_quotaoff()).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from simulator.isolation.control import files
from simulator.isolation.control.openvz import config, state, status
from simulator.isolation.control.openvz.config import Container
from simulator.isolation.control.openvz.state import say
from simulator.isolation.mechanisms.vzquota import BLOCK, Vzquota
from simulator.machine.abi.errno import Errno

if TYPE_CHECKING:
    from simulator.machine.userland.process import Process

DIRECTORY = "/var/vzquota"
_CALL, _RUN, _NO_FILE = 3, 5, 11
"""EC_VZCALL, EC_RUN and EC_NOQUOTAFILE of vzquota."""
_ON_REASONS = (
    "\tPossible reasons:",
    "\t- Container's root is already mounted",
    "\t- there are opened files inside Container's private area",
    "\t- your current working directory is inside Container's",
    "\t  private area",
)
_OFF_REASONS = (
    "\tPossible reasons:",
    "\t- Container's root is not unmounted",
    "\t- there are opened files inside container's root/private area",
    "\t- your current working directory is inside a container directory",
    "\t  root/private area",
)
_UNSET = (
    ("DISKSPACE", "diskspace", status.DISKSPACE_NOT_SET),
    ("DISKINODES", "diskinodes", status.DISKINODES_NOT_SET),
)


async def quota_on(sys: "Process", container: Container) -> int:
    """vzctl quotaon."""
    return await _enabled(sys, container, status.DQ_ON) or await turn_on(sys, container)


async def quota_off(sys: "Process", container: Container) -> int:
    """vzctl quotaoff."""
    return await _enabled(sys, container, status.DQ_OFF) or await turn_off(sys, container)


async def quota_init(sys: "Process", container: Container) -> int:
    """vzctl quotainit."""
    return await _enabled(sys, container, status.DQ_INIT) or await _initialized(sys, container)


async def _enabled(sys: "Process", container: Container, code: int) -> int:
    if container.get("DISK_QUOTA") == "yes":
        return 0
    await say(sys, "Disk quota is not enabled, skipping operation")
    return code


async def turn_on(sys: "Process", container: Container) -> int:
    """vps_quotaon(): before the container is mounted; what is on already gets its limits anew."""
    limits = await _limits(sys, container)
    if limits is None:
        return 0
    if not await _known(sys, container.veid):
        await say(sys, "Initializing quota ...")
        failed = await _initialized(sys, container)
        if failed:
            return failed
    veid = container.veid
    errno = await state.quota(sys, veid, "on", root=container.private, **limits)
    if errno is Errno.EEXIST:
        await sys.err(f"vzquota : (warning) Quota is running for id {veid} already\n")
        errno = await state.quota(sys, veid, "set", **limits)
    if errno is None:
        return 0
    await _complain(sys, f"Quota on syscall for id {veid}", errno, _ON_REASONS)
    return await say(sys, f"vzquota on failed [{_CALL}]", status.DQ_ON)


async def turn_off(sys: "Process", container: Container) -> int:
    """vps_quotaoff(): not while somebody uses what is counted. One that is off stays off."""
    veid = container.veid
    if not await _known(sys, veid):
        text = f"Can't open quota file for id {veid}, maybe you need to reinitialize quota"
        await _complain(sys, text, Errno.ENOENT, ())
        return await say(sys, f"vzquota off failed [{_NO_FILE}]", status.DQ_OFF)
    errno = await state.quota(sys, veid, "off")
    if errno is None:
        await note(sys, veid)
        return 0
    if errno is Errno.ESRCH:
        await sys.err(f"vzquota : (error) Quota is not running for id {veid}\n")
        return 0
    await _complain(sys, f"Quota off syscall for id {veid}", errno, _OFF_REASONS)
    return await say(sys, f"vzquota off failed [{_CALL}]", status.DQ_OFF)


async def note(sys: "Process", veid: int) -> None:
    """vzquota init: from now on there is a quota that can be turned on."""
    await sys.succeeds("mkdir", DIRECTORY, 0o755)
    await files.write(sys, f"{DIRECTORY}/quota.{veid}", "", 0o600)


async def drop(sys: "Process", veid: int) -> None:
    """vzquota drop: the container is gone."""
    await sys.succeeds("unlink", f"{DIRECTORY}/quota.{veid}")


async def _initialized(sys: "Process", container: Container) -> int:
    """quota_init(): both limits must be there, and nothing may be counted now."""
    for name, word, code in _UNSET:
        if not container.get(name):
            return await say(sys, f"Error: Not enough parameters, {word} quota not set", code)
    veid = container.veid
    if await _is_on(sys, veid):
        await sys.err("vzquota : (error) Quota is running, stop it first\n")
        return await say(sys, f"vzquota init failed [{_RUN}]", status.DQ_INIT)
    if await _known(sys, veid):
        await sys.err("vzquota : (warning) Quota file exists, it will be overwritten\n")
    await note(sys, veid)
    return 0


async def _known(sys: "Process", veid: int) -> bool:
    """Whether the quota has a file, or has been on since before there were files."""
    return await files.exists(sys, f"{DIRECTORY}/quota.{veid}") or await _is_on(sys, veid)


async def _is_on(sys: "Process", veid: int) -> bool:
    """vzquota stat: whether the kernel counts."""
    return await state.quota(sys, veid, "set") is None


async def _limits(sys: "Process", container: Container) -> Mapping[str, int] | None:
    """What the container's file allows; None where DISK_QUOTA is off."""
    if container.get("DISK_QUOTA", "yes") != "yes":
        return None
    wanted = config.technology(container, await state.release(sys)).get("vzquota")
    if not isinstance(wanted, Vzquota):
        return None
    return {
        "soft_space": wanted.space[0] * BLOCK,
        "hard_space": wanted.space[1] * BLOCK,
        "soft_inodes": wanted.inodes[0],
        "hard_inodes": wanted.inodes[1],
    }


async def _complain(sys: "Process", text: str, errno: Errno, reasons: tuple[str, ...]) -> None:
    """vzquota's error(), and what may be the reason when somebody uses the tree.

    The kernel's list of the files that are in use is not modelled.
    """
    await sys.err(f"vzquota : (error) {text}: {errno.message}\n")
    if errno is Errno.EBUSY:
        await sys.err("".join(f"vzquota : (error) {reason}\n" for reason in reasons))

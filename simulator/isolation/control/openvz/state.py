"""What vzctl asks the kernel about a container: does it run, is it mounted, how is it entered."""

from typing import TYPE_CHECKING

from simulator.machine.abi.constants import (
    O_RDWR,
    VE_ENTER,
    VE_TEST,
    VZCTL_ENV_CREATE,
    VZCTL_QUOTA_NEW_CTL,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.userland.process import SysError

if TYPE_CHECKING:
    from simulator.isolation.control.openvz.config import Container
    from simulator.machine.userland.process import Process

DEVICE = "/dev/vzctl"
NO_PLOOP = """No ploop support in the kernel, or kernel is way too old.
Make sure you have OpenVZ kernel 042stab058.7 or later running,
and kernel ploop modules loaded.
"""
"""is_ploop_supported(): there is no /proc/vz/ploop_minor, the model's kernel has no ploop."""


async def say(sys: "Process", text: str, code: int = 0) -> int:
    """logger(): what went well on standard output, what did not on standard error."""
    await (sys.err if code else sys.out)(f"{text}\n")
    return code


async def ioctl(sys: "Process", request: int, asked: dict[str, object]) -> int:
    """One request of /dev/vzctl. Raises ``SysError``."""
    fd = await sys.open(DEVICE, O_RDWR)
    try:
        return await sys.value("ioctl", fd, request, asked)  # pyright: ignore[reportArgumentType]
    finally:
        await sys.close(fd)


async def is_running(sys: "Process", veid: int) -> bool:
    """VE_TEST."""
    try:
        await ioctl(sys, VZCTL_ENV_CREATE, {"veid": veid, "flags": VE_TEST})
    except SysError as error:
        if error.errno in (Errno.ESRCH, Errno.ENOTTY):
            return False
        raise
    return True


async def is_mounted(sys: "Process", container: "Container") -> bool:
    """vps_is_mounted(): VE_ROOT is a mount point."""
    return container.root in await mounts(sys)


async def mounts(sys: "Process") -> list[str]:
    """Where something is mounted, oldest first."""
    lines = (await sys.text_or_empty("/proc/mounts")).splitlines()
    return [line.split(" ")[1] for line in lines]


async def release(sys: "Process") -> str:
    """Which of the two kernels runs, by its name in ``families.KERNELS``."""
    told = await sys.data("uname")
    return f"linux-{str(told['release']).partition('-')[0]}-ovz"


async def numbers(sys: "Process") -> dict[int, tuple[int, tuple[str, ...]]]:
    """Running containers: processes and addresses, as /proc/vz/veinfo lists them."""
    found: dict[int, tuple[int, tuple[str, ...]]] = {}
    for line in (await sys.text_or_empty("/proc/vz/veinfo")).splitlines():
        veid, _class, count, *addresses = line.split()
        if veid != "0":
            found[int(veid)] = (int(count), tuple(addresses))
    return found


async def quota(sys: "Process", veid: int, command: str, **limits: object) -> Errno | None:
    """vzquota's request on, off or set; why it was not done, or None."""
    try:
        asked = {"cmd": command, "quota_id": veid, **limits}
        await ioctl(sys, VZCTL_QUOTA_NEW_CTL, asked)
    except SysError as error:
        return error.errno
    return None


async def enter(sys: "Process", container: "Container") -> None:
    """vz_enter(): the caller goes in, and does not come out again. Raises ``SysError``."""
    fd = await sys.open(DEVICE, O_RDWR)
    await sys.call("chdir", container.root)
    await sys.call("chroot", container.root)
    await sys.call("chdir", "/")
    await sys.call("ioctl", fd, VZCTL_ENV_CREATE, {"veid": container.veid, "flags": VE_ENTER})
    await sys.call("setgroups", 0, [])
    await sys.close(fd)

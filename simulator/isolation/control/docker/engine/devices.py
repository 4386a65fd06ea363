"""Device nodes of the host that a container is handed. moby ``oci/devices_linux.go``."""

from typing import Any, NamedTuple

from simulator.isolation.control.docker.api.errors import ApiError
from simulator.isolation.control.docker.engine import files
from simulator.isolation.control.docker.engine.config import HostSettings
from simulator.isolation.control.docker.engine.resources import THROTTLES
from simulator.isolation.technologies.options.docker_limits import DISKS
from simulator.machine.abi.constants import S_IFBLK, S_IFCHR, S_IFDIR, S_IFMT
from simulator.machine.userland.process import Process, SysError

REFUSED = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed:"
    " runc create failed: "
)
"""What runc refuses, as the daemon tells it."""


class Handed(NamedTuple):
    """A node for the container: its place there, its kind and permission bits, its number, what is
    allowed (``rwm``).
    """

    target: str
    kind: int
    number: tuple[int, int]
    access: str


async def gather(sys: Process, host: HostSettings) -> tuple[Handed, ...]:
    """The nodes that ``--device`` stands for; of a directory, those in it. Raises ``ApiError``."""
    found: list[Handed] = []
    for one in host.Devices or []:
        path = one.get("PathOnHost", "")
        target = one.get("PathInContainer", "") or path
        access = one.get("CgroupPermissions", "") or "rwm"
        if host.Privileged and path == target:
            continue
        try:
            status = await sys.stat(path)
        except SysError as error:
            raise _of(path, error.message.lower()) from None
        if status["mode"] & S_IFMT == S_IFDIR:
            found += await _below(sys, path, target, access)
        elif (node := _node(status, target, access)) is not None:
            found.append(node)
        else:
            raise _of(path, "not a device node")
        if not found:
            raise _of(path, "no such file or directory")
    requests: list[dict[str, Any]] = host.DeviceRequests or []
    for one in requests:  # no driver of the machine has any
        wanted: list[list[str]] = one.get("Capabilities") or []
        shown = " ".join(f"[{' '.join(words)}]" for words in wanted)
        raise ApiError(
            f'could not select device driver "{one.get("Driver", "")}" with capabilities: [{shown}]'
        )
    return tuple(found)


async def check_throttled(sys: Process, host: HostSettings) -> None:
    """The disks whose speed is to be limited (getBlkioThrottleDevices()). Raises ``ApiError``."""
    for _option, field in THROTTLES:
        limits: list[dict[str, Any]] = getattr(host, field) or []
        for one in limits:
            path = str(one.get("Path", ""))
            try:
                status = await sys.stat(path)
            except SysError as error:
                raise ApiError(f"stat {path}: {error.message.lower()}") from None
            if path not in DISKS:
                number = f"{status['rdev'] >> 8}:{status['rdev'] & 0xFF}"
                raise ApiError(
                    f"{REFUSED}unable to start container process: unable to apply cgroup"
                    f' configuration: failed to write "{number}": no such device: unknown'
                )


def _of(path: str, why: str) -> ApiError:
    return ApiError(
        f'error gathering device information while adding custom device "{path}": {why}'
    )


def _node(status: dict[str, int], target: str, access: str) -> Handed | None:
    if status["mode"] & S_IFMT not in (S_IFBLK, S_IFCHR):
        return None
    return Handed(target, status["mode"], (status["rdev"] >> 8, status["rdev"] & 0xFF), access)


async def _below(sys: Process, path: str, target: str, access: str) -> list[Handed]:
    found: list[Handed] = []
    for name in await files.names(sys, path):
        status = await sys.lstat(f"{path}/{name}")
        if status["mode"] & S_IFMT == S_IFDIR:
            found += await _below(sys, f"{path}/{name}", f"{target}/{name}", access)
        elif (node := _node(status, f"{target}/{name}", access)) is not None:
            found.append(node)
    return found

"""Limits of a container: which are refused, how the launch is told of them, how they are changed.

moby ``daemon/daemon_unix.go`` (verifyPlatformContainerResources()), ``container/container_unix.go``
(UpdateContainer()); runc ``libcontainer/cgroups/fs/memory.go``.
"""

from typing import TYPE_CHECKING, Any

from simulator.isolation.control.docker.api.errors import BadRequest, Conflict
from simulator.isolation.control.docker.engine.config import HostSettings, RestartRule
from simulator.isolation.control.docker.engine.container import Container
from simulator.isolation.mechanisms.cgroup_limits import CgroupLimits
from simulator.isolation.technologies.options.docker_limits import DISKS
from simulator.machine.abi.constants import O_CLOEXEC, O_WRONLY
from simulator.machine.abi.errno import Errno
from simulator.machine.userland.process import Process, SysError

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

MINIMUM_MEMORY = 6 << 20
PROCESSORS = 2
_MEMORY, _BOTH = "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"
_SHARES = (2, 262_144)
"""What the kernel takes for cpu.shares; it brings every other number to the nearer end."""
THROTTLES = (
    ("--device-read-bps", "BlkioDeviceReadBps"),
    ("--device-write-bps", "BlkioDeviceWriteBps"),
    ("--device-read-iops", "BlkioDeviceReadIOps"),
    ("--device-write-iops", "BlkioDeviceWriteIOps"),
)


def verify(host: HostSettings, facts: frozenset[str], *, update: bool = False) -> list[str]:
    """Raise ``BadRequest`` for limits that the daemon refuses; the warnings about the others.

    What the machine's control groups do not have is taken out of ``host``.
    """
    warnings: list[str] = []
    _memory(host, update=update)
    if host.MemorySwappiness == -1:
        host.MemorySwappiness = None
    if host.MemorySwappiness is not None and "cgroup2" in facts:
        warnings.append(
            "Your kernel does not support memory swappiness capabilities or the cgroup is not"
            " mounted. Memory swappiness discarded."
        )
        host.MemorySwappiness = None
    if host.MemorySwappiness is not None and not 0 <= host.MemorySwappiness <= 100:
        raise BadRequest(
            f"Invalid value: {host.MemorySwappiness}, valid memory swappiness range is 0-100"
        )
    if host.OomKillDisable and "cgroup2" in facts:
        warnings.append("Your kernel does not support OomKillDisable. OomKillDisable discarded.")
        host.OomKillDisable = None
    if host.OomKillDisable and not host.Memory:
        warnings.append(
            "OOM killer is disabled for the container, but no memory limit is set, this can result"
            " in the system running out of resources."
        )
    _processors(host)
    if host.BlkioWeight and not 10 <= host.BlkioWeight <= 1000:
        raise BadRequest("Range of blkio weight is from 10 to 1000")
    return warnings


def _memory(host: HostSettings, *, update: bool) -> None:
    if host.Memory and host.Memory < MINIMUM_MEMORY:
        raise BadRequest("Minimum memory limit allowed is 6MB")
    if host.Memory > 0 and 0 < host.MemorySwap < host.Memory:
        raise BadRequest("Minimum memoryswap limit should be larger than memory limit, see usage")
    if host.Memory == 0 and host.MemorySwap > 0 and not update:
        raise BadRequest(
            "You should always set the Memory limit when using Memoryswap limit, see usage"
        )
    if 0 < host.MemoryReservation < MINIMUM_MEMORY:
        raise BadRequest("Minimum memory reservation allowed is 6MB")
    if 0 < host.Memory < host.MemoryReservation:
        raise BadRequest(
            "Minimum memory limit can not be less than memory reservation limit, see usage"
        )


def _processors(host: HostSettings) -> None:
    if host.NanoCpus > 0 and host.CpuPeriod > 0:
        raise BadRequest("Conflicting options: Nano CPUs and CPU Period cannot both be set")
    if host.NanoCpus > 0 and host.CpuQuota > 0:
        raise BadRequest("Conflicting options: Nano CPUs and CPU Quota cannot both be set")
    if not 0 <= host.NanoCpus <= PROCESSORS * 1_000_000_000:
        raise BadRequest(
            f"Range of CPUs is from 0.01 to {PROCESSORS}.00, as there are only {PROCESSORS} CPUs"
            " available"
        )
    if host.CpuPeriod and not 1000 <= host.CpuPeriod <= 1_000_000:
        raise BadRequest(
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"
        )
    if 0 < host.CpuQuota < 1000:
        raise BadRequest("CPU cfs quota can not be less than 1ms (i.e. 1000)")
    last = PROCESSORS - 1
    if any(number > last for number in _numbers(host.CpusetCpus, "cpus")):
        raise BadRequest(
            f"Requested CPUs are not available - requested {host.CpusetCpus}, available: 0-{last}"
        )
    if any(_numbers(host.CpusetMems, "mems")):
        raise BadRequest(
            f"Requested memory nodes are not available - requested {host.CpusetMems}, available: 0"
        )


def _numbers(text: str, of: str) -> list[int]:
    """The ends of a list such as ``0-1,3``. Raises ``BadRequest``."""
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, dash, last = part.partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            raise BadRequest(f"Invalid value {text} for cpuset {of}: invalid format: {part}")
        found += [int(first), int(last or first)]
    return found


def options(host: HostSettings) -> list[str]:
    """The limits as options of ``docker run``, which the technology reads."""
    least, most = _SHARES
    wanted: tuple[tuple[str, object], ...] = (
        ("--memory", host.Memory),
        ("--memory-swap", host.MemorySwap),
        ("--memory-reservation", host.MemoryReservation),
        ("--pids-limit", max(host.PidsLimit or 0, 0)),
        ("--cpus", host.NanoCpus / 1e9),
        ("--cpu-quota", max(host.CpuQuota, 0)),
        ("--cpu-period", host.CpuPeriod),
        ("--cpu-shares", min(max(host.CpuShares, least), most) if host.CpuShares > 0 else 0),
        ("--cpuset-cpus", host.CpusetCpus),
        ("--blkio-weight", host.BlkioWeight),
    )
    said = [word for option, value in wanted if value for word in (option, str(value))]
    if host.MemorySwappiness is not None:
        said += ["--memory-swappiness", str(host.MemorySwappiness)]
    if host.OomKillDisable:
        said.append("--oom-kill-disable")
    for option, field in THROTTLES:
        devices: list[dict[str, Any]] = getattr(host, field) or []
        for one in devices:
            if one.get("Path") not in DISKS:
                continue  # its start says so (``devices.py``)
            said += [option, f"{one.get('Path', '')}:{one.get('Rate', 0)}"]
    return said


def change(container: Container, given: dict[str, Any], asked: HostSettings) -> None:
    """Take over what a request to update asks for. Raises ``Conflict``."""
    host = container.host
    if why := _conflict(host, asked):
        raise Conflict(f"Cannot update container {container.id}: {why}")
    for name in given:
        if name != "RestartPolicy" and name in HostSettings.__struct_fields__:
            value = getattr(asked, name)
            if value or (name == "PidsLimit" and value is not None):
                setattr(host, name, value)
    if asked.RestartPolicy.Name:
        policy = asked.RestartPolicy
        host.RestartPolicy = RestartRule(policy.Name, policy.MaximumRetryCount)


def _conflict(host: HostSettings, asked: HostSettings) -> str:
    """What speaks against ``asked`` in what there is already; empty when nothing does."""
    quota = (("CPU Period", "CpuPeriod"), ("CPU Quota", "CpuQuota"))
    begun, already = "Conflicting options:", "has already been set"
    for title, name in quota:
        if asked.NanoCpus > 0 and getattr(host, name) > 0:
            return f"{begun} Nano CPUs cannot be updated as {title} {already}"
    for title, name in quota:
        if getattr(asked, name) > 0 and host.NanoCpus > 0:
            return f"{begun} {title} cannot be updated as NanoCPUs {already}"
    if asked.Memory and asked.Memory > host.MemorySwap and asked.MemorySwap == 0:
        return (
            "Memory limit should be smaller than already set memoryswap limit, update the"
            " memoryswap at the same time"
        )
    if host.AutoRemove and asked.RestartPolicy.Name not in ("", "no"):
        return "Restart policy cannot be updated because AutoRemove is enabled for the container"
    return ""


async def apply(sys: Process, engine: "Engine", container: Container, limits: CgroupLimits) -> None:
    """Write limits that were changed to the control groups (runc ``update``)."""
    version_2 = "cgroup2" in engine.facts
    wanted = limits.settings(version_2=version_2)
    pids = container.host.PidsLimit
    if pids is not None and pids <= 0:
        wanted.append(("pids.max", "max"))
    if not version_2:
        wanted = await _in_order(sys, container, dict(wanted))
    for name, text in wanted:
        try:
            fd = await sys.open(_path(container, name, version_2=version_2), O_WRONLY | O_CLOEXEC)
        except SysError as error:
            if error.errno is Errno.ENOENT and name.endswith("weight"):
                continue  # one name of it or the other, as the disk's scheduler has it
            raise
        await sys.write(fd, text.encode())
        await sys.close(fd)


async def _in_order(
    sys: Process, container: Container, wanted: dict[str, str]
) -> list[tuple[str, str]]:
    """setMemoryAndSwap(): neither limit may pass the other on the way."""
    if _MEMORY in wanted and _BOTH in wanted:
        now = await sys.text_or_empty(_path(container, _MEMORY, version_2=False))
        both = int(wanted[_BOTH])
        if both < 0 or int(now or 0) < both:
            wanted = {_BOTH: wanted.pop(_BOTH), **wanted}
    return list(wanted.items())


def _path(container: Container, name: str, *, version_2: bool) -> str:
    place = "" if version_2 else f"{name.partition('.')[0]}/"
    return f"/sys/fs/cgroup/{place}docker/{container.id}/{name}"

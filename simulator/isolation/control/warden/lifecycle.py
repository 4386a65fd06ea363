"""create, stop, destroy and info. Source: lib/warden/container/{base,linux}.rb, root/linux."""

from typing import Any, cast

from simulator.isolation.control import files
from simulator.isolation.control.launch import Refused, launch
from simulator.isolation.control.warden import state
from simulator.isolation.control.warden.config import Config
from simulator.isolation.control.warden.state import Container, Snapshot
from simulator.isolation.control.warden.wire import WardenError, listen
from simulator.isolation.mechanisms.base import Guest, Image
from simulator.isolation.mechanisms.device_list import DeviceList
from simulator.isolation.mechanisms.point_to_point import PointToPoint
from simulator.isolation.mechanisms.pool_firewall import PoolFirewall
from simulator.isolation.mechanisms.uid_pool import UidPool
from simulator.isolation.mechanisms.volumes import Volume, Volumes
from simulator.isolation.technologies.base import Technology, change, drop, plan, put
from simulator.isolation.technologies.warden import TECHNOLOGY
from simulator.machine.abi.constants import SIGKILL, SIGTERM
from simulator.machine.userland.process import Process

_PATIENCE = 10
"""Seconds between SIGTERM and SIGKILL (stop.sh)."""
_UNLIMITED = 0xFFFFFFFF


async def create(sys: Process, config: Config, asked: dict[str, Any]) -> str:
    """The handle of a new container. Raises ``WardenError``."""
    ident = await state.fresh_id(sys, config)
    handle = str(asked.get("handle") or ident)
    if any(one.snapshot.handle == handle for one in await state.every(sys, config)):
        raise WardenError(f"container with handle: {handle} already exists.")
    rootfs = str(asked.get("rootfs") or config.rootfs)
    if not await sys.succeeds("stat", rootfs):
        raise WardenError(f"rootfs {rootfs} not found")
    wanted = cast("list[Any]", asked.get("bind_mounts") or [])
    binds = [await _bind(sys, one) for one in wanted]
    ordinal = await state.fresh_ordinal(sys, config)
    snapshot = Snapshot(handle, ident, ordinal, 0, grace_time=config.grace_time)
    if "grace_time" in asked:
        snapshot.grace_time = asked["grace_time"]
    container = Container(sys, config, snapshot)
    for path in ("", "/run", "/jobs", "/tmp", "/tmp/rootfs", "/tmp/rootfs/sbin", "/mnt", "/etc"):
        await sys.call("mkdir", f"{container.path}{path}", 0o755)
    tools = await sys.slurp("/usr/sbin/warden-server")
    await files.write(sys, f"{container.path}/tmp/rootfs/sbin/wshd", tools, 0o700)
    door = await listen(sys, f"{container.path}/run/wshd.sock", 0o700)
    try:
        steps = plan(_technology(config, rootfs, binds, door), ident, ordinal)
        born = await launch(sys, ident, steps)
    except Refused as refusal:
        raise WardenError(str(refusal)) from None
    finally:
        await sys.close(door)
    snapshot.pid = born.number
    await container.save()
    return handle


async def _bind(sys: Process, wanted: Any) -> Volume:
    """``[source, target, {"mode": "ro"}]``."""
    source, target, *rest = wanted
    given = rest[0] if rest else "ro"
    mode = cast("dict[str, str]", given).get("mode", "ro") if isinstance(given, dict) else given
    if not await sys.succeeds("stat", source):
        raise WardenError(f"Source path for bind mount does not exist: {source}")
    if mode not in ("ro", "rw"):
        raise WardenError("Unknown mode")
    return Volume(source, target, mode == "ro")


def _technology(config: Config, rootfs: str, binds: list[Volume], door: int) -> Technology:
    """The container itself: ``wshd`` as its first process, and no job yet."""
    changed = drop(TECHNOLOGY, "init", "rlimits")
    changed = put(changed, UidPool(first=config.first_uid, runs=False))
    pool = ".".join(config.pool.split(".")[:2])
    changed = put(put(changed, PointToPoint(pool=pool)), PoolFirewall(f"{pool}.0.0/22"))
    if config.nested:
        changed = put(changed, DeviceList(("a *:* rw",)))
    if binds:
        changed = put(changed, Volumes(tuple(binds)))
    image = Image(root=f"{config.depot}/{{name}}/mnt", layer=rootfs, upper="tmp/rootfs")
    guest = Guest(
        argv=("/sbin/wshd", "--continue", str(door)),
        env=(("PATH", "/sbin:/bin:/usr/sbin:/usr/bin"),),
        hostname="{name}",
        session=True,
    )
    return change(changed, image=image, guest=guest)


async def stop(container: Container, *, kill: bool = False) -> None:
    """stop.sh: SIGTERM to every task but ``wshd``, SIGKILL after ten seconds."""
    container.need("active", "stopped")
    if container.snapshot.state == "stopped":
        return
    container.snapshot.state = "stopped"
    await container.save()
    sys = container.sys
    for second in range(_PATIENCE + 3):
        others = [pid for pid in await container.tasks() if pid != container.snapshot.pid]
        if not others:
            break
        signal = SIGKILL if kill or second >= _PATIENCE else SIGTERM
        for pid in others:
            await sys.succeeds("kill", pid, signal)
        await sys.call("nanosleep", [1, 0])


async def destroy(container: Container) -> None:
    """Stop it, end ``wshd``, and take the groups and the files away."""
    if container.snapshot.state == "active":
        await stop(container, kill=True)
    sys = container.sys
    for _second in range(_PATIENCE):
        if container.snapshot.pid not in await container.tasks():
            break
        await sys.succeeds("kill", container.snapshot.pid, SIGKILL)
        await sys.call("nanosleep", [0, 100_000_000])
    for subsystem in ("cpu", "cpuacct", "devices", "memory"):
        await sys.succeeds("rmdir", container.group(subsystem))
    for rule in container.snapshot.resources.get("rules", []):
        await sys.succeeds("@filter", {**rule, "do": "delete"})
    await _remove(sys, container.path)


async def _remove(sys: Process, path: str) -> None:
    for name in await sys.names(path):
        below = f"{path}/{name}"
        if (await sys.lstat(below))["mode"] & 0o170000 == 0o040000:
            await _remove(sys, below)
        else:
            await sys.succeeds("unlink", below)
    await sys.succeeds("rmdir", path)


async def info(container: Container) -> dict[str, Any]:
    """What the daemon knows: state, addresses, jobs, memory and processor time."""
    container.need("active", "stopped")
    host, own = container.addresses
    snapshot, sys = container.snapshot, container.sys
    rate = snapshot.resources.get("bandwidth", [_UNLIMITED, _UNLIMITED])
    stats = (await sys.text_or_empty(f"{container.group('memory')}/memory.stat")).splitlines()
    times = (await sys.text_or_empty(f"{container.group('cpuacct')}/cpuacct.stat")).splitlines()
    usage = (await sys.text_or_empty(f"{container.group('cpuacct')}/cpuacct.usage")).strip()
    running = [job for job in snapshot.jobs if await _runs(sys, container, job)]
    return {
        "state": snapshot.state,
        "events": snapshot.events,
        "host_ip": host,
        "container_ip": own,
        "container_path": container.path,
        "memory_stat": _numbers(stats),
        "cpu_stat": {"usage": int(usage or 0), **_numbers(times)},
        "bandwidth_stat": {
            "in_rate": rate[0], "in_burst": rate[1], "out_rate": rate[0], "out_burst": rate[1],
        },
        "job_ids": running,
    }  # fmt: skip


async def _runs(sys: Process, container: Container, job: int) -> bool:
    return not await sys.succeeds("stat", f"{container.path}/jobs/{job}/exit_status")


def _numbers(lines: list[str]) -> dict[str, int]:
    return {key: int(value) for key, value in (line.split(" ", 1) for line in lines)}


async def hierarchies(sys: Process) -> None:
    """setup.sh: the subsystems that Warden uses, where they are not mounted yet."""
    top = "/tmp/warden/cgroup"
    mounted = [line.split()[1] for line in (await sys.text("/proc/mounts")).splitlines()]
    for path in ("/tmp/warden", top):
        await sys.succeeds("mkdir", path, 0o755)
    if top not in mounted:
        await sys.call("mount", "none", top, "tmpfs", 0, None)
    for name in ("cpu", "cpuacct", "devices", "memory"):
        await sys.succeeds("mkdir", f"{top}/{name}", 0o755)
        if f"{top}/{name}" not in mounted:
            await sys.call("mount", "none", f"{top}/{name}", "cgroup", 0, name)

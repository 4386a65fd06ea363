"""``docker inspect``: the container's HostConfig and Config as options of ``docker run``.

Names as the Engine API has them (moby api/types/container/hostconfig.go).
"""

from collections.abc import Iterator
from typing import Any

from simulator.isolation.imports.base import NO_WALL, Found, ImportFault, Wish, absent
from simulator.isolation.imports.reading import at, number, objects, pairs, strings, text
from simulator.isolation.technologies.defaults.docker import MASKED
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

_MODES = (
    ("PidMode", "--pid", ("",)),
    ("IpcMode", "--ipc", ("", "private", "shareable")),
    ("UTSMode", "--uts", ("",)),
    ("CgroupnsMode", "--cgroupns", ("", "private")),
    ("UsernsMode", "--userns", ("",)),
)
_NUMBERS = (
    ("Memory", "--memory"),
    ("MemorySwap", "--memory-swap"),
    ("MemoryReservation", "--memory-reservation"),
    ("PidsLimit", "--pids-limit"),
    ("CpuShares", "--cpu-shares"),
    ("CpuQuota", "--cpu-quota"),
    ("CpuPeriod", "--cpu-period"),
    ("BlkioWeight", "--blkio-weight"),
)
_THROTTLES = (
    ("BlkioDeviceReadBps", "--device-read-bps"),
    ("BlkioDeviceWriteBps", "--device-write-bps"),
    ("BlkioDeviceReadIOps", "--device-read-iops"),
    ("BlkioDeviceWriteIOps", "--device-write-iops"),
)
_SILENT = (
    "OomScoreAdj",
    "CgroupParent",
    "DeviceCgroupRules",
    "DeviceRequests",
    "VolumesFrom",
    "Isolation",
)
_RUNTIMES = ("", "runc", "io.containerd.runc.v2", "io.containerd.runtime.v1.linux")
_OTHER_KERNEL = N_("another runtime than runc: the model has none of its walls")
_OWN_STORE = N_("a volume of the engine's own: no file of the host is in it")
_OWN_NETWORK = N_("a network of its own is taken for the default bridge")


def read(value: Any, name: str = "") -> Found:
    """One container of the listing; ``name`` says which when there are several."""
    listed = objects(value) if isinstance(value, list) else objects([value])
    listed = [one for one in listed if isinstance(one.get("HostConfig"), dict)]
    names = [text(one.get("Name")).lstrip("/") for one in listed]
    chosen = [one for one, its in zip(listed, names, strict=True) if name in ("", its)]
    if not chosen:
        raise absent(name, names)
    if len(chosen) > 1:
        raise ImportFault(
            _("several containers: say which with --name, of {list}").format(list=", ".join(names))
        )
    container = chosen[0]
    wishes = (*_host(at(container, "HostConfig")), *_config(container))
    its = text(container.get("Name")).lstrip("/")
    return Found("docker inspect", "docker", its, wishes)


def _host(host: Any) -> Iterator[Wish]:
    if host.get("Privileged") is True:
        yield Wish("Privileged", ("--privileged",))
    for key, option in (("CapDrop", "--cap-drop"), ("CapAdd", "--cap-add")):
        for name in strings(host.get(key)):
            yield Wish(f"{key} {name}", (option, name))
    for key, option, usual in _MODES:
        mode = text(host.get(key))
        if mode not in usual:
            yield Wish(f"{key} {mode}", (f"{option}={mode}",))
    yield from _network(text(host.get("NetworkMode")))
    yield from _security(host)
    yield from _files(host)
    yield from _limits(host)
    if text(host.get("Runtime")) not in _RUNTIMES:
        yield Wish(f"Runtime {host['Runtime']}", why=_OTHER_KERNEL)
    for key in _SILENT:
        if host.get(key) and host[key] != "default":
            yield Wish(key)


def _network(mode: str) -> Iterator[Wish]:
    if mode in ("host", "none") or mode.startswith("container:"):
        yield Wish(f"NetworkMode {mode}", (f"--network={mode}",))
    elif mode not in ("", "default", "bridge"):
        yield Wish(f"NetworkMode {mode}", why=_OWN_NETWORK)


def _security(host: Any) -> Iterator[Wish]:
    for value in strings(host.get("SecurityOpt")):
        yield Wish(f"SecurityOpt {value}", ("--security-opt", value))
    masked = host.get("MaskedPaths")
    if masked == []:
        yield Wish("MaskedPaths []", ("--security-opt", "systempaths=unconfined"))
    elif isinstance(masked, list):
        missing = [path for path in MASKED if path not in strings(masked)]
        if missing:
            yield Wish(f"MaskedPaths without {' '.join(missing)}")


def _files(host: Any) -> Iterator[Wish]:
    if host.get("ReadonlyRootfs") is True:
        yield Wish("ReadonlyRootfs", ("--read-only",))
    for bind in strings(host.get("Binds")):
        yield _bind(bind)
    for mount in objects(host.get("Mounts")):
        source, target = text(mount.get("Source")), text(mount.get("Target"))
        if mount.get("Type") == "bind":
            mode = ":ro" if mount.get("ReadOnly") is True else ""
            yield _bind(f"{source}:{target}{mode}")
        elif mount.get("Type") == "tmpfs":
            yield Wish(f"Mounts {target}", ("--tmpfs", target))
        else:
            yield Wish(f"Mounts {target}", why=_OWN_STORE)
    for path, options in pairs(host.get("Tmpfs")):
        yield Wish(f"Tmpfs {path}", ("--tmpfs", f"{path}:{options}" if options else path))
    for device in objects(host.get("Devices")):
        path, inside = text(device.get("PathOnHost")), text(device.get("PathInContainer"))
        value = path if inside in ("", path) else f"{path}:{inside}"
        yield Wish(f"Devices {path}", ("--device", value))


def _bind(bind: str) -> Wish:
    if not bind.startswith("/"):
        return Wish(f"Binds {bind}", why=_OWN_STORE)
    return Wish(f"Binds {bind}", ("-v", bind))


def _limits(host: Any) -> Iterator[Wish]:
    for key, option in _NUMBERS:
        value = number(host.get(key))
        if value:
            yield Wish(f"{key} {value}", (f"{option}={value}",))
    if number(host.get("NanoCpus")):
        cpus = f"{number(host['NanoCpus']) / 1e9:g}"
        yield Wish(f"NanoCpus {host['NanoCpus']}", (f"--cpus={cpus}",))
    if text(host.get("CpusetCpus")):
        yield Wish(f"CpusetCpus {host['CpusetCpus']}", (f"--cpuset-cpus={host['CpusetCpus']}",))
    if host.get("OomKillDisable") is True:
        yield Wish("OomKillDisable", ("--oom-kill-disable",))
    for limit in objects(host.get("Ulimits")):
        value = f"{limit.get('Name')}={limit.get('Soft')}:{limit.get('Hard')}"
        yield Wish(f"Ulimits {value}", ("--ulimit", value))
    for key, option in _THROTTLES:
        for one in objects(host.get(key)):
            value = f"{one.get('Path')}:{one.get('Rate')}"
            yield Wish(f"{key} {value}", (option, value))
    for name, value in pairs(host.get("Sysctls")):
        yield Wish(f"Sysctls {name}", ("--sysctl", f"{name}={value}"))
    if number(host.get("ShmSize")) not in (0, 64 << 20):
        yield Wish(f"ShmSize {host['ShmSize']}", (f"--shm-size={host['ShmSize']}",))
    for group in strings(host.get("GroupAdd")):
        yield Wish(f"GroupAdd {group}", ("--group-add", group))
    if host.get("Init") is True:
        yield Wish("Init", ("--init",))


def _config(container: Any) -> Iterator[Wish]:
    user = text(at(container, "Config", "User"))
    if user:
        yield Wish(f"User {user}", ("-u", user))
    profile = text(container.get("AppArmorProfile"))
    if profile == "unconfined":
        yield Wish("AppArmorProfile unconfined", ("--security-opt", "apparmor=unconfined"))
    elif profile not in ("", "docker-default"):
        yield Wish(f"AppArmorProfile {profile}")
    if at(container, "Config", "Env"):
        yield Wish("Env", why=NO_WALL)

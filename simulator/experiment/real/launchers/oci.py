"""runc and crun: the mechanisms of a technology as an OCI ``config.json``, and its container."""

import shutil
from pathlib import Path
from typing import Any

import msgspec

from simulator.experiment.real import facts, rootfs
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.launchers.operator import Operator, last_words, outer_pid
from simulator.experiment.real.link import Link, attach
from simulator.experiment.real.sandbox import Machine
from simulator.isolation.mechanisms.capabilities import Capabilities
from simulator.isolation.mechanisms.cgroup_limits import CgroupLimits
from simulator.isolation.mechanisms.default_mounts import DefaultMounts, Mounted
from simulator.isolation.mechanisms.masked_paths import MaskedPaths
from simulator.isolation.mechanisms.readonly_paths import ReadonlyPaths
from simulator.isolation.mechanisms.rlimits import Rlimits
from simulator.isolation.mechanisms.volumes import Volumes
from simulator.isolation.technologies.base import Technology
from simulator.machine.abi.constants import (
    BY_NAME,
    CAPABILITY_NAMES,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_STRICTATIME,
)

NAMESPACES = {
    "pid-ns": "pid",
    "net-ns": "network",
    "ipc-ns": "ipc",
    "uts-ns": "uts",
    "mount-ns": "mount",
    "cgroup-ns": "cgroup",
}

_FLAGS = {
    MS_NOSUID: "nosuid",
    MS_NOEXEC: "noexec",
    MS_NODEV: "nodev",
    MS_STRICTATIME: "strictatime",
    MS_RDONLY: "ro",
}

RENDERED = frozenset(NAMESPACES) | {
    "cgroup-limits",
    "device-list",
    "default-mounts",
    "pivot-root",
    "readonly-root",
    "readonly-paths",
    "masked-paths",
    "no-new-privs",
    "rlimits",
    "capabilities",
    "volumes",
    "session-keyring",
}
"""Mechanisms that the file has words for; a technology with another one is counterfactual."""


def config(technology: Technology, actor: str, command: list[str], layout: str) -> dict[str, Any]:
    """The ``config.json``; ``layout`` is that of control groups, as ``cgroups.layout``."""
    guest = technology.guest
    held = technology.get("capabilities")
    names = list(held.kept()) if isinstance(held, Capabilities) else _all_capabilities()
    limits = technology.get("rlimits")
    process: dict[str, Any] = {
        "terminal": False,
        "user": {"uid": guest.uid, "gid": guest.gid, "additionalGids": list(guest.groups)},
        "args": command,
        "env": [f"{name}={value}" for name, value in guest.env],
        "cwd": guest.cwd,
        "capabilities": {kind: names for kind in ("bounding", "effective", "permitted")},
        "noNewPrivileges": technology.get("no-new-privs") is not None,
        "rlimits": _rlimits(limits) if isinstance(limits, Rlimits) else [],
    }
    return {
        "ociVersion": "1.0.0",
        "process": process,
        "root": {
            "path": technology.image.root.format(name=actor),
            "readonly": technology.get("readonly-root") is not None,
        },
        "hostname": guest.hostname if technology.get("uts-ns") else "",
        "mounts": _mounts(technology),
        "linux": _linux(technology, actor, layout),
    }


def _all_capabilities() -> list[str]:
    """Those that this machine's root has: no runtime can hand on another."""
    bounding = facts.gather().bounding
    return [name for name in CAPABILITY_NAMES if name in bounding]


def _rlimits(limits: Rlimits) -> list[dict[str, Any]]:
    names = {value: name for name, value in BY_NAME.items() if name.startswith("RLIMIT_")}
    return [
        {"type": names[resource], "soft": soft, "hard": hard}
        for resource, soft, hard in limits.limits
    ]


def _mounts(technology: Technology) -> list[dict[str, Any]]:
    default = technology.get("default-mounts")
    found = [_mount(one) for one in default.mounts] if isinstance(default, DefaultMounts) else []
    volumes = technology.get("volumes")
    for one in volumes.binds if isinstance(volumes, Volumes) else ():
        options = ["rbind", "ro" if one.read_only else "rw"]
        found.append(
            {
                "destination": one.target,
                "type": "bind",
                "source": one.source,
                "options": options,
            }
        )
    return found


def _mount(one: Mounted) -> dict[str, Any]:
    options = [word for flag, word in _FLAGS.items() if one.flags & flag]
    options += [word for word in one.options.split(",") if word]
    kind = "cgroup" if one.fstype == "cgroup2" else one.fstype
    return {"destination": one.path, "type": kind, "source": one.source, "options": options}


def _linux(technology: Technology, actor: str, layout: str) -> dict[str, Any]:
    kinds = [
        {"type": kind}
        for name, kind in NAMESPACES.items()
        if technology.get(name) is not None and not _only_on_2(technology, name, layout)
    ]
    resources: dict[str, Any] = {"devices": [{"allow": False, "access": "rwm"}]}
    if technology.get("device-list") is None:
        resources["devices"] = [{"allow": True, "access": "rwm"}]
    limits = technology.get("cgroup-limits")
    if isinstance(limits, CgroupLimits):
        if limits.pids is not None:
            resources["pids"] = {"limit": limits.pids}
        if limits.memory is not None:
            resources["memory"] = {"limit": limits.memory, "swap": limits.memory}
    masked, readonly = technology.get("masked-paths"), technology.get("readonly-paths")
    return {
        "namespaces": kinds,
        "cgroupsPath": f"/{actor}",
        "resources": resources,
        "maskedPaths": list(masked.paths) if isinstance(masked, MaskedPaths) else [],
        "readonlyPaths": list(readonly.paths) if isinstance(readonly, ReadonlyPaths) else [],
    }


def _only_on_2(technology: Technology, name: str, layout: str) -> bool:
    mechanism = technology.get(name)
    return bool(getattr(mechanism, "unified_only", False)) and layout != "v2"


def launch(operator: Operator, technology: Technology, actor: str, layout: str) -> Link:
    """``runc run`` of a bundle with the agent as the container's first process."""
    machine = operator.machine
    bundle = machine.root / f"run/vitrina/{actor}"
    bundle.mkdir(exist_ok=True)
    command = rootfs.interpreter_arguments()
    written = config(technology, actor, command, layout)
    (bundle / "config.json").write_bytes(msgspec.json.encode(written))
    program = shutil.which(technology.id, path="/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin")
    if program is None:
        raise RealError.not_here(f"{technology.id} is not installed")
    where = f"/run/vitrina/{actor}"
    pid_file = bundle / "pid"
    pid_file.unlink(missing_ok=True)
    argv = [program, "--root", f"/run/{technology.id}"]
    if technology.get("cgroup-limits") is None and technology.id == "crun":
        argv.append("--cgroup-manager=disabled")  # runc puts every container into a group
    argv += ["run", "--detach"]
    if technology.get("session-keyring") is None:
        argv.append("--no-new-keyring")
    # runc names the session keyring after the container, and whoever has that name already shares
    # it: names of keyrings belong to this machine.
    name = f"{machine.name}-{actor}"
    argv += ["--pid-file", f"{where}/pid", "--bundle", where, name]
    operator.run(argv)
    return _attached(machine, pid_file)


def _attached(machine: Machine, pid_file: Path) -> Link:
    pid = outer_pid(machine, int(pid_file.read_text()))
    if pid is None:
        raise RealError.broken("runc", last_words(""))
    return machine.keep(attach(pid))

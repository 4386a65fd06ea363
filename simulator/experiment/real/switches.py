"""The switches of Docker, LXC, bubblewrap and systemd-nspawn, mechanism by mechanism."""

from collections.abc import Iterator
from typing import Any

import msgspec

from simulator.experiment.real import facts
from simulator.experiment.real.lifting import (
    Request,
    no_way,
    reworded,
    with_words,
    without_options,
)
from simulator.isolation.mechanisms.device_list import RUNC_ALLOWED, DeviceList
from simulator.isolation.mechanisms.lxc_config import LxcConfig
from simulator.isolation.technologies.base import Technology, put
from simulator.isolation.technologies.options import bwrap as bwrap_options
from simulator.isolation.technologies.options import docker as docker_options
from simulator.isolation.technologies.options import docker_limits
from simulator.isolation.technologies.options import nspawn as nspawn_options
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.constants import CAPABILITY_NAMES

_DOCKER: dict[str, tuple[str, ...]] = {
    "uts-ns": ("--uts=host",),
    "ipc-ns": ("--ipc=host", "--tmpfs", "/dev/shm:nosuid,nodev,noexec,mode=1777,size=65536k"),
    "pid-ns": ("--pid=host",),
    "net-ns": ("--network=host",),
    "cgroup-ns": ("--cgroupns=host",),
    "user-ns": ("--userns=host",),
    "device-list": ("--device-cgroup-rule", "a *:* rwm"),
    "apparmor": ("--security-opt", "apparmor=unconfined"),
    "seccomp": ("--security-opt", "seccomp=unconfined"),
    "sysctls": (
        *("--sysctl", "net.ipv4.ip_unprivileged_port_start=1024"),
        *("--sysctl", "net.ipv4.ping_group_range=1 0"),
    ),
}
"""docker-run(1). With the host's objects dockerd would bind its /dev/shm too, unless something else
is asked for there (moby container_unix.go, IpcMounts()). A setting that dockerd changes is given
back the kernel's own value (ip(7), Documentation/networking/ip-sysctl.rst)."""

_DOCKER_ADDED: dict[str, tuple[str, ...]] = {
    "init": ("--init",),
    "readonly-root": ("--read-only",),
    "rlimits": ("--ulimit",),
    "devices": ("--device",),
    "volumes": ("-v", "--volume", "--tmpfs"),
    "net-ns": ("--net", "--network"),
    "uts-ns": ("-h", "--hostname"),
    "cgroup-limits": tuple(docker_limits.TABLE),
}
"""Options that make a mechanism, or that dockerd refuses beside the switch that lifts it."""

_DOCKER_API: dict[str, tuple[str, Any]] = {
    "masked-paths": ("MaskedPaths", []),
    "readonly-paths": ("ReadonlyPaths", []),
}
"""``HostConfig`` in the Engine API: the client's ``systempaths=unconfined`` sets both."""


def docker(request: Request, mechanism: str) -> Request:
    """The client's own switch, the API's where that has a finer one."""
    table, names = docker_options.TABLE, _DOCKER_ADDED.get(mechanism, ())
    less = without_options(request, table, *names)
    if mechanism == "no-new-privs":
        less = without_options(request, table, "--security-opt", value="no-new-priv")
    if mechanism == "sysctls" and request.technology.get("net-ns") is None:
        return less  # dockerd sets none on the host's network, and takes none
    if mechanism == "capabilities":
        return with_words(request, *_every_capability())
    if mechanism in _DOCKER_API:
        field, value = _DOCKER_API[mechanism]
        return msgspec.structs.replace(request, api={**request.api, field: value})
    if mechanism in _DOCKER:
        return with_words(less, *_DOCKER[mechanism])
    if mechanism == "cgroup-limits":
        return less  # every container has a group, by default without a limit
    if mechanism == "devices":
        return with_words(less, *_still_listed(request.technology))
    return less if less.spec != request.spec else no_way(request, mechanism)


def _still_listed(technology: Technology) -> Iterator[str]:
    """What ``--device`` allowed besides making a node, and another mechanism keeps."""
    held = technology.get("device-list")
    for rule in held.rules if isinstance(held, DeviceList) else ():
        if rule not in RUNC_ALLOWED:
            yield from ("--device-cgroup-rule", rule)


_KNOWN_TO_ALL = CAPABILITY_NAMES[: CAPABILITY_NAMES.index("CAP_AUDIT_READ") + 1]
"""Docker 20.10 refuses the names of later ones (gocapability), which are parts of CAP_SYS_ADMIN."""


def _every_capability() -> list[str]:
    """Every one that this machine's root has, by name: of ``ALL`` runc can't hand on the others."""
    here = [name for name in _KNOWN_TO_ALL if name in facts.gather().bounding]
    return [f"--cap-add={name.removeprefix('CAP_')}" for name in here]


_LXC: dict[str, tuple[str, ...]] = {
    "lxc-config": (),
    "apparmor": ("lxc.apparmor.profile = unconfined",),
    "user-ns": ("lxc.idmap =",),
    "cgroup-limits": (),
    "device-list": ("lxc.cgroup.devices.allow = a",),
    "default-mounts": (
        *("lxc.mount.auto =", "lxc.mount.entry =", "lxc.autodev = 0"),
        *("lxc.pty.max = 0", "lxc.tty.max = 0", "lxc.console.path = none"),
    ),
    "proc-mixed": ("lxc.mount.auto = proc:rw",),
    "sys-mixed": ("lxc.mount.auto = sys:rw",),
    "session-keyring": ("lxc.keyring.session = 1",),
    "seccomp": ("lxc.seccomp.profile =",),
    "capabilities": ("lxc.cap.drop =",),
    "readonly-root": ("lxc.rootfs.options = rw",),
    "no-new-privs": ("lxc.no_new_privs = 0",),
    "rlimits": ("lxc.prlimit =",),
    "sysctls": ("lxc.sysctl =",),
    "lxcfs": ("lxc.hook.mount =",),
}
"""lxc.container.conf(5): the keys that leave a mechanism out. ``lxc-start -f`` reads the lines from
elsewhere than the container's own file. Its page says that ``lxc.keyring.session = 0`` keeps the
session's keyring; the program takes the value for "none of its own" (confile.c,
set_config_keyring_session(); 3.0 to 7.0), so it is 1 that does."""

_LXC_KEEPS: dict[str, tuple[str, ...]] = {
    "ipc-ns": ("lxc.namespace.keep = ipc",),
    "uts-ns": ("lxc.uts.name =", "lxc.namespace.keep = uts"),
    "pid-ns": ("lxc.namespace.keep = pid",),
    "net-ns": ("lxc.net =", "lxc.net.0.type = none", "lxc.namespace.keep = net"),
    "cgroup-ns": ("lxc.namespace.keep = cgroup",),
}
"""Namespaces that a container inherits; the lines add up, and who names one gets all others."""


def _lxc_lines(technology: Technology, mechanism: str) -> tuple[str, ...]:
    if mechanism in ("proc-mixed", "sys-mixed") and technology.get("default-mounts") is None:
        return ()
    if mechanism in _LXC:
        return _LXC[mechanism]
    kept = _LXC_KEEPS[mechanism]
    if technology.get("user-ns") is None:
        kept = (*kept, "lxc.namespace.keep = user")
    return (*kept, "lxc.namespace.keep = time")


def lxc(request: Request, mechanism: str) -> Request:
    """More lines of the container's configuration, behind all others."""
    known = parse_spec(request.spec.text).get("lxc-config")
    held = request.technology.get("lxc-config") or known
    if mechanism not in _LXC | _LXC_KEEPS or not isinstance(held, LxcConfig):
        no_way(request, mechanism)
    lines = held.lines
    if mechanism == "cgroup-limits":
        lines = tuple(line for line in lines if not line.startswith("lxc.cgroup"))
    config = LxcConfig((*lines, *_lxc_lines(request.technology, mechanism)))
    return msgspec.structs.replace(request, technology=put(request.technology, config))


_BWRAP = {
    "user-ns": "--unshare-user",
    "ipc-ns": "--unshare-ipc",
    "pid-ns": "--unshare-pid",
    "net-ns": "--unshare-net",
    "uts-ns": "--unshare-uts",
    "cgroup-ns": "--unshare-cgroup",
}


def bwrap(request: Request, mechanism: str) -> Request:
    """bwrap(1) without the word that makes the mechanism; ``--unshare-all`` is all of them."""
    every = tuple(_BWRAP.values())
    words = [
        word
        for one in request.spec.options
        for word in (every if one == "--unshare-all" else (one,))
        if word != _BWRAP.get(mechanism)
    ]
    if mechanism == "init":
        return with_words(request, "--as-pid-1")
    if mechanism == "capabilities":
        return without_options(request, bwrap_options.TABLE, "--cap-drop")
    return reworded(request, words) if mechanism in _BWRAP else no_way(request, mechanism)


NSPAWN = {
    "uts-ns": "SYSTEMD_NSPAWN_SHARE_NS_UTS=1",
    "ipc-ns": "SYSTEMD_NSPAWN_SHARE_NS_IPC=1",
    "pid-ns": "SYSTEMD_NSPAWN_SHARE_NS_PID=1",
    "cgroup-ns": "SYSTEMD_NSPAWN_USE_CGNS=0",
    "readonly-paths": "SYSTEMD_NSPAWN_API_VFS_WRITABLE=1",
}
"""Settings in the environment, for what has no option (systemd's docs/ENVIRONMENT.md)."""

_NSPAWN_ADDED: dict[str, tuple[str, ...]] = {
    "net-ns": ("--private-network",),
    "readonly-root": ("--read-only",),
    "init": ("--as-pid2",),
    "volumes": ("--bind", "--bind-ro"),
    "no-new-privs": ("--no-new-privileges",),
}
_NSPAWN_OPTIONS = {"seccomp": "--system-call-filter=@known", "capabilities": "--capability=all"}


def nspawn(request: Request, mechanism: str) -> Request:
    """systemd-nspawn(1)'s own switch, or a setting of its environment (``NSPAWN``)."""
    if mechanism in _NSPAWN_ADDED:
        return without_options(request, nspawn_options.TABLE, *_NSPAWN_ADDED[mechanism])
    if mechanism in _NSPAWN_OPTIONS:
        return with_words(request, _NSPAWN_OPTIONS[mechanism])
    return request if mechanism in NSPAWN else no_way(request, mechanism)

"""What this machine has: each requirement is there, or what is missing is said in words."""

import contextlib
import functools
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from simulator.experiment.real import cgroups, rootfs
from simulator.experiment.real.spec import Spec, parse
from simulator.machine.abi.constants import CAPABILITY_NAMES
from simulator.machine.abi.i18n import gettext as _

NEEDED_CAPABILITIES = (
    "CAP_SYS_ADMIN",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_MKNOD",
    "CAP_NET_ADMIN",
    "CAP_SETUID",
    "CAP_SETGID",
    "CAP_KILL",
    "CAP_CHOWN",
)
"""What building a scratch machine takes."""


Lack: TypeAlias = str | None
"""What is missing, so as to complete the sentence *not here, because ...*; None: it is there."""


def _linux() -> Lack:
    if sys.platform.startswith("linux"):
        return None
    return _("this is {system}, not Linux").format(system=platform.system())


def _machine() -> Lack:
    if platform.machine() in ("x86_64", "AMD64"):
        return None
    return _("the agent knows the system calls of x86-64, not of {machine}").format(
        machine=platform.machine()
    )


def _root() -> Lack:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return None
    return _("it takes root; run it with sudo or in a throw-away virtual machine")


@functools.cache
def effective() -> frozenset[str]:
    """Capabilities that this process holds."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return frozenset()
    masks = [int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")]
    mask = masks[0] if masks else 0
    return frozenset(name for number, name in enumerate(CAPABILITY_NAMES) if mask >> number & 1)


def _capability(name: str) -> Lack:
    if name in effective():
        return None
    return _("this process lacks {capability}").format(capability=name)


def _namespaces() -> Lack:
    missing = [
        kind
        for kind in ("mnt", "pid", "uts", "ipc", "net")
        if not os.path.exists(f"/proc/self/ns/{kind}")
    ]
    if missing:
        return _("this kernel has no namespaces of kind {kinds}").format(kinds=", ".join(missing))
    return None


def _busybox() -> Lack:
    if rootfs.busybox() is None:
        return _("busybox is not installed (Debian: apt install busybox-static)")
    return None


def _program(name: str, package: str) -> Callable[[], Lack]:
    def check() -> Lack:
        if shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            return None
        return _("{program} is not installed (Debian: apt install {package})").format(
            program=name, package=package
        )

    return check


def _engine() -> Lack:
    """A dockerd to start, or an engine that answers."""
    if check("dockerd") is None:
        return None
    program = shutil.which("docker")
    if program is not None:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            asked = subprocess.run(
                [program, "version", "-f", "{{.Server.Version}}"],
                capture_output=True,
                check=False,
                timeout=10,
            )
            if asked.returncode == 0:
                return None
    return _(
        "no Docker Engine answers and dockerd is not installed (Debian: apt install docker.io)"
    )


def _cgroups() -> Lack:
    if cgroups.layout() == "none":
        return _("no cgroup file system is mounted below /sys/fs/cgroup")
    return None


REQUIREMENTS: dict[str, Callable[[], Lack]] = {
    "linux": _linux,
    "x86-64": _machine,
    "root": _root,
    "namespaces": _namespaces,
    "busybox": _busybox,
    "cgroups": _cgroups,
    "docker": _program("docker", "docker.io"),
    "dockerd": _program("dockerd", "docker.io"),
    "docker engine": _engine,
    "containerd": _program("containerd", "containerd"),
    "runc": _program("runc", "runc"),
    "crun": _program("crun", "crun"),
    "bwrap": _program("bwrap", "bubblewrap"),
    "systemd-nspawn": _program("systemd-nspawn", "systemd-container"),
    "lxc-start": _program("lxc-start", "lxc"),
}
"""Every requirement by name, capabilities apart; an unknown word is an error of ours."""

_BASE = ("linux", "x86-64", "root", "namespaces", "busybox", *NEEDED_CAPABILITIES)
NEEDS: dict[str, tuple[str, ...]] = {
    "none": _BASE,
    "chroot": _BASE,
    "unshare": _BASE,
    "docker": (*_BASE, "cgroups", "docker", "docker engine"),
    "bwrap": (*_BASE, "bwrap"),
    "nspawn": (*_BASE, "cgroups", "systemd-nspawn"),
    "cgroups": (*_BASE, "cgroups"),
    "lxc": (*_BASE, "cgroups", "lxc-start"),
    "lxc-unpriv": (*_BASE, "cgroups", "lxc-start"),
    "runc": (*_BASE, "cgroups", "runc"),
    "crun": (*_BASE, "cgroups", "crun"),
}
"""What each technology with a real counterpart takes."""


def check(requirement: str) -> Lack:
    """What of ``requirement`` this machine lacks."""
    if requirement.startswith("CAP_"):
        return _capability(requirement)
    return REQUIREMENTS[requirement]()


def why_not(spec: Spec | str) -> str | None:
    """Why this SPEC can't run on this machine's kernel, or ``None``."""
    wanted = parse(spec) if isinstance(spec, str) else spec
    if wanted.technology not in NEEDS:
        return _("{name} has no real counterpart on Linux here; the model alone answers").format(
            name=wanted.technology
        )
    for requirement in NEEDS[wanted.technology]:
        lack = check(requirement)
        if lack is not None:
            return lack
    if wanted.technology == "docker" and "--privileged" in wanted.options:
        lack = check("CAP_SYS_RESOURCE")
        if lack is not None:
            return _("docker --privileged asks for every capability, and {reason}").format(
                reason=lack
            )
    return None

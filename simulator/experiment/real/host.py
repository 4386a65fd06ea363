"""What this machine has: each requirement is met, or missing for a reason that a person reads."""

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

import msgspec

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


class Met(msgspec.Struct, frozen=True):
    """The requirement holds; ``what`` names the thing found."""

    what: str = ""


class Missing(msgspec.Struct, frozen=True):
    """It does not; ``reason`` completes the sentence *not here, because ...*"""

    reason: str


Answer: TypeAlias = Met | Missing


def _linux() -> Answer:
    if sys.platform.startswith("linux"):
        return Met(platform.release())
    return Missing(_("this is {system}, not Linux").format(system=platform.system()))


def _machine() -> Answer:
    if platform.machine() in ("x86_64", "AMD64"):
        return Met(platform.machine())
    return Missing(
        _("the agent knows the system calls of x86-64, not of {machine}").format(
            machine=platform.machine()
        )
    )


def _root() -> Answer:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Met("uid 0")
    return Missing(_("it takes root; run it with sudo or in a throw-away virtual machine"))


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


def _capability(name: str) -> Answer:
    if name in effective():
        return Met(name)
    return Missing(_("this process lacks {capability}").format(capability=name))


def _namespaces() -> Answer:
    missing = [
        kind
        for kind in ("mnt", "pid", "uts", "ipc", "net")
        if not os.path.exists(f"/proc/self/ns/{kind}")
    ]
    if missing:
        return Missing(_("this kernel has no namespaces of kind {kinds}").format(kinds=missing))
    return Met("mnt pid uts ipc net")


def _busybox() -> Answer:
    found = rootfs.busybox()
    if found is None:
        return Missing(_("busybox is not installed (Debian: apt install busybox-static)"))
    return Met(str(found))


def _program(name: str, package: str) -> Callable[[], Answer]:
    def check() -> Answer:
        found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if found:
            return Met(found)
        return Missing(
            _("{program} is not installed (Debian: apt install {package})").format(
                program=name, package=package
            )
        )

    return check


def _engine() -> Answer:
    """A dockerd to start, or an engine that answers."""
    own = REQUIREMENTS["dockerd"]()
    if isinstance(own, Met):
        return own
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
                return Met(_("a running engine"))
    return Missing(
        _("no Docker Engine answers and dockerd is not installed (Debian: apt install docker.io)")
    )


def _cgroups() -> Answer:
    layout = cgroups.layout()
    if layout == "none":
        return Missing(_("no cgroup file system is mounted below /sys/fs/cgroup"))
    return Met(layout)


REQUIREMENTS: dict[str, Callable[[], Answer]] = {
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


def check(requirement: str) -> Answer:
    """Whether this machine has it."""
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
        answer = check(requirement)
        if isinstance(answer, Missing):
            return answer.reason
    if wanted.technology == "docker" and "--privileged" in wanted.options:
        answer = check("CAP_SYS_RESOURCE")
        if isinstance(answer, Missing):
            return _("docker --privileged asks for every capability, and {reason}").format(
                reason=answer.reason
            )
    return None

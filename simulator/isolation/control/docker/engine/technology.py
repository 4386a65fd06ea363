"""From a container's configuration to the launch: the same technology, mechanism by mechanism.

What ``docker run`` with the same options changes (``technologies/options/docker.py``), these words
change; only the files, the networks and the user are filled in by the daemon itself.
"""

import posixpath
import re

from simulator.isolation.control.docker.api.errors import ApiError, BadRequest
from simulator.isolation.control.docker.engine import mounts, resources
from simulator.isolation.control.docker.engine.config import HostSettings, words
from simulator.isolation.control.docker.engine.container import Container
from simulator.isolation.control.docker.engine.devices import REFUSED, Handed
from simulator.isolation.mechanisms import mount_words
from simulator.isolation.mechanisms.base import Image
from simulator.isolation.mechanisms.default_mounts import DefaultMounts
from simulator.isolation.mechanisms.device_list import DeviceList
from simulator.isolation.mechanisms.masked_paths import MaskedPaths
from simulator.isolation.mechanisms.readonly_paths import ReadonlyPaths
from simulator.isolation.mechanisms.seccomp_profile import (
    ProfileError,
    ProfileFilter,
    RuntimeProfileError,
    read,
)
from simulator.isolation.mechanisms.sysctls import Sysctls
from simulator.isolation.mechanisms.volumes import Volume, Volumes
from simulator.isolation.technologies.base import Technology, change, drop, put
from simulator.isolation.technologies.docker import TECHNOLOGY
from simulator.isolation.technologies.options import docker as options
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.kernel.cred import ALL_CAPABILITIES

_RULE = re.compile(r"([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})")
"""moby ``oci/oci.go`` deviceCgroupRuleRegex."""
INIT = "/sbin/docker-init"
"""Where docker-init is mounted in a container (moby ``oci_linux.go``)."""


def of(container: Container, lower: list[str], hostname: str) -> Technology:
    """The container as a technology: its walls, its image, what is mounted into it.

    Raises ``BadRequest`` for what the model can't do.
    """
    host = container.host
    technology = configured(host, hostname)
    for name in host.Sysctls or {} if host.NetworkMode == "host" else ():
        if name.startswith("net."):
            why = f'sysctl "{name}" not allowed in host network namespace'
            raise ApiError(f"{REFUSED}{why}: unknown")
    if domain := container.config.Domainname:  # setLinuxDomainname()
        held = technology.get("sysctls")
        before = held.settings if isinstance(held, Sysctls) else ()
        technology = put(technology, Sysctls((*before, ("kernel.domainname", domain))))
    root = f"{container.layer}/merged"
    technology = change(technology, image=Image(root=root, layer=":".join(lower)))
    binds = tuple(
        Volume(one.place, posixpath.join("/", one.Destination), not one.RW, mounts.propagation(one))
        for one in container.record.Mounts
        if one.Type in ("bind", "volume")
    )
    if has_init(host):
        binds += (Volume(f"/usr{INIT}", INIT, read_only=True),)
    tmpfs = tuple((host.Tmpfs or {}).items())
    for _path, given in tmpfs:
        if wrong := mount_words.not_of_tmpfs(given):
            shown = " ".join(f'"{part}"' for part in wrong.split("=", 1))
            raise ApiError(f"invalid tmpfs option [{shown}]")
    tmpfs += tuple(
        (one.Target, _tmpfs_options(one.TmpfsOptions or {}))
        for one in host.Mounts or []
        if one.Type == "tmpfs"
    )
    if binds or tmpfs:
        technology = put(technology, Volumes(binds, tmpfs, by_depth=True), before="container-files")
    return technology


def with_devices(
    technology: Technology, host: HostSettings, handed: tuple[Handed, ...]
) -> Technology:
    """With ``handed``, and what else its device list is to allow. Raises ``ApiError``."""
    for one in handed:
        technology = options.hand_device(technology, one.target, one.kind, one.number, one.access)
    held = technology.get("device-list")
    for rule in host.DeviceCgroupRules or []:
        if not _RULE.fullmatch(rule):
            raise ApiError(f"invalid device cgroup rule format: '{rule}'")
        if isinstance(held, DeviceList):
            held = DeviceList((*held.rules, rule))
            technology = put(technology, held)
    return technology


def has_init(host: HostSettings) -> bool:
    """Whether docker-init is pid 1: where the pid namespace is the container's own, if wanted."""
    return bool(host.Init) and not host.PidMode


def configured(host: HostSettings, hostname: str) -> Technology:
    """Docker with the options that ``host`` stands for."""
    try:
        technology = options.read(TECHNOLOGY, _words(host, hostname))
    except VitrinaError as error:
        raise BadRequest(str(error)) from None
    held = technology.get("default-mounts")
    if host.IpcMode == "none" and isinstance(held, DefaultMounts):
        own = tuple(one for one in held.mounts if one.path != "/dev/shm")
        technology = put(technology, DefaultMounts(own))
    if profile := _profile(host):
        technology = put(technology, ProfileFilter(profile))
    if (masked := host.MaskedPaths) is not None:
        walls = put(technology, MaskedPaths(tuple(masked)))
        technology = walls if masked else drop(technology, "masked-paths")
    if (closed := host.ReadonlyPaths) is not None:
        walls = put(technology, ReadonlyPaths(tuple(closed)))
        technology = walls if closed else drop(technology, "readonly-paths")
    return technology


def _words(host: HostSettings, hostname: str) -> list[str]:
    said: list[str] = []

    def say(option: str, value: object) -> None:
        if value:
            said.extend((option, str(value)))

    if host.Privileged:
        said.append("--privileged")
    for option, mode in (
        ("--pid", host.PidMode),
        ("--ipc", host.IpcMode if host.IpcMode == "host" else ""),
        ("--uts", host.UTSMode),
        ("--cgroupns", host.CgroupnsMode if host.CgroupnsMode == "host" else ""),
        ("--userns", host.UsernsMode),
    ):
        if not mode.startswith("container:"):
            say(option, mode)
    say("--network", "host" if host.NetworkMode == "host" else "none")
    added = [("--cap-add", one) for one in words(host.CapAdd) or []]
    dropped = [("--cap-drop", one) for one in words(host.CapDrop) or []]
    everything = any(one.upper().removeprefix("CAP_") == "ALL" for _option, one in added)
    # caps.TweakCapabilities(): less what is dropped and then what is added, but all less some.
    for option, capability in (*added, *dropped) if everything else (*dropped, *added):
        say(option, capability)
    for one in host.SecurityOpt or []:
        if word := _security(one):
            say("--security-opt", word)
    if host.ReadonlyRootfs:
        said.append("--read-only")
    said += resources.options(host)
    for limit in host.Ulimits or []:
        say("--ulimit", f"{limit.Name}={limit.Soft}:{limit.Hard}")
    for key, value in (host.Sysctls or {}).items():
        say("--sysctl", f"{key}={value}")
    say("--shm-size", host.ShmSize)
    say("--hostname", hostname)
    return said


def _security(text: str) -> str:
    """parseSecurityOpt(): the option for the technology; empty for what changes nothing here.

    The machine has no SELinux, and no AppArmor that knows profiles. Raises ``BadRequest``.
    """
    key, given, value = text.partition("=" if "=" in text else ":")
    if text == "disable" or (given and key in ("label", "apparmor")):
        return "apparmor=unconfined" if value == "unconfined" else ""
    if text == "no-new-privileges":
        return text
    if not given:
        raise BadRequest(f'invalid --security-opt 1: "{text}"')
    if key == "no-new-privileges" and value in _TRUE + _FALSE:
        return key if value in _TRUE else ""
    if key != "seccomp":
        raise BadRequest(f'invalid --security-opt 2: "{text}"')
    return text if value == "unconfined" else ""


def _profile(host: HostSettings) -> str:
    """The last seccomp profile that is one of its own; empty when there is none.

    Raises ``ApiError``.
    """
    found = ""
    for one in host.SecurityOpt or []:
        key, _given, value = one.partition("=" if "=" in one else ":")
        if key == "seccomp":
            found = "" if value in ("", "builtin", "unconfined") else value
    try:
        if found:
            read(found, ALL_CAPABILITIES)
    except RuntimeProfileError as error:
        raise ApiError(f"{REFUSED}{error}: unknown") from None
    except ProfileError as error:
        raise ApiError(str(error)) from None
    return found


_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")
"""What Go's strconv.ParseBool() takes."""


def _tmpfs_options(given: dict[str, int]) -> str:
    told: list[str] = []
    if given.get("Mode"):
        told.append(f"mode={given['Mode']:o}")
    if given.get("SizeBytes"):
        told.append(f"size={given['SizeBytes']}")
    return ",".join(told)

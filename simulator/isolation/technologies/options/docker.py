"""``docker run``'s options: what each does to the mechanisms."""

import re
from dataclasses import replace
from stat import S_IFMT

import msgspec

from simulator.isolation.mechanisms import default_mounts, mount_words
from simulator.isolation.mechanisms.capabilities import Capabilities
from simulator.isolation.mechanisms.default_mounts import DefaultMounts
from simulator.isolation.mechanisms.device_list import DeviceList
from simulator.isolation.mechanisms.devices import HandedDevices
from simulator.isolation.mechanisms.init import Init
from simulator.isolation.mechanisms.net_ns import NetNs
from simulator.isolation.mechanisms.no_new_privs import NoNewPrivs
from simulator.isolation.mechanisms.readonly_root import ReadonlyRoot
from simulator.isolation.mechanisms.rlimits import Rlimits
from simulator.isolation.mechanisms.sysctls import Sysctls
from simulator.isolation.mechanisms.user_ns import UserNs
from simulator.isolation.mechanisms.volumes import PROPAGATION, Volume, Volumes
from simulator.isolation.technologies.base import Technology, change, drop, put
from simulator.isolation.technologies.options import docker_limits
from simulator.isolation.technologies.options.reading import (
    Apply,
    Option,
    OptionError,
    getopt_long,
    number,
    size,
)
from simulator.machine.abi.constants import (
    BY_NAME,
    CAPABILITY_NAMES,
    MS_RDONLY,
    S_IFBLK,
    S_IFCHR,
)
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.cred import ALL_CAPABILITIES, capability

KNOWN_DEVICES: dict[str, tuple[int, int, int]] = {
    "/dev/sda": (S_IFBLK, 8, 0),
    "/dev/kmsg": (S_IFCHR, 1, 11),
    "/dev/mem": (S_IFCHR, 1, 1),
}
"""Device nodes of the model's machine that reach hardware: type, major, minor."""


def read(technology: Technology, words: list[str]) -> Technology:
    """The container that ``docker run`` with these options starts."""
    return getopt_long("docker", TABLE, technology, words)


def _host_only(*mechanisms: str) -> Apply:
    """``host`` shares the machine's own on purpose; ``private`` is the default."""

    def share(technology: Technology, value: str) -> Technology:
        if value == "host":
            return drop(technology, *mechanisms, share=True)
        if value in ("private", ""):
            return technology
        raise OptionError(_("only host is modelled"))

    return share


def _network(technology: Technology, value: str) -> Technology:
    if value == "host":
        return drop(technology, "net-ns", share=True)
    if value == "none":
        return put(technology, NetNs(bridge=""))
    if value in ("bridge", "default"):
        return technology
    raise OptionError(_("one of {list} was expected").format(list="bridge, host, none"))


def _cap(adding: bool) -> Apply:
    def change_set(technology: Technology, value: str) -> Technology:
        held = technology.get("capabilities")
        keep = held.keep if isinstance(held, Capabilities) else ALL_CAPABILITIES
        name = value.upper()
        if name == "ALL":
            return put(technology, Capabilities(ALL_CAPABILITIES if adding else 0))
        if name.removeprefix("CAP_") not in {n.removeprefix("CAP_") for n in CAPABILITY_NAMES}:
            raise OptionError(_("no such capability"))
        bit = capability(name)
        return put(technology, Capabilities(keep | bit if adding else keep & ~bit))

    return change_set


def _privileged(technology: Technology, _value: str) -> Technology:
    """All capabilities, no filter, nothing masked, every device of the machine.

    It hands out rights, not objects: what the container then reaches was not granted to it.
    """
    open_mounts = tuple(
        one._replace(flags=one.flags & ~MS_RDONLY) for one in default_mounts.OCI_DEFAULT
    )
    technology = drop(
        technology,
        "seccomp",
        "masked-paths",
        "readonly-paths",
        "device-list",
        "apparmor",
        "capabilities",
    )
    nodes = tuple((path, *node) for path, node in KNOWN_DEVICES.items())
    return put(put(technology, DefaultMounts(open_mounts)), HandedDevices(nodes))


def _security(technology: Technology, value: str) -> Technology:
    key, _found, setting = value.replace(":", "=", 1).partition("=")
    if key == "no-new-privileges" and setting in ("", "true"):
        return put(technology, NoNewPrivs())
    if setting == "unconfined" and key in ("seccomp", "apparmor"):
        return drop(technology, key)
    if setting == "unconfined" and key == "systempaths":
        return drop(technology, "masked-paths", "readonly-paths")
    raise OptionError(
        _("one of {list} was expected").format(
            list="seccomp=unconfined, apparmor=unconfined, systempaths=unconfined,"
            " no-new-privileges"
        )
    )


_LARGEST_ID = (1 << 31) - 1
"""moby/sys/user: MaxID."""


def _user(technology: Technology, value: str) -> Technology:
    user, _found, group = value.partition(":")
    names = {"root": 0, "user": 1000, "nobody": 65534}
    uid = names[user] if user in names else number(user)
    gid = (names[group] if group in names else number(group)) if group else _primary(uid)
    if not (0 <= uid <= _LARGEST_ID and 0 <= gid <= _LARGEST_ID):
        raise OptionError(
            _("a number from {least} to {most} was expected").format(least=0, most=_LARGEST_ID)
        )
    guest = msgspec.structs.replace(technology.guest, uid=uid, gid=gid, groups=(gid,))
    return change(technology, guest=guest)


def _primary(uid: int) -> int:
    """The primary group of a user of the image; 0 for one that is not in /etc/passwd."""
    return uid if uid in (0, 1000, 65534) else 0


def _volume(technology: Technology, value: str) -> Technology:
    source, _found, rest = value.partition(":")
    target, _found, mode = rest.partition(":")
    if not source.startswith("/") or not target.startswith("/"):
        raise OptionError(_("/source/path:/target/path[:ro] was expected"))
    modes = mode.split(",")
    if not set(modes) <= {"", "ro", "rw", "z", "Z", *PROPAGATION}:
        raise OptionError(_("the mode may be ro or rw"))
    held = technology.get("volumes")
    volumes = held if isinstance(held, Volumes) else Volumes()
    propagation = next((word for word in modes if word in PROPAGATION), "rprivate")
    one = Volume(source, target, "ro" in modes, propagation)
    return _put_early(technology, Volumes((*volumes.binds, one), volumes.tmpfs))


def _tmpfs(technology: Technology, value: str) -> Technology:
    path, _found, options = value.partition(":")
    if not path.startswith("/"):
        raise OptionError(_("an absolute path was expected"))
    if wrong := mount_words.not_of_tmpfs(options):
        raise OptionError(_("a tmpfs has no option {word}").format(word=wrong))
    held = technology.get("volumes")
    volumes = held if isinstance(held, Volumes) else Volumes()
    return _put_early(technology, Volumes(volumes.binds, (*volumes.tmpfs, (path, options))))


def _put_early(technology: Technology, volumes: Volumes) -> Technology:
    """Sorted among themselves, and before Docker's own files in /etc (moby setupMounts())."""
    return put(technology, replace(volumes, by_depth=True), before="container-files")


def _device(technology: Technology, value: str) -> Technology:
    path, _found, rest = value.partition(":")
    target = rest.partition(":")[0] or path
    if path not in KNOWN_DEVICES:
        listed = ", ".join(KNOWN_DEVICES)
        raise OptionError(_("one of {list} was expected").format(list=listed))
    kind, major, minor = KNOWN_DEVICES[path]
    return hand_device(technology, target, kind, (major, minor))


def hand_device(
    technology: Technology, target: str, kind: int, number: tuple[int, int], access: str = "rwm"
) -> Technology:
    """A node at ``target``, and the device list allows ``access`` to it. ``kind``: S_IFBLK or
    S_IFCHR, with permission bits if it is to have others than usual.
    """
    major, minor = number
    held = technology.get("devices")
    nodes = held.nodes if isinstance(held, HandedDevices) else ()
    technology = put(technology, HandedDevices((*nodes, (target, kind, major, minor))))
    list_ = technology.get("device-list")
    if isinstance(list_, DeviceList):
        rule = f"{'b' if S_IFMT(kind) == S_IFBLK else 'c'} {major}:{minor} {access}"
        technology = put(technology, DeviceList((*list_.rules, rule)))
    return change(technology, shared=technology.shared | {"device"})


def _ulimit(technology: Technology, value: str) -> Technology:
    match = re.fullmatch(r"(\w+)=(-?\d+)(?::(-?\d+))?", value)
    resource = BY_NAME.get(f"RLIMIT_{match[1].upper()}") if match else None
    if match is None or not isinstance(resource, int):
        raise OptionError(_("such as nofile=1024:2048 was expected"))
    soft = int(match[2])
    hard = int(match[3]) if match[3] else soft
    if hard >= 0 and not 0 <= soft <= hard:  # -1 is no limit (go-units ulimit.go)
        raise OptionError(_("the soft limit may not be higher than the hard one"))
    held = technology.get("rlimits")
    limits = held.limits if isinstance(held, Rlimits) else ()
    return put(technology, Rlimits((*limits, (resource, soft, hard))))


def _sysctl(technology: Technology, value: str) -> Technology:
    name, found, setting = value.partition("=")
    if not found or not name.startswith(("net.", "kernel.shm", "kernel.msg", "kernel.sem", "fs.")):
        raise OptionError(_("a namespaced one such as net.ipv4.ip_forward=1 was expected"))
    held = technology.get("sysctls")
    settings = held.settings if isinstance(held, Sysctls) else ()
    return put(technology, Sysctls((*settings, (name, setting))))


def _guest(field: str) -> Apply:
    def setting(technology: Technology, value: str) -> Technology:
        return change(technology, guest=msgspec.structs.replace(technology.guest, **{field: value}))

    return setting


def _environment(technology: Technology, value: str) -> Technology:
    name, _found, text = value.partition("=")
    env = tuple((dict(technology.guest.env) | {name: text}).items())
    return change(technology, guest=msgspec.structs.replace(technology.guest, env=env))


def _hostname(technology: Technology, value: str) -> Technology:
    """The name, which the daemon puts into the environment too."""
    return _environment(_guest("hostname")(technology, value), f"HOSTNAME={value}")


def _remap(technology: Technology, value: str) -> Technology:
    """The daemon's ``--userns-remap``; ``--userns=host`` takes a container out of it."""
    if value != "default":
        raise OptionError(_("only default is modelled"))
    image = msgspec.structs.replace(technology.image, uid_shift=UserNs().outside)
    return put(change(technology, image=image), UserNs())


def _userns(technology: Technology, value: str) -> Technology:
    if value != "host":
        raise OptionError(_("only host is modelled"))
    image = msgspec.structs.replace(technology.image, uid_shift=0)
    return drop(change(technology, image=image), "user-ns")


def _read_only(technology: Technology, _value: str) -> Technology:
    return put(technology, ReadonlyRoot())


def _init(technology: Technology, _value: str) -> Technology:
    return put(technology, Init())


def _entrypoint(technology: Technology, value: str) -> Technology:
    if not value.startswith("/"):
        raise OptionError(_("an absolute path was expected"))
    guest = msgspec.structs.replace(technology.guest, argv=(value,))
    return change(technology, guest=guest)


def _shm_size(technology: Technology, value: str) -> Technology:
    held = technology.get("default-mounts")
    mounts = held.mounts if isinstance(held, DefaultMounts) else default_mounts.OCI_DEFAULT
    options = f"mode=1777,size={size(value)}"
    changed = tuple(
        one._replace(options=options) if one.path == "/dev/shm" else one for one in mounts
    )
    return put(technology, DefaultMounts(changed))


def _group_add(technology: Technology, value: str) -> Technology:
    guest = technology.guest
    groups = (*guest.groups, number(value))
    return change(technology, guest=msgspec.structs.replace(guest, groups=groups))


def _of_the_client(technology: Technology, _value: str) -> Technology:
    """What only concerns the terminal or the name: no wall changes."""
    return technology


_FLAG = Option(_of_the_client, value=False)
_NETWORK = Option(_network)
_USER = Option(_user)
_VOLUME = Option(_volume)
_HOSTNAME = Option(_hostname)
_ENV = Option(_environment)
_WORKDIR = Option(_guest("cwd"))


def _ipc(technology: Technology, value: str) -> Technology:
    """With the host's objects comes the host's /dev/shm (moby container_operations_unix.go)."""
    technology = _host_only("ipc-ns")(technology, value)
    held = technology.get("default-mounts")
    if technology.get("ipc-ns") is not None or not isinstance(held, DefaultMounts):
        return technology
    own = tuple(one for one in held.mounts if one.path != "/dev/shm")
    volumes = technology.get("volumes")
    given = volumes if isinstance(volumes, Volumes) else Volumes()
    shm = Volume("/dev/shm", "/dev/shm")
    technology = put(technology, replace(held, mounts=own))
    return _put_early(technology, replace(given, binds=(*given.binds, shm)))


TABLE: dict[str, Option] = {
    "--pid": Option(_host_only("pid-ns")),
    "--net": _NETWORK,
    "--network": _NETWORK,
    "--ipc": Option(_ipc),
    "--uts": Option(_host_only("uts-ns")),
    "--cgroupns": Option(_host_only("cgroup-ns")),
    "--userns": Option(_userns),
    "--userns-remap": Option(_remap),
    "--cap-add": Option(_cap(adding=True)),
    "--cap-drop": Option(_cap(adding=False)),
    "--privileged": Option(_privileged, value=False),
    "--security-opt": Option(_security),
    "-u": _USER,
    "--user": _USER,
    "--read-only": Option(_read_only, value=False),
    "-v": _VOLUME,
    "--volume": _VOLUME,
    "--tmpfs": Option(_tmpfs),
    "--device": Option(_device),
    **docker_limits.TABLE,
    "--ulimit": Option(_ulimit),
    "-h": _HOSTNAME,
    "--hostname": _HOSTNAME,
    "--sysctl": Option(_sysctl),
    "-e": _ENV,
    "--env": _ENV,
    "-w": _WORKDIR,
    "--workdir": _WORKDIR,
    "--init": Option(_init, value=False),
    "--entrypoint": Option(_entrypoint),
    "--shm-size": Option(_shm_size),
    "--group-add": Option(_group_add),
    "--name": Option(_of_the_client),
    **dict.fromkeys(("--rm", "-i", "--interactive", "-t", "--tty", "-it", "-d", "--detach"), _FLAG),
}

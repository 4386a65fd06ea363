"""A world as data: the machine that a probe runs on, and what is planted in it.

Read from ``scenarios/worlds/*.toml`` by ``experiment/scenarios``; booted by the simulated
executor and built in a scratch root by the real ones. Paths are the host's.
"""

from typing import Literal

import msgspec

Trees = Literal["host", "guest", "neighbour", "all"]
"""In whose tree a file is made; the guest's and the neighbour's tree get their own copy."""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the world. ``text`` may hold ``{secret}``; devices hold ``(major, minor)``."""

    path: str
    kind: Literal["file", "dir", "link", "fifo", "char", "block", "program"] = "file"
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    text: str = ""
    target: str = ""
    device: tuple[int, int] | None = None
    tree: Trees = "host"


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A line of ``/etc/passwd`` in every tree."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str = "/bin/sh"


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """A socket on which a process accepts: ``inet`` (address, port), ``unix``, ``abstract``."""

    kind: Literal["inet", "unix", "abstract"]
    address: str
    port: int = 0
    mode: int = 0o666


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A daemon of the host. ``environ`` values may hold ``{secret}``."""

    name: str
    argv: tuple[str, ...]
    uid: int = 0
    gid: int = 0
    environ: tuple[tuple[str, str], ...] = ()
    listens: tuple[Listener, ...] = ()


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """A network interface of the host, up."""

    name: str
    address: str
    prefix: int
    mac: str = "00:00:00:00:00:00"
    loopback: bool = False


class Ipc(msgspec.Struct, frozen=True, kw_only=True):
    """A System V object of the host; ``text`` may hold ``{secret}``."""

    kind: Literal["shm", "sem", "msg"]
    key: int
    mode: int = 0o666
    size: int = 0
    text: str = ""
    value: int = 0


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """A block device of the host; reading it from the start yields ``text``."""

    major: int
    minor: int
    name: str
    text: str = ""


class World(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """Everything that a boot needs, technology apart.

    ``services`` are products whose daemons init starts (``isolation/control``), where the host has
    them installed. ``facts`` are what the model's kernel is like here (``worlds.family_of``):
    ``machine aarch64``, ``release 5.15.0-126-generic``, ``without overlay``.
    """

    id: str
    hostname: str
    domainname: str = "(none)"
    secret: str
    canary: str
    guest_root: str
    neighbour: bool = True
    memory: int = 1 << 30
    cpus: int = 2
    users: tuple[User, ...] = ()
    files: tuple[File, ...] = ()
    processes: tuple[Process, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    ipc: tuple[Ipc, ...] = ()
    disks: tuple[Disk, ...] = ()
    constants: tuple[tuple[str, int | str], ...] = ()
    services: tuple[str, ...] = ()
    announced: bool = False
    """Whether those daemons list the sandboxes of the session among their own."""
    facts: tuple[str, ...] = ()


def twin(world: World) -> World:
    """The same world with another secret of the same length: what secrecy is judged by."""
    return msgspec.structs.replace(world, secret="".join(_other(char) for char in world.secret))


def _other(char: str) -> str:
    """The letter 13 further on in the alphabet; anything but a-z stays."""
    return chr(ord("a") + (ord(char) - ord("a") + 13) % 26) if "a" <= char <= "z" else char


def plain_constants(world: World) -> dict[str, int | str]:
    """The world constants that name no actor's process; the world's own list wins."""
    canary = world.canary
    found: dict[str, int | str] = {
        "CANARY": canary,
        "CANARY_NAME": canary.rpartition("/")[2],
        "CANARY_SIZE": len(world.secret),
        "GUEST_ROOT": world.guest_root,
        "HOST_NAME": world.hostname,
        "HOST_DOMAIN": world.domainname,
    }
    for process in world.processes[:1]:
        found["HOST_DAEMON"] = process.name
    for listener in (item for process in world.processes for item in process.listens):
        match listener.kind:
            case "inet":
                found["HOST_PORT"] = listener.port
            case "unix":
                found["HOST_SOCKET"] = listener.address
            case "abstract":
                found["HOST_ABSTRACT"] = "\0" + listener.address.removeprefix("\0")
    for ipc in world.ipc:
        found[f"HOST_{ipc.kind.upper()}_KEY"] = ipc.key
    for interface in (item for item in world.interfaces if not item.loopback):
        found.setdefault("HOST_INTERFACE", interface.name)
        found.setdefault("HOST_ADDRESS", interface.address)
    for disk in world.disks:
        found.setdefault("HOST_DISK_MAJOR", disk.major)
        found.setdefault("HOST_DISK_MINOR", disk.minor)
        found.setdefault("HOST_DISK", disk.name)
    ordinary = (user.uid for user in world.users if 0 < user.uid < _NOBODY)
    found["HOST_USER"] = next(ordinary, _NOBODY)
    return found | dict(world.constants)


_NOBODY = 65534

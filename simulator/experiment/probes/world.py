"""A world as data: the machine that a probe runs on, and what is planted in it.

Read from ``scenarios/worlds/*.toml`` by ``experiment/scenarios``; booted by the simulated
executor and built in a scratch root by the real ones. Paths are the host's.
"""

import functools
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

    @property
    def daemon(self) -> Process | None:
        """The daemon that HOST_PID and HOST_DAEMON name: the first that root runs."""
        return next((one for one in self.processes if one.uid == 0), None)


@functools.lru_cache(maxsize=64)
def twin(world: World) -> World:
    """The same world with another secret of the same length: what secrecy is judged by."""
    return msgspec.structs.replace(world, secret="".join(_other(char) for char in world.secret))


def _other(char: str) -> str:
    """The letter 13 further on in the alphabet; anything but a-z stays."""
    return chr(ord("a") + (ord(char) - ord("a") + 13) % 26) if "a" <= char <= "z" else char

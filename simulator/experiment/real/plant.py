"""What a world plants in the scratch machine: files, users, IPC objects, daemons, sockets."""

import contextlib
import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

from simulator.experiment.probes.layout import NODES, PLAIN_NODES
from simulator.experiment.probes.world import File, Listener, Process, World
from simulator.experiment.real import rootfs
from simulator.experiment.real.calls import do, fork, poke
from simulator.experiment.real.disk import Scratch
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.link import Link

_IPC_CREAT = 0o1000
_AF_UNIX, _AF_INET, _AF_INET6, _SOCK_STREAM, _SOCK_DGRAM = 1, 2, 10, 1, 2
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK, _SIOCSIFHWADDR = 0x8914, 0x8916, 0x891C, 0x8924
_SIOCBRADDBR, _IFF_UP, _IFF_RUNNING = 0x89A0, 1, 0x40
_KEY_SPEC_USER_KEYRING = -4


TENANTS = ("guest", "neighbour")


def fill(tree: Path, world: World) -> None:
    """The host's tree, each tenant's tree inside it, and the files of the world."""
    rootfs.populate(tree, world.hostname, world.users)
    for tenant in TENANTS:
        own = _below(tree, f"/srv/{tenant}")
        own.mkdir(parents=True)
        rootfs.populate(own, world.hostname, world.users)
        rootfs.devices(own / "dev", PLAIN_NODES)
        for file in world.files:
            if file.tree in (tenant, "all"):
                _make(own, file, world.secret)
    rootfs.devices(tree / "dev", NODES)
    for file in world.files:
        if file.tree in ("host", "all"):
            _make(tree, file, world.secret)


def shift(tree: Path, by: int) -> None:
    """Give each tenant's files to the users that its own are mapped to: subuid(5)."""
    for name in ("subuid", "subgid"):
        _below(tree, f"/etc/{name}").write_text(f"root:{by}:65536\n")
    seen: set[int] = set()
    for tenant in TENANTS:
        place = _below(tree, f"/srv/{tenant}")
        for directory, names, files in os.walk(place):
            for path in (directory, *(f"{directory}/{name}" for name in (*names, *files))):
                status = os.lstat(path)
                if status.st_ino not in seen:
                    seen.add(status.st_ino)
                    os.lchown(path, status.st_uid + by, status.st_gid + by)
                    if not stat.S_ISLNK(status.st_mode):
                        os.chmod(path, stat.S_IMODE(status.st_mode))


def disk(tree: Path, world: World, scratch: Scratch) -> None:
    """The world's disk by its name, as the device that this machine really has for it."""
    node = tree / "dev" / world.disks[0].name
    node.unlink(missing_ok=True)
    os.mknod(node, stat.S_IFBLK | 0o660, os.makedev(scratch.major, scratch.minor))


def as_process(tree: Path, world: World) -> None:
    """A neighbour that is only another process keeps its files in the host's tree."""
    for file in world.files:
        if file.tree == "neighbour":
            _make(tree, file, world.secret)


def tenant(tree: Path, world: World, actor: str) -> None:
    """Files of the world in a sandbox's own tree, as far as it is writable."""
    trees = ("guest", "all") if actor == "guest" else ("neighbour", "all")
    for file in world.files:
        if file.tree in trees:
            with contextlib.suppress(OSError):
                _make(tree, file, world.secret)


def _below(tree: Path, path: str) -> Path:
    return tree / path.lstrip("/")


def _make(tree: Path, file: File, secret: str) -> None:
    path = _below(tree, file.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() or path.exists():
        if file.kind in ("dir", "program"):
            return
        path.unlink()
    match file.kind:
        case "file":
            path.write_text(file.text.replace("{secret}", secret))
        case "dir":
            path.mkdir()
        case "link":
            path.symlink_to(file.target)
        case "fifo":
            os.mkfifo(path)
        case "char" | "block":
            form = stat.S_IFCHR if file.kind == "char" else stat.S_IFBLK
            major, minor = file.device or (0, 0)
            os.mknod(path, form | file.mode, os.makedev(major, minor))
        case "program":
            os.link(tree / "bin/busybox", path)
            return
    os.chown(path, file.uid, file.gid, follow_symlinks=False)
    if file.kind != "link":
        path.chmod(file.mode)


def network(supervisor: Link, world: World) -> None:
    """Loopback up, and the host's interfaces as bridges, which need no wire: netdevice(7)."""
    control = do(supervisor, "socket", _AF_INET, _SOCK_DGRAM, 0)
    _up(supervisor, control, "lo")
    for interface in world.interfaces:
        if not interface.loopback:
            name = interface.name
            mask = (0xFFFFFFFF << (32 - interface.prefix)) & 0xFFFFFFFF
            do(supervisor, "ioctl", control, _SIOCBRADDBR, name)
            do(supervisor, "ioctl", control, _SIOCSIFADDR, (name, interface.address))
            netmask = ".".join(str(mask >> shift & 0xFF) for shift in (24, 16, 8, 0))
            do(supervisor, "ioctl", control, _SIOCSIFNETMASK, (name, netmask))
            mac = bytes.fromhex(interface.mac.replace(":", ""))
            do(supervisor, "ioctl", control, _SIOCSIFHWADDR, (name, mac))
            _up(supervisor, control, name)
    do(supervisor, "close", control)


def installed(tree: Path) -> None:
    """What the installation of a distribution leaves: machine-id(5), os-release(5)."""
    for path, text in (("/etc/machine-id", f"{0x1D:032x}\n"), ("/etc/os-release", "ID=vitrina\n")):
        _below(tree, path).write_text(text)


def bridge(supervisor: Link, name: str, address: str) -> None:
    """A bridge with an address in a network of 256, as lxc-net makes it (LXC_NETMASK)."""
    control = do(supervisor, "socket", _AF_INET, _SOCK_DGRAM, 0)
    do(supervisor, "ioctl", control, _SIOCBRADDBR, name)
    do(supervisor, "ioctl", control, _SIOCSIFADDR, (name, address))
    # An address by itself stands for its class, here all of 10.
    do(supervisor, "ioctl", control, _SIOCSIFNETMASK, (name, "255.255.255.0"))
    _up(supervisor, control, name)
    do(supervisor, "close", control)


def _up(supervisor: Link, control: int, name: str) -> None:
    do(supervisor, "ioctl", control, _SIOCSIFFLAGS, (name, _IFF_UP | _IFF_RUNNING))


def first_pid(link: Link, last: int) -> None:
    """Let pids go on behind ``last``, where the kernel lets us (``ns_last_pid``)."""
    with contextlib.suppress(RealError):
        target = do(link, "open", "/proc/sys/kernel/ns_last_pid", os.O_WRONLY)
        do(link, "write", target, str(last), len(str(last)))
        do(link, "close", target)


def ipc(link: Link, world: World) -> None:
    """System V objects with the secret in them."""
    for item in world.ipc:
        text = item.text.replace("{secret}", world.secret).encode()
        match item.kind:
            case "shm":
                ident = do(link, "shmget", item.key, item.size or 4096, _IPC_CREAT | item.mode)
                address = do(link, "shmat", ident, None, 0)
                poke(link, address, text)
                do(link, "shmdt", address)
            case "sem":
                ident = do(link, "semget", item.key, 1, _IPC_CREAT | item.mode)
                do(link, "semctl", ident, 0, 16, item.value)
            case "msg":
                ident = do(link, "msgget", item.key, _IPC_CREAT | item.mode)
                do(link, "msgsnd", ident, (1, text), len(text), 0)


def key(link: Link, world: World, machine: str) -> tuple[int, str]:
    """A key in root's user keyring: its serial number and its description.

    The keyring is one for the whole machine, so the description is this session's own.
    """
    description = f"{dict(world.constants).get('HOST_KEY', 'vitrina:host')}-{machine}"
    secret = world.secret
    serial = do(link, "add_key", "user", description, secret, len(secret), _KEY_SPEC_USER_KEYRING)
    return serial, description


def daemons(supervisor: Link, processes: Iterable[Process], secret: str) -> list[Link]:
    """Start each daemon with its sockets; links to processes that now run something else.

    Their programs lie on a file system that is mounted for that long only: a file of the machine's
    own that runs and has no name would keep its file system from becoming read-only.
    """
    do(supervisor, "mount", "programs", _PROGRAMS, "tmpfs", 0, "mode=755")
    started = [_daemon(supervisor, process, secret) for process in processes]
    do(supervisor, "umount2", _PROGRAMS, _MNT_DETACH)
    return started


_PROGRAMS = "/mnt"
_MNT_DETACH = 2


def _daemon(supervisor: Link, process: Process, secret: str) -> Link:
    answer, link = fork(supervisor)
    if link is None:
        raise RealError.broken("fork", str(answer))
    do(link, "setsid")
    for listener in process.listens:
        _listen(link, listener)
    program = f"{_PROGRAMS}/{process.name}"
    path = Path(f"/proc/{link.pid}/root{program}")
    path.write_bytes(_SLEEPER)
    path.chmod(0o755)
    if process.gid or process.uid:
        do(link, "setgroups", 0, [])
        do(link, "setgid", process.gid)
        do(link, "setuid", process.uid)
    environ = [f"{name}={value.replace('{secret}', secret)}" for name, value in process.environ]
    link.ask({"do": "call", "call": "execve", "args": [program, list(process.argv), environ]})
    return link


def _sleeper() -> bytes:
    """The smallest program that a daemon can be: ``pause()`` for ever, under any name."""
    code = bytes.fromhex("b8220000000f05ebf7")
    base, size = 0x400000, 64 + 56 + len(code)
    header = b"\x7fELF\2\1\1" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, base + 120, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    return header + struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 4096) + code


_SLEEPER = _sleeper()


def _listen(link: Link, listener: Listener) -> None:
    address: object
    if listener.kind == "inet":
        domain = _AF_INET6 if ":" in listener.address else _AF_INET
        address = (listener.address, listener.port)
    else:
        domain = _AF_UNIX
        path = listener.address
        address = "\0" + path.lstrip("\0@") if listener.kind == "abstract" else path
    socket = do(link, "socket", domain, _SOCK_STREAM, 0)
    if listener.kind == "inet" and domain == _AF_INET6:
        do(link, "setsockopt", socket, 41, 26, 1)
    do(link, "bind", socket, address)
    if listener.kind == "unix":
        do(link, "chmod", listener.address, listener.mode)
    do(link, "listen", socket, 5)

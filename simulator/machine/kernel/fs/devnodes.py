"""devtmpfs and devpts: the machine's device nodes, and the terminals of one instance.

devtmpfs is one for the machine, whoever mounts it; every mount of devpts is one of its own since
Linux 4.7. Source: drivers/base/devtmpfs.c, fs/devpts/inode.c.
"""

from typing import TYPE_CHECKING

from simulator.machine.abi.constants import S_IFBLK, S_IFCHR
from simulator.machine.abi.ids import HOST, INITIAL_USER_NS, KGid, KUid
from simulator.machine.kernel.fs import options, stored
from simulator.machine.kernel.fs.devices import device_number
from simulator.machine.kernel.fs.registry import FilesystemType
from simulator.machine.kernel.vfs import tree
from simulator.machine.kernel.vfs.inode import Superblock
from simulator.machine.state.store import Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_DISK = KGid(6)
_TTY = KGid(5)

NODES: tuple[tuple[str, int, int, int, KGid], ...] = (
    ("null", S_IFCHR | 0o666, 1, 3, KGid(0)),
    ("zero", S_IFCHR | 0o666, 1, 5, KGid(0)),
    ("full", S_IFCHR | 0o666, 1, 7, KGid(0)),
    ("random", S_IFCHR | 0o666, 1, 8, KGid(0)),
    ("urandom", S_IFCHR | 0o666, 1, 9, KGid(0)),
    ("kmsg", S_IFCHR | 0o644, 1, 11, KGid(0)),
    ("mem", S_IFCHR | 0o640, 1, 1, KGid(0)),
    ("tty", S_IFCHR | 0o666, 5, 0, _TTY),
    ("console", S_IFCHR | 0o600, 5, 1, KGid(0)),
    ("ptmx", S_IFCHR | 0o666, 5, 2, _TTY),
    ("fuse", S_IFCHR | 0o666, 10, 229, KGid(0)),
    ("sda", S_IFBLK | 0o660, 8, 0, _DISK),
    ("sda1", S_IFBLK | 0o660, 8, 1, _DISK),
)
"""The nodes of a small machine: name, type and mode, major, minor, group."""


def fill(store: Store, root: int) -> None:
    """Put the machine's device nodes into directory ``root``."""
    for name, mode, major, minor, gid in NODES:
        tree.make(store, root, name, mode, gid=gid, rdev=device_number(major, minor))
    tree.mkdirs(store, root, "pts")
    tree.mkdirs(store, root, "shm", mode=0o1777)


def _make_devtmpfs(trap: "Trap", source: str, text: str) -> Superblock:
    del text
    known = stored.find(trap.store, "devtmpfs")
    if known is not None:
        return known
    sb = stored.new_superblock(
        trap,
        "devtmpfs",
        source,
        options="mode=755",
        uid=KUid(0),
        gid=KGid(0),
        owner=INITIAL_USER_NS,
        domain=HOST,
    )
    assert isinstance(sb.root, int)
    fill(trap.store, sb.root)
    return sb


def _check_devpts(trap: "Trap", text: str) -> None:
    _parse_devpts(trap, text)


def _parse_devpts(trap: "Trap", text: str) -> dict[str, int]:
    wish = {"mode": 0o600, "ptmxmode": 0}
    for key, value in options.split(text):
        if key in ("mode", "ptmxmode"):
            wish[key] = options.number(trap, value, 8) & 0o7777
        elif key in ("gid", "uid", "max"):
            wish[key] = options.number(trap, value)
        elif key != "newinstance":
            options.refuse(trap)
    return wish


def _make_devpts(trap: "Trap", source: str, text: str) -> Superblock:
    wish = _parse_devpts(trap, text)
    if trap.family.traits.devpts_is_one and "newinstance" not in text.split(","):
        known = stored.find(trap.store, "devpts")
        if known is not None:
            return known
    owner = [f"{key}={wish[key]}" for key in ("uid", "gid") if key in wish]
    words = [*owner, f"mode={wish['mode']:03o}", f"ptmxmode={wish['ptmxmode']:03o}"]
    sb = stored.new_superblock(trap, "devpts", source, options=",".join(words))
    assert isinstance(sb.root, int)
    tree.make(
        trap.store,
        sb.root,
        "ptmx",
        S_IFCHR | wish["ptmxmode"],
        uid=trap.task.cred.fsuid,
        gid=trap.task.cred.fsgid,
        rdev=device_number(5, 2),
        domain=trap.task.domain,
    )
    return sb


DEVTMPFS = FilesystemType("devtmpfs", _make_devtmpfs)
DEVPTS = FilesystemType("devpts", _make_devpts, userns_mount=True, check=_check_devpts)

"""tmpfs and ramfs: files in memory, with a limit or without. tmpfs(5), mm/shmem.c, fs/ramfs/."""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.ids import KGid, KUid
from simulator.machine.kernel import namespace
from simulator.machine.kernel.fs import options, stored
from simulator.machine.kernel.fs.registry import FilesystemType
from simulator.machine.kernel.vfs.inode import Superblock

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

PAGE = 4096
MEMORY = 2 << 30
"""The machine's memory in bytes; a tmpfs takes half of it unless told otherwise."""

_IGNORED = frozenset(("huge", "mpol", "noswap", "inode32", "inode64"))


class _Wish(msgspec.Struct):
    """What the options ask for; None where they say nothing."""

    size: int | None = None
    inodes: int | None = None
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None


def _parse(trap: "Trap", text: str) -> _Wish:
    wish = _Wish()
    for key, value in options.split(text):
        match key:
            case "size":
                wish.size = -(-options.size(trap, value, MEMORY) // PAGE) * PAGE
            case "nr_blocks":
                wish.size = options.size(trap, value, MEMORY) * PAGE
            case "nr_inodes":
                wish.inodes = options.size(trap, value, MEMORY)
            case "mode":
                wish.mode = options.number(trap, value, 8) & 0o7777
            case "uid" | "gid":
                setattr(wish, key, options.number(trap, value))
            case _ if key in _IGNORED:
                continue
            case _:
                options.refuse(trap)
    return wish


def _check(trap: "Trap", text: str) -> None:
    _parse(trap, text)


def _spell(wish: _Wish) -> str:
    """shmem_show_options()."""
    words: list[str] = []
    if wish.size is not None:
        words.append(f"size={wish.size // 1024}k")
    if wish.inodes is not None:
        words.append(f"nr_inodes={wish.inodes}")
    if wish.mode is not None and wish.mode != 0o1777:
        words.append(f"mode={wish.mode:03o}")
    if wish.uid:
        words.append(f"uid={wish.uid}")
    if wish.gid:
        words.append(f"gid={wish.gid}")
    return ",".join(words)


def _make(trap: "Trap", source: str, text: str) -> Superblock:
    wish = _parse(trap, text)
    user_ns = trap.store.row(namespace.UserNs, trap.task.cred.user_ns)
    uid = None if wish.uid is None else namespace.to_kernel(user_ns.uid_map, wish.uid)
    gid = None if wish.gid is None else namespace.to_kernel(user_ns.gid_map, wish.gid)
    if (wish.uid is not None and uid is None) or (wish.gid is not None and gid is None):
        options.refuse(trap)
    size = MEMORY // 2 if wish.size is None else wish.size
    sb = stored.new_superblock(
        trap,
        "tmpfs",
        source,
        options=_spell(wish),
        mode=0o1777 if wish.mode is None else wish.mode,
        uid=None if uid is None else KUid(uid),
        gid=None if gid is None else KGid(gid),
        capacity=size or None,
    )
    if wish.inodes:
        sb = msgspec.structs.replace(sb, max_inodes=wish.inodes)
        trap.store.put(sb)
    return sb


def _reconfigure(trap: "Trap", sb: Superblock, text: str) -> Superblock:
    """shmem_reconfigure(): a new size must hold what is there already. EINVAL."""
    wish = _parse(trap, text)
    if wish.size is None:
        return sb
    if wish.size and wish.size < sb.used:
        options.refuse(trap)
    was = _parse(trap, sb.options)
    was.size = wish.size
    return msgspec.structs.replace(sb, capacity=wish.size or None, options=_spell(was))


def _make_ramfs(trap: "Trap", source: str, text: str) -> Superblock:
    """No limit at all: ramfs takes the machine's memory until there is none."""
    mode = 0o755
    for key, value in options.split(text):
        if key == "mode":
            mode = options.number(trap, value, 8) & 0o7777
    return stored.new_superblock(
        trap, "ramfs", source, mode=mode, options=f"mode={mode:o}" if mode != 0o755 else ""
    )


TMPFS = FilesystemType("tmpfs", _make, userns_mount=True, check=_check, reconfigure=_reconfigure)
RAMFS = FilesystemType("ramfs", _make_ramfs, userns_mount=True)

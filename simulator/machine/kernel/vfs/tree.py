"""Making and removing stored files, below any permission check: for boot, images and filesystems.

System calls check first and then call these too, so that link counts and parents are kept in one
place.
"""

import msgspec

from simulator.machine.abi.constants import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG
from simulator.machine.abi.ids import HOST, Domain, KGid, KUid, SuperblockId
from simulator.machine.kernel import clock
from simulator.machine.kernel.vfs.inode import Dentry, Inode
from simulator.machine.state.store import Store

ROOT = KUid(0)
WHEEL = KGid(0)


def make(
    store: Store,
    directory: int,
    name: str,
    mode: int,
    *,
    uid: KUid = ROOT,
    gid: KGid = WHEEL,
    content: bytes = b"",
    target: str = "",
    rdev: int = 0,
    domain: Domain = HOST,
) -> Inode:
    """A new file of ``mode`` (type and permission bits) called ``name`` in ``directory``."""
    number = store.new_id(Inode)
    now = clock.realtime(store)
    above = store.row(Inode, directory)
    is_directory = mode & S_IFMT == S_IFDIR
    inode = Inode(
        id=number,
        sb=above.sb,
        mode=mode,
        uid=uid,
        gid=gid,
        nlink=2 if is_directory else 1,
        size=len(target.encode()) if target else len(content),
        content=content,
        target=target,
        rdev=rdev,
        quota=above.quota,
        parent=directory if is_directory else None,
        atime=now,
        mtime=now,
        ctime=now,
        domain=domain,
    )
    store.put(inode)
    store.put(Dentry(id=(directory, name), inode=number))
    _touch_directory(store, above, 1 if is_directory else 0, now)
    return inode


def unnamed(
    store: Store,
    sb: SuperblockId,
    mode: int,
    *,
    uid: KUid = ROOT,
    gid: KGid = WHEEL,
    domain: Domain = HOST,
) -> Inode:
    """A new file that no directory names (O_TMPFILE, memfd_create(2)); it is not stored yet."""
    now = clock.realtime(store)
    return Inode(
        id=store.new_id(Inode),
        sb=sb,
        mode=mode,
        uid=uid,
        gid=gid,
        nlink=0,
        atime=now,
        mtime=now,
        ctime=now,
        domain=domain,
    )


def link(store: Store, directory: int, name: str, inode: Inode) -> None:
    """One more name for ``inode`` (not a directory)."""
    now = clock.realtime(store)
    store.put(msgspec.structs.replace(inode, nlink=inode.nlink + 1, ctime=now))
    store.put(Dentry(id=(directory, name), inode=inode.id))
    _touch_directory(store, store.row(Inode, directory), 0, now)


def unlink(store: Store, directory: int, name: str) -> Inode:
    """Take ``name`` away; the inode's row stays, with one link less, for whoever has it open."""
    dentry = store.row(Dentry, (directory, name))
    inode = store.row(Inode, dentry.inode)
    is_directory = inode.mode & S_IFMT == S_IFDIR
    now = clock.realtime(store)
    store.drop(Dentry, dentry.id)
    inode = msgspec.structs.replace(inode, nlink=0 if is_directory else inode.nlink - 1, ctime=now)
    store.put(inode)
    _touch_directory(store, store.row(Inode, directory), -1 if is_directory else 0, now)
    return inode


def move(store: Store, old: tuple[int, str], new: tuple[int, str]) -> None:
    """Give the file called ``old`` (directory, name) the name ``new``, which is free."""
    now = clock.realtime(store)
    number = store.row(Dentry, old).inode
    store.drop(Dentry, old)
    store.put(Dentry(id=new, inode=number))
    inode = store.row(Inode, number)
    links = 1 if inode.mode & S_IFMT == S_IFDIR else 0
    above = new[0] if links else inode.parent
    store.put(msgspec.structs.replace(inode, parent=above, ctime=now))
    moved = links if old[0] != new[0] else 0
    _touch_directory(store, store.row(Inode, old[0]), -moved, now)
    if old[0] != new[0]:
        _touch_directory(store, store.row(Inode, new[0]), moved, now)


def exchange(store: Store, left: tuple[int, str], right: tuple[int, str]) -> None:
    """Swap what two names (directory, name) stand for (RENAME_EXCHANGE)."""
    now = clock.realtime(store)
    files = (store.row(Dentry, left).inode, store.row(Dentry, right).inode)
    links = [0, 0]
    for place, number in ((right, files[0]), (left, files[1])):
        inode = store.row(Inode, number)
        is_directory = inode.mode & S_IFMT == S_IFDIR
        links[place is left] += is_directory
        above = place[0] if is_directory else inode.parent
        store.put(msgspec.structs.replace(inode, parent=above, ctime=now))
        store.put(Dentry(id=place, inode=number))
    moved = links[0] - links[1] if left[0] != right[0] else 0
    _touch_directory(store, store.row(Inode, left[0]), -moved, now)
    if left[0] != right[0]:
        _touch_directory(store, store.row(Inode, right[0]), moved, now)


def mkdirs(store: Store, root: int, path: str, *, mode: int = 0o755, domain: Domain = HOST) -> int:
    """The directory at ``path`` below ``root``, made with its parents where missing."""
    at = root
    for name in path.split("/"):
        if name:
            dentry = store.get(Dentry, (at, name))
            if dentry is None:
                at = make(store, at, name, S_IFDIR | mode, domain=domain).id
            else:
                assert isinstance(dentry.inode, int)
                at = dentry.inode
    return at


def file(
    store: Store,
    root: int,
    path: str,
    content: bytes,
    *,
    mode: int = 0o644,
    uid: KUid = ROOT,
    gid: KGid = WHEEL,
    domain: Domain = HOST,
) -> Inode:
    """A regular file at ``path`` below ``root``; missing directories are made."""
    above, _, name = path.rpartition("/")
    directory = mkdirs(store, root, above, domain=domain)
    return make(
        store, directory, name, S_IFREG | mode, uid=uid, gid=gid, content=content, domain=domain
    )


def symlink(store: Store, root: int, path: str, target: str, *, domain: Domain = HOST) -> Inode:
    """A symbolic link at ``path`` below ``root``; missing directories are made."""
    above, _, name = path.rpartition("/")
    directory = mkdirs(store, root, above, domain=domain)
    return make(store, directory, name, S_IFLNK | 0o777, target=target, domain=domain)


def _touch_directory(store: Store, directory: Inode, links: int, now: int) -> None:
    store.put(
        msgspec.structs.replace(directory, nlink=directory.nlink + links, mtime=now, ctime=now)
    )

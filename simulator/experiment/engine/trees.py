"""Root directories with something in them: the host's, a sandbox's, an image's.

The same layout (``probes/layout.py``) as a real run builds on a real kernel: busybox under its many
names, a handful of files, device nodes where nothing is mounted on /dev.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from simulator.experiment.probes.layout import DIRECTORIES, PLAIN_NODES
from simulator.experiment.probes.world import File, User, World
from simulator.isolation.control.toolset import Toolset
from simulator.machine.abi.constants import S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG
from simulator.machine.abi.ids import Domain, KGid, KUid
from simulator.machine.kernel.vfs import ops, tree
from simulator.machine.kernel.vfs.inode import Dentry, Inode
from simulator.machine.state.store import Store
from simulator.machine.userland import registry

_TYPES = {
    "file": S_IFREG,
    "dir": S_IFDIR,
    "link": S_IFLNK,
    "fifo": S_IFIFO,
    "char": S_IFCHR,
    "block": S_IFBLK,
}


_COLLECTIONS = {
    "linux": registry.BUSYBOX,
    "freebsd": registry.BSD,
    "sunos": registry.SUN,
}
"""Whose programs a tree gets."""


_SUNOS_DIRECTORIES = (
    ("lib", 0o755),
    ("platform", 0o755),
    ("sbin", 0o755),
    ("system", 0o755),
    ("system/contract", 0o555),
    ("system/object", 0o555),
    ("usr/bin", 0o755),
    ("usr/sbin", 0o755),
)


class Place(NamedTuple):
    """A directory to fill: its inode, whose its content is, what owners are shifted by."""

    root: int
    domain: Domain
    shift: int = 0


def populate(store: Store, place: Place, world: World, kernel: str, *, image: bool = False) -> None:
    """Programs, users and the usual directories; ``image``: nothing in /dev, Docker fills it."""
    for name, mode in DIRECTORIES:
        if (kernel, name) != ("sunos", "bin"):
            directory(store, place, f"/{name}", mode)
    if kernel == "sunos":
        _sunos(store, place)
    collection = _COLLECTIONS[kernel]
    programs = _programs(store, place.root)
    busybox = file(store, place, f"{programs}/busybox", collection, 0o755)
    bin_directory = tree.mkdirs(store, place.root, programs)
    for name in registry.names(collection):
        if name != "busybox":
            tree.link(store, bin_directory, name, store.row(Inode, busybox))
    _users(store, place, world.hostname, world.users)
    if not image and kernel == "linux":
        nodes(store, place, PLAIN_NODES)


def _sunos(store: Store, place: Place) -> None:
    """Solaris keeps its programs in /usr/bin; /bin leads there. filesystem(5)."""
    for name, mode in _SUNOS_DIRECTORIES:
        directory(store, place, f"/{name}", mode)
    tree.make(store, place.root, "bin", S_IFLNK | 0o777, target="./usr/bin", domain=place.domain)
    file(store, place, "/etc/mnttab", b"", 0o444)


def _programs(store: Store, root: int) -> str:
    """Where a tree's programs are."""
    found = store.get(Dentry, (root, "bin"))
    linked = found is not None and store.row(Inode, found.inode).target
    return "/usr/bin" if linked else "/bin"


def install(store: Store, place: Place, tools: Toolset) -> None:
    """A product's programs in /usr/sbin, and the directories and files that it brings."""
    own = file(store, place, f"/usr/libexec/{tools.product}", registry.TOOLS, 0o755)
    directory(store, place, "/usr/sbin", 0o755)
    sbin = tree.mkdirs(store, place.root, "/usr/sbin")
    for name in tools.programs:
        tree.link(store, sbin, name, store.row(Inode, own))
    for path, mode in tools.directories:
        directory(store, place, path, mode)
    nodes(store, place, tools.nodes)
    for path, mode, text in tools.files:
        file(store, place, path, text.encode(), mode)


def nodes(store: Store, place: Place, listed: Iterable[tuple[str, int, int, int, int]]) -> None:
    """Device nodes in /dev."""
    above = tree.mkdirs(store, place.root, "/dev")
    for name, kind, major, minor, mode in listed:
        if store.get(Dentry, (above, name)) is None:
            rdev = major << 8 | minor
            tree.make(store, above, name, kind | mode, rdev=rdev, domain=place.domain)


def plant(store: Store, place: Place, one: File, secret: str) -> None:
    """One file of a world; directories above it are made, an older file of the name goes."""
    above, _, name = one.path.rpartition("/")
    parent = tree.mkdirs(store, place.root, above, domain=place.domain)
    if store.get(Dentry, (parent, name)) is not None:
        if one.kind in ("dir", "program"):
            return
        ops.forget(store, tree.unlink(store, parent, name).id)
    if one.kind == "program":
        busybox = store.row(
            Dentry, (tree.mkdirs(store, place.root, _programs(store, place.root)), "busybox")
        ).inode
        tree.link(store, parent, name, store.row(Inode, busybox))
        return
    major, minor = one.device or (0, 0)
    tree.make(
        store,
        parent,
        name,
        _TYPES[one.kind] | (0o777 if one.kind == "link" else one.mode),
        uid=KUid(one.uid + place.shift),
        gid=KGid(one.gid + place.shift),
        content=one.text.replace("{secret}", secret).encode() if one.kind == "file" else b"",
        target=one.target,
        rdev=major << 8 | minor,
        domain=place.domain,
    )


def directory(store: Store, place: Place, path: str, mode: int) -> int:
    """The directory at ``path``, made if missing, with ``mode`` and the place's owner."""
    number = tree.mkdirs(store, place.root, path, domain=place.domain)
    row = store.row(Inode, number)
    store.put(
        msgspec.structs.replace(
            row, mode=S_IFDIR | mode, uid=KUid(place.shift), gid=KGid(place.shift)
        )
    )
    return number


def file(store: Store, place: Place, path: str, content: bytes, mode: int) -> int:
    """A regular file with the place's owner."""
    made = tree.file(
        store,
        place.root,
        path,
        content,
        mode=mode,
        uid=KUid(place.shift),
        gid=KGid(place.shift),
        domain=place.domain,
    )
    return made.id


def _users(store: Store, place: Place, hostname: str, users: tuple[User, ...]) -> None:
    passwd = "".join(
        f"{user.name}:x:{user.uid}:{user.gid}:{user.name}:{user.home}:{user.shell}\n"
        for user in users
    )
    group = "".join(f"{_group_name(user)}:x:{user.gid}:\n" for user in users)
    shadow = "".join(f"{user.name}:!:19000:0:99999:7:::\n" for user in users)
    file(store, place, "/etc/passwd", passwd.encode(), 0o644)
    file(store, place, "/etc/group", group.encode(), 0o644)
    file(store, place, "/etc/shadow", shadow.encode(), 0o600)
    file(store, place, "/etc/hostname", f"{hostname}\n".encode(), 0o644)
    for user in users:
        if user.uid and user.home != "/":
            number = directory(store, place, user.home, 0o755)
            row = store.row(Inode, number)
            uid, gid = KUid(user.uid + place.shift), KGid(user.gid + place.shift)
            store.put(msgspec.structs.replace(row, uid=uid, gid=gid))


def _group_name(user: User) -> str:
    return "nogroup" if user.name == "nobody" else user.name

"""FreeBSD's devfs: each mount shows the machine's devices through a set of rules. devfs(8).

Rules are data: a set hides everything and then shows the names it lists. Source:
sys/fs/devfs/devfs_rule.c, /etc/defaults/devfs.rules.
"""

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from simulator.machine.abi.constants import S_IFBLK, S_IFCHR
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST, KGid, KUid
from simulator.machine.kernel import prison
from simulator.machine.kernel.fs import options, stored
from simulator.machine.kernel.fs.devices import device_number
from simulator.machine.kernel.fs.registry import FilesystemType
from simulator.machine.kernel.vfs import tree
from simulator.machine.kernel.vfs.inode import Superblock

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

NODES: tuple[tuple[str, int, int, int], ...] = (
    ("null", S_IFCHR | 0o666, 1, 3),
    ("zero", S_IFCHR | 0o666, 1, 5),
    ("full", S_IFCHR | 0o666, 1, 7),
    ("random", S_IFCHR | 0o644, 1, 8),
    ("urandom", S_IFCHR | 0o644, 1, 9),
    ("mem", S_IFCHR | 0o640, 1, 1),
    ("kmem", S_IFCHR | 0o640, 1, 2),
    ("klog", S_IFCHR | 0o600, 1, 11),
    ("console", S_IFCHR | 0o600, 5, 1),
    ("ptmx", S_IFCHR | 0o666, 5, 2),
    ("ada0", S_IFBLK | 0o640, 8, 0),
    ("ada0p1", S_IFBLK | 0o640, 8, 1),
)
"""The devices of a small machine; a disk keeps the type by which its driver is found."""

LINKS = (("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2"))

_BASIC = ("null", "zero", "full", "random", "urandom", "crypto", "log")
_LOGIN = ("ptmx", "pts", "fd", "stdin", "stdout", "stderr", "tty*")
RULESETS: dict[int, tuple[str, ...]] = {
    0: ("*",),
    1: (),
    2: _BASIC,
    3: _LOGIN,
    4: (*_BASIC, *_LOGIN, "fuse", "zfs"),
    5: (*_BASIC, *_LOGIN, "fuse", "zfs", "pf"),
}
"""What each set shows: 0 all, 1 hide all, 2 unhide basic, 3 unhide login, 4 jail, 5 with vnet."""

_OPERATOR = KGid(5)


def _make(trap: "Trap", source: str, text: str) -> Superblock:
    row = prison.of(trap)
    ruleset = int(dict(options.split(text)).get("ruleset") or 0)
    if prison.is_jailed(trap.task):
        ruleset = prison.number(row, "devfs_ruleset", 0)
        if ruleset == 0:
            trap.deny(
                Errno.EPERM,
                "devfs-rules",
                N_("A prison mounts devfs only under a set of rules: devfs_ruleset."),
                "jail(8)",
            )
    shown = RULESETS.get(ruleset)
    if shown is None:
        trap.fail(Errno.EINVAL, N_("There is no such set of rules."), "devfs(8)")
    sb = stored.new_superblock(trap, "devfs", source, uid=KUid(0), gid=KGid(0))
    assert isinstance(sb.root, int)
    for name, mode, major, minor in NODES:
        if _is_shown(name, shown):
            rdev = device_number(major, minor)
            tree.make(trap.store, sb.root, name, mode, gid=_OPERATOR, rdev=rdev, domain=HOST)
    if _is_shown("fd", shown):
        tree.mkdirs(trap.store, sb.root, "fd")
        for name, target in LINKS:
            tree.symlink(trap.store, sb.root, name, target)
    return sb


def _is_shown(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


DEVFS = FilesystemType("devfs", _make)

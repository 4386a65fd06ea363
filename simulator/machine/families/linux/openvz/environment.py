"""What an environment may not: mount what was not made for it, open devices, turn the machine's
screws, and hold more than its beancounter says.

Source: fs/filesystems.c (check_ve_fstype), security/device_cgroup.c (ve_devcgroup_ex_items),
kernel/sysctl.c (sysctl_ve_table), kernel/bc/.
"""

import re
from typing import cast

from simulator.machine.abi.call import Denial
from simulator.machine.abi.constants import MS_BIND, MS_MOVE, MS_REMOUNT, S_IFBLK, S_IFMT
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.resource.devices import major, minor, permits
from simulator.machine.kernel.resource.group import DeviceList, DeviceRule
from simulator.machine.kernel.security import Answer, Policy
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.ve import beancounter
from simulator.machine.kernel.ve import context as ves
from simulator.machine.kernel.vfs.mounting import TYPES

VIRTUALIZED = frozenset(
    (
        "autofs", "cgroup", "devpts", "ext2", "ext3", "ext4", "mqueue", "nfs", "nfs4", "proc",
        "rootfs", "sysfs", "tmpfs",
    )
)  # fmt: skip
"""FS_VIRTUALIZED, and the types of which each environment registers one of its own."""

_FEATURES = {"nfs": "nfs", "nfs4": "nfs", "sysfs": "sysfs", "fuse": "fuse"}
"""vzctl --features NAME:on: a type that has to be asked for."""

DEVICES: tuple[str, ...] = (
    "c *:* m",
    "b *:* m",
    "c 128:* rwm",
    "c 136:* rwm",
    "c 2:* rwm",
    "c 3:* rwm",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 5:0 rwm",
    "c 5:1 rwm",
    "c 5:2 rwm",
    "c 1:8 rwm",
    "c 1:9 rwm",
    "c 1:11 wm",
)
"""ve_devcgroup_ex_items: any node may be made; terminals, null, zero, full, random and, to write
only, kmsg may be opened."""

_SYSCTLS = re.compile(
    r"net\.|kernel\.(hostname|domainname|shm|msg|sem|sched_|pid_max$|ngroups)|fs\.mqueue\."
    r"|fs\.aio|fs\.odirect"
)
"""Settings with a value for each environment (extra1 in kernel/sysctl.c, net and ipc tables)."""

_NOT_VIRTUALIZED = Denial(
    Errno.ENODEV,
    "ve-filesystems",
    N_("Inside an environment this type of filesystem does not exist (FS_VIRTUALIZED)."),
    "fs/filesystems.c check_ve_fstype()",
)
_NOT_LISTED = Denial(
    Errno.EPERM,
    "ve-devices",
    N_("The environment's device rules let any node be made, and few be opened."),
    "security/device_cgroup.c ve_devcgroup_ex_items",
)
_READ_ONLY = Denial(
    Errno.EACCES,
    "ve-sysctls",
    N_("The setting is the whole machine's: inside an environment it can only be read."),
    "kernel/sysctl.c sysctl_ve_table()",
)


def may_mount(trap: Trap, fstype: str, target: str, flags: int) -> Answer:
    """get_fs_type() finds only what was made for environments."""
    del target
    row = ves.keeps(trap, "ve-filesystems")
    if row is None or flags & (MS_BIND | MS_MOVE | MS_REMOUNT | TYPES):
        return None
    wanted = _FEATURES.get(fstype)
    if wanted is not None:
        return None if wanted in features(row) else _NOT_VIRTUALIZED
    return None if fstype in VIRTUALIZED else _NOT_VIRTUALIZED


def features(row: Context) -> tuple[str, ...]:
    """What ``vzctl --features`` switched on; sysfs is on by itself (VE_FEATURES_DEF)."""
    return cast("tuple[str, ...]", row.params.get("features", ("sysfs",)))


def may_open_device(trap: Trap, kind: int, rdev: int, access: str) -> Answer:
    """devcgroup_inode_permission(), devcgroup_inode_mknod()."""
    row = ves.keeps(trap, "ve-devices")
    if row is None:
        return None
    more = cast("tuple[str, ...]", row.params.get("devices", ()))
    letter = "b" if kind & S_IFMT == S_IFBLK else "c"
    wanted = DeviceRule(letter, major(rdev), minor(rdev), access)
    listed = DeviceList(False, tuple(map(_rule, (*DEVICES, *more))))
    return None if permits(listed, wanted) else _NOT_LISTED


def _rule(text: str) -> DeviceRule:
    kind, numbers, access = text.split()
    high, low = (None if part == "*" else int(part) for part in numbers.split(":"))
    return DeviceRule(kind, high, low, access)


def may_write_sysctl(trap: Trap, name: str) -> Answer:
    """sysctl_perm(): the write bits of what is not virtual are masked."""
    if ves.keeps(trap, "ve-sysctls") is None or _SYSCTLS.match(name):
        return None
    return _READ_ONLY


def may_charge(trap: Trap, resource: str, amount: int) -> Answer:
    """charge_beancounter()."""
    return beancounter.charge_for(trap, resource, amount)


ENVIRONMENT = Policy(
    name="ve",
    may_mount=may_mount,
    may_open_device=may_open_device,
    may_write_sysctl=may_write_sysctl,
    may_charge=may_charge,
)

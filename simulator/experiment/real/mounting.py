"""mount(2) and fsopen(2) of a program that nobody knows.

What stays in a mount namespace is its own affair; a file system may be everybody's. Whoever has the
right to mount a disk gets no call made whose path could lead to another one a moment later.
"""

import errno
import stat

from simulator.experiment.real import around, objects
from simulator.experiment.real.asked import Asked, Verdict
from simulator.experiment.real.standing import filesystems, hierarchy_there
from simulator.machine.abi.i18n import N_


def mounted(asked: Asked) -> Verdict | str | None:
    """mount(2): what stays in a mount namespace is its own affair, a superblock may be all's."""
    if not asked.may("SYS_ADMIN"):
        return None
    flags = asked.args[3] & 0xFFFFFFFF
    flags &= 0xFFFF if flags & 0xFFFF0000 == _MAGIC else 0xFFFFFFFF
    if flags & _MS_BIND:
        return None
    if flags & _MS_REMOUNT:
        return N_("a program that a line starts remounts no whole file system: others may have it")
    if flags & (_MS_MOVE | _PROPAGATION):
        return None
    kind = asked.text(2)
    return None if kind is None else _new_mount(asked, kind)


_MAGIC = 0xC0ED0000
_MS_REMOUNT, _MS_BIND, _MS_MOVE = 0x20, 0x1000, 0x2000
_PROPAGATION = 0xF << 17


def _new_mount(asked: Asked, kind: str) -> Verdict | str | None:
    known = filesystems()
    if kind == "devtmpfs":
        return N_("the device tree of a real machine is not mounted: it is one for all")
    if kind in around.ALONE or kind == "cgroup2":
        return None
    if kind == "cgroup":
        options = asked.text(4) if asked.args[4] else ""
        told = around.agent_named(asked.pid, (0, 0, 0, 0, options))
        return told or (None if hierarchy_there(options or "") else _ONE_FOR_ALL)
    with objects.named(asked.pid, asked.text(1)) as target:
        if target is None:
            return Verdict(errno.ENOENT)
    if kind not in known:
        return Verdict(errno.ENODEV)
    if known[kind]:
        return _ONE_FOR_ALL
    with objects.named(asked.pid, asked.text(0)) as source:
        if source is None:
            return Verdict(errno.ENOENT)
        if not stat.S_ISBLK(source.mode):
            return Verdict(errno.ENOTBLK)
    return N_("a disk of a real machine is not mounted")


_ONE_FOR_ALL = N_("a program that a line starts mounts no file system that is one for all")


def opened_kind(asked: Asked) -> Verdict | str | None:
    """fsopen(2): only what each sandbox has one of its own of."""
    if not asked.may("SYS_ADMIN"):
        return None
    kind = asked.text(0)
    if kind is None or kind in around.ALONE:
        return None
    return _ONE_FOR_ALL if kind in filesystems() else Verdict(errno.ENODEV)

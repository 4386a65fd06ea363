"""The commands of vserver(2) about files: attributes of inodes, hidden files of /proc, and limits
of a disk. kernel/vserver/inode.c, kernel/vserver/dlimit.c.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from simulator.machine.abi.call import Result, Returned
from simulator.machine.abi.constants import FS_BARRIER_FL, FS_IMMUTABLE_FL, FS_IXUNLINK_FL
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel import vserver as vx
from simulator.machine.kernel.resource import quota
from simulator.machine.kernel.task import At
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import path as paths
from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.syscalls.vserver import HANDLERS

CITE = "kernel/vserver/inode.c __vc_set_iattr()"

FLAGS = {
    "barrier": FS_BARRIER_FL,
    "iunlink": FS_IXUNLINK_FL,
    "immutable": FS_IMMUTABLE_FL,
}
"""setattr's words for what is kept in the inode."""
PROC_WORDS = ("admin", "watch", "hide")


def _place(trap: Trap, data: Mapping[str, Any]) -> tuple[At, Inode]:
    at = paths.walk(trap, str(data.get("name", "")), follow=False)
    return at, inodes.load(trap, at.inode)


def _listed(data: Mapping[str, Any], name: str) -> set[str]:
    given = data.get(name, ())
    return {given} if isinstance(given, str) else set(map(str, given))


def _set_iattr(trap: Trap, ident: int, row: None, data: Mapping[str, Any]) -> int:
    """VCMD_set_iattr: EINVAL for a flag of /proc elsewhere; a barrier is for directories."""
    del ident, row
    at, inode = _place(trap, data)
    mask, value = _listed(data, "mask"), _listed(data, "flags")
    is_proc = isinstance(at.inode, tuple) and at.inode[0] == "proc"
    if mask & set(PROC_WORDS) and not is_proc:
        trap.fail(Errno.EINVAL, N_("Only files of /proc can be hidden."), CITE)
    if is_proc:
        assert isinstance(at.inode, tuple)
        if "hide" in mask and len(at.inode) == 3:
            trap.store.put(vx.ProcFlags(id=str(at.inode[2]), hidden="hide" in value))
        return 0
    if not isinstance(at.inode, int):
        # Without sync_flags() the flags of a computed file are only its inode's, for as long as
        # that is in memory.
        return 0
    flags = inode.flags
    for word in mask & set(FLAGS):
        if word == "barrier" and not inodes.is_dir(inode):
            continue
        flags = flags | FLAGS[word] if word in value else flags & ~FLAGS[word]
    trap.touch("file", inode.domain, "write", str(data.get("name", "")))
    trap.store.put(msgspec.structs.replace(inode, flags=flags))
    return 0


def _get_iattr(trap: Trap, ident: int, row: None, data: Mapping[str, Any]) -> Result:
    """VCMD_get_iattr: the words that are set, and those that there are."""
    del ident, row
    at, inode = _place(trap, data)
    if isinstance(at.inode, tuple) and at.inode[0] == "proc":
        name = str(at.inode[2]) if len(at.inode) > 2 else ""
        kept = trap.store.get(vx.ProcFlags, name)
        words = ("admin", "hide") if kept is not None and kept.hidden else ("admin",)
        return Returned(0, {"flags": words, "mask": PROC_WORDS})
    held = tuple(word for word, bit in FLAGS.items() if inode.flags & bit)
    known = tuple(word for word in FLAGS if word != "barrier" or inodes.is_dir(inode))
    return Returned(0, {"flags": held, "mask": known})


_NO_LIMIT = 1 << 62


def _set_dlimit(trap: Trap, ident: int, row: None, data: Mapping[str, Any]) -> int:
    """vc_add_dlimit() and vc_set_dlimit(): what the files with a context's tag may take.

    The model counts the tree that ``name`` leads to, where all files have that tag.
    """
    del row
    at, _inode = _place(trap, data)
    if not isinstance(at.inode, int):
        raise NotModelled("a disk limit where no file is stored")
    space = int(data.get("space_total", 0)) or _NO_LIMIT
    inodes_total = int(data.get("inodes_total", 0)) or _NO_LIMIT
    quota.turn_on(
        trap.store,
        quota.Quota(
            id=ident,
            root=at.inode,
            of_tag=True,
            soft_space=space,
            hard_space=space,
            soft_inodes=inodes_total,
            hard_inodes=inodes_total,
        ),
    )
    return 0


def _rem_dlimit(trap: Trap, ident: int, row: None, data: Mapping[str, Any]) -> int:
    """vc_rem_dlimit(): ESRCH."""
    del row, data
    if trap.store.get(quota.Quota, ident) is None:
        trap.fail(Errno.ESRCH, N_("The context has no disk limit."), CITE)
    quota.turn_off(trap.store, ident)
    return 0


def _get_dlimit(trap: Trap, ident: int, row: None, data: Mapping[str, Any]) -> Result:
    """vc_get_dlimit(): space in bytes. ESRCH."""
    del row, data
    held = trap.store.get(quota.Quota, ident)
    if held is None:
        trap.fail(Errno.ESRCH, N_("The context has no disk limit."), CITE)
    return Returned(
        0,
        {
            "space_used": held.space,
            "space_total": held.hard_space,
            "inodes_used": held.inodes,
            "inodes_total": held.hard_inodes,
        },
    )


HANDLERS["VCMD_add_dlimit"] = _set_dlimit
HANDLERS["VCMD_set_dlimit"] = _set_dlimit
HANDLERS["VCMD_rem_dlimit"] = _rem_dlimit
HANDLERS["VCMD_get_dlimit"] = _get_dlimit
HANDLERS["VCMD_set_iattr"] = _set_iattr
HANDLERS["VCMD_get_iattr"] = _get_iattr

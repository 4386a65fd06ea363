"""The namespaces of a child, or of a task that leaves its old ones: clone(2), unshare(2).

The caller keeps its own until somebody writes what is returned here into a task's row.
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.constants import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    CLONE_SYSVSEM,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.ids import MountId, NsId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.cred import Credentials
from simulator.machine.kernel.family import Release
from simulator.machine.kernel.namespace import NsProxy
from simulator.machine.kernel.namespaces import make
from simulator.machine.kernel.task import At

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

NEED_PRIVILEGE = (
    CLONE_NEWNS
    | CLONE_NEWUTS
    | CLONE_NEWIPC
    | CLONE_NEWPID
    | CLONE_NEWNET
    | CLONE_NEWCGROUP
    | CLONE_NEWTIME
)
"""Making any of these needs Privilege.NAMESPACE over the (new) user namespace that will own it."""

ALL_NAMESPACES = NEED_PRIVILEGE | CLONE_NEWUSER

_SINCE: dict[int, Release] = {
    CLONE_NEWNS: (2, 4, 19),
    CLONE_NEWUTS: (2, 6, 19),
    CLONE_NEWIPC: (2, 6, 19),
    CLONE_NEWPID: (2, 6, 24),
    CLONE_NEWNET: (2, 6, 24),
    CLONE_NEWUSER: (3, 8),
    CLONE_NEWCGROUP: (4, 6),
    CLONE_NEWTIME: (5, 6),
}
"""The first release with each kind (namespaces(7)); user namespaces as they are today."""


def known_kinds(release: Release) -> int:
    """The CLONE_NEW* flags that a release of Linux knows."""
    return sum(flag for flag, since in _SINCE.items() if since <= release)


class Spaces(msgspec.Struct, frozen=True):
    """What a task sees the machine through, after a copy."""

    ns: NsProxy
    cred: Credentials
    root: At
    cwd: At


def copy_spaces(trap: "Trap", flags: int, *, child: bool = False) -> Spaces:
    """New namespaces of the kinds in ``flags`` (CLONE_NEW*), made by the caller.

    For unshare(2) the caller's pid and time namespace stay and only its children's change; with
    ``child`` (clone(2), fork(2)) the result is the child's, who lives in them. Nothing is written
    to the caller's row. A flag that the release does not know does nothing. Errors: EPERM, EINVAL,
    ENOSPC; see ``make``.
    """
    task = trap.task
    if flags:
        flags &= known_kinds(trap.family.release) | ~ALL_NAMESPACES
    cred = make.new_user_ns(trap) if flags & CLONE_NEWUSER else task.cred
    ns, root, cwd = task.ns, task.root, task.cwd
    if flags & NEED_PRIVILEGE:
        trap.need(Privilege.NAMESPACE, cred.user_ns)
        if flags & CLONE_NEWIPC and flags & CLONE_SYSVSEM and child:
            trap.fail(Errno.EINVAL, "", "clone(2)")
        ns, copies = _new_spaces(trap, flags, cred.user_ns)
        root = At(copies.get(root.mount, root.mount), root.inode)
        cwd = At(copies.get(cwd.mount, cwd.mount), cwd.inode)
    if child and (ns.pid != ns.pid_for_children or ns.time != ns.time_for_children):
        ns = msgspec.structs.replace(ns, pid=ns.pid_for_children, time=ns.time_for_children)
    return Spaces(ns, cred, root, cwd)


def _new_spaces(trap: "Trap", flags: int, owner: NsId) -> tuple[NsProxy, dict[MountId, MountId]]:
    """In the order of create_new_namespaces(): mnt, uts, ipc, pid, cgroup, net, time."""
    ns = trap.task.ns
    changes: dict[str, NsId] = {}
    copies: dict[MountId, MountId] = {}
    if flags & CLONE_NEWNS:
        changes["mnt"], copies = make.new_mount_ns(trap, ns.mnt, owner)
    if flags & CLONE_NEWUTS:
        changes["uts"] = make.new_uts_ns(trap, owner)
    if flags & CLONE_NEWIPC:
        changes["ipc"] = make.new_ipc_ns(trap, owner)
    if flags & CLONE_NEWPID:
        changes["pid_for_children"] = make.new_pid_ns(trap, owner)
    if flags & CLONE_NEWCGROUP:
        changes["cgroup"] = make.new_cgroup_ns(trap, owner)
    if flags & CLONE_NEWNET:
        changes["net"] = make.new_net_ns(trap, owner)
    if flags & CLONE_NEWTIME:
        changes["time_for_children"] = make.new_time_ns(trap, owner)
    return msgspec.structs.replace(ns, **changes), copies

"""Entering a namespace that exists: setns(2) and the right to do it, kind by kind.

A join is prepared on a ``Spaces`` value and written once every namespace has agreed, as the kernel
does with its nsset: with a pidfd all of them are joined or none. Source: kernel/nsproxy.c and each
kind's ``install``.
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import NsId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import namespace
from simulator.machine.kernel.namespace import MountNs, PidNs
from simulator.machine.kernel.namespaces import make
from simulator.machine.kernel.namespaces.spaces import Spaces
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs import mount_tree

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

ORDER = ("user", "mnt", "uts", "ipc", "pid", "cgroup", "net", "time")
"""The order in which the namespaces of a process are joined (validate_nsset())."""

_CROSSES = {
    "user": "process",
    "mnt": "mount",
    "uts": "hostname",
    "ipc": "shm",
    "pid": "process",
    "cgroup": "cgroup",
    "net": "interface",
    "time": "clock",
}
"""What kind of object a joined namespace of another domain opens up."""


def of_task(task: Task, kind: str) -> NsId:
    """``task``'s namespace of ``kind``; for pid and time the one it lives in."""
    return task.cred.user_ns if kind == "user" else getattr(task.ns, kind)


def join(trap: "Trap", spaces: Spaces, kind: str, ns: NsId) -> Spaces:
    """``spaces`` with the namespace of ``kind`` replaced by ``ns``. EPERM, EINVAL."""
    if kind == "user":
        joined = _join_user(trap, spaces, ns)
    else:
        owner = namespace.owner_of(trap.store, kind, ns)
        _need_both(trap, spaces, owner)
        joined = _replaced(trap, spaces, kind, ns)
    trap.touch(_CROSSES[kind], namespace.domain_of(trap.store, kind, ns), "privilege", kind)
    return joined


def _need_both(trap: "Trap", spaces: Spaces, owner: NsId | None) -> None:
    """The right over the namespace's owner and over one's own user namespace."""
    trap.need(Privilege.NAMESPACE, owner)
    trap.need(Privilege.NAMESPACE, spaces.cred.user_ns)


def _replaced(trap: "Trap", spaces: Spaces, kind: str, ns: NsId) -> Spaces:
    match kind:
        case "mnt":
            return _join_mount(trap, spaces, ns)
        case "pid":
            _need_below(trap, ns)
            proxy = msgspec.structs.replace(spaces.ns, pid_for_children=ns)
        case "time":
            proxy = msgspec.structs.replace(spaces.ns, time=ns, time_for_children=ns)
        case _:
            proxy = msgspec.structs.replace(spaces.ns, **{kind: ns})
    return msgspec.structs.replace(spaces, ns=proxy)


def _join_user(trap: "Trap", spaces: Spaces, ns: NsId) -> Spaces:
    """userns_install(): not one's own, and only with the right over it."""
    if ns == trap.task.cred.user_ns:
        trap.fail(
            Errno.EINVAL,
            N_("The caller is in this user namespace already: joining it would regain rights."),
            "setns(2)",
        )
    _need_own_fs(trap)
    trap.need(Privilege.NAMESPACE, ns)
    return msgspec.structs.replace(spaces, cred=make.full_in(spaces.cred, ns))


def _need_own_fs(trap: "Trap") -> None:
    """Root and working directory must not be shared with another task (CLONE_FS)."""
    if trap.task.shared_fs is not None:
        trap.fail(Errno.EINVAL, N_("Another task shares the working directory."), "setns(2)")


def _join_mount(trap: "Trap", spaces: Spaces, ns: NsId) -> Spaces:
    """mntns_install(): needs CAP_SYS_CHROOT too, for root and working directory move to ``/``."""
    trap.need(Privilege.CHROOT, spaces.cred.user_ns)
    if trap.store.row(MountNs, ns).anonymous:
        trap.fail(Errno.EINVAL, N_("A detached mount tree can't be joined."), "setns(2)")
    _need_own_fs(trap)
    root = mount_tree.root_of(trap.store, ns)
    return Spaces(
        ns=msgspec.structs.replace(spaces.ns, mnt=ns), cred=spaces.cred, root=root, cwd=root
    )


def _need_below(trap: "Trap", ns: NsId) -> None:
    """pidns_install(): the caller's own pid namespace or one below it."""
    current: NsId | None = ns
    while current is not None:
        if current == trap.task.ns.pid:
            return
        current = trap.store.row(PidNs, current).parent
    trap.deny(
        Errno.EINVAL,
        "pid-ns",
        N_("Only the caller's own pid namespace or one below it can be entered."),
        "pid_namespaces(7)",
    )

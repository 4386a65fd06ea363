"""``nsdelegate``: a cgroup namespace as the border of what was delegated. cgroups(7)

Source: kernel/cgroup/cgroup.c cgroup_file_write(), cgroup_procs_write_permission().
"""

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import CgroupId
from simulator.machine.kernel.namespace import CgroupNs
from simulator.machine.kernel.resource.group import UNIFIED, Cgroup, Hierarchy, upward
from simulator.machine.kernel.trap import Trap

OPTION = "nsdelegate"
_OPEN = frozenset({"cgroup.procs", "cgroup.threads", "cgroup.subtree_control"})
"""What stays writable at the top of a namespace; the limits there are its owner's."""


def _border(trap: Trap) -> CgroupId | None:
    """The root of the caller's cgroup namespace where that is a border; None: nowhere."""
    tree = trap.store.get(Hierarchy, UNIFIED)
    if tree is None or OPTION not in tree.options:
        return None
    for root in trap.store.row(CgroupNs, trap.task.ns.cgroup).roots:
        group = trap.store.get(Cgroup, root)
        if group is not None and group.hierarchy == UNIFIED and group.parent is not None:
            return root
    return None


def need_file(trap: Trap, group: Cgroup, name: str) -> None:
    """A namespace's own limits are not for those inside. EPERM."""
    if group.hierarchy == UNIFIED and name not in _OPEN and _border(trap) == group.id:
        trap.deny(
            Errno.EPERM,
            "cgroup-delegation",
            N_("The limits at the top of a cgroup namespace belong to whoever made it."),
            "cgroups(7)",
        )


def need_inside(trap: Trap, old: Cgroup, new: Cgroup) -> None:
    """No task is moved into the namespace or out of it. ENOENT."""
    border = _border(trap)
    if border is None:
        return
    for group in (old, new):
        if border not in (above.id for above in upward(trap.store, group)):
            trap.deny(
                Errno.ENOENT,
                "cgroup-delegation",
                N_("A task is not moved across the border of a cgroup namespace."),
                "cgroups(7)",
            )

"""Device rules of control groups, and the freezer: cgroup-v1/devices.rst, cgroup-v2.rst."""

from simulator.machine.abi.call import Call, Denial, Killed
from simulator.machine.abi.constants import S_IFCHR
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.resource.cgroup import device_allowed, hold_frozen
from simulator.machine.kernel.resource.group import Frozen
from simulator.machine.kernel.security import Answer, Policy
from simulator.machine.kernel.trap import Trap

_NOT_LISTED = Denial(
    Errno.EPERM,
    "cgroup-devices",
    N_("The control group's device rules do not list this device for that use."),
    "cgroups(7)",
)


def may_open_device(trap: Trap, kind: int, rdev: int, access: str) -> Answer:
    """devcgroup_check_permission(): every use must be listed.

    A character device of number 0, which no driver has, is not asked for when it is opened
    (devcgroup_inode_permission()).
    """
    if kind == S_IFCHR and not rdev and access != "m":
        return None
    allowed = device_allowed(trap.store, trap.task, kind, rdev, access)
    return None if allowed else _NOT_LISTED


def wait_while_frozen(trap: Trap, call: Call) -> Denial | Killed | None:
    """A frozen task does not even begin its call."""
    if trap.store.tables.get(Frozen):
        hold_frozen(trap, call)
    return None


CGROUP_DEVICES = Policy(name="cgroup-devices", may_open_device=may_open_device)
FREEZER = Policy(name="freezer", filters=wait_while_frozen)

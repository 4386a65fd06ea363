"""Capabilities as the OpenVZ kernel asks for them: one bit more, and no user namespaces.

CAP_VE_ADMIN (30, the bit of CAP_AUDIT_CONTROL) stands for what of CAP_SYS_ADMIN and CAP_NET_ADMIN
an environment may have. Wherever the kernel was changed to ask for ``CAP_VE_SYS_ADMIN`` or
``CAP_VE_NET_ADMIN`` that bit is enough; everywhere else SYS_ADMIN means the machine's. Source:
include/linux/capability.h, security/commoncap.c, fs/namespace.c, kernel/sys.c, net/core/dev.c.
"""

from simulator.machine.abi.call import Denial
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import NsId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.families.linux.capabilities import GRANTED_BY
from simulator.machine.kernel.cred import mask
from simulator.machine.kernel.security import Answer, Policy
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.ve import context as ves
from simulator.machine.kernel.ve.create import ADMIN, VE_ADMIN

DELEGATED = frozenset(
    {
        Privilege.MOUNT,
        Privilege.UNMOUNT,
        Privilege.NAMESPACE,
        Privilege.SET_HOSTNAME,
        Privilege.QUOTA,
        Privilege.IPC_ADMIN,
        Privilege.NET_CONFIG,
        Privilege.KERNEL_LOG,
    }
)
"""What asks for CAP_VE_SYS_ADMIN or CAP_VE_NET_ADMIN."""

_BITS = {
    privilege: (mask("SYS_ADMIN") if privilege is Privilege.KERNEL_LOG else mask(names))
    | (VE_ADMIN if privilege in DELEGATED else 0)
    for privilege, names in GRANTED_BY.items()
}
_CITE = "vzctl src/lib/cap.c; capabilities(7)"
_LACKING = Denial(
    Errno.EPERM,
    "capability",
    N_("The caller lacks the capability that this needs."),
    "capabilities(7)",
)
_WITHHELD = Denial(
    Errno.EPERM,
    "ve-capabilities",
    N_("The environment's root has the capabilities of vzctl's list, and this is not on it."),
    _CITE,
)
_NO_HANDLES = Denial(
    Errno.EPERM,
    "ve-handles",
    N_("Inside an environment no file is opened by its handle, whatever the capabilities."),
    "fs/fhandle.c",
)


def holds(trap: Trap, privilege: Privilege, over: NsId | None) -> Answer:
    """cap_capable(): the bit, wherever the object belongs."""
    del over
    if not trap.cred.effective & _BITS[privilege]:
        inside = ves.of(trap) is not None and not trap.cred.bounding & _BITS[privilege]
        return _WITHHELD if inside else _LACKING
    if privilege is Privilege.OPEN_BY_HANDLE and ves.keeps(trap, "ve-handles") is not None:
        return _NO_HANDLES
    return None


def show(trap: Trap, bits: int) -> int:
    """cap_capget(), task_cap(): inside, VE_ADMIN reads as the two that it stands for."""
    if bits & VE_ADMIN and ves.of(trap) is not None:
        return bits & ~VE_ADMIN | ADMIN
    return bits


def take(trap: Trap, bits: int) -> int:
    """cap_capset(): inside, a wish for one of the two is a wish for VE_ADMIN."""
    row = ves.of(trap)
    if row is None:
        return bits
    bset = row.params["bset"]
    assert isinstance(bset, int)
    swapped = ADMIN & ~bset
    return bits & ~swapped | VE_ADMIN if bits & swapped else bits


VE_CAPABILITIES = Policy(name="capability", holds=holds)

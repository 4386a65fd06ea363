"""What a change of ids does to the rest of a task: capabilities(7), security/commoncap.c."""

from typing import TYPE_CHECKING, Any

import msgspec

from simulator.machine.abi.constants import SECBIT_KEEP_CAPS, SECBIT_NO_SETUID_FIXUP
from simulator.machine.kernel.cred import Credentials, mask
from simulator.machine.kernel.namespace import UserNs, to_kernel

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

FILE_CAPABILITIES = mask(
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID LINUX_IMMUTABLE MKNOD MAC_OVERRIDE"
)
"""What setfsuid(2) to and from 0 takes and gives back (CAP_FS_MASK)."""


def commit(trap: "Trap", **changes: Any) -> None:
    """Write new ids, with their effect on the capability sets and on being dumpable.

    Equal ones are written too: they are other credentials than those that a file was opened with.
    """
    old = trap.cred
    new = msgspec.structs.replace(old, **changes)
    if trap.family.traits.setuid_clears_capabilities:
        root = to_kernel(trap.store.row(UserNs, old.user_ns).uid_map, 0)
        new = _fix_up(old, new, root)
    if (new.euid, new.egid, new.fsuid, new.fsgid) != (old.euid, old.egid, old.fsuid, old.fsgid):
        trap.update(cred=new, dumpable=False, death_signal=0)
    else:
        trap.update(cred=new)


def _fix_up(old: Credentials, new: Credentials, root: int | None) -> Credentials:
    """cap_task_fix_setuid(): leaving uid 0 drops capabilities, coming back to it restores them."""
    if old.securebits & SECBIT_NO_SETUID_FIXUP or root is None:
        return new
    effective, permitted, ambient = new.effective, new.permitted, new.ambient
    if (old.ruid, old.euid, old.suid) == (new.ruid, new.euid, new.suid):
        if old.fsuid == root and new.fsuid != root:
            effective &= ~FILE_CAPABILITIES
        elif old.fsuid != root and new.fsuid == root:
            effective |= permitted & FILE_CAPABILITIES
        return msgspec.structs.replace(new, effective=effective)
    if root in (old.ruid, old.euid, old.suid) and root not in (new.ruid, new.euid, new.suid):
        if not old.securebits & SECBIT_KEEP_CAPS:
            effective = permitted = 0
        ambient = 0
    if old.euid == root and new.euid != root:
        effective = 0
    elif old.euid != root and new.euid == root:
        effective = permitted
    return msgspec.structs.replace(new, effective=effective, permitted=permitted, ambient=ambient)

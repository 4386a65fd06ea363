"""Who a task is: user and group ids, capabilities, and the user namespace they hold in.

Ids here are the kernel's own (``KUid``); what a process reads passes through its user namespace's
id map (``namespace.py``). Capability sets are bit masks over the numbers of linux/capability.h.
"""

import msgspec

from simulator.machine.abi.constants import BY_NAME, CAPABILITY_NAMES
from simulator.machine.abi.ids import KGid, KUid, NsId

ALL_CAPABILITIES = (1 << len(CAPABILITY_NAMES)) - 1
"""Every capability of a current Linux: CAP_CHOWN to CAP_CHECKPOINT_RESTORE."""


class Credentials(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """credentials(7) and capabilities(7): the identity every permission check looks at."""

    ruid: KUid = KUid(0)
    euid: KUid = KUid(0)
    suid: KUid = KUid(0)
    fsuid: KUid = KUid(0)
    rgid: KGid = KGid(0)
    egid: KGid = KGid(0)
    sgid: KGid = KGid(0)
    fsgid: KGid = KGid(0)
    groups: tuple[KGid, ...] = ()
    effective: int = ALL_CAPABILITIES
    permitted: int = ALL_CAPABILITIES
    inheritable: int = 0
    bounding: int = ALL_CAPABILITIES
    ambient: int = 0
    securebits: int = 0
    user_ns: NsId


def capability(name: str) -> int:
    """The bit of the capability called ``name`` (``CAP_SYS_ADMIN`` or ``SYS_ADMIN``)."""
    return 1 << BY_NAME[name if name.startswith("CAP_") else f"CAP_{name}"]


def mask(names: str) -> int:
    """The bit mask of several capabilities, given as names separated by spaces."""
    bits = 0
    for name in names.split():
        bits |= capability(name)
    return bits


def names(bits: int) -> tuple[str, ...]:
    """The names of the capabilities in ``bits``, in the order of their numbers."""
    return tuple(name for number, name in enumerate(CAPABILITY_NAMES) if bits >> number & 1)


def in_group(cred: Credentials, gid: KGid) -> bool:
    """Whether file access by ``cred`` counts as a member of ``gid`` (in_group_p())."""
    return gid == cred.fsgid or gid in cred.groups

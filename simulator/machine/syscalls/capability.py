"""The capability sets of a process: capget(2), capset(2), capabilities(7)."""

from typing import Any

import msgspec

from simulator.machine.abi.call import Data, Result, Returned
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import pids
from simulator.machine.kernel.cred import ALL_CAPABILITIES
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.syscalls import decode
from simulator.machine.syscalls.registry import linux


@linux("capget")
def capget(trap: Trap, pid: int = 0) -> Result:
    """capget(2): EINVAL ESRCH. The data is ([effective], [permitted], [inheritable]) as numbers."""
    if pid < 0:
        trap.fail(Errno.EINVAL, "", "capget(2)")
    cred = (trap.task if pid == 0 else pids.need(trap, pid)).cred
    sets = (cred.effective, cred.permitted, cred.inheritable)
    if trap.family.inside is not None:
        sets = tuple(trap.family.inside.show_capabilities(trap, bits) for bits in sets)
    return Returned(0, tuple(map(_listed, sets)))


@linux("capset")
def capset(
    trap: Trap, pid: int = 0, effective: Any = (), permitted: Any = (), inheritable: Any = ()
) -> int:
    """capset(2): EPERM unless every rule of cap_capset() is kept."""
    if pid not in (0, trap.task.pids[-1]):
        trap.fail(Errno.EPERM, N_("Only the caller's own capabilities can be set."), "capset(2)")
    old = trap.cred
    new_effective, new_permitted = _bits(trap, effective), _bits(trap, permitted)
    new_inheritable = _bits(trap, inheritable)
    added = new_inheritable & ~(old.inheritable | old.permitted)
    if added:
        trap.need(Privilege.SET_CAPABILITIES, old.user_ns)
    if new_inheritable & ~(old.inheritable | old.bounding):
        trap.deny(
            Errno.EPERM,
            "bounding-set",
            N_("The bounding set keeps these capabilities from being inherited."),
            "capabilities(7)",
        )
    if new_permitted & ~old.permitted:
        trap.deny(
            Errno.EPERM,
            "capability",
            N_("A process cannot give itself capabilities that it was not permitted."),
            "capabilities(7)",
        )
    if new_effective & ~new_permitted:
        trap.fail(Errno.EPERM, N_("Effective capabilities must be permitted ones."), "capset(2)")
    cred = msgspec.structs.replace(
        old,
        effective=new_effective,
        permitted=new_permitted,
        inheritable=new_inheritable,
        ambient=old.ambient & new_permitted & new_inheritable,
    )
    trap.update(cred=cred)
    return 0


def _bits(trap: Trap, value: Any) -> int:
    """Capabilities as a list of numbers; what the kernel does not know is left out."""
    bits = 0
    for number in decode.numbers(value, "a capability set"):
        if not 0 <= number < 64:
            raise NotModelled("capabilities are numbered from 0 to 63")
        bits |= 1 << number
    if trap.family.inside is not None:
        bits = trap.family.inside.take_capabilities(trap, bits)
    return bits & ALL_CAPABILITIES


def _listed(bits: int) -> list[Data]:
    listed: list[Data] = []
    listed.extend(number for number in range(bits.bit_length()) if bits >> number & 1)
    return listed

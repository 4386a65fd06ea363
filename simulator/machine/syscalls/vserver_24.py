"""The two system calls of the 2.4 patch: new_s_context(2) and set_ipv4root(2). Neither asks for a
right, and neither can be taken back. Source: util-vserver doc/intro.txt, lib/syscall-legacy.hc.

The patch makes the context an extra key of System V objects and gives it host names of its own; the
model gives it an IPC and a UTS namespace, which is the same to whoever looks from inside.
"""

from typing import Any

import msgspec

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import NsId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import clock
from simulator.machine.kernel import vserver as vx
from simulator.machine.kernel.context import LIFTED, Context
from simulator.machine.kernel.namespaces import make
from simulator.machine.kernel.net import address as ip
from simulator.machine.kernel.trap import Trap
from simulator.machine.syscalls import decode
from simulator.machine.syscalls.registry import linux_vserver_24

CITE = "util-vserver doc/intro.txt"
NEW, SAME = -1, -2
"""new_s_context(2): a number that nobody has, or the context that one is in."""


@linux_vserver_24("new_s_context")
def new_s_context(trap: Trap, ctx: int, remove_cap: int = 0, flags: Any = ()) -> int:
    """A new security context, or for root of context 0 any; the ceiling loses ``remove_cap``.

    ``flags``: ``lock``, ``sched``, ``nproc``, ``private``, ``fakeinit``. EPERM.
    """
    names = tuple(map(str, decode.sequence(flags, "flags"))) if flags else ()
    lifted = {name: 1 for name in names if name.startswith(LIFTED)}
    words = tuple(name for name in names if name not in lifted)
    mine = vx.of(trap)
    if vx.has_flag(mine, "lock"):
        trap.deny(
            Errno.EPERM,
            "context-visibility",
            N_("The context is locked: whoever is in it makes no other."),
            CITE,
        )
    if ctx != SAME:
        mine = _chosen(trap, ctx, mine)
        trap.update(context=mine.id)
    vx.put(
        trap.store, mine, flags=tuple(dict.fromkeys((*vx.words(mine, "flags"), *words))), **lifted
    )
    _lower(trap, remove_cap)
    return mine.number


def _chosen(trap: Trap, ctx: int, mine: Context) -> Context:
    """Root of context 0 takes the number it wants; anybody else gets one that is new."""
    if ctx == NEW:
        return _new(trap, vx.unused(trap.store, vx.XID))
    if mine.number != vx.HOST:
        trap.fail(Errno.EPERM, N_("Only the host's root chooses the number of a context."), CITE)
    trap.need(Privilege.NAMESPACE)
    if ctx == vx.SPECTATOR:
        return vx.spectator(trap, vx.XID)
    known = vx.lookup(trap.store, vx.XID, ctx)
    if known is None:
        return _new(trap, ctx)
    kept = trap.store.get(vx.Spaces, known.id)
    if kept is not None:
        ns = msgspec.structs.replace(trap.task.ns, uts=kept.ns.uts, ipc=kept.ns.ipc)
        trap.update(ns=ns)
    return known


def _new(trap: Trap, number: int) -> Context:
    row = vx.create(trap, vx.XID, number, flags=(), created=clock.monotonic(trap.store))
    ns = msgspec.structs.replace(
        trap.task.ns,
        uts=make.new_uts_ns(trap, NsId(trap.cred.user_ns)),
        ipc=make.new_ipc_ns(trap, NsId(trap.cred.user_ns)),
    )
    trap.update(ns=ns)
    trap.store.put(vx.Spaces(id=row.id, ns=ns, root=trap.task.root, cwd=trap.task.cwd))
    return row


def _lower(trap: Trap, remove_cap: int) -> None:
    """``cap_bset``: what is gone from the ceiling is gone from every set, set-uid or not."""
    if not remove_cap:
        return
    cred = trap.cred
    trap.update(
        cred=msgspec.structs.replace(
            cred,
            bounding=cred.bounding & ~remove_cap,
            permitted=cred.permitted & ~remove_cap,
            effective=cred.effective & ~remove_cap,
            inheritable=cred.inheritable & ~remove_cap,
        )
    )


@linux_vserver_24("set_ipv4root")
def set_ipv4root(trap: Trap, address: str, _broadcast: Any = None) -> int:
    """The one address of the caller and its children, for good. EPERM EINVAL."""
    if vx.network(trap).number != vx.HOST:
        trap.fail(Errno.EPERM, N_("The address has been chosen already, for good."), CITE)
    if ip.parse(address) is None:
        trap.fail(Errno.EINVAL, N_("This is no internet address."), CITE)
    row = vx.create(
        trap, vx.NID, vx.unused(trap.store, vx.NID), flags=("hide_netif", "single_ip"), ncaps=()
    )
    # 127.0.0.1 stays the machine's (doc/intro.txt, "chbind --ip eth0 telnet localhost")
    trap.store.put(msgspec.structs.replace(row, addresses=(address,), loopback="127.0.0.1"))
    trap.update(net_context=row.id)
    return 0

"""/dev/net/tun: an interface whose wire is a program.

The interface belongs to the network namespace in which the device was opened, and goes when its
last descriptor does. Source: drivers/net/tun.c (tun_set_iff), tuntap.rst.
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.call import Result, Returned, Value
from simulator.machine.abi.constants import IFF_TAP, IFF_TUN, S_IFCHR, TUNSETIFF
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import NsId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.fs import devices
from simulator.machine.kernel.namespace import NetNs
from simulator.machine.kernel.net import interface
from simulator.machine.kernel.trap import NotModelled
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.state.store import Row, Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_POINT_TO_POINT = 0x10
_CITE = "kernel Documentation/networking/tuntap.rst"


class Tunnel(Row, frozen=True, kw_only=True):
    """An open /dev/net/tun; ``id`` is the description's, ``interface`` what it was attached to."""

    ns: NsId
    interface: int | None = None


def _open(trap: "Trap", file: fds.File, _inode: Inode) -> fds.File:
    trap.store.put(Tunnel(id=file.id, ns=trap.task.ns.net))
    return file


def _read(trap: "Trap", file: fds.File, _count: int) -> bytes:
    _need_attached(trap, file)
    raise NotModelled("packets of a tunnel")


def _write(trap: "Trap", file: fds.File, _data: bytes) -> int:
    _need_attached(trap, file)
    raise NotModelled("packets of a tunnel")


def _need_attached(trap: "Trap", file: fds.File) -> None:
    if trap.store.row(Tunnel, file.id).interface is None:
        trap.fail(Errno.EBADFD, N_("No interface is attached to the descriptor."), _CITE)


def _ioctl(trap: "Trap", file: fds.File, request: int, argument: Value) -> Result | int:
    """TUNSETIFF with ``(name, flags)``. EBADFD EBUSY EEXIST EFAULT EINVAL EPERM."""
    tunnel = trap.store.row(Tunnel, file.id)
    if request != TUNSETIFF:
        _need_attached(trap, file)
        raise NotModelled("this request of a tunnel")
    if tunnel.interface is not None:
        trap.fail(Errno.EEXIST, N_("The descriptor has its interface already."), _CITE)
    if not isinstance(argument, (tuple, list)) or len(argument) != 2:
        trap.fail(Errno.EFAULT, "", "ioctl(2)")
    name, flags = str(argument[0])[:15], argument[1]
    kind = flags & (IFF_TUN | IFF_TAP) if isinstance(flags, int) else 0
    found = interface.named(trap.store, tunnel.ns, name)
    if found is not None:
        busy = found.kind == "tun"
        trap.fail(Errno.EBUSY if busy else Errno.EINVAL, N_("The name is taken."), _CITE)
    space = trap.store.row(NetNs, tunnel.ns)
    trap.need(Privilege.NET_CONFIG, space.owner)
    if not kind:
        trap.fail(Errno.EINVAL, N_("The interface is to be neither tun nor tap."), _CITE)
    made = interface.add(
        trap.store,
        tunnel.ns,
        interface.Link(
            _name(trap, tunnel.ns, name or ("tun%d" if kind & IFF_TUN else "tap%d")),
            "tun",
            flags=_POINT_TO_POINT | interface.IFF_NOARP | interface.IFF_MULTICAST,
        ),
        domain=space.domain,
    )
    trap.store.put(msgspec.structs.replace(tunnel, interface=int(made.id)))
    trap.touch("interface", made.domain, "write", made.name)
    return Returned(0, (made.name, flags))


def _name(trap: "Trap", ns: NsId, pattern: str) -> str:
    """dev_alloc_name(): the first number that is free in place of ``%d``."""
    number = 0
    while interface.named(trap.store, ns, pattern.replace("%d", str(number))) is not None:
        number += 1
    return pattern.replace("%d", str(number))


def _release(store: Store, file: fds.File) -> None:
    tunnel = store.row(Tunnel, file.id)
    made = store.get(interface.Interface, tunnel.interface) if tunnel.interface else None
    if made is not None:
        interface.remove(store, made)
    store.drop(Tunnel, file.id)


def register() -> None:
    """Answer for 10:200."""
    driver = devices.Driver(
        name="/dev/net/tun", read=_read, write=_write, open=_open, ioctl=_ioctl, release=_release
    )
    devices.register(S_IFCHR, 10, 200, driver)

"""Which addresses a container without a network of its own may use: the context's list.

A prison, a zone or a security context shares the machine's stack and has some of its addresses.
Any address then means one of those, and loopback the first (prison_local_ip4(),
prison_remote_ip4(); ``net/ipv4/af_inet.c`` of Linux-VServer).
"""

from simulator.machine.kernel.context import Context
from simulator.machine.kernel.net import address as ip
from simulator.machine.kernel.net import socket as sockets
from simulator.machine.kernel.net.socket import Socket
from simulator.machine.kernel.trap import Trap


def narrow(trap: Trap, family: int, text: str) -> str:
    """The local address that binding to ``text`` really means."""
    own = _own(trap, family)
    if not own or trap.family.traits.loopback_of_context:
        return text
    if ip.is_any(text):
        return own[0] if len(own) == 1 else text
    return _loopback(trap, own, text)


def shows(trap: Trap, text: str) -> bool:
    """Whether the caller is told of this address of an interface (prison_if())."""
    own = _own(trap, ip.family_of(text))
    if trap.family.traits.loopback_of_context:
        return True
    return not own or text in own


def remote(trap: Trap, text: str) -> str:
    """The remote address that connecting to ``text`` really means."""
    own = _own(trap, ip.family_of(text))
    if trap.family.traits.loopback_of_context:
        return text
    return _loopback(trap, own, text) if own else text


def source(trap: Trap, text: str) -> str:
    """The local address of a packet that the stack would send from ``text``."""
    own = _own(trap, ip.family_of(text))
    if trap.family.traits.loopback_of_context and ip.is_loopback(text):
        return text
    return text if not own or text in own else own[0]


def takes(trap: Trap, socket: Socket, text: str) -> int:
    """How well a socket on any address fits a packet to ``text``: 0 when it may not have it."""
    own = trap.store.row(Context, socket.context).addresses
    if trap.family.traits.loopback_of_context and (not own or ip.is_loopback(text)):
        return int(ip.is_loopback(text) or not _is_of_another(trap, socket, text))
    if not own:
        return 1
    return 2 if text in own else 0


def is_elsewhere(trap: Trap, socket: Socket, text: str) -> bool:
    """Whether a packet of the caller's to loopback address ``text`` never meets ``socket``."""
    own = trap.family.traits.loopback_of_context and ip.is_loopback(text)
    return own and socket.context != sockets.realm(trap)


def _is_of_another(trap: Trap, socket: Socket, text: str) -> bool:
    """Whether ``text`` is an address of a context that ``socket`` is not in."""
    return any(
        text in row.addresses and row.id != socket.context and not row.removed
        for row in trap.store.all(Context)
    )


def _loopback(trap: Trap, own: tuple[str, ...], text: str) -> str:
    """What ``text`` means if it is a loopback address: the context's own, or its first address."""
    if not ip.is_loopback(text) or text in own:
        return text
    own_loopback = trap.store.row(Context, sockets.tag(trap)).loopback
    return own_loopback if own_loopback and ":" not in text else own[0]


def _own(trap: Trap, family: int) -> tuple[str, ...]:
    addresses = trap.store.row(Context, sockets.tag(trap)).addresses
    return tuple(text for text in addresses if ip.family_of(text) == family)

"""Internet addresses as text, as a probe writes them, and the few sums they need."""

from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv6Address,
    IPv6Interface,
    ip_address,
    ip_interface,
)

from simulator.machine.abi.constants import AF_INET, AF_INET6

ANY = {AF_INET: "0.0.0.0", AF_INET6: "::"}
LOOPBACK = {AF_INET: "127.0.0.1", AF_INET6: "::1"}


@lru_cache(maxsize=1024)
def parse(text: str) -> IPv4Address | IPv6Address | None:
    """The address that ``text`` writes, or None."""
    try:
        return ip_address(text)
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def network(address: str, prefix: int) -> IPv4Interface | IPv6Interface:
    """``address`` with its network; a malformed one is a bug of the caller (ValueError)."""
    return ip_interface(f"{address}/{prefix}")


def family_of(text: str) -> int:
    """AF_INET6 for an address with a colon, else AF_INET."""
    return AF_INET6 if ":" in text else AF_INET


def within(text: str, address: str, prefix: int) -> bool:
    """Whether ``text`` lies in the network of ``address``/``prefix``."""
    if (":" in text) != (":" in address):
        return False
    found = parse(text)
    return found is not None and found in network(address, prefix).network


def is_any(text: str) -> bool:
    """0.0.0.0 or ::"""
    return text in ("", "0.0.0.0", "::")


def is_loopback(text: str) -> bool:
    """127.0.0.0/8 or ::1"""
    found = parse(text)
    return found is not None and found.is_loopback


def is_multicast(text: str) -> bool:
    """224.0.0.0/4 or ff00::/8"""
    found = parse(text)
    return found is not None and found.is_multicast


def unmap(text: str) -> str:
    """``::ffff:192.0.2.1`` as ``192.0.2.1``; any other address unchanged."""
    if not text.startswith("::ffff:"):
        return text
    found = parse(text)
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped) if mapped is not None else text


def netmask(prefix: int) -> str:
    """``24`` as ``255.255.255.0``."""
    return str(IPv4Address((0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF))


def prefix_of(mask: str) -> int | None:
    """``255.255.255.0`` as ``24``; None when the ones are not all on the left."""
    found = parse(mask)
    if not isinstance(found, IPv4Address):
        return None
    bits = f"{int(found):032b}"
    return bits.count("1") if "01" not in bits else None


def broadcast(address: str, prefix: int) -> str:
    """The broadcast address of ``address``'s network; empty for IPv6 and for /31 and /32."""
    net = network(address, prefix).network
    return str(net.broadcast_address) if net.version == 4 and prefix < 31 else ""


def link_local(mac: str) -> str:
    """The fe80:: address that an interface gives itself from its hardware address (EUI-64)."""
    octets = [int(part, 16) for part in mac.split(":")]
    octets[0] ^= 2
    eui = [*octets[:3], 0xFF, 0xFE, *octets[3:]]
    groups = [f"{eui[i] << 8 | eui[i + 1]:x}" for i in range(0, 8, 2)]
    return str(IPv6Address("fe80::" + ":".join(groups)))

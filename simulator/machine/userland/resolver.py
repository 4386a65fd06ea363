"""resolver(3): the addresses of a name, from /etc/hosts and from the servers of /etc/resolv.conf.

What a C library does inside a program: datagrams to port 53 of each nameserver, in the program's
own network namespace.
"""

import ipaddress
from typing import NamedTuple, cast

from simulator.machine.abi.constants import AF_INET, MSG_DONTWAIT, SOCK_DGRAM
from simulator.machine.userland import dns
from simulator.machine.userland.process import Process, SysError

PORT = 53
_LARGEST, _PEEK = 4096, 2
_LOCAL = "127.0.0.1"
_PAUSES = (100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 4_000_000_000)
"""Nanoseconds between looks for an answer: five seconds altogether (RES_TIMEOUT)."""


class Servers(NamedTuple):
    """resolv.conf(5)."""

    addresses: tuple[str, ...]
    search: tuple[str, ...] = ()
    ndots: int = 1


class Answer(NamedTuple):
    """What a server said: ``status`` is ``NOERROR``, ``NXDOMAIN`` ...; empty when nobody did."""

    server: str
    status: str
    addresses: tuple[str, ...] = ()


async def configured(sys: Process) -> Servers:
    """What /etc/resolv.conf says; without it a server on this machine."""
    servers: list[str] = []
    search: tuple[str, ...] = ()
    ndots = 1
    for line in (await sys.text_or_empty("/etc/resolv.conf")).splitlines():
        key, *values = line.split() or [""]
        if key == "nameserver" and values:
            servers.append(values[0])
        elif key in ("search", "domain"):
            search = tuple(values)
        for word in values if key == "options" else ():
            name, _, number = word.partition(":")
            ndots = int(number) if name == "ndots" and number.isdigit() else ndots
    return Servers(tuple(servers) or (_LOCAL,), search, ndots)


async def addresses(sys: Process, name: str) -> list[str]:
    """getaddrinfo(3) for IPv4: none when the name is unknown."""
    if numeric(name):
        return [name]
    return await from_hosts(sys, name) or await _asked(sys, name)


def numeric(name: str) -> bool:
    """Whether it is an IPv4 address already."""
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


async def from_hosts(sys: Process, name: str) -> list[str]:
    """Its IPv4 addresses in hosts(5)."""
    found: list[str] = []
    for line in (await sys.text_or_empty("/etc/hosts")).splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        if name in names and numeric(address):
            found.append(address)
    return found


async def _asked(sys: Process, name: str) -> list[str]:
    servers = await configured(sys)
    longer = [f"{name}.{suffix}" for suffix in servers.search if not name.endswith(".")]
    enough_dots = name.rstrip(".").count(".") >= servers.ndots
    for one in [name, *longer] if enough_dots else [*longer, name]:
        for server in servers.addresses:
            answer = await ask(sys, server, one)
            if answer.addresses:
                return list(answer.addresses)
            if answer.status in (dns.NOERROR, dns.NXDOMAIN):
                break
    return []


async def ask(sys: Process, server: str, name: str, kind: str = "A") -> Answer:
    """One question to one server."""
    number = await _number(sys)
    reply = dns.reply(await _exchanged(sys, server, dns.question(number, name, kind)), kind)
    if reply is None or reply.number != number:
        return Answer(server, "")
    return Answer(server, reply.status, reply.values)


async def _number(sys: Process) -> int:
    """A question's number by the clock, which every kernel has (musl, res_mkquery.c)."""
    _seconds, nanoseconds = cast("tuple[int, int]", await sys.data("clock_gettime", 0))
    return nanoseconds + nanoseconds // 65536 & 0xFFFF


async def _exchanged(sys: Process, server: str, query: bytes) -> bytes:
    """The server's datagram; empty when none came in time, or nobody listens there."""
    fd = await sys.value("socket", AF_INET, SOCK_DGRAM, 0)
    try:
        await sys.call("connect", fd, (server, PORT))
        await sys.value("sendto", fd, query, len(query), 0)
        for pause in _PAUSES:
            await sys.call("nanosleep", divmod(pause, 1_000_000_000))
            if await sys.succeeds("recvfrom", fd, 0, MSG_DONTWAIT | _PEEK):
                return await sys.data("recvfrom", fd, _LARGEST, MSG_DONTWAIT)
    except SysError:  # ECONNREFUSED, ENETUNREACH
        return b""
    finally:
        await sys.close(fd)
    return b""

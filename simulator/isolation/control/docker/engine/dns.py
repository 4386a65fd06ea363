"""The embedded name server: 127.0.0.11 inside a container's own network. moby ``libnetwork``.

``resolver.go``: a socket made inside the container's network namespace, served by the daemon
outside. It knows the containers of the user-defined networks that the container is on, by name,
alias and short id; other names go to the host's servers, unless all its networks are internal.
moby binds a random port and has the namespace's iptables lead port 53 there; here the socket is on
port 53 itself.
"""

from typing import TYPE_CHECKING

from simulator.isolation.control.docker.engine.container import Container
from simulator.isolation.control.docker.engine.networks import PREDEFINED
from simulator.isolation.control.docker.engine.sync import Bell, go, stop
from simulator.machine.abi.constants import (
    AF_INET,
    CLONE_NEWNET,
    O_CLOEXEC,
    O_RDONLY,
    SOCK_CLOEXEC,
    SOCK_DGRAM,
)
from simulator.machine.userland import dns, resolver
from simulator.machine.userland.process import Process, SysError

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

ADDRESS = "127.0.0.11"
_TTL = 600
_LARGEST = 4096
_REVERSE = ".in-addr.arpa"


def needed(container: Container) -> bool:
    """Whether it is on a network with names."""
    return any(name not in PREDEFINED for name in container.record.Networks)


async def serve(sys: Process, engine: "Engine", container: Container, pid: int) -> None:
    """Answer from now on what is asked in the network of the process ``pid``."""
    fd = await _socket(sys, pid)
    if fd < 0:
        return

    async def server(own: Process) -> None:
        while True:
            try:
                query, source = await own.data("recvmsg", fd, _LARGEST, 0)
            except SysError:  # the socket was closed
                return
            reply = await answer(own, engine, container, query)
            if reply:
                await own.succeeds("sendto", fd, reply, len(reply), 0, source)

    container.resolver = (await go(sys, server), fd)


async def _socket(sys: Process, pid: int) -> int:
    """A worker enters the network, makes the socket and is gone: descriptors are shared."""
    made: list[int] = []
    done = Bell()

    async def entering(own: Process) -> None:
        try:
            space = await own.open(f"/proc/{pid}/ns/net", O_RDONLY | O_CLOEXEC)
            await own.call("setns", space, CLONE_NEWNET)
            await own.close(space)
            fd = await own.value("socket", AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)
            await own.call("bind", fd, (ADDRESS, resolver.PORT))
            made.append(fd)
        except SysError:  # the container has ended already
            made.append(-1)
        await done.ring(own)

    await go(sys, entering)
    await done.until(sys, lambda: bool(made))
    return made[0]


async def end(sys: Process, container: Container) -> None:
    """The container has ended."""
    worker, fd = container.resolver
    container.resolver = (0, -1)
    if worker:
        await stop(sys, worker)
        await sys.succeeds("close", fd)


async def answer(sys: Process, engine: "Engine", container: Container, query: bytes) -> bytes:
    """The reply to a datagram; empty when it is no question."""
    asked = dns.asked(query)
    if asked is None:
        return b""
    if asked.kind == "PTR" and (owner := _owner(engine, container, asked.name)):
        return dns.answered(asked, dns.NOERROR, [owner], _TTL)
    found = addresses(engine, container, asked.name)
    if found:
        return dns.answered(asked, dns.NOERROR, found if asked.kind == "A" else [], _TTL)
    return await _forward(sys, engine, container, asked)


def addresses(engine: "Engine", container: Container, name: str) -> list[str]:
    """Who is called ``name`` on the networks of ``container``; a link's alias counts too."""
    for settings in container.record.Networks.values():
        network = engine.networks.all.get(settings.NetworkID)
        if network is None or network.Name in PREDEFINED:
            continue
        wanted = _linked(settings.Links, name)
        own = name.removesuffix(f".{network.Name}")
        found = [
            one.IPAddress
            for one in network.Endpoints.values()
            if one.IPAddress and {wanted, own} & set(one.DNSNames or ())
        ]
        if found:
            return found
    return []


def _linked(links: list[str] | None, name: str) -> str:
    for link in links or ():
        target, _, alias = link.partition(":")
        if name == (alias or target):
            return target
    return name


def _owner(engine: "Engine", container: Container, name: str) -> str:
    """``CONTAINER.NETWORK`` for ``4.3.2.1.in-addr.arpa``; empty when nobody has the address."""
    if not name.endswith(_REVERSE):
        return ""
    address = ".".join(reversed(name.removesuffix(_REVERSE).split(".")))
    for settings in container.record.Networks.values():
        network = engine.networks.all.get(settings.NetworkID)
        for one in network.Endpoints.values() if network is not None else ():
            if one.IPAddress == address and one.DNSNames and network is not None:
                return f"{one.DNSNames[0]}.{network.Name}"
    return ""


async def _forward(
    sys: Process, engine: "Engine", container: Container, asked: dns.Question
) -> bytes:
    """Ask the host's servers, in the host's network; without an answer SERVFAIL.

    A container without a way out gets no outside names (``ProxyDNS`` off); a name without a dot is
    never asked for outside.
    """
    ways = [engine.networks.all.get(one.NetworkID) for one in container.record.Networks.values()]
    outside = any(one is not None and not one.Internal for one in ways)
    if "." not in asked.name or not outside or asked.kind not in ("A", "AAAA"):
        return dns.answered(asked, dns.NXDOMAIN, [], _TTL)
    servers = container.host.Dns or (await resolver.configured(sys)).addresses
    for server in servers:
        told = await resolver.ask(sys, server, asked.name, asked.kind)
        if told.status:
            return dns.answered(asked, told.status, list(told.addresses), _TTL)
    return dns.answered(asked, dns.SERVFAIL, [], _TTL)

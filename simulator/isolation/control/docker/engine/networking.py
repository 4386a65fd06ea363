"""A container on its networks: addresses, cables, names.

moby ``container_operations.go``.
"""

from typing import TYPE_CHECKING, Any

from simulator.isolation.control.docker.api.errors import ApiError, BadRequest, Conflict, Forbidden
from simulator.isolation.control.docker.engine import dns, publishing
from simulator.isolation.control.docker.engine.config import EndpointSettings
from simulator.isolation.control.docker.engine.container import Container
from simulator.isolation.control.docker.engine.ids import new_id
from simulator.isolation.control.docker.engine.networks import Network, veth
from simulator.isolation.mechanisms.container_files import ContainerFiles
from simulator.isolation.mechanisms.endpoints import Endpoint, Endpoints
from simulator.isolation.mechanisms.joined import Joined
from simulator.isolation.technologies.base import Technology, drop, put
from simulator.machine.abi.constants import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    O_CLOEXEC,
    O_RDONLY,
    O_TRUNC,
    O_WRONLY,
)
from simulator.machine.userland.process import Process, SysError

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

_HOST = "container cannot be disconnected from host network or connected to host network"
_LOCALHOST = "127.0.0.1\tlocalhost\n"


async def allocate(sys: Process, engine: "Engine", container: Container) -> None:
    """An endpoint on every network that it is to be on."""
    for name, wanted in list(container.record.Networks.items()):
        network = engine.networks.find(wanted.NetworkID or name)
        got = engine.networks.allocate(network, container, wanted, await new_id(sys))
        container.record.Networks[name] = got
        await _tell(sys, engine, network, container, "connect")
    publishing.choose_ports(engine, container)


async def release(sys: Process, engine: "Engine", container: Container) -> None:
    """Its endpoints are gone; what was asked for stays for the next start."""
    for name, got in list(container.record.Networks.items()):
        network = engine.networks.all.get(got.NetworkID)
        if network is None or container.id not in network.Endpoints:
            continue
        if network.Bridge:
            await sys.succeeds("@netlink", {"do": "delete", "name": veth(got)})
        engine.networks.release(got.NetworkID, container)
        container.record.Networks[name] = EndpointSettings(
            IPAMConfig=got.IPAMConfig, Links=got.Links, Aliases=got.Aliases,
            DriverOpts=got.DriverOpts, NetworkID=got.NetworkID, DNSNames=got.DNSNames,
        )  # fmt: skip
        await _tell(sys, engine, network, container, "disconnect")
    container.record.Ports = {}


async def _tell(
    sys: Process, engine: "Engine", network: Network, container: Container, action: str
) -> None:
    attributes = {"container": container.id, "name": network.Name, "type": network.Driver}
    await engine.events.emit(sys, "network", action, network.Id, attributes)


async def walls(
    sys: Process, engine: "Engine", container: Container, technology: Technology
) -> Technology:
    """The network part of a container's launch."""
    cables: list[Endpoint] = []
    for got in container.record.Networks.values():
        if got.IPAddress:
            cables.append(engine.networks.cable(got, len(cables)))
    if cables:
        technology = put(technology, Endpoints(tuple(cables)))
    joined: list[tuple[str, int, int]] = []
    for mode, kind, flag, wall in (
        (container.host.NetworkMode, "net", CLONE_NEWNET, "net-ns"),
        (container.host.IpcMode, "ipc", CLONE_NEWIPC, "ipc-ns"),
    ):
        if mode.startswith("container:"):
            other = engine.find(mode.partition(":")[2])
            if not other.state.Running:
                what = "network" if kind == "net" else "IPC"
                raise Conflict(f"cannot join {what} of a non running container: {other.id}")
            if kind == "ipc" and other.host.IpcMode not in ("shareable", "host"):
                raise BadRequest(
                    f"container {other.id}: non-shareable IPC (hint: use IpcMode:shareable for the"
                    " donor container)"
                )
            technology = drop(technology, wall, share=True)
            joined.append((kind, other.state.Pid, flag))
    if container.host.PidMode.startswith("container:"):
        technology = drop(technology, "pid-ns", share=True)
    if joined:
        technology = put(technology, Joined(tuple(joined)))
    return put(
        technology,
        ContainerFiles(hosts=hosts(engine, container), resolver=await resolver(sys, container)),
    )


def hosts(engine: "Engine", container: Container) -> str:
    """/etc/hosts, with the links of the default bridge. Raises ``Conflict``."""
    text = _LOCALHOST
    text += "::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n"
    text += "ff00::0\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n"
    for extra in container.host.ExtraHosts or []:
        name, _, address = extra.partition("=" if "=" in extra else ":")
        if address == "host-gateway":
            address = "172.17.0.1"
        text += f"{address}\t{name}\n"
    name, domain = container.config.Hostname, container.config.Domainname
    own = f"{name}.{domain} {name}" if domain else name
    for got in container.record.Networks.values():
        if got.IPAddress:
            text += f"{got.IPAddress}\t{own}\n"
    on_bridge = container.host.NetworkMode == "bridge"
    return text + "".join(
        _link(engine, container, one) for one in (container.host.Links or ()) if on_bridge
    )


def _link(engine: "Engine", container: Container, text: str) -> str:
    """A line for ``NAME[:ALIAS]``: how a container of the default bridge finds another."""
    target, _, alias = text.partition(":")
    other = engine.find(target)
    alias = alias or other.name
    got = other.record.Networks.get("bridge")
    if not other.state.Running or got is None or not got.IPAddress:
        raise Conflict(
            f"Cannot link to a non running container: /{other.name} AS /{container.name}/{alias}"
        )
    names = dict.fromkeys((alias, other.config.Hostname, other.name))
    return f"{got.IPAddress}\t{' '.join(names)}\n"


async def resolver(sys: Process, container: Container) -> str:
    """/etc/resolv.conf: the embedded server on a network of one's own, else the host's servers."""
    host = container.host
    own = any(got.DNSNames for got in container.record.Networks.values())
    if own:
        text = "nameserver 127.0.0.11\n"
    elif host.Dns:
        text = "".join(f"nameserver {server}\n" for server in host.Dns)
    else:
        text = await sys.text_or_empty("/etc/resolv.conf") or "nameserver 192.0.2.1\n"
    if host.DnsSearch:
        text += f"search {' '.join(host.DnsSearch)}\n"
    options = list(host.DnsOptions or []) + (["ndots:0"] if own else [])
    if options:
        text += f"options {' '.join(options)}\n"
    return text


# -- connecting while it runs


async def connect(
    sys: Process, engine: "Engine", container: Container, network: Network, wanted: EndpointSettings
) -> None:
    """One network more. Raises ``Forbidden``, ``BadRequest``, ``Conflict``."""
    names = container.record.Networks
    if container.host.NetworkMode == "host" or network.Driver == "host":
        raise BadRequest(_HOST)
    if network.Name in names and (container.id in network.Endpoints or not container.state.Running):
        raise Forbidden(
            f"endpoint with name {container.name} already exists in network {network.Name}"
        )
    if names and "none" in {network.Name, *names} and network.Name not in names:
        raise BadRequest(
            "container cannot be connected to multiple networks with one of the networks in"
            " private (none) mode"
        )
    if network.Name == "bridge" and wanted.IPAMConfig and wanted.IPAMConfig.IPv4Address:
        raise BadRequest(
            "invalid endpoint settings:\nuser specified IP address is supported on user defined"
            " networks only"
        )
    if not container.state.Running:
        wanted.NetworkID = network.Id
        names[network.Name] = wanted
        await engine.save(sys, container)
        return
    got = engine.networks.allocate(network, container, wanted, await new_id(sys))
    number = sum(1 for one in names.values() if one.IPAddress)
    names[network.Name] = got
    if network.Bridge:
        cable = engine.networks.cable(got, number)
        message: Any = {
            "do": "veth",
            "name": cable.outside,
            "peer": cable.inside,
            "master": cable.bridge,
            "pid": container.state.Pid,
            "mac": cable.mac,
        }
        await sys.call("@netlink", message)
        await _inside(
            sys,
            container.state.Pid,
            [
                {"do": "address", "name": cable.inside, "address": cable.address,
                 "prefix": cable.prefix},
                {"do": "set", "name": cable.inside, "up": 1},
            ],
        )  # fmt: skip
    await _files_again(sys, engine, container)
    await engine.save(sys, container)
    await _tell(sys, engine, network, container, "connect")


async def _files_again(sys: Process, engine: "Engine", container: Container) -> None:
    """/etc/hosts and /etc/resolv.conf after a change, and the name server once there is need.

    They are written in place: the container has these very files mounted.
    """
    for name, text in (
        ("hosts", hosts(engine, container)),
        ("resolv.conf", await resolver(sys, container)),
    ):
        fd = await sys.open(f"{container.root}/{name}", O_WRONLY | O_TRUNC | O_CLOEXEC)
        await sys.write(fd, text.encode())
        await sys.close(fd)
    if dns.needed(container) and not container.resolver[0]:
        await dns.serve(sys, engine, container, container.state.Pid)


async def _inside(sys: Process, pid: int, messages: list[Any]) -> None:
    """Messages of a process that enters the container's network for it."""

    async def entered(own: Process) -> int:
        fd = await own.open(f"/proc/{pid}/ns/net", O_RDONLY | O_CLOEXEC)
        await own.call("setns", fd, CLONE_NEWNET)
        for message in messages:
            await own.call("@netlink", message)
        return 0

    done, tell = await sys.data("pipe2", O_CLOEXEC)

    async def body(own: Process) -> int:
        try:
            return await entered(own)
        except SysError:
            return 1

    await sys.spawn(body)
    await sys.close(tell)
    await sys.read(done, 1)  # its copy of the other end goes when it ends
    await sys.close(done)


async def disconnect(
    sys: Process, engine: "Engine", container: Container, network: Network
) -> None:
    """One network less. Raises ``Forbidden``, ``BadRequest``."""
    if container.host.NetworkMode == "host":
        raise BadRequest(_HOST)
    got = container.record.Networks.get(network.Name)
    if got is None:
        the = "" if container.state.Running else "the "
        raise ApiError(f"container {container.id} is not connected to {the}network {network.Name}")
    del container.record.Networks[network.Name]
    if container.state.Running and network.Bridge:
        await sys.succeeds("@netlink", {"do": "delete", "name": veth(got)})
        engine.networks.release(network.Id, container)
        await _files_again(sys, engine, container)
        # moby tells it twice: tryDetachContainerFromClusterNetwork(), then DisconnectFromNetwork()
        await _tell(sys, engine, network, container, "disconnect")
    await _tell(sys, engine, network, container, "disconnect")
    await engine.save(sys, container)

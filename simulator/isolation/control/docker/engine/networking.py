"""A container on its networks: addresses, cables, names, published ports.

moby ``container_operations.go``.
"""

import ipaddress
from typing import TYPE_CHECKING, Any

from simulator.isolation.control.docker.api.errors import ApiError, BadRequest, Conflict, Forbidden
from simulator.isolation.control.docker.engine import dns, firewall
from simulator.isolation.control.docker.engine.config import EndpointSettings, PortBinding
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
    F_SETFD,
    O_CLOEXEC,
    O_RDONLY,
    O_TRUNC,
    O_WRONLY,
    SIGTERM,
)
from simulator.machine.userland.process import Process, SysError

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

_FIRST_EPHEMERAL = 49153
_HOST = "container cannot be disconnected from host network or connected to host network"
_PARENT = 3
"""Where a docker-proxy says whether it listens (moby ``portmapper/proxy_linux.go``)."""
_LOCALHOST = "127.0.0.1\tlocalhost\n"


async def allocate(sys: Process, engine: "Engine", container: Container) -> None:
    """An endpoint on every network that it is to be on."""
    for name, wanted in list(container.record.Networks.items()):
        network = engine.networks.find(wanted.NetworkID or name)
        got = engine.networks.allocate(network, container, wanted, await new_id(sys))
        container.record.Networks[name] = got
        await _tell(sys, engine, network, container, "connect")
    _check_ports(engine, container)


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


# -- published ports


def wanted_ports(container: Container) -> list[tuple[str, PortBinding]]:
    """``80/tcp`` and where it is to be published, one each."""
    found: list[tuple[str, PortBinding]] = []
    bindings = container.host.PortBindings or {}
    for port, places in bindings.items():
        for place in places or [PortBinding()]:
            found.append((port, place))
    if container.host.PublishAllPorts:
        found += [
            (p, PortBinding()) for p in container.config.ExposedPorts or {} if p not in bindings
        ]
    return found


def _with_kind(port: str) -> str:
    """``80`` is ``80/tcp`` (nat.Port)."""
    return port if "/" in port else f"{port}/tcp"


def _check_ports(engine: "Engine", container: Container) -> None:
    """Choose host ports, and refuse one that another container has."""
    taken = {
        (place["HostPort"], port.partition("/")[2])
        for one in engine.containers.values()
        if one.state.Running
        for port, places in one.record.Ports.items()
        for place in places or []
    }
    ports: dict[str, list[dict[str, str]] | None] = {
        _with_kind(port): None for port in container.config.ExposedPorts or {}
    }
    if container.host.NetworkMode == "host" or not any(
        got.IPAddress for got in container.record.Networks.values()
    ):
        container.record.Ports = {}
        return
    for port, place in wanted_ports(container):
        kind = port.partition("/")[2] or "tcp"
        number = place.HostPort
        first, dash, last = number.partition("-")
        if not number or number == "0" or dash:
            free = int(first) if dash else _FIRST_EPHEMERAL
            while (str(free), kind) in taken and (not dash or free < int(last)):
                free += 1
            number = str(free)
        if (number, kind) in taken:
            address = place.HostIp or "0.0.0.0"
            raise ApiError(
                f"driver failed programming external connectivity on endpoint {container.name} ("
                f"{next(iter(container.record.Networks.values())).EndpointID}): Bind for"
                f" {address}:{number} failed: port is already allocated"
            )
        taken.add((number, kind))
        key = _with_kind(port)
        listed = ports.get(key) or []
        hosts_ = [place.HostIp] if _is_address(place.HostIp) else ["0.0.0.0", "::"]
        listed += [{"HostIp": one, "HostPort": number} for one in hosts_]
        ports[key] = listed
    container.record.Ports = ports


def _is_address(text: str) -> bool:
    """net.ParseIP(): for anything else the port is published everywhere."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


async def publish(sys: Process, engine: "Engine", container: Container) -> None:
    """Rules and a docker-proxy for each published port. Raises ``ApiError`` if it cannot listen."""
    got = next((g for g in container.record.Networks.values() if g.IPAddress), None)
    for port, places in container.record.Ports.items():
        inner, _, kind = port.partition("/")
        for place in places or []:
            if got is None or kind not in ("tcp", "udp") or ":" in place["HostIp"]:
                continue
            bridge = engine.networks.all[got.NetworkID].Bridge
            rules = firewall.of_port(bridge, got.IPAddress, port, place)
            container.port_rules += rules
            words = ["docker-proxy", "-proto", kind, "-host-ip", place["HostIp"]]
            words += ["-host-port", place["HostPort"], "-container-ip", got.IPAddress]
            words += ["-container-port", inner]
            pid, why = await _proxy(sys, words)
            container.proxies.append(pid)
            if why:
                raise ApiError(
                    "driver failed programming external connectivity on endpoint"
                    f" {container.name} ({got.EndpointID}): failed to bind port"
                    f" {place['HostIp']}:{place['HostPort']}/{kind}:"
                    f" Error starting userland proxy: {why}"
                )
            await firewall.open_port(sys, rules)


async def _proxy(sys: Process, words: list[str]) -> tuple[int, str]:
    """Its number, and why it does not listen; empty when it does."""
    heard, tell = await sys.data("pipe2", O_CLOEXEC)

    async def body(own: Process) -> int:
        if tell != _PARENT:
            await own.call("dup2", tell, _PARENT)
        await own.call("fcntl", _PARENT, F_SETFD, 0)
        await own.call("close_range", _PARENT + 1, 0x7FFFFFFF, 0)
        await own.execve("/usr/sbin/docker-proxy", words, {"PATH": "/usr/sbin:/usr/bin"})
        return 127

    pid = await sys.spawn(body)
    await sys.close(tell)
    said = (await sys.drain(heard)).decode()
    return pid, "" if said.startswith("0\n") else said.removeprefix("1\n")


async def unpublish(sys: Process, container: Container) -> None:
    """Its ports are closed."""
    for pid in container.proxies:
        await sys.succeeds("kill", pid, SIGTERM)
    container.proxies.clear()
    await firewall.close_port(sys, container.port_rules)
    container.port_rules.clear()

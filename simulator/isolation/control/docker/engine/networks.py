"""Networks: bridges of the host, the addresses on them, and who is on each. moby libnetwork.

A bridge network is a bridge interface with the network's gateway; a container's endpoint is a veth
pair from it. Networks are kept in ``network/networks.json`` (moby: a boltdb beside it).
"""

import contextlib
import ipaddress
from typing import TYPE_CHECKING, Any

import msgspec

from simulator.isolation.control.docker.api.errors import (
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
)
from simulator.isolation.control.docker.engine import files, firewall, times
from simulator.isolation.control.docker.engine.config import EndpointSettings
from simulator.isolation.control.docker.engine.files import Kept
from simulator.isolation.mechanisms.endpoints import Endpoint
from simulator.machine.userland.process import Process, SysError

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.container import Container

KEPT = "/var/lib/docker/network/networks.json"
PREDEFINED = ("bridge", "host", "none")
_POOL = (
    *(f"172.{second}.0.0/16" for second in range(18, 32)),
    *(f"192.168.{third}.0/20" for third in range(0, 256, 16)),
)
"""Where a network without a subnet gets one (libnetwork ``ipamutils`` local scope)."""


class Network(msgspec.Struct):
    """One network, with the endpoints on it by container id."""

    Name: str
    Id: str
    Created: str
    Driver: str
    Subnet: str = ""
    Gateway: str = ""
    IPRange: str = ""
    AuxiliaryAddresses: dict[str, str] = {}
    Internal: bool = False
    Attachable: bool = False
    EnableIPv6: bool = False
    Options: dict[str, str] = {}
    Labels: dict[str, str] = {}
    IPAM: dict[str, Any] = {}
    Chosen: bool = True
    """Whether its user named its subnet, rather than the daemon."""
    Bridge: str = ""
    Endpoints: dict[str, EndpointSettings] = {}


class Networks:
    """Every network."""

    def __init__(self) -> None:
        self.all: dict[str, Network] = {}
        self._kept = Kept()

    async def load(self, sys: Process, new_id: Any) -> None:
        """Read what is kept, make the three that are always there, and the bridges."""
        await files.make(sys, "/var/lib/docker/network", 0o750)
        kept = await files.load(sys, KEPT, list[Network]) or []
        self.all = {one.Id: one for one in kept}
        for one in self.all.values():
            one.Endpoints = {}
        created = times.rfc3339(await times.now(sys))
        there = {one.Name for one in kept}
        for name, driver in (("bridge", "bridge"), ("host", "host"), ("none", "null")):
            if name not in there:
                made = Network(Name=name, Id=await new_id(sys), Created=created, Driver=driver)
                if driver == "bridge":
                    made.Subnet, made.Gateway = "172.17.0.0/16", "172.17.0.1"
                    made.Bridge = "docker0"
                    made.IPAM = ipam("default", made)
                    made.Options = dict(_DEFAULT_BRIDGE)
                else:
                    made.IPAM = {"Driver": "default", "Options": None, "Config": None}
                self.all[made.Id] = made
        await firewall.begin(sys)
        for one in self.all.values():
            await self._bridge(sys, one)
        await self.save(sys)

    async def save(self, sys: Process) -> None:
        """Write them to disk."""
        await self._kept.save(sys, KEPT, lambda: list(self.all.values()))

    async def _bridge(self, sys: Process, network: Network) -> None:
        if network.Bridge:
            size = ipaddress.ip_network(network.Subnet).prefixlen
            message: Any = {"do": "bridge", "name": network.Bridge}
            message |= {"address": network.Gateway, "prefix": size}
            await sys.succeeds("@netlink", message)
            await firewall.open_network(sys, network)

    def find(self, term: str) -> Network:
        """By id, name or the beginning of an id. Raises ``NotFound``, ``BadRequest``."""
        if term in self.all:
            return self.all[term]
        named = [one for one in self.all.values() if one.Name == term]
        if len(named) > 1:
            raise BadRequest(f"network {term} is ambiguous ({len(named)} matches found on name)")
        if named:
            return named[0]
        begun = [one for one in self.all.values() if term and one.Id.startswith(term)]
        if len(begun) > 1:
            raise BadRequest(
                f"network {term} is ambiguous ({len(begun)} matches found based on ID prefix)"
            )
        if not begun:
            raise NotFound(f"network {term} not found")
        return begun[0]

    async def create(self, sys: Process, ident: str, asked: Network) -> Network:
        """A new network. Raises ``Conflict``, ``Forbidden``, ``NotFound``, ``BadRequest``."""
        # Nobody else may choose a name or addresses between here and the entry in ``all``
        asked.Created = times.rfc3339(await times.now(sys))
        if not asked.Name.strip():
            raise BadRequest(f"invalid name: {asked.Name}")
        if asked.Name in PREDEFINED or asked.Name == "default":
            raise Forbidden(f"operation is not permitted on predefined {asked.Name} network ")
        if any(one.Name == asked.Name for one in self.all.values()):
            raise Conflict(f"network with name {asked.Name} already exists")
        if asked.Driver in ("host", "null"):
            raise Forbidden(f'only one instance of "{asked.Driver}" network is allowed')
        if asked.Driver != "bridge":
            raise NotFound(
                f"could not find plugin {asked.Driver} in v1 plugin registry: plugin not found"
            )
        _verify(asked)
        # What inspect shows is what was asked for; only a pool of the daemon's own is told whole.
        asked.Chosen = bool(asked.Subnet)
        shown = asked if asked.Chosen else None
        options = asked.IPAM.get("Options")
        if shown is not None:
            asked.IPAM = ipam("default", asked, options)
        self._choose_addresses(asked)
        if shown is None:
            asked.IPAM = ipam("default", asked, options)
        asked.Id = ident
        asked.Bridge = asked.Options.get("com.docker.network.bridge.name") or f"br-{ident[:12]}"
        self.all[ident] = asked
        try:
            await self.save(sys)
        except SysError:
            del self.all[ident]
            raise
        await self._bridge(sys, asked)
        return asked

    def _choose_addresses(self, asked: Network) -> None:
        used = [ipaddress.ip_network(one.Subnet) for one in self.all.values() if one.Subnet]
        if asked.Subnet:
            wanted = ipaddress.ip_network(asked.Subnet)
            if any(wanted.overlaps(other) for other in used):
                raise Forbidden("Pool overlaps with other one on this address space")
        else:
            free = (ipaddress.ip_network(text) for text in _POOL)
            wanted = next((n for n in free if not any(n.overlaps(o) for o in used)), None)
            if wanted is None:
                raise ApiError("all predefined address pools have been fully subnetted", 400)
            asked.Subnet = str(wanted)
        if not asked.Gateway:
            asked.Gateway = str(wanted.network_address + 1)

    async def remove(self, sys: Process, network: Network) -> None:
        """Remove one. Raises ``Forbidden`` for a predefined one or one that is in use."""
        if network.Name in PREDEFINED:
            raise Forbidden(f"{network.Name} is a pre-defined network and cannot be removed")
        if network.Endpoints:
            raise Forbidden(
                f"error while removing network: network {network.Name} id {network.Id} has"
                " active endpoints"
            )
        del self.all[network.Id]
        if network.Bridge:
            await firewall.close_network(sys, network)
            await sys.succeeds("@netlink", {"do": "delete", "name": network.Bridge})
        with contextlib.suppress(SysError):  # it is gone, whatever a full disk says
            await self.save(sys)

    # -- endpoints

    def allocate(
        self, network: Network, container: "Container", wanted: EndpointSettings, ident: str
    ) -> EndpointSettings:
        """Put ``container`` on ``network``: what it got. Raises ``BadRequest``, ``Forbidden``."""
        got = EndpointSettings(
            IPAMConfig=wanted.IPAMConfig,
            Links=wanted.Links,
            Aliases=wanted.Aliases,
            DriverOpts=wanted.DriverOpts,
            NetworkID=network.Id,
            EndpointID=ident,
        )
        if network.Driver == "bridge":
            subnet = ipaddress.ip_network(network.Subnet)
            got.IPAddress = str(self._address(network, wanted))
            got.IPPrefixLen = subnet.prefixlen
            got.Gateway = "" if network.Internal else network.Gateway
            got.MacAddress = wanted.MacAddress or _mac(got.IPAddress)
        if network.Name not in PREDEFINED:
            names = [container.name, *(wanted.Aliases or []), container.id[:12]]
            if container.config.Hostname:
                names.append(container.config.Hostname)
            got.DNSNames = list(dict.fromkeys(names))
        network.Endpoints[container.id] = got
        return got

    def _address(self, network: Network, wanted: EndpointSettings) -> ipaddress.IPv4Address:
        subnet = ipaddress.ip_network(network.Subnet)
        taken = {one.IPAddress for one in network.Endpoints.values()} | {network.Gateway}
        taken |= set(network.AuxiliaryAddresses.values())
        asked = wanted.IPAMConfig.IPv4Address if wanted.IPAMConfig else ""
        if asked:
            try:
                address = ipaddress.IPv4Address(asked)
            except ValueError:
                raise BadRequest(f"invalid IPv4 address: {asked}") from None
            if not network.Chosen:
                raise BadRequest(
                    "user specified IP address is supported only when connecting to networks with"
                    " user configured subnets"
                )
            if address not in subnet:
                raise BadRequest(f"no configured subnet or ip-range contain the IP address {asked}")
            if asked in taken:
                raise Forbidden("Address already in use")
            return address
        pool = ipaddress.ip_network(network.IPRange) if network.IPRange else subnet
        for address in pool.hosts():
            if str(address) not in taken:
                return address  # type: ignore[return-value]
        raise ApiError("no available IPv4 addresses on this network's address pools")

    def release(self, network_id: str, container: "Container") -> None:
        """Take ``container`` off a network."""
        network = self.all.get(network_id)
        if network is not None:
            network.Endpoints.pop(container.id, None)

    def cable(self, got: EndpointSettings, number: int) -> Endpoint:
        """The launch's words for an endpoint: the container's interface ``eth<number>``."""
        return Endpoint(
            outside=veth(got),
            inside=f"eth{number}",
            bridge=self.all[got.NetworkID].Bridge,
            address=got.IPAddress,
            prefix=got.IPPrefixLen,
            gateway=got.Gateway,
            mac=got.MacAddress,
        )


def veth(got: EndpointSettings) -> str:
    """The name of the host's end of an endpoint."""
    return f"veth{got.EndpointID[:7]}"


def ipam(driver: str, network: Network, options: dict[str, str] | None = None) -> dict[str, Any]:
    """The IPAM part of what inspect shows; ``options`` are the address driver's."""
    one: dict[str, Any] = {"Subnet": network.Subnet}
    if network.IPRange:
        one["IPRange"] = network.IPRange
    if network.Gateway:
        one["Gateway"] = network.Gateway
    if network.AuxiliaryAddresses:
        one["AuxiliaryAddresses"] = network.AuxiliaryAddresses
    return {"Driver": driver, "Options": options, "Config": [one]}


def _verify(asked: Network) -> None:
    """ValidateIPAM() (moby ``api/types/network/ipam.go``). Raises ``BadRequest`` with all of it."""
    if not asked.Subnet:
        return
    wrong: list[str] = []
    subnet = _block(asked.Subnet)
    if subnet is None:
        wrong.append(f"invalid subnet {asked.Subnet}: invalid CIDR block notation")
    else:
        if str(subnet) != asked.Subnet:
            wrong.append(f"invalid subnet {asked.Subnet}: it should be {subnet}")
        wrong += _wrong_range(asked.IPRange, subnet)
        places = [("gateway", asked.Gateway, asked.Gateway)]
        places += [("auxiliary address", *one) for one in asked.AuxiliaryAddresses.items()]
        for what, name, text in places:
            why = _wrong_address(text, subnet)
            if why:
                wrong.append(f"invalid {what} {name}: {why}")
    if wrong:
        told = wrong[0] if len(wrong) == 1 else "* " + "\n* ".join(wrong)
        raise BadRequest(f"invalid network config:\n{told}")


def _block(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None


def _wrong_range(text: str, subnet: ipaddress.IPv4Network | ipaddress.IPv6Network) -> list[str]:
    if not text:
        return []
    begun = f"invalid ip-range {text}: "
    block = _block(text)
    if block is None:
        return [f"{begun}invalid CIDR block notation"]
    if block.version != subnet.version:
        return [f"{begun}parent subnet is an IPv{subnet.version} block"]
    wrong: list[str] = []
    if block.prefixlen < subnet.prefixlen:
        wrong.append(f"{begun}CIDR block is bigger than its parent subnet {subnet}")
    if str(block) != text:
        wrong.append(f"{begun}it should be {block}")
    if not subnet.overlaps(block):
        wrong.append(f"{begun}parent subnet {subnet} doesn't contain ip-range")
    return wrong


def _wrong_address(text: str, subnet: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
    if not text:
        return ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "invalid address"
    if address.version != subnet.version:
        return f"parent subnet is an IPv{subnet.version} block"
    return "" if address in subnet else f"parent subnet {subnet} doesn't contain this address"


def _mac(address: str) -> str:
    return "02:42:" + ":".join(f"{int(part):02x}" for part in address.split("."))


_DEFAULT_BRIDGE = {
    "com.docker.network.bridge.default_bridge": "true",
    "com.docker.network.bridge.enable_icc": "true",
    "com.docker.network.bridge.enable_ip_masquerade": "true",
    "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
    "com.docker.network.bridge.name": "docker0",
    "com.docker.network.driver.mtu": "1500",
}

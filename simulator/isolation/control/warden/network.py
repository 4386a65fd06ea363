"""net HANDLE in and net HANDLE out. Source: root/linux/skeleton/net.sh, features/net.rb."""

from typing import Any

from simulator.isolation.control.warden.state import Container, every
from simulator.isolation.control.warden.wire import WardenError
from simulator.machine.kernel.net import address as ip
from simulator.machine.userland.process import Process

_FIRST_PORT = 61_001
"""Past the ephemeral ports (config.rb, port_defaults)."""


async def net_in(container: Container, host_port: int | None, own_port: int | None) -> Any:
    """Forward a port of the host; the two numbers."""
    container.need("active")
    if host_port is None:
        host_port = await _free_port(container)
    own_port = own_port or host_port
    _host, own = container.addresses
    rule: dict[str, Any] = {
        "table": "nat", "chain": "PREROUTING", "target": "DNAT", "protocol": "tcp",
        "port": host_port, "to": [own, own_port], "granted": True,
    }  # fmt: skip
    await _add(container, rule, "append")
    container.snapshot.resources.setdefault("net_in", []).append([host_port, own_port])
    await container.save()
    return {"host_port": host_port, "container_port": own_port}


async def _free_port(container: Container) -> int:
    taken = {
        pair[0]
        for one in await every(container.sys, container.config)
        for pair in one.snapshot.resources.get("net_in", [])
    }
    return next(port for port in range(_FIRST_PORT, 65_001) if port not in taken)


async def net_out(container: Container, target: str) -> str:
    """Let the container reach ``ADDRESS[/MASK][:PORT]``."""
    container.need("active")
    network, _colon, port = target.partition(":")
    if not network and not port:
        raise WardenError("Please specify network, port, and/or port_range.")
    if (network and ip.parse(network.partition("/")[0]) is None) or not (port or "0").isdigit():
        # net.sh hands it to iptables, which does not know the name.
        raise WardenError("command exited with failure")
    interface = f"w-{container.snapshot.container_id}-0"
    rule: dict[str, Any] = {
        "chain": "FORWARD", "target": "ACCEPT", "inward": interface, "destination": network,
        "port": int(port or 0), "granted": True,
    }  # fmt: skip
    await _add(container, rule, "insert")
    container.snapshot.resources.setdefault("net_out", []).append(target)
    await container.save()
    return "ok"


async def _add(container: Container, rule: dict[str, Any], do: str) -> None:
    sys: Process = container.sys
    await sys.call("@filter", {**rule, "do": do})
    container.snapshot.resources.setdefault("rules", []).append(rule)

"""Packet filter rules against a whole pool of containers: nothing to the host, nothing across."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="pool-firewall",
    title=N_("firewall of the pool"),
    hides=frozenset({"port"}),
    walls=frozenset({"packet-filter"}),
    cite="iptables(8)",
)


@dataclass(frozen=True, slots=True)
class PoolFirewall:
    """``pool`` is the containers' network; ``allowed`` (network, port) that they may reach.

    Warden root/linux/net.sh: ``block-traffic-to-host`` in INPUT, ``warden-default`` in FORWARD.
    """

    pool: str = "10.254.0.0/22"
    interfaces: str = "w-+"
    host_access: bool = False
    allowed: tuple[tuple[str, int], ...] = ()

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """Forwarding on, then the rules; those that are there already stay as they are."""
        runtime = plan.caller(Phase.PREPARE, "runtime", self.about.id)
        switch = "/proc/sys/net/ipv4/ip_forward"
        plan.write(Phase.PREPARE, "runtime", self.about.id, switch, "1")
        for network, port in self.allowed:
            passed = {"chain": "FORWARD", "inward": self.interfaces, "target": "ACCEPT"}
            runtime("@filter", {**passed, "destination": network, "port": port, "granted": True})
        runtime(
            "@filter",
            {"chain": "FORWARD", "inward": self.interfaces, "target": "REJECT"},
            why=N_("What comes from a container goes nowhere that nobody allowed."),
        )
        if not self.host_access:
            runtime(
                "@filter",
                {"chain": "INPUT", "source": self.pool, "target": "REJECT"},
                why=N_("block-traffic-to-host: no container talks to the host itself."),
            )

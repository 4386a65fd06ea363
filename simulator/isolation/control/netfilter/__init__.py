"""iptables(8) and iptables-save(8): the packet filter of the host, read and changed by hand.

The rules are the kernel's (``machine/kernel/net/filter.py``); what dockerd and warden put in is
seen here, and what is put in here holds for their packets.
"""

from simulator.isolation.control.toolset import Toolset
from simulator.machine.families import KERNELS

TOOLSET = Toolset(
    product="iptables",
    modules=("netfilter.iptables",),
    kernels=frozenset(name for name in KERNELS if name.startswith("linux")),
    programs=("iptables", "iptables-save"),
)

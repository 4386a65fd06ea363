"""iptables(8), iptables-save(8), iptables-restore(8): the host's packet filter, changed by hand.

The rules are the kernel's (``machine/kernel/net/filter.py``); what dockerd and warden put in is
seen here, and what is put in here holds for their packets.
"""

from simulator.isolation.control.toolset import Toolset
from simulator.machine.families import KERNELS

TOOLSET = Toolset(
    product="iptables",
    modules=("netfilter.iptables", "netfilter.saving"),
    kernels=frozenset(name for name in KERNELS if name.startswith("linux")),
    programs=("iptables", "iptables-save", "iptables-restore"),
)

"""Process containers, merged as control groups: Paul Menage and Rohit Seth, Google, 2007.

A root shell in a group of its own: no namespace, no capability less. What the group limits is up
to who makes it; by default nothing.
"""

from simulator.isolation.mechanisms.cgroup_membership import CgroupMembership
from simulator.isolation.technologies.base import Technology, change
from simulator.isolation.technologies.options import cgroups as options
from simulator.machine.abi.i18n import N_

_TODAY = Technology(
    id="cgroups",
    title=N_("Process Containers (cgroups)"),
    year=2007,
    launcher="cgexec",
    mechanisms=(CgroupMembership(),),
    options=options.read,
    about=N_("A directory made, a pid written into it: how much a process may take, and no more."),
)

ERAS = (
    change(_TODAY, era="2.6.24", release="linux-2.6.24"),
    change(_TODAY, era="3.8", release="linux-3.8"),
)
"""Linux 2.6.24 shares out processors, and nothing counts memory or tasks yet; 3.8 is the kernel
that Docker asks for."""

TECHNOLOGY = change(_TODAY, eras=ERAS)

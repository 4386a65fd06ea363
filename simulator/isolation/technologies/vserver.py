"""Linux-VServer: Jacques Gelinas, 2001; Herbert Poetzl since 2003. util-vserver's defaults."""

from simulator.isolation.mechanisms import context_walls
from simulator.isolation.mechanisms.base import Guest, Image
from simulator.isolation.mechanisms.bounding_set import BoundingSet
from simulator.isolation.mechanisms.chroot_barrier import ChrootBarrier
from simulator.isolation.mechanisms.context_flags import ContextFlags
from simulator.isolation.mechanisms.guest_root import GuestChroot, GuestMounts, GuestSpace
from simulator.isolation.mechanisms.ipc_ns import IpcNs
from simulator.isolation.mechanisms.network_context import HideNetif, NetworkContext
from simulator.isolation.mechanisms.security_context import SecurityContext
from simulator.isolation.mechanisms.uts_ns import UtsNs
from simulator.isolation.technologies.base import Technology, change
from simulator.isolation.technologies.eras import vserver as eras
from simulator.isolation.technologies.options import vserver as options
from simulator.machine.abi.i18n import N_

_TODAY = Technology(
    id="vserver",
    title=N_("Linux-VServer"),
    year=2001,
    launcher="vserver",
    release="linux-2.6.27-vs",
    mechanisms=(
        ChrootBarrier(),
        NetworkContext(),
        HideNetif(),
        GuestSpace(),
        UtsNs(),
        IpcNs(),
        GuestMounts(),
        GuestChroot(),
        SecurityContext(),
        context_walls.VISIBILITY,
        context_walls.PROC_HIDE,
        BoundingSet(),
        ContextFlags(),
    ),
    image=Image(root="/srv/{name}"),
    guest=Guest(hostname="{name}.vitrina.example"),
    options=options.read,
    about=N_(
        "Two numbers on the process, its context and its network's; the kernel asks for both."
    ),
)

TECHNOLOGY = change(_TODAY, eras=eras.of(_TODAY))

"""Linux-VServer: Jacques Gelinas, 2001; Herbert Poetzl since 2003. util-vserver's defaults."""

from simulator.isolation.mechanisms import context_walls
from simulator.isolation.mechanisms.base import Guest, Image
from simulator.isolation.mechanisms.bounding_set import BoundingSet, OldBoundingSet
from simulator.isolation.mechanisms.chroot_barrier import ChrootBarrier
from simulator.isolation.mechanisms.context_flags import ContextFlags
from simulator.isolation.mechanisms.guest_root import GuestChroot, GuestMounts, GuestSpace
from simulator.isolation.mechanisms.ipc_ns import IpcNs
from simulator.isolation.mechanisms.network_context import (
    HideNetif,
    NetworkContext,
    OldNetworkContext,
)
from simulator.isolation.mechanisms.old_context_limits import OldContextLimits
from simulator.isolation.mechanisms.security_context import OldSecurityContext, SecurityContext
from simulator.isolation.mechanisms.uts_ns import UtsNs
from simulator.isolation.technologies.base import Technology
from simulator.isolation.technologies.options import vserver as options
from simulator.isolation.technologies.options import vserver_legacy as legacy
from simulator.machine.abi.i18n import N_

_IMAGE = Image(root="/srv/{name}")
_GUEST = Guest(hostname="{name}.vitrina.example")

_OF_2003 = Technology(
    id="vserver",
    title=N_("Linux-VServer"),
    year=2001,
    era="2.4",
    release="linux-2.4-vs",
    mechanisms=(
        ChrootBarrier(by_mode=True),
        OldNetworkContext(),
        GuestMounts(fstab=(("none", "/proc", "proc", ""), ("none", "/dev/pts", "devpts", ""))),
        GuestChroot(),
        OldSecurityContext(),
        context_walls.VISIBILITY,
        OldContextLimits(),
        OldBoundingSet(),
    ),
    image=_IMAGE,
    guest=_GUEST,
    options=legacy.read,
    about=N_("Two system calls that anybody may make, a ceiling of capabilities, and chroot."),
)

TECHNOLOGY = Technology(
    id="vserver",
    title=N_("Linux-VServer"),
    year=2001,
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
    image=_IMAGE,
    guest=_GUEST,
    options=options.read,
    eras=(_OF_2003,),
    about=N_(
        "Two numbers on the process, its context and its network's; the kernel asks for both."
    ),
)

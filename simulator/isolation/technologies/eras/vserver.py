"""Linux-VServer as it was from 2001 to 2003: a patch for 2.4, and the vserver package."""

from simulator.isolation.mechanisms import context_walls
from simulator.isolation.mechanisms.bounding_set import OldBoundingSet
from simulator.isolation.mechanisms.chroot_barrier import ChrootBarrier
from simulator.isolation.mechanisms.guest_root import GuestChroot, GuestMounts
from simulator.isolation.mechanisms.network_context import OldNetworkContext
from simulator.isolation.mechanisms.old_context_limits import OldContextLimits
from simulator.isolation.mechanisms.security_context import OldSecurityContext
from simulator.isolation.technologies.base import Technology, change
from simulator.isolation.technologies.options import vserver_legacy as legacy
from simulator.machine.abi.i18n import N_


def of(today: Technology) -> tuple[Technology, ...]:
    """The one era that differs from ``today``."""
    return (
        change(
            today,
            era="2.4",
            release="linux-2.4-vs",
            mechanisms=(
                ChrootBarrier(by_mode=True),
                OldNetworkContext(),
                GuestMounts(
                    fstab=(("none", "/proc", "proc", ""), ("none", "/dev/pts", "devpts", ""))
                ),
                GuestChroot(),
                OldSecurityContext(),
                context_walls.VISIBILITY,
                OldContextLimits(),
                OldBoundingSet(),
            ),
            options=legacy.read,
            about=N_(
                "Two system calls that anybody may make, a ceiling of capabilities, and chroot."
            ),
        ),
    )

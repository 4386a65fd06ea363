"""LXC's ``common.seccomp``: a deny list, so what it does not name goes through."""

from simulator.isolation.mechanisms.base import About
from simulator.isolation.mechanisms.seccomp import ABOUT as FILTER
from simulator.isolation.mechanisms.seccomp_fixed import FixedFilter
from simulator.machine.abi.constants import MNT_FORCE
from simulator.machine.kernel.task import SeccompFilter, SeccompRule

NAME = "/usr/share/lxc/config/common.seccomp"

COMMON = SeccompFilter(
    NAME,
    frozenset(),
    (
        SeccompRule(
            frozenset(
                {
                    "kexec_load",
                    "open_by_handle_at",
                    "init_module",
                    "finit_module",
                    "delete_module",
                }
            ),
            "EPERM",
        ),
        SeccompRule(frozenset({"umount2"}), "EACCES", 1, "masked_eq", MNT_FORCE, MNT_FORCE),
    ),
    default="ALLOW",
)
"""``errno 1`` for five calls; ``reject_force_umount`` is EACCES (lxc ``seccomp.c``)."""

ABOUT = About(
    id=FILTER.id,
    title=FILTER.title,
    hides=frozenset({"module", "file"}),
    walls=FILTER.walls,
    real="lxc.seccomp.profile=",
    cite="lxc.container.conf(5)",
)


def common() -> FixedFilter:
    """What ``lxc.seccomp.profile`` of common.conf loads."""
    return FixedFilter(COMMON, ABOUT)

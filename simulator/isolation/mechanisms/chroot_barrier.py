"""The barrier: a directory above the guest that only the host's context passes.

It closes chroot(2)'s old way out, walking up from a directory that was left outside.
"""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="chroot-barrier",
    title=N_("chroot barrier"),
    needs=frozenset({"security-context"}),
    hides=frozenset({"file"}),
    walls=frozenset({"chroot-barrier"}),
    real="setattr --~barrier",
    cite="https://oldwiki.linux-vserver.org/chroot-barrier",
)


@dataclass(frozen=True, slots=True)
class ChrootBarrier:
    """On the directory that all guests are in. ``by_mode``: mode 000 instead of the flag (2.4)."""

    by_mode: bool = False

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """``setattr --barrier``, which vserver-build does once for ``VDIR/..``."""
        above = plan.root.rstrip("/").rpartition("/")[0] or "/"
        prepare = plan.caller(Phase.PREPARE, "runtime", self.about.id)
        why = N_("No context but the host's may walk through the directory above the guests.")
        if self.by_mode:
            prepare("chmod", above, 0, why=why)
            return
        prepare(
            "vserver",
            "VCMD_set_iattr",
            0,
            {"name": above, "flags": ["barrier"], "mask": ["barrier"]},
            why=why,
        )

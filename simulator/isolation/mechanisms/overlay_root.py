"""An overlay: the image stays as it is, and what the sandbox writes lands in a layer of its own."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="overlay-root",
    title=N_("overlay root"),
    walls=frozenset({"overlay-whiteout", "read-only-mount"}),
    cite="Documentation/filesystems/overlayfs.rst",
)


@dataclass(frozen=True, slots=True)
class OverlayRoot:
    """The storage driver's mount, made on the host before anything else.

    ``inside``: made in the sandbox's mount namespace instead. ``overlayfs`` is the type that Ubuntu
    patched into its kernels before Linux had ``overlay``; it has no work directory. ``aufs`` came
    with its kernels before that, with branches for layers.
    """

    read_only: bool = False
    fstype: str = "overlay"
    inside: bool = False

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """mount(2) of the layers at the directory that will become the root."""
        layers = f"lowerdir={plan.image.layer},upperdir={plan.upper}"
        if self.fstype == "overlay":
            layers += f",workdir={plan.base}/work"
        if self.fstype == "aufs":
            layers = f"br:{plan.upper}=rw:{plan.image.layer}=ro"
        plan.call(
            Phase.CHILD_ROOT if self.inside else Phase.PREPARE,
            "guest" if self.inside else "runtime",
            self.about.id,
            "mount",
            self.fstype,
            plan.root,
            self.fstype,
            0,
            layers,
            why=N_("The image below, an empty layer of the sandbox's own on top."),
        )

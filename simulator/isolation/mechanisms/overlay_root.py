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
    """The storage driver's mount, made on the host before anything else."""

    read_only: bool = False

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """mount(2) of the layers at the directory that will become the root."""
        base = plan.root.rpartition("/")[0]
        prepare = plan.caller(Phase.PREPARE, "runtime", self.about.id)
        layers = f"lowerdir={plan.image.layer},upperdir={base}/diff,workdir={base}/work"
        prepare(
            "mount",
            "overlay",
            plan.root,
            "overlay",
            0,
            layers,
            why=N_("The image below, an empty layer of the sandbox's own on top."),
        )

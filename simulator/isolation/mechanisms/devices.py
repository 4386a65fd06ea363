"""Device nodes of the host that an operator hands in: ``--device``."""

from dataclasses import dataclass
from stat import S_IMODE

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_

ABOUT = About(id="devices", title=N_("devices handed in"), real="--device", cite="mknod(2)")


@dataclass(frozen=True, slots=True)
class HandedDevices:
    """``nodes`` are (path inside, S_IFBLK or S_IFCHR, major, minor); with permission bits in the
    second word, they are what the node gets, whatever the umask.
    """

    nodes: tuple[tuple[str, int, int, int], ...] = ()

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """A node in the new root for each; one that is there already will do (runc
        ``createDeviceNode``).
        """
        child = plan.caller(Phase.CHILD_DEVICES, "guest", self.about.id)
        for path, kind, major, minor in self.nodes:
            names = path.strip("/").split("/")[:-1]
            for count in range(1, len(names) + 1) if names != ["dev"] else ():
                place = "/".join(names[:count])
                child("mkdir", f"{plan.root}/{place}", 0o755, tolerates=("EEXIST",))
            mode = S_IMODE(kind)
            node = (plan.root + path, kind | (mode or 0o660), major << 8 | minor)
            child("mknod", *node, tolerates=("EEXIST",))
            if mode:
                child("chmod", plan.root + path, mode)

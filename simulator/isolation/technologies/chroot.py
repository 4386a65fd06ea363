"""chroot on Linux: Seventh Edition Unix, 1979; still one pointer."""

from simulator.isolation.mechanisms.base import Image
from simulator.isolation.mechanisms.chroot import Chroot
from simulator.isolation.technologies.base import Technology
from simulator.isolation.technologies.options import user as options
from simulator.machine.abi.i18n import N_

TECHNOLOGY = Technology(
    id="chroot",
    title=N_("chroot"),
    year=1979,
    launcher="chroot",
    mechanisms=(Chroot(),),
    image=Image(root="/srv/{name}"),
    neighbour_in_sandbox=False,
    options=options.read,
    about=N_("Another directory is where paths begin. Nothing else changes."),
)

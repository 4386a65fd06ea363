"""chroot on FreeBSD: the same call, and a kernel that remembers the first one."""

from simulator.isolation.mechanisms.base import Image
from simulator.isolation.mechanisms.chroot import Chroot
from simulator.isolation.technologies.base import Technology
from simulator.machine.abi.i18n import N_

TECHNOLOGY = Technology(
    id="chroot-freebsd",
    launcher="chroot",
    title=N_("chroot on FreeBSD"),
    year=1994,
    kernel="freebsd",
    mechanisms=(Chroot(),),
    image=Image(root="/srv/{name}"),
    neighbour_in_sandbox=False,
    about=N_("The first chroot is remembered, and no .. passes it: the double chroot fails."),
)

"""crun 1.8: the container runtime of Podman, Giuseppe Scrivano, 2019."""

from simulator.isolation.mechanisms.default_mounts import DefaultMounts
from simulator.isolation.technologies.base import Technology
from simulator.isolation.technologies.defaults import oci as defaults
from simulator.isolation.technologies.options import oci as options
from simulator.machine.abi.i18n import N_

_MECHANISMS = tuple(
    DefaultMounts(one.mounts, groups_mode=0o1777) if isinstance(one, DefaultMounts) else one
    for one in defaults.MECHANISMS
)
"""A tmpfs without a mode is everybody's: that is where control groups of version 1 are."""

TECHNOLOGY = Technology(
    id="crun",
    title=N_("crun"),
    year=2019,
    launcher="crun",
    mechanisms=_MECHANISMS,
    image=defaults.IMAGE,
    guest=defaults.guest("crun"),
    options=options.read,
    about=N_("The same JSON file as runc's, read by a program in C."),
)

"""runc 1.1 on its own: Docker's lowest layer, given to the Open Container Initiative in 2015."""

from simulator.isolation.technologies.base import Technology
from simulator.isolation.technologies.defaults import oci as defaults
from simulator.isolation.technologies.options import oci as options
from simulator.machine.abi.i18n import N_

TECHNOLOGY = Technology(
    id="runc",
    title=N_("runc"),
    year=2015,
    mechanisms=defaults.MECHANISMS,
    image=defaults.IMAGE,
    guest=defaults.guest("runc"),
    options=options.read,
    about=N_(
        "What Docker, containerd and Kubernetes start containers with: one JSON file says it all."
    ),
)

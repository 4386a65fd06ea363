"""bubblewrap: Alexander Larsson and Colin Walters, Red Hat, 2016; here 0.8, run by root.

It has no defaults but no_new_privs and an empty root; what is in it is up to the command line.
Without a bind mount on ``/`` the sandbox's own tree is bound there.
"""

from simulator.isolation.mechanisms.base import Guest, Image
from simulator.isolation.mechanisms.bubble_root import BubbleRoot, Operation, SlaveMounts
from simulator.isolation.mechanisms.no_new_privs import NoNewPrivs
from simulator.isolation.technologies.base import Technology
from simulator.isolation.technologies.options import bwrap as options
from simulator.machine.abi.i18n import N_

TECHNOLOGY = Technology(
    id="bwrap",
    title=N_("bubblewrap"),
    year=2016,
    launcher="bwrap",
    mechanisms=(
        SlaveMounts(),
        BubbleRoot((Operation("bind", "{root}", "/"),)),
        NoNewPrivs(),
    ),
    image=Image(root="/srv/{name}"),
    guest=Guest(),
    options=options.read,
    about=N_("Every wall is a word of the command line: what Flatpak puts applications in."),
)

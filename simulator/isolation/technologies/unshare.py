"""unshare(1): the namespaces alone, one by one; the quickest way to see what each of them hides."""

from simulator.isolation.technologies.base import Technology
from simulator.isolation.technologies.options import unshare as options
from simulator.machine.abi.i18n import N_

TECHNOLOGY = Technology(
    id="unshare",
    title=N_("unshare(1)"),
    year=2009,
    launcher="unshare",
    options=options.read,
    about=N_("Namespaces chosen one by one (-m -u -i -n -p -C -U), and nothing else."),
)

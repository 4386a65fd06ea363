"""Kernels that mark an era, unpatched: what each lacks follows from ``releases.py``."""

from simulator.machine.families.linux import of_release

LINUX_2_6_24 = of_release((2, 6, 24))
"""January 2008: the first with control groups, and with no controller for memory among them."""

LINUX_3_8 = of_release((3, 8))
"""February 2013: user namespaces are complete, and Docker asks for no less."""

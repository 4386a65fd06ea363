"""The vserver package of 2001-2003, for kernels 2.4 with the context patch.

The programs have the same names as util-vserver's and find out by themselves which kernel they run
on; a guest's configuration is /etc/vservers/NAME.conf.
"""

from simulator.isolation.control import vserver
from simulator.isolation.control.toolset import Toolset

_CONF = """S_HOSTNAME={name}.vitrina.example
IPROOT=192.0.2.{last}
S_CONTEXT={number}
S_FLAGS="lock nproc"
ULIMIT="-H -u 1000"
S_CAPS=""
"""

TOOLSET = Toolset(
    product="vserver",
    modules=vserver.TOOLSET.modules,
    kernels=frozenset({"linux-2.4-vs"}),
    programs=tuple(
        one for one in vserver.TOOLSET.programs if one not in ("vcontext", "vshelper", "vlimit")
    ),
    directories=vserver.TOOLSET.directories,
    files=tuple(
        (
            f"/etc/vservers/{name}.conf",
            0o644,
            _CONF.format(name=name, number=number, last=number - 80),
        )
        for name, number in vserver.SESSION
    ),
)

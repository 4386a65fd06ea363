"""Warden's daemon and its client: warden-server and warden, and wshd inside each container."""

from simulator.isolation.control.toolset import Toolset, Unit
from simulator.isolation.control.warden.config import LINUX_YML, PATH

TOOLSET = Toolset(
    product="warden",
    modules=("warden.client", "warden.server", "warden.wshd"),
    kernels=frozenset({"linux-3.13"}),
    programs=("warden", "warden-server"),
    directories=(
        ("/etc/warden", 0o755),
        ("/tmp/warden", 0o755),
        ("/tmp/warden/containers", 0o755),
    ),
    files=((PATH, 0o644, LINUX_YML),),
    units=(Unit(argv=("warden-server", PATH), sockets=("/tmp/warden.sock",), mode=0o777),),
)

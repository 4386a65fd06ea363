"""OpenVZ's tools: vzctl(8), vzlist(8) and their configuration files."""

from simulator.isolation.control.openvz.samples import FILES
from simulator.isolation.control.toolset import Toolset
from simulator.machine.abi.constants import S_IFCHR

TOOLSET = Toolset(
    product="openvz",
    modules=("openvz.vzctl", "openvz.vzlist", "openvz.vzmigrate"),
    kernels=frozenset({"linux-2.6.18-ovz", "linux-2.6.32-ovz"}),
    programs=("vzctl", "vzlist", "vzmigrate"),
    directories=(
        ("/etc/vz", 0o755),
        ("/etc/vz/conf", 0o755),
        ("/etc/vz/names", 0o755),
        ("/var/lib/vz", 0o755),
        ("/var/log", 0o755),
        ("/var/lib/vz/dump", 0o755),
        ("/var/lib/vz/lock", 0o755),
        ("/var/lib/vz/private", 0o755),
        ("/var/lib/vz/root", 0o755),
        ("/var/lib/vz/template", 0o755),
        ("/var/lib/vz/template/cache", 0o755),
    ),
    files=FILES,
    nodes=(("vzctl", S_IFCHR, 126, 0, 0o600),),
)

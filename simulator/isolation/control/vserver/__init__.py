"""util-vserver on the simulated kernel: ``vserver`` and the small tools that it is made of.

A guest's configuration is the directory /etc/vservers/NAME, one setting a file
(doc/configuration.xml). The session's own sandboxes are configured as the guests ``guest`` and
``neighbour``.
"""

from simulator.isolation.control.toolset import Toolset

SESSION = (("guest", 101), ("neighbour", 102))
"""The sandboxes of a session, with the numbers of their contexts."""


def _configured(name: str, number: int) -> tuple[tuple[str, int, str], ...]:
    """The files of a guest's configuration."""
    above = f"/etc/vservers/{name}"
    files = {
        "context": str(number),
        "name": name,
        "uts/nodename": f"{name}.vitrina.example",
        "interfaces/0/ip": f"192.0.2.{number - 80}",
        "interfaces/0/dev": "dummy0",
        "vdirbase": "/srv",
        "apps/init/style": "sysv",
        "apps/init/cmd.start": "/bin/sleep\n86400",
    }
    return tuple((f"{above}/{path}", 0o644, f"{text}\n") for path, text in files.items())


TOOLSET = Toolset(
    product="util-vserver",
    modules=(
        "vserver.attributes",
        "vserver.contexts",
        "vserver.helper",
        "vserver.info",
        "vserver.killing",
        "vserver.limiting",
        "vserver.showing",
        "vserver.small",
        "vserver.tool",
    ),
    kernels=frozenset({"linux-2.6.27-vs"}),
    programs=(
        "vserver",
        "chcontext",
        "chbind",
        "reducecap",
        "vattribute",
        "vcontext",
        "vkill",
        "vlimit",
        "vshelper",
        "vps",
        "vpstree",
        "vtop",
        "vserver-stat",
        "vserver-info",
        "setattr",
        "showattr",
        "vunify",
        "vhashify",
    ),
    directories=(
        ("/etc/vservers", 0o755),
        ("/vservers", 0o755),
        ("/var/run/vservers", 0o755),
    ),
    files=tuple(one for name, number in SESSION for one in _configured(name, number)),
)

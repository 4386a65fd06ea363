"""lxc-config(1), and what LXC is told once for all containers: lxc.system.conf(5).

Source: lxc src/lxc/initutils.c (lxc_global_config_value()), src/lxc/tools/lxc_config.c.
"""

from collections.abc import Sequence

from simulator.machine.userland.process import Process
from simulator.machine.userland.registry import TOOLS, enter

_ITEMS = (
    "lxc.default_config",
    "lxc.lxcpath",
    "lxc.bdev.lvm.vg",
    "lxc.bdev.lvm.thin_pool",
    "lxc.bdev.zfs.root",
    "lxc.cgroup.use",
    "lxc.cgroup.pattern",
)
_DEFAULTS = {
    "lxc.default_config": "/etc/lxc/default.conf",
    "lxc.lxcpath": "/var/lib/lxc",
    "lxc.bdev.lvm.vg": "lxc",
    "lxc.bdev.lvm.thin_pool": "lxc",
    "lxc.bdev.zfs.root": "lxc",
}
_OWN = {
    "lxc.default_config": ".config/lxc/default.conf",
    "lxc.lxcpath": ".local/share/lxc",
}
"""In the home of whoever is not root."""


async def value(sys: Process, key: str) -> str:
    """What the system's file says of ``key``, one's own for anybody but root; or the default."""
    root = not await sys.value("geteuid")
    home = sys.env.get("HOME", "/").rstrip("/")
    path = "/etc/lxc/lxc.conf" if root else f"{home}/.config/lxc/lxc.conf"
    for line in (await sys.text_or_empty(path)).splitlines():
        name, equals, text = line.partition("=")
        if equals and name.strip(" \t") == key and text.lstrip(" \t"):
            text = text.lstrip(" \t")
            return text.rstrip("/") if key == "lxc.lxcpath" else text
    if not root and key in _OWN:
        return f"{home}/{_OWN[key]}"
    return _DEFAULTS.get(key, "")


@enter("lxc-config", collection=TOOLS)
async def lxc_config(sys: Process, argv: Sequence[str]) -> int:
    """A setting; the beginning of its name is enough. Exit status 1 for one that is unknown."""
    word = argv[1] if len(argv) > 1 else ""
    if "-h".startswith(word) or "--help".startswith(word):
        await sys.out(f"Usage: {argv[0]} -l: list all available configuration items\n")
        await sys.out(f"       {argv[0]} item: print configuration item\n")
        return 0
    if "-l".startswith(word):
        await sys.out("".join(f"{item}\n" for item in _ITEMS))
        return 0
    for item in _ITEMS:
        if item.startswith(word):
            await sys.out(f"{await value(sys, item) or f'{word} is not set.'}\n")
            return 0
    await sys.out(f"Unknown configuration item: {word}\n")
    return 1

"""What a product installs on its host: programs, directories, configuration files."""

import functools
import importlib
import pkgutil

import msgspec

from simulator.isolation.technologies.base import Technology
from simulator.machine.userland import registry


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """A daemon that init starts at boot, when the world's ``services`` name its product.

    As systemd's socket activation (sd_listen_fds(3)): init opens ``sockets``, the daemon finds
    them from descriptor 3 on. A socket is a path, or ``address:port`` of TCP. A session that
    branches from a booted machine starts the daemon's program anew: what it must remember is in
    files, as for any daemon that may be restarted.
    """

    argv: tuple[str, ...]
    sockets: tuple[str, ...] = ()
    mode: int = 0o660


class Toolset(msgspec.Struct, frozen=True, kw_only=True):
    """One product's tools.

    ``kernels`` are those (names of ``families.KERNELS``) on whose hosts it is installed.
    ``programs`` appear in ``/usr/sbin``; ``modules`` (named from this room) enter them in
    ``userland.registry`` with ``collection=TOOLS`` when they are imported, which happens when one
    of them is first executed: a host has many tools, and few are ever used. ``directories`` and
    ``files`` are (path, mode) and (path, mode, text); ``nodes`` what its init script makes in /dev
    (name, type, major, minor, mode); ``units`` its daemons.
    """

    product: str
    kernels: frozenset[str]
    programs: tuple[str, ...]
    modules: tuple[str, ...] = ()
    directories: tuple[tuple[str, int], ...] = ()
    files: tuple[tuple[str, int, str], ...] = ()
    units: tuple[Unit, ...] = ()
    nodes: tuple[tuple[str, int, int, int, int], ...] = ()


@functools.cache
def toolsets() -> tuple[Toolset, ...]:
    """Every product's: each package of this room says what it is in ``TOOLSET``."""
    package = importlib.import_module(__package__ or __name__.rpartition(".")[0])
    rooms = [one.name for one in pkgutil.iter_modules(package.__path__) if one.ispkg]
    return tuple(importlib.import_module(f"{package.__name__}.{room}").TOOLSET for room in rooms)


def _fetch(name: str) -> None:
    """Import what enters the program ``name``."""
    for one in toolsets():
        if name in one.programs:
            for module in one.modules:
                importlib.import_module(f"{__package__}.{module}")


registry.fetch_by(registry.TOOLS, _fetch)


def installed(technology: Technology) -> tuple[Toolset, ...]:
    """What is installed on a host of ``technology``."""
    name = technology.release or technology.kernel
    return tuple(one for one in toolsets() if name in one.kernels)

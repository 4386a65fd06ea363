"""What the images of the catalogue hold: root filesystems and the files of services.

Programs are the model's (busybox's under their many names, and the image programs of
``userland/servers``), so a layer is small; the size that it states is that of the real one.
"""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from simulator.isolation.control.docker.images.tarball import Entry, made
from simulator.machine.abi.constants import S_IFDIR, S_IFREG
from simulator.machine.userland import registry as programs

EPOCH = 1_733_000_000
"""The second in which every image of the catalogue was made."""
Make: TypeAlias = Callable[[str], bytes]
"""A layer for an architecture (``amd64``, ``arm64``)."""
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


class Distribution(NamedTuple):
    """A root filesystem: its os-release, further files, programs beside busybox's."""

    release: tuple[tuple[str, str], ...]
    size: int
    programs: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()


def executable(marker: bytes, architecture: str) -> bytes:
    """A program's content; it says which machine it is for (``ELF`` e_machine)."""
    return marker.rstrip(b"\n") + b" for " + MACHINES[architecture].encode() + b"\n"


def directories(names: Iterable[str]) -> list[Entry]:
    """Directories with those above them; ``name:mode`` for another mode than 755."""
    found: dict[str, int] = {}
    for one in names:
        name, _, mode = one.partition(":")
        parts = name.split("/")
        for count in range(1, len(parts)):
            found.setdefault("/".join(parts[:count]), 0o755)
        found[name] = int(mode, 8) if mode else 0o755
    return [Entry(f"{name}/", S_IFDIR | mode, mtime=EPOCH) for name, mode in found.items()]


_USUAL = ("bin", "dev", "etc", "home", "lib", "mnt", "opt", "proc", "root:700", "run", "sbin",
          "srv", "sys", "tmp:1777", "usr/bin", "usr/local/bin", "usr/sbin", "var/cache", "var/lib",
          "var/log", "var/spool", "var/tmp:1777", "var/www")  # fmt: skip
_PASSWD = """root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
"""
_GROUP = "root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nnogroup:x:65534:\n"


@functools.cache
def root(distribution: Distribution) -> Make:
    """A distribution's only layer."""

    @functools.cache
    def layer(architecture: str) -> bytes:
        box = executable(programs.BUSYBOX, architecture)
        own = directories(_USUAL)
        own.append(Entry("bin/busybox", S_IFREG | 0o755, box, mtime=EPOCH))
        own += [
            Entry(f"bin/{name}", S_IFREG | 0o755, hard="bin/busybox", mtime=EPOCH)
            for name in programs.names()
            if name != "busybox"
        ]
        own += _programs(tuple(f"usr/bin/{name}" for name in distribution.programs), architecture)
        if "bash" in distribution.programs:  # where /bin is another name of /usr/bin
            own.append(Entry("bin/bash", S_IFREG | 0o755, hard="usr/bin/bash", mtime=EPOCH))
        release = "".join(f'{key}="{value}"\n' for key, value in distribution.release)
        texts = {"etc/passwd": _PASSWD, "etc/group": _GROUP, "etc/os-release": release}
        texts |= dict(distribution.files)
        own += [_file(path, text) for path, text in texts.items() if text]
        own.append(Entry("etc/shadow", S_IFREG | 0o600, b"root:*:::::::\n", mtime=EPOCH))
        return made(own, distribution.size)

    return layer


def _file(path: str, text: str, mode: int = 0o644) -> Entry:
    return Entry(path, S_IFREG | mode, text.encode(), mtime=EPOCH)


def _programs(paths: tuple[str, ...], architecture: str) -> list[Entry]:
    if not paths:
        return []
    first, *rest = paths
    content = executable(programs.IMAGES, architecture)
    found = [Entry(first, S_IFREG | 0o755, content, mtime=EPOCH)]
    return found + [Entry(path, S_IFREG | 0o755, hard=first, mtime=EPOCH) for path in rest]


def layer(
    size: int,
    places: tuple[str, ...] = (),
    *,
    files: Mapping[str, str] | None = None,
    scripts: Mapping[str, str] | None = None,
    below: tuple[str, ...] = (),
) -> Make:
    """A layer of image programs (by path), files, executable scripts and directories."""

    @functools.cache
    def make(architecture: str) -> bytes:
        listed = [*places, *(files or {}), *(scripts or {})]
        above = dict.fromkeys(path.rpartition("/")[0] for path in listed if "/" in path)
        # a directory of the image below keeps its mode: only what is new is named
        own = directories(one for one in (*above, *below) if one not in _KNOWN)
        own = [entry for entry in own if entry.path.rstrip("/") not in _KNOWN]
        own += _programs(places, architecture)
        own += [_file(path, text) for path, text in (files or {}).items()]
        own += [_file(path, text, 0o755) for path, text in (scripts or {}).items()]
        return made(own, size)

    return make


_KNOWN = frozenset(
    part
    for one in _USUAL
    for name in (one.partition(":")[0],)
    for part in (name, name.partition("/")[0], "/".join(name.split("/")[:2]))
)

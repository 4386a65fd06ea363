"""The starter images of the simulated registry: names and layers are plausible, contents ours."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from simulator.isolation.control.docker.images.tarball import Entry, made
from simulator.machine.abi.constants import S_IFDIR, S_IFREG
from simulator.machine.userland import registry as programs

EPOCH = 1_700_000_000
"""The second in which every image of the catalogue was made."""
CREATED = "2023-11-14T22:13:20Z"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Published(NamedTuple):
    """An image to be pulled: its configuration's own part, and its layers from the bottom up."""

    config: dict[str, Any]
    layers: tuple[Callable[[], bytes], ...]
    steps: tuple[str, ...]
    """What made each layer, for the history; the last entries may have made none."""


@functools.cache
def busybox_layer() -> bytes:
    """busybox under its many names, users, and the usual directories."""
    listed = [("bin", 0o755), ("dev", 0o755), ("etc", 0o755), ("home", 0o755), ("root", 0o700)]
    listed += [("tmp", 0o1777), ("usr", 0o755), ("usr/sbin", 0o755), ("var", 0o755)]
    listed += [("var/spool", 0o755), ("var/www", 0o755)]
    entries = [Entry(f"{name}/", S_IFDIR | mode, mtime=EPOCH) for name, mode in listed]
    own = [Entry("bin/busybox", S_IFREG | 0o755, programs.BUSYBOX, mtime=EPOCH)]
    own += [
        Entry(f"bin/{name}", S_IFREG | 0o755, hard="bin/busybox", mtime=EPOCH)
        for name in programs.names()
        if name != "busybox"
    ]
    files = (
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:"
         "/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n", 0o644),
        ("etc/group", "root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n", 0o644),
        ("etc/shadow", "root:*:::::::\nnobody:*:::::::\n", 0o600),
    )  # fmt: skip
    own += [Entry(path, S_IFREG | mode, text.encode(), mtime=EPOCH) for path, text, mode in files]
    return made([*entries, *own])


CATALOGUE: dict[str, Published] = {
    "docker.io/library/busybox": Published(
        {"Cmd": ["sh"], "Env": [f"PATH={PATH}"]}, (busybox_layer,), ("BusyBox 1.35.0 (glibc)",)
    ),
}
"""By repository; every tag of ``TAGS`` is the same image."""

TAGS: dict[str, tuple[str, ...]] = {
    "docker.io/library/busybox": ("latest", "1", "1.35", "1.35.0", "stable", "glibc"),
}

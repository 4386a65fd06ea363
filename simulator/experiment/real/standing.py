"""What a process is to the machine itself: its rights over it, namespaces it has with others."""

import contextlib
import os
from pathlib import Path


def capable(pid: int, capability: int) -> bool:
    """Whether the process may use the capability on what is the machine's own.

    That takes the user namespace that the machine began with. Whoever is in another one than we
    has no right outside it, whatever it holds inside: user_namespaces(7). Where nobody can tell,
    it has.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return True
    sets = [int(line.split()[1], 16) for line in lines if line.startswith("CapEff")]
    held = not sets or bool(sets[0] >> capability & 1)
    return held and shares(pid, os.getpid(), "user")


def shares(pid: int, other: int | None, kind: str) -> bool:
    """Whether two processes are in one namespace of this kind, as far as anybody can tell."""
    if other is None:
        return True
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}") == os.readlink(f"/proc/{other}/ns/{kind}")
    except OSError:
        return True


def hierarchy_there(options: str) -> bool:
    """Whether mount options of version 1 name control groups that this machine has already.

    What names a controller that this kernel lacks makes nothing either. Without any controller or
    name the kernel refuses.
    """
    wanted = {word for word in options.split(",") if word and word != "none"}
    controllers = {word for word in wanted if "=" not in word}
    names = {word for word in wanted if word.startswith("name=")}
    mounted: list[set[str]] = []
    known: set[str] = set()
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            mounted.append({word for word in line.split(":")[1].split(",") if word})
        lines = Path("/proc/cgroups").read_text().splitlines()[1:]
        known = {line.split()[0] for line in lines}
    if controllers - known or not controllers | names:
        return True
    return any(controllers | names == one for one in mounted)

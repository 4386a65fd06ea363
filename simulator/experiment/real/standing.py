"""What a process is to the machine itself: its rights over it, namespaces it has with others."""

import contextlib
import os
from pathlib import Path

import msgspec


class Standing(msgspec.Struct, frozen=True):
    """What /proc/PID/status says of a process's rights, users as we number them."""

    user: int = 0
    group: int = 0
    root: bool = False
    """Whether its effective or real user is the root of its own user namespace."""

    effective: int = 0
    permitted: int = 0
    bounding: int = 0
    no_new_privs: bool = False

    @staticmethod
    def of(pid: int) -> "Standing":
        """As it is now; raises ``OSError`` when the process is gone."""
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        told = {line.partition(":")[0]: line.split()[1:] for line in lines}
        sets = [int(told[f"Cap{name}"][0], 16) for name in ("Eff", "Prm", "Bnd")]
        users = [int(word) for word in told["Uid"][:2]]
        return Standing(
            users[1],
            int(told["Gid"][1]),
            _root_of(pid) in users,
            *sets,
            no_new_privs=told.get("NoNewPrivs", ["0"])[0] == "1",
        )


def _root_of(pid: int) -> int:
    """Whom a process's user namespace calls 0, as we number users; -1: nobody."""
    return next((out for inside, out, _count in ids(pid, "uid") if inside == 0), -1)


def ids(pid: int, kind: str) -> list[tuple[int, int, int]]:
    """A user namespace's map, ``uid`` or ``gid``: (inside, as we number, how many)."""
    lines = Path(f"/proc/{pid}/{kind}_map").read_text().splitlines()
    return [(int(one), int(two), int(three)) for one, two, three in map(str.split, lines)]


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


_KINDS = {
    "mnt": 0x20000,
    "cgroup": 0x2000000,
    "uts": 0x4000000,
    "ipc": 0x8000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}


def kinds_of(flags: int) -> tuple[str, ...]:
    """Namespaces that CLONE_NEW... flags name, by what /proc calls them."""
    return tuple(kind for kind, flag in _KINDS.items() if flags & flag)


def filesystems() -> dict[str, bool]:
    """What this kernel can mount, and whether without a device: proc_filesystems(5)."""
    try:
        lines = Path("/proc/filesystems").read_text().splitlines()
    except OSError:
        return {}
    return {line.split()[-1]: line.startswith("nodev") for line in lines if line.strip()}

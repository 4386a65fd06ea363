"""Where the hierarchies are mounted, and ``controllers:path`` as libcgroup 2.0 reads it.

Source: src/api.c (cgroup_init, cgroup_strerror), src/tools/tools-common.c (parse_cgroup_spec).
"""

from typing import NamedTuple

from simulator.machine.userland.process import Process, SysError

NOT_EXIST = 50002
SUBSYS_NOT_MOUNTED = 50004
VALUE_NOT_EXIST = 50015
OTHER = 50016
"""libcgroup's error codes (include/libcgroup/error.h); an exit status is their last byte."""

MESSAGES = {
    NOT_EXIST: "Cgroup does not exist",
    SUBSYS_NOT_MOUNTED: "Cgroup one of the needed subsystems is not mounted",
    VALUE_NOT_EXIST: "Cgroup, requested group parameter does not exist",
}


class CgroupError(Exception):
    """A failure in libcgroup's words, with the exit status of the tool."""

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(text or MESSAGES.get(code, ""))
        self.code = code
        self.status = code & 0xFF


def failed(error: SysError) -> CgroupError:
    """ECGOTHER: what a system call said."""
    return CgroupError(OTHER, error.message)


class Mounted(NamedTuple):
    """One hierarchy that is mounted."""

    controllers: tuple[str, ...]
    path: str
    version: int


class Spec(NamedTuple):
    """``cpu,memory:group``; ``*`` means every controller."""

    controllers: tuple[str, ...]
    path: str


def parse(text: str) -> Spec | None:
    """One ``controllers:path``; None when it is not of that form."""
    controllers, colon, path = text.partition(":")
    if not colon or not controllers or not path:
        return None
    return Spec(tuple(controllers.split(",")), path)


async def mounts(sys: Process) -> list[Mounted]:
    """Every hierarchy in /proc/mounts, the first mount of each."""
    known = await controllers(sys)
    found: dict[tuple[str, ...], Mounted] = {}
    for line in (await sys.text_or_empty("/proc/mounts")).splitlines():
        _source, path, fstype, options, *_rest = line.split()
        if fstype == "cgroup":
            words = options.split(",")
            mine = tuple(word for word in words if word in known or word.startswith("name="))
            if mine:
                found.setdefault(mine, Mounted(mine, path, 1))
        elif fstype == "cgroup2":
            listed = await sys.text_or_empty(f"{path}/cgroup.controllers")
            found.setdefault(("v2",), Mounted(tuple(listed.split()), path, 2))
    return list(found.values())


async def controllers(sys: Process) -> tuple[str, ...]:
    """Every controller that the kernel lists in /proc/cgroups."""
    lines = (await sys.text_or_empty("/proc/cgroups")).splitlines()[1:]
    return tuple(line.split()[0] for line in lines)


async def place(sys: Process, controller: str) -> Mounted:
    """The hierarchy that has ``controller``. Raises ``CgroupError``."""
    for one in await mounts(sys):
        if controller in one.controllers:
            return one
    raise CgroupError(SUBSYS_NOT_MOUNTED)


async def expand(sys: Process, spec: Spec) -> tuple[str, ...]:
    """The spec's controllers by name."""
    if spec.controllers != ("*",):
        return spec.controllers
    return tuple(name for one in await mounts(sys) for name in one.controllers)


def below(one: Mounted, group: str) -> str:
    """The directory of ``group`` in a hierarchy."""
    return f"{one.path}/{group.strip('/')}".rstrip("/")

"""``USER`` of an image or ``--user``: looked up in the container's own files (runc libuser)."""

import re
from typing import NamedTuple

from simulator.isolation.control.docker.api.errors import ApiError
from simulator.machine.abi.constants import O_CLOEXEC, O_PATH
from simulator.machine.userland.process import Process, SysError

_RESOLVE_IN_ROOT = 0x10
_LARGEST = (1 << 31) - 1
"""moby/sys/user: MaxID."""
_NUMBER = re.compile(r"[+-]?[0-9]+")


class User(NamedTuple):
    """Who the container's process is."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str


async def resolve(sys: Process, root: str, text: str, more: list[str]) -> User:
    """``name``, ``uid``, ``name:group``, ``uid:gid``. Raises ``ApiError``."""
    told = await inside(sys, root, "etc/passwd", "etc/group")
    passwd, group = ([line.split(":") for line in text.splitlines()] for text in told)
    passwd = [one for one in passwd if len(one) >= 7]
    group = [one for one in group if len(one) >= 4]
    name, wanted = (*text.split(":"), "")[:2]
    for number in (name, wanted):
        if _NUMBER.fullmatch(number) and not 0 <= int(number) <= _LARGEST:
            raise ApiError(f"uids and gids must be in range 0-{_LARGEST}")
    row = next((one for one in passwd if name and (one[0] == name or one[2] == name)), None)
    if name and row is None and not name.isdigit():
        raise ApiError(f"unable to find user {name}: no matching entries in passwd file")
    if not name:
        row = next((one for one in passwd if one[2] == "0"), None)
    uid = int(row[2]) if row is not None else int(name or 0)
    gid = int(row[3]) if row is not None else 0
    home = (row[5] if row is not None else "") or "/"
    groups = [int(one[2]) for one in group if row is not None and row[0] in one[3].split(",")]
    if wanted:
        gid = _group(group, wanted)
        groups = []
    added = [_group(group, one) for one in more]
    return User(uid, gid, tuple(dict.fromkeys((gid, *groups, *added))), home)


def _group(group: list[list[str]], wanted: str) -> int:
    found = next((one for one in group if wanted in (one[0], one[2])), None)
    if found is not None:
        return int(found[2])
    if wanted.isdigit():
        return int(wanted)
    raise ApiError(f"unable to find group {wanted}: no matching entries in group file")


async def inside(sys: Process, root: str, *paths: str) -> list[str]:
    """Files below ``root``, links followed there (openat2(2), RESOLVE_IN_ROOT); empty if none."""
    try:
        top = await sys.open(root, O_PATH | O_CLOEXEC)
    except SysError:
        return [""] * len(paths)
    texts: list[str] = []
    for path in paths:
        try:
            fd = await sys.value("openat2", top, path, (O_CLOEXEC, 0, _RESOLVE_IN_ROOT))
            texts.append((await sys.drain(fd)).decode("utf-8", "surrogateescape"))
        except SysError:
            texts.append("")
    await sys.close(top)
    return texts

"""adduser, addgroup, useradd, groupadd, usermod: accounts in passwd(5), shadow(5) and group(5).

What Dockerfiles make their users with. busybox ``loginutils/adduser.c``, ``addgroup.c``; shadow's
``useradd.c``, ``groupadd.c``; Debian's adduser, whose words differ.
"""

from collections.abc import Sequence

import msgspec

from simulator.machine.abi.constants import O_CREAT, O_TRUNC, O_WRONLY
from simulator.machine.userland.options import Options, UsageError, parse, to_number
from simulator.machine.userland.process import Process
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.servers import serving

_DAY = 86_400
_EXISTS = 9
_NOGROUP = 65_533
_SYSTEM, _PEOPLE = range(100, 1000), range(1000, 60_000)


class _Account(msgspec.Struct):
    """What a new user gets; a negative number is chosen."""

    name: str
    uid: int = -1
    group: str = ""
    comment: str = ""
    home: str = ""
    shell: str = "/bin/sh"
    system: bool = False
    make_home: bool = True
    own_group: bool = True


async def _lines(sys: Process, path: str) -> list[list[str]]:
    text = await sys.text_or_empty(path)
    return [line.split(":") for line in text.splitlines() if line]


async def _write(sys: Process, path: str, lines: list[list[str]], mode: int = 0o644) -> None:
    fd = await sys.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode)
    await sys.write(fd, "".join(":".join(line) + "\n" for line in lines).encode())
    await sys.close(fd)


def _free(taken: list[list[str]], span: range) -> int:
    """The lowest number of a span that no entry has."""
    used = {int(line[2]) for line in taken if len(line) > 2 and line[2].isdigit()}
    return next((number for number in span if number not in used), span[-1])


async def _new_group(sys: Process, name: str, gid: int, *, system: bool) -> int:
    groups = await _lines(sys, "/etc/group")
    gid = gid if gid >= 0 else _free(groups, _SYSTEM if system else _PEOPLE)
    await _write(sys, "/etc/group", [*groups, [name, "x", str(gid), ""]])
    return gid


async def _gid(sys: Process, group: str) -> int | None:
    """A group's number, by its name or by itself."""
    for line in await _lines(sys, "/etc/group"):
        if group in (line[0], line[2]):
            return int(line[2])
    return int(group) if group.isdigit() else None


async def _join(sys: Process, user: str, group: str) -> bool:
    """Make ``user`` a member; False when there is no such group."""
    groups = await _lines(sys, "/etc/group")
    for line in groups:
        if line[0] == group:
            members = [one for one in line[3].split(",") if one]
            line[3] = ",".join([*members, *([] if user in members else [user])])
            await _write(sys, "/etc/group", groups)
            return True
    return False


async def _known(sys: Process, path: str, name: str) -> bool:
    return any(line[0] == name for line in await _lines(sys, path))


async def _make(sys: Process, account: _Account, gid: int) -> int:
    """Write the account and make its home; its number."""
    users = await _lines(sys, "/etc/passwd")
    uid = account.uid
    if uid < 0:
        uid = _free(users, _SYSTEM if account.system else _PEOPLE)
    home = account.home or f"/home/{account.name}"
    line = [account.name, "x", str(uid), str(gid), account.comment, home, account.shell]
    await _write(sys, "/etc/passwd", [*users, line])
    day = str(await serving.now(sys) // _DAY)
    shadow = [account.name, "!", day, "0", "99999", "7", "", "", ""]
    await _write(sys, "/etc/shadow", [*await _lines(sys, "/etc/shadow"), shadow], 0o600)
    if account.make_home and not await sys.succeeds("stat", home):
        above = ""
        for part in home.strip("/").split("/"):
            above += f"/{part}"
            await sys.succeeds("mkdir", above, 0o755)
        await sys.succeeds("chown", home, uid, gid)
    return uid


async def _debian(sys: Process) -> bool:
    return "debian" in (await sys.text_or_empty("/etc/os-release")).lower()


_ADD = {"home": "h", "gecos": "g", "shell": "s", "ingroup": "G", "system": "S",
        "disabled-password": "D", "disabled-login": "D", "no-create-home": "H", "uid": "u",
        "group": "!", "quiet": "q", "comment": "g", "gid": "i", "empty-password": "D"}  # fmt: skip


@enter("adduser", collection=IMAGES)
async def adduser(sys: Process, argv: Sequence[str]) -> int:
    """``adduser [-h DIR] [-g TEXT] [-s SHELL] [-G GROUP] [-u UID] [-SDH] USER [GROUP]``."""
    options = parse(argv, "h:g:s:G:u:i:k:SDHq", _ADD)
    if not options.rest:
        raise UsageError("usage: adduser [OPTIONS] USER [GROUP]")
    name, *groups = options.rest
    debian = await _debian(sys)
    if groups:
        return await _added(sys, name, groups[0])
    if await _known(sys, "/etc/passwd", name):
        told = f"user '{name}' in use" if not debian else f"The user `{name}' already exists."
        return await sys.complain(told)
    account = _account(name, options, debian=debian)
    gid = await _group_of(sys, account, options)
    if gid is None:
        return await sys.complain(f"unknown group {account.group}")
    uid = await _make(sys, account, gid)
    if account.group and account.own_group is False and not debian:
        await _join(sys, name, account.group)
    if debian and not options.has("q"):
        await sys.out(f"Adding user `{name}' ...\nAdding new user `{name}' ({uid}) with group"
                      f" `{account.group or name}' ...\n")  # fmt: skip
    return 0


def _account(name: str, options: Options, *, debian: bool) -> _Account:
    system = options.has("S")
    shell = "/bin/false" if system and not debian else "/bin/bash" if debian else "/bin/sh"
    shell = "/usr/sbin/nologin" if system and debian else shell
    return _Account(
        name,
        uid=to_number(options.value("u", "-1")),
        group=options.value("G") or options.value("i"),
        comment=options.value("g") if options.has("g") or debian else "Linux User,,,",
        home=options.value("h"),
        shell=options.value("s") or shell,
        system=system,
        make_home=not options.has("H"),
        own_group=not (options.value("G") or options.value("i")),
    )


async def _group_of(sys: Process, account: _Account, options: Options) -> int | None:
    """The number of the user's first group; None for a group that is not there."""
    if account.group:
        return await _gid(sys, account.group)
    if account.system and not options.has("!"):
        return _NOGROUP
    there = await _gid(sys, account.name)
    if there is not None and await _known(sys, "/etc/group", account.name):
        return there
    wanted = account.uid if account.uid >= 0 else -1
    return await _new_group(sys, account.name, wanted, system=account.system)


async def _added(sys: Process, user: str, group: str) -> int:
    """A user into a group that is there."""
    if not await _known(sys, "/etc/passwd", user):
        return await sys.complain(f"unknown user {user}")
    if not await _join(sys, user, group):
        return await sys.complain(f"unknown group {group}")
    return 0


@enter("addgroup", collection=IMAGES)
async def addgroup(sys: Process, argv: Sequence[str]) -> int:
    """``addgroup [-g GID] [-S] GROUP``, ``addgroup USER GROUP``."""
    options = parse(argv, "g:Sq", {"gid": "g", "system": "S", "quiet": "q"})
    if not options.rest:
        raise UsageError("usage: addgroup [-g GID] [-S] [USER] GROUP")
    if len(options.rest) > 1:
        return await _added(sys, options.rest[0], options.rest[1])
    name = options.rest[0]
    if await _known(sys, "/etc/group", name):
        return await sys.complain(f"group '{name}' in use")
    await _new_group(sys, name, to_number(options.value("g", "-1")), system=options.has("S"))
    return 0


_USER = {"create-home": "m", "system": "r", "uid": "u", "gid": "g", "groups": "G", "shell": "s",
         "home-dir": "d", "no-create-home": "M", "comment": "c", "user-group": "U",
         "no-user-group": "N", "no-log-init": "l", "append": "a", "home": "d",
         "password": "p"}  # fmt: skip


@enter("useradd", collection=IMAGES)
async def useradd(sys: Process, argv: Sequence[str]) -> int:
    """``useradd [-m] [-r] [-u UID] [-g GROUP] [-G GROUPS] [-s SHELL] [-d DIR] USER``."""
    options = parse(argv, "mrMUNlu:g:G:s:d:c:p:ok:", _USER)
    if len(options.rest) != 1:
        await sys.err("Usage: useradd [options] LOGIN\n")
        return 2
    name, system = options.rest[0], options.has("r")
    if await _known(sys, "/etc/passwd", name):
        await sys.complain(f"user '{name}' already exists")
        return _EXISTS
    account = _Account(
        name, to_number(options.value("u", "-1")), options.value("g"), options.value("c"),
        options.value("d"), options.value("s") or "/bin/sh", system, options.has("m"),
    )  # fmt: skip
    more = [one for one in options.value("G").split(",") if one]
    for group in (*([account.group] if account.group else []), *more):
        if await _gid(sys, group) is None:
            await sys.complain(f"group '{group}' does not exist")
            return 6
    if account.group:
        gid = await _gid(sys, account.group)
    else:
        if await _known(sys, "/etc/group", name):
            await sys.complain(f"group {name} exists - if you want to add this user to that group,"
                               " use -g.")  # fmt: skip
            return _EXISTS
        gid = await _new_group(sys, name, account.uid, system=system)
    await _make(sys, account, gid or 0)
    for group in more:
        await _join(sys, name, group)
    return 0


@enter("groupadd", collection=IMAGES)
async def groupadd(sys: Process, argv: Sequence[str]) -> int:
    """``groupadd [-r] [-g GID] GROUP``."""
    options = parse(argv, "rg:fo", {"system": "r", "gid": "g", "force": "f"})
    if len(options.rest) != 1:
        await sys.err("Usage: groupadd [options] GROUP\n")
        return 2
    if await _known(sys, "/etc/group", options.rest[0]):
        if options.has("f"):
            return 0
        await sys.complain(f"group '{options.rest[0]}' already exists")
        return _EXISTS
    number = to_number(options.value("g", "-1"))
    await _new_group(sys, options.rest[0], number, system=options.has("r"))
    return 0


@enter("usermod", collection=IMAGES)
async def usermod(sys: Process, argv: Sequence[str]) -> int:
    """``usermod [-a] [-G GROUPS] [-s SHELL] [-d DIR] [-u UID] USER``."""
    options = parse(argv, "aG:s:d:u:g:c:l:m", _USER)
    name = options.rest[0] if options.rest else ""
    users = await _lines(sys, "/etc/passwd")
    line = next((one for one in users if one[0] == name), None)
    if line is None:
        await sys.complain(f"user '{name}' does not exist")
        return 6
    for letter, field in (("u", 2), ("c", 4), ("d", 5), ("s", 6)):
        if options.has(letter):
            line[field] = options.value(letter)
    if options.has("g"):
        line[3] = str(await _gid(sys, options.value("g")))
    await _write(sys, "/etc/passwd", users)
    for group in options.value("G").split(","):
        if group and not await _join(sys, name, group):
            await sys.complain(f"group '{group}' does not exist")
            return 6
    return 0


@enter("deluser", "userdel", collection=IMAGES)
async def deluser(sys: Process, argv: Sequence[str]) -> int:
    """``deluser USER``, ``userdel [-r] USER``: its lines go, its files stay."""
    options = parse(argv, "rf", {"remove-home": "r"})
    name = options.rest[0] if options.rest else ""
    if not await _known(sys, "/etc/passwd", name):
        return await sys.complain(f"unknown user {name}")
    for path, mode in (("/etc/passwd", 0o644), ("/etc/shadow", 0o600)):
        lines = [line for line in await _lines(sys, path) if line[0] != name]
        await _write(sys, path, lines, mode)
    return 0

"""id, whoami, groups, hostname, domainname, uname, arch, tty, su, logname."""

from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from simulator.machine.userland import accounts
from simulator.machine.userland.accounts import Names
from simulator.machine.userland.options import UsageError, parse, to_number
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.programs.basic import become
from simulator.machine.userland.registry import enter


@enter("id")
async def identify(sys: Process, argv: Sequence[str]) -> int:
    """id(1): of the caller, or of a user."""
    options = parse(argv, "unGgr")
    names = Names(sys)
    if options.rest:
        user = await accounts.find_user(sys, options.rest[0])
        if user is None:
            return await sys.complain(f"unknown user {options.rest[0]}")
        uid, euid, gid, egid = user.uid, user.uid, user.gid, user.gid
        groups = [user.gid] + [
            number for number, members in (await accounts.groups(sys)).values()
            if user.name in members and number != user.gid
        ]  # fmt: skip
    else:
        uid, euid = await sys.value("getuid"), await sys.value("geteuid")
        gid, egid = await sys.value("getgid"), await sys.value("getegid")
        groups = cast("list[int]", await sys.data("getgroups", 64)) or []
    real = options.has("r")
    if options.has("u"):
        text = await _one(names.user, uid if real else euid, named=options.has("n"))
    elif options.has("g"):
        text = await _one(names.group, gid if real else egid, named=options.has("n"))
    elif options.has("G"):
        every = [egid, *(group for group in groups if group != egid)]
        text = " ".join([await _one(names.group, g, named=options.has("n")) for g in every])
    else:
        text = await _described(names, (uid, euid), (gid, egid), groups)
    await sys.out(text + "\n")
    return 0


async def _one(look: Callable[[int], Awaitable[str]], number: int, *, named: bool) -> str:
    return await look(number) if named else str(number)


async def _described(
    names: Names, uids: tuple[int, int], gids: tuple[int, int], groups: Sequence[int]
) -> str:
    async def user(number: int) -> str:
        name = await names.known_user(number)
        return f"{number}({name})" if name else str(number)

    async def group(number: int) -> str:
        name = await names.known_group(number)
        return f"{number}({name})" if name else str(number)

    text = f"uid={await user(uids[0])} gid={await group(gids[0])}"
    if uids[1] != uids[0]:
        text += f" euid={await user(uids[1])}"
    if gids[1] != gids[0]:
        text += f" egid={await group(gids[1])}"
    if groups:
        text += " groups=" + ",".join([await group(number) for number in groups])
    return text


@enter("whoami")
async def whoami(sys: Process, _argv: Sequence[str]) -> int:
    """whoami(1)."""
    uid = await sys.value("geteuid")
    name = await Names(sys).known_user(uid)
    if name is None:
        return await sys.complain(f"unknown uid {uid}")
    await sys.out(f"{name}\n")
    return 0


@enter("groups")
async def groups(sys: Process, argv: Sequence[str]) -> int:
    """groups(1)."""
    return await identify(sys, ["id", "-Gn", *argv[1:]])


@enter("logname")
async def logname(sys: Process, _argv: Sequence[str]) -> int:
    """logname(1): nobody has logged in on a terminal."""
    return await sys.complain("getlogin: No such file or directory")


@enter("hostname")
async def hostname(sys: Process, argv: Sequence[str]) -> int:
    """hostname(1): show or set the machine's name."""
    options = parse(argv, "dfsiyF:")
    if options.has("F"):
        text = (await sys.text(options.value("F"))).strip()
        return await _set_name(sys, "sethostname", text)
    if options.rest:
        return await _set_name(sys, "sethostname", options.rest[0])
    name = (await sys.data("uname"))["nodename"]
    if options.has("s"):
        name = name.partition(".")[0]
    if options.has("d"):
        name = name.partition(".")[2]
    await sys.out(f"{name}\n")
    return 0


async def _set_name(sys: Process, call: str, text: str) -> int:
    try:
        await sys.call(call, text, len(text.encode()))
    except SysError as error:
        return await sys.complain(f"{call}: {error.message}")
    return 0


@enter("domainname")
async def domainname(sys: Process, argv: Sequence[str]) -> int:
    """domainname(1): show or set the NIS domain name."""
    if len(argv) > 1:
        return await _set_name(sys, "setdomainname", argv[1])
    await sys.out((await sys.data("uname"))["domainname"] + "\n")
    return 0


_UNAME = (
    ("s", "sysname"),
    ("n", "nodename"),
    ("r", "release"),
    ("v", "version"),
    ("m", "machine"),
)


@enter("uname", "arch")
async def uname(sys: Process, argv: Sequence[str]) -> int:
    """uname(1)."""
    options = parse(argv, "snrvmpioa", {"all": "a"})
    facts = await sys.data("uname")
    if sys.name == "arch":
        await sys.out(facts["machine"] + "\n")
        return 0
    words = [facts[key] for letter, key in _UNAME if options.has(letter) or options.has("a")]
    if options.has("o") or options.has("a"):
        words.append("GNU/Linux" if facts["sysname"] == "Linux" else facts["sysname"])
    await sys.out(" ".join(words or [facts["sysname"]]) + "\n")
    return 0


@enter("tty")
async def tty(sys: Process, argv: Sequence[str]) -> int:
    """tty(1): a shell line has no terminal."""
    if "-s" not in argv:
        await sys.out("not a tty\n")
    return 1


@enter("su")
async def su(sys: Process, argv: Sequence[str]) -> int:
    """su(1) without a password: only for the superuser."""
    options = parse(argv, "mplc:s:", stop_early=True)
    rest = [word for word in options.rest if word != "-"]
    name = rest[0] if rest else "root"
    user = await accounts.find_user(sys, name)
    if user is None:
        raise UsageError(f"unknown user {name}")
    if await sys.value("geteuid"):
        return await sys.complain("must be suid to work properly")
    try:
        await sys.call("setgroups", 1, [user.gid])
    except SysError as error:
        return await sys.fault("can't set groups", error)
    await sys.call("setgid", user.gid)
    await sys.call("setuid", user.uid)
    shell = options.value("s", user.shell)
    command = ["-c", options.value("c")] if options.has("c") else rest[1:]
    env = dict(sys.env) | {"HOME": user.home, "USER": user.name, "SHELL": shell}
    return await become(sys, [shell, *command], env)


@enter("setpriv")
async def setpriv(sys: Process, argv: Sequence[str]) -> int:
    """setpriv(1) with --reuid, --regid, --clear-groups, --no-new-privs, --dump."""
    long = {
        "reuid": "u",
        "regid": "g",
        "clear-groups": "c",
        "no-new-privs": "n",
        "nnp": "n",
        "dump": "d",
    }
    options = parse(argv, "u:g:cnd", long, stop_early=True)
    if options.has("n"):
        await sys.call("prctl", 38, 1, 0, 0, 0)
    if options.has("c"):
        await sys.call("setgroups", 0, [])
    if options.has("g"):
        gid = to_number(options.value("g"))
        await sys.call("setresgid", gid, gid, gid)
    if options.has("u"):
        uid = to_number(options.value("u"))
        await sys.call("setresuid", uid, uid, uid)
    return await become(sys, options.rest or ["/bin/sh"])

"""vserver-info: one fact about a guest, a process, a context or the machine.

Source: src/vserver-info.c, lib/{issupported,getxidtype,xidopt2xid,getvserverappdir}.c.
"""

from collections.abc import Sequence

from simulator.isolation.control.vserver import config, kernel
from simulator.isolation.control.vserver.config import Guest
from simulator.isolation.control.vserver.tool import running_context
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_TAGS = (
    "CONTEXT", "ID", "RUNNING", "VDIR", "NAME", "CFGDIR", "APPDIR", "INITPID", "INITPID_PID",
    "XID", "APIVER", "UTS", "SYSINFO", "FEATURE", "PXID", "CANONIFY", "VERIFYCAP", "VERIFYPROC",
    "XIDTYPE", "NID", "TAG",
)  # fmt: skip
_UTS = ("context", "sysname", "nodename", "release", "version", "machine", "domainname")
_OF_CONTEXT = ("context", "nodename", "domainname")
"""What the kernel keeps for a context; the rest is the machine's for all."""
_SINCE = {
    "VKILL": 0x00010004,
    "RLIMIT": 0x00010004,
    "VSHELPER": 0x00010000,
    "VINFO": 0x00010010,
    "VHI": 0x00010010,
    "IATTR": 0x00010011,
    "MIGRATE": 0x00010012,
    "NAMESPACE": 0x00010012,
    "VWAIT": 0x00010025,
    "SCHED": 0x00020000,
    "VNET": 0x00020001,
    "PERSISTENT": 0x00020002,
    "VSTAT": 0x00020103,
    "PIVOT_ROOT": 0x00020304,
}
"""vc_isSupported(): the version of the kernel's interface that brought a feature."""
_UNTIL = {"VSTAT": 0x00020306}
_BITS = {"PPTAG": 28, "SPACES": 10}
"""Features that a bit of the kernel's configuration tells."""
_HIGHEST = 65535


@enter("vserver-info", collection=TOOLS)
async def vserver_info(sys: Process, argv: Sequence[str]) -> int:
    """vserver-info [-ql] <vserver>|<pid>|<context> <tag>."""
    words: list[str] = []
    quiet = False
    for word in argv[1:]:
        if word in ("--help", "--version"):
            return await _about(sys, word)
        if word.startswith("-") and word != "-":
            if not set(word[1:]) <= {"q", "l"}:
                await sys.err(f"vserver-info: invalid option -- '{word[1:2]}'\n")
                await sys.err("Try 'vserver-info --help' for more information.\n")
                return 1
            quiet = quiet or "q" in word
            if "l" in word:
                await sys.out(f"Valid tags are: {', '.join(_TAGS)}\n")
                return 0
        else:
            words.append(word)
    if len(words) < 2:
        await _system(sys)
        text = "Assumed 'SYSINFO' as no other option given; try '--help' for more information."
        await sys.err(f"\n{text}\n")
        return 0
    subject, tag, *rest = words
    if tag not in _TAGS:
        await sys.err("Unknown tag; use '-l' to get list of valid tags\n")
        return 1
    if tag == "SYSINFO":
        if not quiet:
            await _system(sys)
        return 0
    try:
        told = await _told(sys, subject, tag, rest)
    except SysError as error:
        await sys.err(f"vserver-info: {error.message}\n")
        return 1
    if told is None:
        return 1
    # A test succeeds without a word.
    await sys.out(f"{told}\n" if told and not quiet else "")
    return 0


async def _about(sys: Process, word: str) -> int:
    if word == "--help":
        await sys.out("Usage:  vserver-info [-ql] <vserver>|<pid>|<context> <tag>\n")
    else:
        await sys.out("vserver-info 0.30.216 -- returns information about vservers\n")
    return 0


async def _told(sys: Process, subject: str, tag: str, rest: list[str]) -> str | None:
    """What is printed: nothing for a test that holds, None for failing."""
    if tag in ("XID", "NID", "TAG", "INITPID_PID"):
        return await _of_process(sys, subject, tag)
    if tag in ("ID", "INITPID", "UTS", "XIDTYPE"):
        return await _of_context(sys, subject, tag, rest)
    match tag:
        case "APIVER":
            return f"0x{await kernel.command(sys, 'get_version', 0):08x}"
        case "FEATURE":
            return "" if rest and await _supported(sys, rest[0].upper()) else None
        case "CANONIFY":
            return "".join(one for one in subject if one.isascii() and one.isalnum()) or None
        case "VERIFYPROC":
            await kernel.watch(sys)
            return "" if await sys.succeeds("access", "/proc/uptime", 4) else None
        case "VERIFYCAP":
            if await sys.value("getuid"):
                await sys.err("'VERIFYCAP' can be executed as root only\n")
                return None
            await sys.call("capset", 0, 0, 0, 0)
            return None if await sys.succeeds("chroot", "/") else ""
        case _:
            guest = await config.find(sys, subject)
            return await _of_guest(sys, subject, guest, tag, rest)


async def _of_process(sys: Process, subject: str, tag: str) -> str | None:
    """getXid() and the others: atoi(3), so that no number is the caller itself."""
    pid = int(subject) if subject.isdigit() else 0
    of = {"NID": "nid", "TAG": "tag"}.get(tag, "xid")
    call = f"vc_get_task_{of}()"
    try:
        number = await kernel.command(sys, f"task_{of}", pid)
        if tag != "INITPID_PID":
            return str(number)
        call = "vc_get_vx_info()"
        return str((await kernel.ask(sys, "vx_info", number))["initpid"])
    except SysError as error:
        await sys.err(f"{call}: {error.message}\n")
        return None


async def _of_context(sys: Process, subject: str, tag: str, rest: list[str]) -> str | None:
    """The tags whose subject vc_xidopt2xid() reads: a number, ``self``, a guest's name."""
    number = await _number(sys, subject)
    if tag == "XIDTYPE":
        return _kind(number, rest)
    if tag == "ID":
        return next(
            (one.name for one in await config.configured(sys) if one.context == number), None
        )
    call = "vc_get_vx_info()" if tag == "INITPID" else "vc_get_vhi_name()"
    try:
        if tag == "INITPID":
            return str((await kernel.ask(sys, "vx_info", number))["initpid"])
        if not rest:
            return "".join([f"{await _uts(sys, number, field)} " for field in _UTS])
        if rest[0] not in _UTS:
            await sys.err("Unknown UTS tag\n")
            return None
        return await _uts(sys, number, rest[0])
    except SysError as error:
        await sys.err(f"{call}: {error.message}\n")
        return None


async def _uts(sys: Process, number: int, field: str) -> str:
    if field in _OF_CONTEXT:
        return str(await kernel.ask(sys, "get_vhi_name", number, {"field": field.upper()}))
    await kernel.ask(sys, "get_vhi_name", number, {"field": "NODENAME"})
    return str((await sys.data("uname"))[field])


async def _number(sys: Process, subject: str) -> int:
    """vc_xidopt2xid(); -1 for none."""
    if subject == "self":
        return await kernel.context_of(sys, 0)
    name = subject.removeprefix(":")
    if name == subject and subject.lstrip("-").isdigit():
        return int(subject)
    guest = await config.find(sys, name)
    return guest.context if guest is not None else -1


def _kind(number: int, wanted: list[str]) -> str | None:
    """vc_getXIDType(), of a kernel that chooses no numbers; or whether it is one of ``wanted``."""
    if number in (0, 1):
        kind = ("main", "watch")[number]
    else:
        kind = "static" if 1 < number <= _HIGHEST else "invalid"
    return kind if not wanted or kind in [word.lower() for word in wanted] else None


async def _of_guest(
    sys: Process, subject: str, guest: Guest | None, tag: str, rest: list[str]
) -> str | None:
    if tag == "RUNNING" and guest is None and subject.isdigit():
        return "1" if await kernel.is_alive(sys, int(subject)) else None
    if guest is None:
        return None
    if tag == "RUNNING":
        return "1" if await running_context(sys, guest) else None
    if tag == "CONTEXT":
        running = await running_context(sys, guest)
        only_running = bool(rest) and not _is_true(rest[0])
        number = running if only_running else running or guest.context
        return str(number) if number else None
    if tag == "APPDIR":
        path = f"{guest.confdir}/apps/{rest[0] if rest else ''}"
        return path if await config.is_directory(sys, path) else None
    return {"VDIR": guest.vdir, "NAME": guest.name, "CFGDIR": guest.confdir}.get(tag)


def _is_true(word: str) -> bool:
    """str2bool()."""
    return (word.isdigit() and int(word) != 0) or word[:1] in tuple("yYtT")


async def _supported(sys: Process, name: str) -> bool:
    """vc_isSupportedString()."""
    if name == "COMPAT":
        return True
    version = await kernel.command(sys, "get_version", 0)
    if name in _BITS:
        return bool(await kernel.command(sys, "get_vci", 0) >> _BITS[name] & 1)
    since = _SINCE.get(name)
    return since is not None and since <= version < _UNTIL.get(name, version + 1)


async def _system(sys: Process) -> None:
    """printSysInfo()."""
    told = await sys.data("uname")
    try:
        version = f"0x{await kernel.command(sys, 'get_version', 0):08x}"
        configured = f"0x{await kernel.command(sys, 'get_vci', 0):016x}"
    except SysError:
        version = configured = "???"
    rows = (
        ("Kernel", told["release"]),
        ("VS-API", version),
        ("VCI", configured),
        ("util-vserver", "0.30.216"),
    )
    await sys.out("Versions:\n" + "".join(f"{name:>25}: {value}\n" for name, value in rows))
    await sys.out("\nFEATURES.txt not found\n")

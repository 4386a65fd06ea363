"""The small tools: chcontext, chbind, reducecap and vattribute, each one thing of a guest's.

Source: scripts/{chcontext,chbind}, src/{reducecap,vattribute}.c.
"""

from collections.abc import Sequence
from typing import Any

from simulator.isolation.control.vserver import config, kernel
from simulator.isolation.control.vserver.usages import USAGES
from simulator.isolation.mechanisms.bounding_set import OLD_SECURE, SECURE, SECURE_CCAPS
from simulator.isolation.mechanisms.context_flags import DEFAULT
from simulator.isolation.technologies.options.vserver import (
    CCAP_ALIASES,
    CCAPS,
    FLAG_ALIASES,
    FLAGS,
    OTHER_CCAPS,
    OTHER_FLAGS,
)
from simulator.machine.abi.constants import CAPABILITY_NAMES, CLONE_NEWIPC, CLONE_NEWUTS
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.net import address as ip
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

EVERY = (1 << 64) - 1
ALIASES = {"ccap": CCAP_ALIASES, "flag": FLAG_ALIASES}
OTHERS = {"ccap": OTHER_CCAPS, "flag": OTHER_FLAGS}
"""Words that util-vserver knows and the model's kernel does not act on."""


class Wrong(Exception):
    """A mistake on the command line, with what the tool says of it."""


def options(
    words: list[str], values: Sequence[str], switches: Sequence[str]
) -> tuple[dict[str, list[str]], list[str]]:
    """Options up to the first operand (getopt "+")."""
    found: dict[str, list[str]] = {}
    while words and words[0].startswith("--"):
        word = words.pop(0)
        if word == "--":
            break
        name, equals, value = word.partition("=")
        if name in values:
            if not equals and not words:
                raise Wrong(f"option '{name}' requires an argument")
            found.setdefault(name, []).append(value if equals else words.pop(0))
        elif name in switches:
            found.setdefault(name, []).append("")
        else:
            raise Wrong(f"unrecognized option '{word}'")
    return found, words


def _split(given: list[str]) -> list[str]:
    return [word for text in given for word in text.replace(",", " ").split()]


def bit_of(word: str) -> int:
    """The bit of a capability in the tools' spelling; KeyError."""
    name = word.lstrip("!~").upper().removeprefix("CAP_")
    return 1 << CAPABILITY_NAMES.index(f"CAP_{name}") if f"CAP_{name}" in CAPABILITY_NAMES else 0


async def execute(sys: Process, argv: list[str]) -> int:
    """execvp(3): the command that the tool was asked to run."""
    if not argv:
        return 0
    program = argv[0]
    paths = (
        [program]
        if "/" in program
        else [f"{above}/{program}" for above in ("/usr/sbin", "/bin", "/usr/bin")]
    )
    message = ""
    for path in paths:
        try:
            await sys.execve(path, argv, sys.env)
        except SysError as error:
            message = error.message
    # The two scripts end in a program of their own, which is the one that complains.
    name = {"chcontext": "vcontext", "chbind": "ncontext"}.get(sys.name, sys.name)
    await sys.err(f'{name}: execvp("{program}"): {message}\n')
    return 255


async def _help(sys: Process) -> int:
    await sys.out(USAGES[sys.name])
    return 0


async def _complain(sys: Process, error: Wrong) -> int:
    await sys.err(f"{sys.name}: {error}\nTry '{sys.name} --help' for more information.\n")
    return 255


@enter("chcontext", collection=TOOLS)
async def chcontext(sys: Process, argv: Sequence[str]) -> int:
    """chcontext [--ctx|--xid N] [--cap C] [--secure] [--flag F] [--hostname H] -- COMMAND."""
    try:
        given, command = options(
            list(argv[1:]),
            ("--cap", "--ctx", "--xid", "--flag", "--hostname", "--domainname"),
            ("--secure", "--silent", "--disconnect", "--help"),
        )
    except Wrong as error:
        return await _complain(sys, error)
    if "--help" in given:
        return await _help(sys)
    if not command:
        await sys.err("No command given; use '--help' for more information.\n")
        return 255
    wanted = (given.get("--ctx", []) + given.get("--xid", []))[-1:]
    number = await _number(sys, wanted[0]) if wanted else 0
    if number < 0:
        await sys.err(f"Invalid context number '{wanted[0]}': vserver does not exist\n")
        return 255
    if not await kernel.is_new(sys):
        number = await _old_context(sys, number, given)
    elif number == kernel.WATCH:
        await kernel.watch(sys)
    elif number and await kernel.is_alive(sys, number):
        await kernel.command(sys, "enter_space", number)
        await kernel.command(sys, "ctx_migrate", number)
    else:
        number = await _new_context(sys, number, given)
    if "--silent" not in given:
        await sys.out(f"New security context is {number}\n")
    return await execute(sys, command)


async def _number(sys: Process, text: str) -> int:
    """vc_xidopt2xid(): a number, or the name of a guest; -1 for neither."""
    if text.isdigit():
        return int(text)
    guest = await config.find(sys, text)
    return guest.context if guest is not None else -1


async def _new_context(sys: Process, number: int, given: dict[str, list[str]]) -> int:
    """vspace --new, vcontext --create, vspace --set, vattribute, vcontext --endsetup."""
    await sys.call("unshare", CLONE_NEWUTS | CLONE_NEWIPC)
    if not number:
        number = await kernel.first_free(sys)
    await kernel.command(sys, "ctx_create", number)
    await kernel.command(sys, "set_space", number, {"mask": ["uts", "ipc"]})
    for field, option in (("NODENAME", "--hostname"), ("DOMAINNAME", "--domainname")):
        if option in given:
            name = given[option][-1]
            await kernel.command(sys, "set_vhi_name", number, {"field": field, "name": name})
    caps = [*given.get("--cap", [])]
    if "--secure" in given or caps:
        mask = SECURE if "--secure" in given else EVERY
        for word in _split(caps):
            mask = mask & ~bit_of(word) if word[0] in "!~" else mask | bit_of(word)
        await kernel.command(sys, "set_bcaps", number, {"bcaps": mask, "bmask": EVERY})
        words = list(SECURE_CCAPS)
        await kernel.command(sys, "set_ccaps", number, {"ccaps": words, "cmask": words})
    flags = _split(given.get("--flag", []))
    if flags:
        await kernel.command(sys, "set_cflags", number, {"flagword": flags, "mask": flags})
    done = ["state_setup", *(["state_init"] if "fakeinit" in flags else [])]
    await kernel.command(sys, "set_cflags", number, {"flagword": [], "mask": done})
    return number


async def _old_context(sys: Process, number: int, given: dict[str, list[str]]) -> int:
    """The patch of 2.4: the context, the names, and then the ceiling."""
    flags = tuple(_split(given.get("--flag", [])))
    number = await sys.value("new_s_context", number or -1, 0, flags)
    if "--hostname" in given:
        name = given["--hostname"][-1]
        await sys.call("sethostname", name, len(name))
    keep = OLD_SECURE if "--secure" in given else 0xFFFFFFFF
    for word in _split(given.get("--cap", [])):
        keep = keep & ~bit_of(word) if word[0] in "!~" else keep | bit_of(word)
    if keep != 0xFFFFFFFF:
        await sys.call("new_s_context", -2, ~keep & 0xFFFFFFFF, ())
    return number


@enter("chbind", collection=TOOLS)
async def chbind(sys: Process, argv: Sequence[str]) -> int:
    """chbind [--silent] [--nid N] [--ip IP[/MASK]] [--lback IP] [--secure] -- COMMAND."""
    try:
        given, command = options(
            list(argv[1:]),
            ("--nid", "--ip", "--bcast", "--lback", "--flag", "--ncap"),
            ("--silent", "--secure", "--disconnect", "--help"),
        )
    except Wrong as error:
        return await _complain(sys, error)
    if "--help" in given:
        return await _help(sys)
    addresses = [text.partition("/")[0] for text in given.get("--ip", [])]
    wrong = next((one for one in addresses if ip.parse(one) is None), None)
    if wrong is not None:
        await sys.err(f"Invalid IP number or host name '{wrong}'\n")
        return 255
    if not command:
        await sys.err("No command given; try '--help' for more information\n")
        return 255
    if not await kernel.is_new(sys):
        for address in addresses[:1]:
            await sys.call("set_ipv4root", address, None)
    else:
        wanted = given.get("--nid", [""])[-1]
        await _bound(sys, int(wanted) if wanted.isdigit() else 0, addresses, given)
    if "--silent" not in given and addresses:
        await sys.out(f"ipv4root is now {' '.join(addresses)}\n")
    return await execute(sys, command)


async def _bound(
    sys: Process, number: int, addresses: list[str], given: dict[str, list[str]]
) -> None:
    if number and await sys.succeeds("vserver", "VCMD_nx_info", number, None):
        await kernel.command(sys, "net_migrate", number)
        return
    for one in kernel.DYNAMIC if not number else ():
        if not await sys.succeeds("vserver", "VCMD_nx_info", one, None):
            number = one
            break
    await kernel.command(sys, "net_create", number)
    flags = _split(given.get("--flag", [])) + (["hide_netif"] if "--secure" in given else [])
    ncaps = _split(given.get("--ncap", [])) + (["raw_icmp"] if "--secure" in given else [])
    if flags:
        await kernel.command(sys, "set_nflags", number, {"flagword": flags, "mask": flags})
    if ncaps:
        await kernel.command(sys, "set_ncaps", number, {"ncaps": ncaps, "cmask": ncaps})
    for address in addresses:
        await kernel.command(sys, "net_add", number, {"type": "IPV4", "ip": address})
    for address in given.get("--lback", []):
        await kernel.command(sys, "net_add", number, {"type": "IPV4|LBACK", "ip": address})


@enter("reducecap", collection=TOOLS)
async def reducecap(sys: Process, argv: Sequence[str]) -> int:
    """reducecap [--show] [--secure] [--cap CAP] -- COMMAND: lower the ceiling, for good (2.4)."""
    try:
        given, command = options(
            list(argv[1:]), ("--cap", "--flag", "--pid"), ("--show", "--secure", "--help")
        )
    except Wrong as error:
        return await _complain(sys, error)
    if "--help" in given:
        return await _help(sys)
    if not command and "--show" not in given:
        await sys.err("No command given; use '--help' for more information\n")
        return 255
    if await kernel.is_new(sys):
        # Built without the legacy API, the tool changes nothing and says so.
        await sys.err(
            "ERROR: tools were built without legacy API support; reducecap will not work!\n\n"
        )
    else:
        gone = ~OLD_SECURE & 0xFFFFFFFF if "--secure" in given else 0
        for word in _split(given.get("--cap", [])):
            gone |= bit_of(word)
        await sys.call("new_s_context", -2, gone, ())
    if "--show" in given:
        await _show_capabilities(sys)
    return await execute(sys, command)


async def _show_capabilities(sys: Process) -> None:
    """printReducecap()."""
    sets = await sys.data("capget", 0)
    await sys.out("            Capability Effective  Permitted  Inheritable\n")
    for number, name in enumerate(CAPABILITY_NAMES[:32]):
        marks = ["X" if number in one else " " for one in sets]
        line = name.ljust(27) + (" " * 9).join(f"{mark} " for mark in marks)
        await sys.out(f"{line.rstrip()}\n")


@enter("vattribute", collection=TOOLS)
async def vattribute(sys: Process, argv: Sequence[str]) -> int:
    """vattribute [--xid N] {--get|--set [--bcap C] [--ccap C] [--flag F] [--secure]} -- ..."""
    try:
        given, command = options(
            list(argv[1:]),
            ("--xid", "--bcap", "--ccap", "--flag", "--umask"),
            ("--get", "--set", "--secure", "--help"),
        )
        if "--help" in given:
            return await _help(sys)
        number = await xid_of(sys, given)
        if "--get" in given:
            await _print_attributes(sys, number)
        else:
            await _set_attributes(sys, number, given)
    except Wrong as error:
        await sys.err(f"{error}\n")
        return 255
    except SysError as error:
        await sys.err(f"vattribute: vc_set_ccaps(): {error.message}\n")
        return 1
    return await execute(sys, command)


async def xid_of(sys: Process, given: dict[str, list[str]]) -> int:
    """vc_xidopt2xid(): a number, or a guest's name."""
    text = given.get("--xid", ["self"])[-1]
    if text == "self":
        return await kernel.context_of(sys, 0)
    if text.isdigit():
        return int(text)
    guest = await config.find(sys, text)
    if guest is None:
        raise Wrong(f"Invalid context number '{text}': vserver does not exist")
    return guest.context


async def _set_attributes(sys: Process, number: int, given: dict[str, list[str]]) -> None:
    if "--secure" in given:
        words = list(SECURE_CCAPS)
        await kernel.command(sys, "set_bcaps", number, {"bcaps": SECURE, "bmask": EVERY})
        await kernel.command(sys, "set_ccaps", number, {"ccaps": words, "cmask": words})
    for word in _split(given.get("--bcap", [])):
        bit = bit_of(word)
        if not bit:
            raise Wrong(f"Unknown bcap '{word.lstrip('!~')}'")
        value = 0 if word[0] in "!~" else bit
        await kernel.command(sys, "set_bcaps", number, {"bcaps": value, "bmask": bit})
    await _words(sys, number, _split(given.get("--ccap", [])), CCAPS, "ccap")
    await _words(sys, number, _split(given.get("--flag", [])), FLAGS | {"default"}, "flag")


async def _words(
    sys: Process, number: int, words: list[str], known: frozenset[str], kind: str
) -> None:
    for word in words:
        name = word.lstrip("!~").lower()
        name = ALIASES[kind].get(name, name)
        if name not in known and name in OTHERS[kind]:
            text = _("{name}: the simulated kernel lacks this parameter").format(name=name)
            raise Wrong(f"vattribute: {text}")
        if name not in known:
            raise Wrong(f"Unknown {kind} '{name}'")
        mask: list[str] = [*DEFAULT] if name == "default" else [name]
        value: list[str] = [] if word[0] in "!~" else mask
        fields: dict[str, Any] = (
            {"ccaps": value, "cmask": mask} if kind == "ccap" else {"flagword": value, "mask": mask}
        )
        await kernel.command(sys, f"set_{'ccaps' if kind == 'ccap' else 'cflags'}", number, fields)


async def _print_attributes(sys: Process, number: int) -> None:
    """printAttrs()."""
    mask = await kernel.ask(sys, "get_bcaps", number)
    names = [
        name.removeprefix("CAP_").lower()
        for bit, name in enumerate(CAPABILITY_NAMES)
        if mask >> bit & 1
    ]
    ccaps = await kernel.ask(sys, "get_ccaps", number)
    flags = await kernel.ask(sys, "get_cflags", number)
    for title, words in (("bcapabilities", names), ("ccapabilities", ccaps), ("flags", flags)):
        await sys.out(f"{title}:\n{','.join(words)}\n")

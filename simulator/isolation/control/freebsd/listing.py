"""jls(8): the jails that run. Source: usr.sbin/jls/jls.c"""

from collections.abc import Sequence
from typing import Any, cast

from simulator.isolation.control.freebsd.running import prisons
from simulator.isolation.control.getopt import misread
from simulator.isolation.technologies.options import jail as options
from simulator.machine.abi.call import Value
from simulator.machine.userland.options import Options, UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_USAGE = "usage: jls [-dhNnqv] [-j jail] [param ...]\n"


@enter("jls", collection=TOOLS)
async def jls(sys: Process, argv: Sequence[str]) -> int:
    """A table of all; -v with more lines, -n or -s as ``name=value``, or the parameters named."""
    try:
        given = parse(argv, "dhj:Nnqsv")
    except UsageError as error:
        return await misread(sys, error, _USAGE, 1)
    strange = next((name for name in given.rest if not _is_parameter(name)), None)
    if strange is not None:
        return await sys.complain(f"unknown parameter: {strange}")
    jails = await _jails(sys, given)
    if jails is None:
        return 1
    if given.rest or given.has("n") or given.has("s") or given.has("h"):
        await _params(sys, given, jails)
    elif given.has("v"):
        await _long(sys, jails)
    else:
        await _short(sys, jails, by_name=given.has("N"))
    return 0


_READ_ONLY = frozenset(("jid", "name", "parent", "dying", "cpuset.id", "children.cur", "host"))


def _is_parameter(name: str) -> bool:
    """Whether security.jail.param has it, as jailparam_init() asks."""
    return name in _READ_ONLY or name in options.TABLE


async def _jails(sys: Process, given: Options) -> list[dict[str, Any]] | None:
    """Those asked for; None after a complaint."""
    if given.has("j"):
        name = given.value("j")
        asked: dict[str, Value] = {"jid": int(name)} if name.isdigit() else {"name": name}
        try:
            return [cast("dict[str, Any]", await sys.data("jail_get", asked, 0))]
        except SysError:
            shown = name if name.isdigit() else f'"{name}"'
            await sys.complain(f"jail {shown} not found")
            return None
    return [one async for one in prisons(sys)]


async def _short(sys: Process, jails: list[dict[str, Any]], *, by_name: bool) -> None:
    """The table of old; with -N the names stand where the numbers did, and have more room."""
    head = f" {'JID':<15} {'IP Address':<15}" if by_name else f"{'JID':>6}  {'IP Address':<15}"
    await sys.out(f"{head} {'Hostname':<29} Path\n")
    for one in jails:
        first = next(iter(one["ip4.addr"] or one["ip6.addr"]), "")
        label = f" {one['name']:<15}" if by_name else f"{one['jid']:>6} "
        host, path = str(one["host.hostname"])[:29], str(one["path"])[:74]
        await sys.out(f"{label} {first:<15.15} {host:<29} {path}\n")


def _order(name: str) -> tuple[bool, str]:
    """sort_param(): parameters of no group first."""
    return "." in name, name


async def _long(sys: Process, jails: list[dict[str, Any]]) -> None:
    await sys.out(
        "   JID  Hostname                      Path\n"
        "        Name                          State\n"
        "        CPUSetID\n"
        "        IP Address(es)\n"
    )
    for one in jails:
        await sys.out(f"{one['jid']:>6}  {one['host.hostname']:<29.29} {str(one['path'])[:74]}\n")
        await sys.out(f"        {one['name']:<29.29} ACTIVE\n")
        await sys.out(f"        {int(one['jid']) + 1}\n")
        for address in (*one["ip4.addr"], *one["ip6.addr"]):
            await sys.out(f"        {address}\n")


async def _params(sys: Process, given: Options, jails: list[dict[str, Any]]) -> None:
    names = given.rest or (sorted(jails[0], key=_order) if jails else [])
    if given.has("h"):
        await sys.out(" ".join(names) + "\n")
    for one in jails:
        words = [_word(given, name, one) for name in names]
        await sys.out(" ".join(words) + "\n")


def _word(given: Options, name: str, one: dict[str, Any]) -> str:
    """-n says names too; a switch is then ``allow.mount`` or ``allow.nomount``."""
    if name not in one:
        return "-"
    value = one[name]
    text = ",".join(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else str(value)
    if not (given.has("n") or given.has("s")):
        return text or "-"
    if name.startswith("allow.") or name == "persist":
        head, dot, tail = name.rpartition(".")
        return name if value else f"{head}{dot}no{tail}"
    return f"{name}={text}"

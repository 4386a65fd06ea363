"""Solaris's ppriv and prctl: privileges of processes, resource controls of zones."""

from collections.abc import Sequence

from simulator.machine.abi.constants import PRIV_OFF, PRIV_ON, PRIV_SET, ZONE_ATTR_PRIVSET
from simulator.machine.abi.errno import Errno
from simulator.machine.kernel import privset
from simulator.machine.userland.options import UsageError, parse, to_number
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.programs.basic import become
from simulator.machine.userland.registry import SUN, enter

_LETTERS = {"E": "Effective", "I": "Inheritable", "P": "Permitted", "L": "Limit"}


@enter("ppriv", collection=SUN)
async def ppriv(sys: Process, argv: Sequence[str]) -> int:
    """ppriv(1): the sets of processes; -l lists; -e -s SPEC runs a command with less."""
    options = parse(argv, "vSlnDNes:M:", stop_early=True)
    if options.has("l"):
        wanted = options.rest or list(privset.PRIVILEGES)
        await sys.out("".join(f"{name}\n" for name in wanted))
        return 0
    if options.has("s") and not options.has("e"):
        return await sys.complain("-s of another process is not modelled; use -e with a command")
    if options.has("e"):
        for spec in options.values.get("s", ()):
            await _change(sys, spec)
        if not options.rest:
            raise UsageError("usage: ppriv -e [-s spec] command [ arg ... ]")
        return await become(sys, options.rest)
    if not options.rest:
        raise UsageError("usage: ppriv [-v] [-S] [-D | -N] [-s spec] { pid | core } ...")
    status = 0
    for word in options.rest:
        status |= await _show(sys, word, bool(options.has("v")))
    return status


async def _change(sys: Process, spec: str) -> None:
    letters = spec.rstrip().partition("=")[0] if "=" in spec else spec.partition("-")[0]
    letters = letters if letters and set(letters) <= set("AEIPL") else spec.partition("+")[0]
    operator = spec[len(letters) : len(letters) + 1]
    operation = {"=": PRIV_SET, "-": PRIV_OFF, "+": PRIV_ON}.get(operator)
    if operation is None or not letters or not set(letters) <= set("AEIPL"):
        raise UsageError(f"bad privilege specification '{spec}'")
    zone = await _zone_set(sys)
    try:
        bits = privset.parse(spec[len(letters) + 1 :], {"zone": zone})
    except KeyError as error:
        raise UsageError(f"{error}: bad privilege name") from None
    wanted = "LIEP" if "A" in letters else letters
    for letter in sorted(wanted, key="IEPL".index):
        await sys.call("setppriv", operation, _LETTERS[letter], list(privset.names(bits)))


async def _show(sys: Process, word: str, verbose: bool) -> int:
    try:
        cred = await sys.text(f"/proc/{word}/cred")
        info = await sys.text(f"/proc/{word}/psinfo")
    except SysError as error:
        shown = (
            "permission denied" if error.errno in (Errno.EPERM, Errno.EACCES) else "no such process"
        )
        return await sys.complain(f"cannot examine {word}: {shown}")
    command = next(line[7:] for line in info.splitlines() if line.startswith("psargs="))
    await sys.out(f"{word}:\t{command}\nflags = <none>\n")
    zone = await _zone_set(sys)
    for line in cred.splitlines():
        letter, _, names = line.partition("=")
        if letter in _LETTERS:
            text = names if verbose else _short(names, zone)
            await sys.out(f"\t{letter}: {text}\n")
    return 0


async def _zone_set(sys: Process) -> int:
    number = await sys.value("zone_lookup", None)
    names = await sys.data("zone_getattr", number, ZONE_ATTR_PRIVSET)
    return privset.mask(" ".join(names))


def _short(names: str, zone: int) -> str:
    """PRIV_STR_SHORT: whole sets by their names, ``basic`` first."""
    bits = privset.mask(names.replace(",", " "))
    whole = {privset.ALL: "all", zone: "zone", privset.BASIC: "basic", 0: "none"}
    if bits in whole:
        return whole[bits]
    if bits & privset.BASIC == privset.BASIC:
        return ",".join(("basic", *privset.names(bits & ~privset.BASIC)))
    return ",".join(privset.names(bits))


@enter("prctl", collection=SUN)
async def prctl(sys: Process, argv: Sequence[str]) -> int:
    """prctl(1) -n zone.CONTROL [-v VALUE -r] -i zone NAME."""
    options = parse(argv, "n:v:i:t:e:rxdpP")
    control, kind = options.value("n"), options.value("i", "process")
    if kind != "zone" or not control.startswith("zone.") or not options.rest:
        raise UsageError("usage: prctl -n zone.control [-r -v value] -i zone zonename ...")
    for name in options.rest:
        try:
            number = int(name) if name.isdigit() else await sys.value("zone_lookup", name)
            if options.has("v"):
                await sys.call("setrctl", control, number, to_number(options.value("v")))
                continue
            value = await sys.value("getrctl", control, number)
        except SysError as error:
            return await sys.complain(f"{name}: {error.message}")
        await sys.out(f"zone: {number}: {name}\n")
        await sys.out("NAME    PRIVILEGE       VALUE    FLAG   ACTION            RECIPIENT\n")
        await sys.out(f"{control}\n")
        if value >= 0:
            await sys.out(f"        privileged {value:10}       -   deny                      -\n")
        await sys.out("        system          max     max   deny                      -\n")
    return 0

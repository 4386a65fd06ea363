"""Solaris's ppriv and prctl: privileges of processes, resource controls of zones."""

from collections.abc import Sequence
from typing import NamedTuple

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
    """ppriv(1): the sets of processes; -l lists; -e -s SPEC runs a command with less.

    Source: cmd/ptools/ppriv/ppriv.c.
    """
    try:
        options = parse(argv, "lDMNevs:S", stop_early=True)
    except UsageError as error:
        letter = str(error)[-2]
        lacks = "option requires an argument" if "requires" in str(error) else "illegal option"
        await sys.complain(f"{lacks} -- {letter}")
        return await _usage(sys)
    specs: list[_Spec] = []
    for word in options.values.get("s", ()):
        spec = _Spec.read(word)
        if isinstance(spec, str):
            await sys.complain(f'bad privilege specification: "{spec}"')
            return 3
        specs.append(spec)
    conflict = _conflicting(specs)
    if conflict:
        return await sys.complain(f"conflicting spec: {conflict}")
    listing = options.has("l")
    clash = options.has("D") and options.has("N")
    changes = options.has("s") or options.has("D") or options.has("N") or options.has("e")
    if (not options.rest and not listing) or clash or (listing and changes):
        return await _usage(sys)
    if options.has("M") and not options.has("e"):
        return await _usage(sys)
    if any(options.has(letter) for letter in "DMN"):
        return await sys.complain("the flags of -D, -M and -N are not modelled")
    if listing:
        return await _list(sys, options.rest, described=options.has("v"))
    if options.has("e"):
        for spec in specs:
            if await spec.apply(sys):
                return 3
        return await become(sys, options.rest)
    if options.has("s"):
        return await sys.complain("-s of another process is not modelled; use -e with a command")
    style = "literal" if options.has("v") else "short" if options.has("S") else "portable"
    status = 0
    for word in options.rest:
        status += await _show(sys, word, style)
    return status


async def _usage(sys: Process) -> int:
    await sys.err(
        "usage:\tppriv [-v] [-S] [-D|-N] [-s spec] { pid | core } ...\n"
        "\tppriv -e [-D|-N] [-M] [-s spec] cmd [args ...]\n"
        "\tppriv -l [-v] [privilege ...]\n"
        "  (report, set or list process privileges)\n"
    )
    return 2


class _Spec(NamedTuple):
    """``[EIPLA][+-=]priv,priv``: which sets change, and how."""

    word: str
    letters: str
    sign: str
    text: str

    @classmethod
    def read(cls, word: str) -> "_Spec | str":
        """parsespec(): or what of the word is bad."""
        at = next((at for at, sign in enumerate(word) if sign in "+-="), -1)
        if at < 0 or at > len(_LETTERS):
            return word
        letters, text = word[:at].upper(), word[at + 1 :]
        try:
            privset.parse(text, {"zone": privset.ALL})
        except KeyError:
            return text
        if not text:
            return text
        if not letters or letters[0] == "A":
            letters = "EIPL"
        return cls(word, letters, word[at], text) if set(letters) <= set(_LETTERS) else word

    async def apply(self, sys: Process) -> int:
        """Change the caller's own sets, the limit set last; 1, after a complaint, on failure."""
        operation = {"=": PRIV_SET, "-": PRIV_OFF, "+": PRIV_ON}[self.sign]
        bits = privset.parse(self.text, {"zone": await _zone_set(sys)})
        for letter in sorted(self.letters, key="IEPL".index):
            name = _LETTERS[letter]
            try:
                await sys.call("setppriv", operation, name, list(privset.names(bits)))
            except SysError as error:
                return await sys.complain(f"setppriv({name}): {error.message}")
        return 0


def _conflicting(specs: Sequence[_Spec]) -> str:
    """The first that assigns a set of which another has told, or adds to one assigned."""
    assigned, changed = set[str](), set[str]()
    for one in specs:
        letters = set(one.letters)
        if letters & assigned or (one.sign == "=" and letters & changed):
            return one.word
        (assigned if one.sign == "=" else changed).update(letters)
    return ""


async def _list(sys: Process, words: list[str], *, described: bool) -> int:
    """dumppriv(): every privilege, or those of the sets given."""
    if described:
        return await sys.complain("the descriptions of -v are not modelled")
    zone, status = await _zone_set(sys), 0
    for word in words or ["all"]:
        try:
            bits = privset.parse(word, {"zone": zone})
        except KeyError:
            status += await sys.complain(f"{word}: bad privilege list")
            continue
        await sys.out("".join(f"{name}\n" for name in privset.names(bits)))
    return status


async def _show(sys: Process, word: str, style: str) -> int:
    try:
        cred = await sys.text(f"/proc/{word.removeprefix('/proc/')}/cred")
        info = await sys.text(f"/proc/{word.removeprefix('/proc/')}/psinfo")
    except SysError as error:
        shown = (
            "permission denied" if error.errno in (Errno.EPERM, Errno.EACCES) else "no such process"
        )
        return await sys.complain(f"cannot examine {word}: {shown}")
    fields = dict(line.split("=", 1) for line in (info + cred).splitlines())
    zone = await _zone_set(sys)
    await sys.out(f"{word.removeprefix('/proc/')}:\t{fields['psargs']:.70}\nflags = <none>\n")
    for letter in _LETTERS:
        bits = privset.mask(fields[letter].replace(",", " "))
        await sys.out(f"\t{letter}: {privset.text(bits, style, zone)}\n")
    return 0


async def _zone_set(sys: Process) -> int:
    number = await sys.value("zone_lookup", None)
    names = await sys.data("zone_getattr", number, ZONE_ATTR_PRIVSET)
    return privset.mask(" ".join(names))


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

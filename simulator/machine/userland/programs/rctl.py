"""FreeBSD's rctl(8): the rules for resources, whom they hold, and what is held.

Source: usr.bin/rctl/rctl.c; lib/libutil/{expand,humanize}_number.c.
"""

import re
from collections.abc import Callable, Sequence

from simulator.machine.abi.errno import Errno
from simulator.machine.userland.accounts import Names, users
from simulator.machine.userland.options import Options, UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import BSD, enter

_USAGE = "usage: rctl [ -h ] [-a rule | -l filter | -r filter | -u filter | filter]\n"
_ALL = "::"
_BUFFER = 128 * 1024
_SHORT = {
    "u": "user",
    "g": "group",
    "p": "process",
    "j": "jail",
    **dict.fromkeys(("l", "c", "class"), "loginclass"),
}
_SHIFTS = {letter: 10 * place for place, letter in enumerate("bkmgtpe")}
_DIGITS = re.compile(r"\s*[-+]?(0[xX][0-9a-fA-F]+|\d+)?")
_WIDEST = (1 << 64) - 1
_COLUMNS = 10_000
"""What has more digits is divided: the tool has room for five characters and their end."""
_CUT = 973
"""ceil(.95 * 1024)."""

_CALLS = {
    "a": ("rctl_add_rule", "add rule"),
    "r": ("rctl_remove_rule", "remove rule"),
    "l": ("rctl_get_limits", "get limits for"),
    "u": ("rctl_get_racct", "show resource consumption for"),
    "": ("rctl_get_rules", "show rules for"),
}


class RuleError(Exception):
    """What the tool finds wrong with a rule before the kernel sees it."""


@enter("rctl", collection=BSD)
async def rctl(sys: Process, argv: Sequence[str]) -> int:
    """The status is how many of the rules or filters failed."""
    try:
        given = parse(argv, "ahlnru", stop_early=True)
    except UsageError as error:
        kind, _dashes, letter = str(error).partition(" -- ")
        kind = kind.replace("invalid", "illegal")
        await sys.err(f"{sys.name}: {kind} -- {letter.strip(chr(39))}\n{_USAGE}")
        return 1
    doing = [letter for letter in "alru" if given.has(letter)]
    if len(doing) > 1:
        return await sys.complain("at most one of -a, -l, -r, or -u may be specified")
    if not given.rest and doing:
        await sys.err(_USAGE)
        return 1
    what = doing[0] if doing else ""
    try:
        if not given.rest:
            await _do(sys, given, what, _ALL, _ALL)
            return 0
        return sum([await _one(sys, given, what, word) for word in given.rest]) & 0xFF
    except SysError as error:
        return await sys.complain(await _why_absent(sys, error))


async def _one(sys: Process, given: Options, what: str, word: str) -> int:
    resolve = not (what == "a" and given.has("n"))
    try:
        text = expand(word, await _user_ids(sys) if resolve else None)
    except RuleError as error:
        return await sys.complain(f"malformed rule '{word}': {error}")
    return await _do(sys, given, what, text, word)


async def _do(sys: Process, given: Options, what: str, text: str, word: str) -> int:
    call, failing = _CALLS[what]
    try:
        reply = await sys.data(
            call, text, len(text) + 1, None, 0 if what in ("a", "r") else _BUFFER
        )
    except SysError as error:
        if error.errno is Errno.ENOSYS:
            raise
        await sys.complain(f"failed to {failing} '{word}': {error.message}")
        return 1
    names = Names(sys)
    for line in str(reply or "").split(",") if reply else ():
        if what != "u" and not given.has("n"):
            line = await _named(line, names)
        if given.has("h"):
            line = _with_units(line)
        await sys.out(f"{line}\n")
    return 0


async def _why_absent(sys: Process, error: SysError) -> str:
    """enosys(): after which the tool ends."""
    if await sys.data("__sysctlbyname", "kern.racct.enable", None) != "0":
        return error.message
    return "RACCT/RCTL present, but disabled; enable using kern.racct.enable=1 tunable"


def expand(rule: str, resolve: "Callable[[str], int] | None" = None) -> str:
    """expand_rule(): short words in full, a user by number, the amount without its unit.

    Raises ``RuleError``.
    """
    subject, colon, rest = rule.partition(":")
    if not colon:
        raise RuleError("missing subject")
    name, colon, rest = rest.partition(":")
    subject = _SHORT.get(subject.lower(), subject)
    if resolve is not None and subject.lower() == "user" and name:
        name = str(resolve(name))
    resource, more, limit = rest.partition(":")
    found = re.fullmatch(r"([^=/]*)[=/]([^/]+)(/.*)?", limit) if more else None
    if found is None:
        return f"{subject}:{name}:{rest}"
    action, amount, per = found.groups()
    return f"{subject}:{name}:{resource}:{action}={_expanded(amount)}{per or ''}"


def _expanded(amount: str) -> int:
    """expand_number(): 1k is 1024; what follows the unit is not looked at."""
    match = _DIGITS.match(amount)
    assert match is not None
    digits, unit = (match[1] or "0").lower(), amount[match.end() : match.end() + 1].lower()
    octal = digits.startswith("0") and not digits.startswith("0x")
    base = 8 if octal else 0
    if (octal and set(digits) & set("89")) or unit not in ("", *_SHIFTS):
        raise RuleError(f"invalid numeric value '{amount}'")
    number = int(digits, base)
    if match[0].lstrip().startswith("-"):
        number = -number & _WIDEST
    number <<= _SHIFTS.get(unit, 0)
    if number > _WIDEST:
        raise RuleError(f"invalid numeric value '{amount}'")
    return number


async def _user_ids(sys: Process) -> Callable[[str], int]:
    """parse_user(): a name of passwd(5), or a number."""
    known = {one.name: one.uid for one in await users(sys)}

    def find(text: str) -> int:
        if text in known:
            return known[text]
        if not text[:1].isdecimal():
            raise RuleError(f"unknown user '{text}'")
        if not text.isdecimal():
            raise RuleError("trailing characters after numerical id")
        return int(text)

    return find


async def _named(line: str, names: Names) -> str:
    """humanize_ids()."""
    subject, number, rest = line.split(":", 2)
    return f"{subject}:{await names.user(int(number))}:{rest}" if subject == "user" else line


def _with_units(line: str) -> str:
    """humanize_amount(), humanize_usage_amount()."""
    return re.sub(r"=(\d+)", lambda found: "=" + humanized(int(found[1])), line, count=1)


def humanized(number: int) -> str:
    """humanize_number() into six bytes: HN_AUTOSCALE, HN_DECIMAL, HN_NOSPACE."""
    left, scale = 0, 0
    while scale < 6 and (number >= _COLUMNS or (number == _COLUMNS - 1 and left >= 512)):
        number, left = divmod(number, 1024)[0], number % 1024
        scale += 1
    unit = " KMGTPE"[scale].strip()
    if scale and (number < 9 or (number == 9 and left < _CUT)):
        tenths = (left * 10 + 512) // 1024
        return f"{number + tenths // 10}.{tenths % 10}{unit}"
    return f"{number + (left + 512) // 1024}{unit}"

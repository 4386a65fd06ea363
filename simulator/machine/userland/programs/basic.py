"""true, false, echo, printf, yes, sleep, sync, env, seq: what needs little of the kernel."""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from simulator.machine.abi.constants import S_IFCHR, S_IFMT, S_IFREG
from simulator.machine.userland.options import UsageError, parse, to_number
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import enter

_ESCAPES = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
}
_CONVERSION = re.compile(r"%([-+ #0]*)(\*|\d*)(?:\.(\*|\d*))?([a-zA-Z%])|\\")


@enter("true")
async def true(_sys: Process, _argv: Sequence[str]) -> int:
    """true(1)."""
    return 0


@enter("false")
async def false(_sys: Process, _argv: Sequence[str]) -> int:
    """false(1)."""
    return 1


@enter("echo")
async def echo(sys: Process, argv: Sequence[str]) -> int:
    """echo(1) with -n, -e and -E."""
    words = list(argv[1:])
    newline, escapes = True, False
    while words and re.fullmatch(r"-[neE]+", words[0]):
        letters = words.pop(0)[1:]
        newline = newline and "n" not in letters
        for letter in letters:
            escapes = letter == "e" or (escapes and letter != "E")
    text = " ".join(words)
    if escapes:
        text, stopped = unescape(text, leading_zero=True)
        newline = newline and not stopped
    return await _print(sys, text + ("\n" if newline else ""))


async def _print(sys: Process, text: str) -> int:
    """Write a builtin's output; 1 after ``write error``."""
    try:
        await sys.out(text)
    except SysError as error:
        return await sys.fault("write error", error)
    return 0


def unescape(text: str, *, leading_zero: bool = False) -> tuple[str, bool]:
    r"""``text`` with backslash escapes carried out; whether ``\c`` ended it early."""
    out, at = "", 0
    while at < len(text):
        char = text[at]
        at += 1
        if char != "\\" or at == len(text):
            out += char
            continue
        if text[at] == "c":
            return out, True
        octal = re.match(r"0[0-7]{0,3}|[0-7]{1,3}" if leading_zero else r"[0-7]{1,3}", text[at:])
        hexadecimal = re.match(r"x[0-9a-fA-F]{1,2}", text[at:])
        if hexadecimal:
            out += chr(int(hexadecimal.group()[1:], 16))
            at += len(hexadecimal.group())
        elif octal:
            out += chr(int(octal.group(), 8) & 0xFF)
            at += len(octal.group())
        else:
            out += _ESCAPES.get(text[at], "\\" + text[at])
            at += 1
    return out, False


@enter("printf")
async def printf(sys: Process, argv: Sequence[str]) -> int:
    """printf(1); the format is used again until the arguments are spent."""
    if len(argv) < 2:
        raise UsageError("usage: printf FORMAT [ARGUMENT...]")
    arguments = list(argv[2:])
    bad: list[str] = []
    out = ""
    while True:
        before = len(arguments)
        text, stopped = _formatted(argv[1], arguments, bad)
        out += text
        if stopped or not arguments or len(arguments) == before:
            break
    for argument in bad:
        await sys.complain(f"invalid number '{argument}'")
    return await _print(sys, out) or int(bool(bad))


def _formatted(form: str, arguments: list[str], bad: list[str]) -> tuple[str, bool]:
    out, at = "", 0
    for found in _CONVERSION.finditer(form):
        if found.start() < at:
            continue
        out += form[at : found.start()]
        if found.group() == "\\":
            length = 4 if form[found.end() : found.end() + 1] in tuple("01234567x") else 1
            piece = re.match(r"[0-7]{1,3}|x[0-9a-fA-F]{1,2}|.", form[found.end() :], re.DOTALL)
            size = len(piece.group()) if piece else min(length, 0)
            text, stopped = unescape("\\" + form[found.end() : found.end() + size])
            out += text
            at = found.end() + size
            if stopped:
                return out, True
            continue
        at = found.end()
        text, stopped = _converted(found, arguments, bad)
        out += text
        if stopped:
            return out, True
    return out + form[at:], False


def _converted(found: re.Match[str], arguments: list[str], bad: list[str]) -> tuple[str, bool]:
    flags, width, precision, kind = found.groups()
    if kind == "%":
        return "%", False
    width = (arguments.pop(0) if arguments else "0") if width == "*" else width
    precision = (arguments.pop(0) if arguments else "0") if precision == "*" else precision
    spec = f"%{flags}{width}" + (f".{precision}" if precision is not None else "")
    value = arguments.pop(0) if arguments else ""
    if kind == "b":
        text, stopped = unescape(value, leading_zero=True)
        return f"{spec}s" % text, stopped
    if kind == "c":
        return f"{spec}s" % value[:1], False
    if kind == "s":
        return f"{spec}s" % value, False
    if kind not in "diuxXoeEfFgG":
        raise UsageError(f"{found.group()}: invalid format")
    if kind in "eEfFgG":
        return f"{spec}{kind}" % _float(value, bad), False
    number = _integer(value, bad)
    if kind in "uxXo" and number < 0:
        number += 1 << 64
    return f"{spec}{'d' if kind in 'diu' else kind}" % number, False


def _float(text: str, bad: list[str]) -> float:
    try:
        return float(text or "0")
    except ValueError:
        bad.append(text)
        return 0.0


def _integer(text: str, bad: list[str]) -> int:
    if text[:1] in ("'", '"'):
        return ord(text[1]) if len(text) > 1 else 0
    if not text:
        return 0
    try:
        return int(text, 8) if re.fullmatch(r"[-+]?0[0-7]+", text) else int(text, 0)
    except ValueError:
        bad.append(text)
        leading = re.match(r"[-+]?\d+", text)
        return int(leading.group()) if leading else 0


NULL, ZERO = 1 << 8 | 3, 1 << 8 | 5
"""The device numbers of /dev/null and /dev/zero."""
_WRITING = 450
"""Thousandths of its time that a program which only writes to /dev/null is in the kernel."""


async def is_device(sys: Process, fd: int, number: int) -> bool:
    """Whether ``fd`` is the character device with this number."""
    status: dict[str, int] = await sys.data("fstat", fd)
    return status["mode"] & S_IFMT == S_IFCHR and status["rdev"] == number


_FILE_BLOCK = 64 << 10
"""Bytes that yes writes into a file at once."""


@enter("yes")
async def yes(sys: Process, argv: Sequence[str]) -> int:
    """yes(1): until nobody reads."""
    line = " ".join(argv[1:]) or "y"
    if await is_device(sys, 1, NULL):
        await sys.burn(system=_WRITING)
    status: dict[str, int] = await sys.data("fstat", 1)
    block = _FILE_BLOCK if status["mode"] & S_IFMT == S_IFREG else len(line) * 512
    text = f"{line}\n" * max(block // (len(line) + 1), 1)
    while True:
        await sys.out(text)


@enter("sleep")
async def sleep(sys: Process, argv: Sequence[str]) -> int:
    """sleep(1) in seconds, minutes, hours or days."""
    if len(argv) < 2:
        raise UsageError("missing operand")
    total = 0.0
    for word in argv[1:]:
        found = re.fullmatch(r"(\d*\.?\d+)([smhd]?)", word)
        if found is None:
            raise UsageError(f"invalid number '{word}'")
        total += float(found.group(1)) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]
    nanoseconds = round(total * 1e9)
    await sys.call("nanosleep", divmod(nanoseconds, 1_000_000_000))
    return 0


@enter("usleep")
async def usleep(sys: Process, argv: Sequence[str]) -> int:
    """usleep(1) in microseconds."""
    if len(argv) < 2:
        raise UsageError("usage: usleep N")
    await sys.call("nanosleep", divmod(to_number(argv[1]) * 1000, 1_000_000_000))
    return 0


@enter("sync")
async def sync(sys: Process, _argv: Sequence[str]) -> int:
    """sync(1)."""
    await sys.succeeds("sync")
    return 0


@enter("env", "printenv")
async def env(sys: Process, argv: Sequence[str]) -> int:
    """env(1): show the environment, or run a program with another."""
    options = parse(argv, "iu:0", stop_early=True)
    variables = {} if options.has("i") else dict(sys.env)
    for name in options.values.get("u", []):
        variables.pop(name, None)
    rest = options.rest
    if argv[0].endswith("printenv") and rest:
        for name in rest:
            if name in variables:
                await sys.out(f"{variables[name]}\n")
        return int(any(name not in variables for name in rest))
    while rest and "=" in rest[0]:
        name, _, value = rest.pop(0).partition("=")
        variables[name] = value
    if not rest:
        for name, value in variables.items():
            await sys.out(f"{name}={value}\n")
        return 0
    return await become(sys, rest, variables)


async def become(sys: Process, argv: list[str], variables: dict[str, str] | None = None) -> int:
    """execvp(3): become the program, or say why not; returns 126 or 127."""
    if not argv:
        raise UsageError("missing operand")
    variables = dict(sys.env) if variables is None else variables
    path = variables.get("PATH", sys.env.get("PATH", "/sbin:/usr/sbin:/bin:/usr/bin"))
    places = [argv[0]] if "/" in argv[0] else [f"{place}/{argv[0]}" for place in path.split(":")]
    failure: SysError | None = None
    for place in places:
        try:
            await sys.execve(place, argv, variables)
        except SysError as error:
            if failure is None or error.errno not in ("ENOENT", "ENOTDIR"):
                failure = error
    assert failure is not None
    told = argv[0] if sys.name == "xargs" else f"can't execute '{argv[0]}'"
    await sys.complain(f"{told}: {failure.message}")
    return 127 if failure.errno in ("ENOENT", "ENOTDIR") else 126


_DIGITS = 18
"""Numbers of more digits are not counted to."""
_LINES = 10_000
"""Numbers that seq writes at once: a million million must not be held first."""


@enter("seq")
async def seq(sys: Process, argv: Sequence[str]) -> int:
    """seq(1) of integers."""
    numeric = [at for at, word in enumerate(argv) if re.fullmatch(r"-\d*\.?\d+", word)]
    words = list(argv)
    if numeric:  # a negative number is no option
        words.insert(numeric[0], "--")
    options = parse(words, "ws:")
    if not 1 <= len(options.rest) <= 3:
        raise UsageError("missing operand")
    numbers = [_decimal(word) for word in options.rest]
    first, step, last = {
        1: lambda: (Decimal(1), Decimal(1), numbers[0]),
        2: lambda: (numbers[0], Decimal(1), numbers[1]),
        3: lambda: (numbers[0], numbers[1], numbers[2]),
    }[len(numbers)]()
    if not step:
        raise UsageError("invalid increment")
    places = max(_places(first), _places(step))
    how_many = max(int((last - first) / step) + 1, 0) if (last - first) * step >= 0 else 0
    width = max(len(f"{first:.{places}f}"), len(f"{last:.{places}f}")) if options.has("w") else 0
    separator = options.value("s", "\n")
    first_whole, step_whole = (int(one.scaleb(places)) for one in (first, step))
    for start in range(0, how_many, _LINES):
        stop = min(start + _LINES, how_many)
        part = (_spelt(first_whole + step_whole * at, places, width) for at in range(start, stop))
        await sys.out(separator.join(part) + (separator if stop < how_many else "\n"))
    return 0


def _decimal(word: str) -> Decimal:
    """A number as strtod(3) reads it: ``1e9`` and ``0.5`` too. Raises ``UsageError``."""
    try:
        number = Decimal(word)
    except InvalidOperation:
        raise UsageError(f"invalid number '{word}'") from None
    if not number.is_finite() or abs(number.adjusted()) > _DIGITS:
        raise UsageError(f"invalid number '{word}'")
    return number


def _spelt(whole: int, places: int, width: int) -> str:
    """``whole`` with ``places`` of its digits behind the point."""
    text = str(whole) if not places else f"{Decimal(whole).scaleb(-places):f}"
    return text.zfill(width)


def _places(number: Decimal) -> int:
    """Digits behind the point as it was typed."""
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0

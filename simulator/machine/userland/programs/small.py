"""expr, timeout, pwd: programs that lines now and then need."""

from collections.abc import Sequence

from simulator.machine.abi.constants import SIGTERM, WNOHANG
from simulator.machine.userland.options import UsageError, parse, to_number
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.programs.basic import become
from simulator.machine.userland.programs.text import basic_pattern, regex
from simulator.machine.userland.registry import enter

_COMPARING = {"=": 0, "==": 0, "!=": 1, "<": 2, "<=": 3, ">": 4, ">=": 5}


@enter("expr")
async def expr(sys: Process, argv: Sequence[str]) -> int:
    """expr(1): 0 for a value, 1 for an empty one or 0, 2 for a mistake (``coreutils/expr.c``)."""
    try:
        words = list(argv[1:])
        value = _alternatives(words)
        if words or len(argv) < 2:
            raise UsageError("syntax error")
    except UsageError as error:
        await sys.complain(str(error))
        return 2
    await sys.out(f"{value}\n")
    return int(value in ("", "0"))


def _alternatives(words: list[str]) -> str:
    """``|``, then ``&``, comparisons, sums, products, ``:`` and words, each binding closer."""
    left = _level(words, 0)
    while words[:1] == ["|"]:
        words.pop(0)
        right = _level(words, 0)
        left = left if left not in ("", "0") else right
    return left


_LEVELS = (("&",), tuple(_COMPARING), ("+", "-"), ("*", "/", "%"), (":",))


def _level(words: list[str], level: int) -> str:
    if level == len(_LEVELS):
        return _word(words)
    left = _level(words, level + 1)
    while words and words[0] in _LEVELS[level]:
        sign = words.pop(0)
        right = _level(words, level + 1)
        if sign == "&":
            left = "0" if {left, right} & {"", "0"} else left
        elif sign == ":":
            left = _matched(left, right)
        else:
            left = _computed(left, sign, right)
    return left


def _matched(text: str, pattern: str) -> str:
    """The first group of a match at the beginning, or how many characters matched."""
    found = regex(basic_pattern(pattern)).match(text)
    if regex(basic_pattern(pattern)).groups:
        return (found[1] or "") if found else ""
    return str(found.end() if found else 0)


_TAKES = {"length": 1, "match": 2, "index": 2, "substr": 3}


def _word(words: list[str]) -> str:
    if not words:
        raise UsageError("syntax error")
    one = words.pop(0)
    if one == "(":
        value = _alternatives(words)
        if words[:1] != [")"]:
            raise UsageError("syntax error")
        words.pop(0)
        return value
    if one not in _TAKES or not words:
        return one
    given = [_level(words, len(_LEVELS)) for _ in range(_TAKES[one])]
    if one == "length":
        return str(len(given[0]))
    if one == "match":
        return _matched(given[0], given[1])
    if one == "index":
        places = [given[0].find(char) + 1 for char in given[1] if char in given[0]]
        return str(min(places, default=0))
    first, size = (int(text) if text.lstrip("-").isdigit() else 0 for text in given[1:])
    return given[0][first - 1 : first - 1 + size] if first > 0 and size > 0 else ""


def _computed(left: str, operator: str, right: str) -> str:
    numbers = left.lstrip("-").isdigit() and right.lstrip("-").isdigit()
    if operator in _COMPARING:
        order = (
            (int(left) > int(right)) - (int(left) < int(right))
            if numbers
            else ((left > right) - (left < right))
        )
        results = (order == 0, order != 0, order < 0, order <= 0, order > 0, order >= 0)
        return str(int(results[_COMPARING[operator]]))
    if not numbers:
        raise UsageError("non-numeric argument")
    a, b = int(left), int(right)
    if operator in ("/", "%") and not b:
        raise UsageError("division by zero")
    match operator:
        case "+":
            return str(a + b)
        case "-":
            return str(a - b)
        case "*":
            return str(a * b)
        case "/":
            return str(int(a / b))
        case "%":
            return str(a - int(a / b) * b)
        case _:
            raise UsageError("syntax error")


@enter("timeout")
async def timeout(sys: Process, argv: Sequence[str]) -> int:
    """timeout(1): the program's parent is a child that waits, as in busybox."""
    options = parse(argv, "s:k:", stop_early=True)
    if len(options.rest) < 2:
        raise UsageError("timeout SECS PROG ARGS")
    seconds, mine = to_number(options.rest[0].rstrip("s")), await sys.value("getpid")

    async def watch(child: Process) -> int:
        for _ in range(seconds):
            await child.call("nanosleep", (1, 0))
            if not await child.succeeds("kill", mine, 0):
                return 0
        await child.succeeds("kill", mine, SIGTERM)
        return 0

    async def between(child: Process) -> int:
        await child.spawn(watch)
        return 0

    await sys.call("wait4", await sys.spawn(between), 0)
    await sys.succeeds("wait4", -1, WNOHANG)
    return await become(sys, options.rest[1:])


@enter("pwd")
async def pwd(sys: Process, argv: Sequence[str]) -> int:
    """pwd(1): the working directory."""
    del argv
    try:
        place = str(await sys.data("getcwd", 4096)).rstrip("\0")
    except SysError as error:
        return await sys.complain(f"pwd: getcwd: {error.message}")
    await sys.out(f"{place}\n")
    return 0

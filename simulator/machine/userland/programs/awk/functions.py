"""awk's own functions."""

import math
import re
from collections.abc import Awaitable, Callable
from typing import Any

from simulator.machine.userland.programs.awk import values
from simulator.machine.userland.programs.awk.interpreter import Interpreter
from simulator.machine.userland.programs.awk.parser import Node
from simulator.machine.userland.programs.awk.values import Input, Value, number
from simulator.machine.userland.programs.awk.words import AwkError

Function = Callable[[Interpreter, list[Node]], Awaitable[Value]]
_MULTIPLIER, _INCREMENT, _MODULUS = 1_103_515_245, 12_345, 1 << 31


async def _text(own: Interpreter, given: list[Node], at: int, default: str = "") -> str:
    return own.text(await own.value(given[at])) if at < len(given) else default


async def _number(own: Interpreter, given: list[Node], at: int = 0) -> float:
    return number(await own.value(given[at])) if at < len(given) else 0.0


async def _length(own: Interpreter, given: list[Node]) -> Value:
    if given and given[0][0] == "var":
        name = given[0][1]
        if isinstance(own.scope(name).get(name), dict):
            return float(len(own.array(name)))
    return float(len(await _text(own, given, 0, own.record)))


async def _substr(own: Interpreter, given: list[Node]) -> Value:
    """busybox's: a place before the first is the first, and takes no length away."""
    told = await _text(own, given, 0)
    first = max(int(await _number(own, given, 1)) - 1, 0)
    if len(given) < 3:
        return told[first:]
    return told[first : first + max(int(await _number(own, given, 2)), 0)]


async def _index(own: Interpreter, given: list[Node]) -> Value:
    part = await _text(own, given, 1)
    return float((await _text(own, given, 0)).find(part) + 1 if part else 0)


async def _spelled(own: Interpreter, node: Node) -> str:
    return node[1] if node[0] == "regex" else own.text(await own.value(node))


async def _split(own: Interpreter, given: list[Node]) -> Value:
    if len(given) < 2 or given[1][0] != "var":
        raise AwkError("Not enough parameters")
    told = await _text(own, given, 0)
    separator = await _spelled(own, given[2]) if len(given) > 2 else own.told("FS")
    regex = len(given) > 2 and given[2][0] == "regex"
    found = own.pattern(separator).split(told) if regex and told else own.split(told, separator)
    array = own.array(given[1][1])
    array.clear()
    array.update({str(at): Input(one) for at, one in enumerate(found, 1)})
    return float(len(found))


async def _replaced(own: Interpreter, given: list[Node], count: int) -> Value:
    pattern = own.pattern(await _spelled(own, given[0]))
    other = await _text(own, given, 1)
    target = given[2] if len(given) > 2 else ("field", ("const", 0.0))
    told = own.text(await own.value(target))

    def put(found: re.Match[str]) -> str:
        return re.sub(r"\\(.)|&", lambda m: (m[1] if m[1] in "&\\" else m[0]) if m[1] else found[0],
                      other)  # fmt: skip

    made, times = pattern.subn(put, told, count=count)
    if times:
        await own.assign(target, made)
    return float(times)


async def _sub(own: Interpreter, given: list[Node]) -> Value:
    return await _replaced(own, given, 1)


async def _gsub(own: Interpreter, given: list[Node]) -> Value:
    return await _replaced(own, given, 0)


async def _match(own: Interpreter, given: list[Node]) -> Value:
    found = own.pattern(await _spelled(own, given[1])).search(await _text(own, given, 0))
    start = float(found.start() + 1) if found else 0.0
    own.globals["RSTART"] = start
    own.globals["RLENGTH"] = float(found.end() - found.start()) if found else -1.0
    return start


async def _sprintf(own: Interpreter, given: list[Node]) -> Value:
    rest = [await own.value(one) for one in given[1:]]
    return values.printf(await _text(own, given, 0), rest)


def _mathematical(function: Callable[[float], float]) -> Function:
    async def run(own: Interpreter, given: list[Node]) -> Value:
        try:
            return float(function(await _number(own, given)))
        except (ValueError, OverflowError):
            return math.nan

    return run


async def _atan2(own: Interpreter, given: list[Node]) -> Value:
    return math.atan2(await _number(own, given), await _number(own, given, 1))


async def _rand(own: Interpreter, _given: list[Node]) -> Value:
    """The same numbers in every run, as the model's clock and chance are its own."""
    own.next_seed = (own.next_seed * _MULTIPLIER + _INCREMENT) % _MODULUS
    return own.next_seed / _MODULUS


async def _srand(own: Interpreter, given: list[Node]) -> Value:
    before = own.seed
    now = (await own.sys.data("clock_gettime", 0))[0]
    own.seed = await _number(own, given) if given else float(now)
    own.next_seed = int(own.seed) % _MODULUS
    return before


def _changed(change: Callable[[str], str]) -> Function:
    async def run(own: Interpreter, given: list[Node]) -> Value:
        return change(await _text(own, given, 0))

    return run


def _bitwise(change: Callable[[int, int], int]) -> Function:
    async def run(own: Interpreter, given: list[Node]) -> Value:
        a, b = int(await _number(own, given)), int(await _number(own, given, 1))
        return float(change(a & 0xFFFFFFFF, b & 0xFFFFFFFF) & 0xFFFFFFFF)

    return run


async def _system(own: Interpreter, given: list[Node]) -> Value:
    return await own.streams.system(await _text(own, given, 0))


async def _close(own: Interpreter, given: list[Node]) -> Value:
    return await own.streams.close(await _text(own, given, 0))


async def _systime(own: Interpreter, _given: list[Node]) -> Value:
    return float((await own.sys.data("clock_gettime", 0))[0])


async def _nothing(_own: Interpreter, _given: list[Node]) -> Value:
    return 0.0


FUNCTIONS: dict[str, Any] = {
    "length": _length, "substr": _substr, "index": _index, "split": _split, "sub": _sub,
    "gsub": _gsub, "match": _match, "sprintf": _sprintf, "int": _mathematical(math.trunc),
    "sin": _mathematical(math.sin), "cos": _mathematical(math.cos), "exp": _mathematical(math.exp),
    "log": _mathematical(math.log), "sqrt": _mathematical(math.sqrt), "atan2": _atan2,
    "rand": _rand, "srand": _srand, "tolower": _changed(str.lower), "toupper": _changed(str.upper),
    "system": _system, "close": _close, "systime": _systime, "fflush": _nothing,
    "and": _bitwise(lambda a, b: a & b), "or": _bitwise(lambda a, b: a | b),
    "xor": _bitwise(lambda a, b: a ^ b), "compl": _bitwise(lambda a, _b: ~a),
    "lshift": _bitwise(lambda a, b: a << min(b, 32)), "rshift": _bitwise(lambda a, b: a >> b),
}  # fmt: skip

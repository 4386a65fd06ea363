"""test(1) and ``[``: files, strings and numbers (POSIX rules by number of arguments)."""

from collections.abc import Sequence

from simulator.machine.abi.constants import (
    R_OK,
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
    S_IFSOCK,
    TCGETS,
    W_OK,
    X_OK,
)
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import enter

_TYPES = {
    "b": S_IFBLK,
    "c": S_IFCHR,
    "d": S_IFDIR,
    "f": S_IFREG,
    "h": S_IFLNK,
    "L": S_IFLNK,
    "p": S_IFIFO,
    "S": S_IFSOCK,
}
_ACCESS = {"r": R_OK, "w": W_OK, "x": X_OK}
_BITS = {"u": 0o4000, "g": 0o2000, "k": 0o1000}
_NUMERIC = ("-eq", "-ne", "-gt", "-ge", "-lt", "-le")
_BINARY = (*_NUMERIC, "=", "==", "!=", "<", ">", "-nt", "-ot", "-ef")
_UNARY = tuple(f"-{letter}" for letter in "bcdefghkLnoprsStuwxzOG")


class _BadTest(Exception):
    """The expression is not one: status 2."""


@enter("test", "[", "[[")
async def test(sys: Process, argv: Sequence[str]) -> int:
    """0 when true, 1 when false, 2 when not an expression."""
    words = list(argv[1:])
    if argv[0].startswith("["):
        closer = "]" * len(argv[0])
        if not words or words.pop() != closer:
            await sys.complain(f"missing {closer}")
            return 2
    try:
        expression = _Expression(sys, words)
        value = await expression.either() if words else False
        if expression.at < len(words):
            raise _BadTest(f"{words[expression.at]}: unknown operand")
    except _BadTest as error:
        await sys.complain(str(error))
        return 2
    return int(not value)


class _Expression:
    """Words being read by recursive descent."""

    def __init__(self, sys: Process, words: list[str]) -> None:
        self.sys = sys
        self.words = words
        self.at = 0

    def peek(self, ahead: int = 0) -> str | None:
        place = self.at + ahead
        return self.words[place] if place < len(self.words) else None

    async def either(self) -> bool:
        value = await self.both()
        while self.peek() == "-o":
            self.at += 1
            value = await self.both() or value
        return value

    async def both(self) -> bool:
        value = await self.negated()
        while self.peek() == "-a":
            self.at += 1
            value = await self.negated() and value
        return value

    async def negated(self) -> bool:
        if self.peek() == "!" and self.peek(1) is not None and self.peek(1) not in _BINARY:
            self.at += 1
            return not await self.negated()
        return await self.primary()

    async def primary(self) -> bool:
        first, second, third = self.peek(), self.peek(1), self.peek(2)
        if first is None:
            raise _BadTest("argument expected")
        if second in _BINARY and third is not None:
            self.at += 3
            return await self.binary(first, second, third)
        if first == "(" and second is not None:
            self.at += 1
            value = await self.either()
            if self.peek() != ")":
                raise _BadTest("closing paren expected")
            self.at += 1
            return value
        if first in _UNARY and second is not None:
            self.at += 2
            return await self.unary(first[1], second)
        self.at += 1
        return bool(first)

    async def unary(self, letter: str, operand: str) -> bool:
        if letter == "z":
            return not operand
        if letter == "n":
            return bool(operand)
        if letter == "t":
            return operand.isdigit() and await self.sys.succeeds("ioctl", int(operand), TCGETS)
        if letter in _ACCESS:
            return await self.sys.succeeds("access", operand, _ACCESS[letter])
        try:
            status = await self.sys.data("lstat" if letter in "hL" else "stat", operand)
        except SysError:
            return False
        if letter in _TYPES:
            return status["mode"] & S_IFMT == _TYPES[letter]
        if letter in _BITS:
            return bool(status["mode"] & _BITS[letter])
        if letter == "O":
            return status["uid"] == await self.sys.value("geteuid")
        if letter == "G":
            return status["gid"] == await self.sys.value("getegid")
        return letter == "e" or status["size"] > 0

    async def binary(self, left: str, operator: str, right: str) -> bool:
        if operator in _NUMERIC:
            a, b = _number(left), _number(right)
            return (a == b, a != b, a > b, a >= b, a < b, a <= b)[_NUMERIC.index(operator)]
        if operator in ("-nt", "-ot", "-ef"):
            return await self.files(left, operator, right)
        if operator in ("=", "=="):
            return left == right
        return {"!=": left != right, "<": left < right, ">": left > right}[operator]

    async def files(self, left: str, operator: str, right: str) -> bool:
        try:
            one, other = await self.sys.stat(left), await self.sys.stat(right)
        except SysError:
            return False
        if operator == "-ef":
            return (one["dev"], one["ino"]) == (other["dev"], other["ino"])
        mine, its = one.get("mtime", 0), other.get("mtime", 0)
        return mine > its if operator == "-nt" else mine < its


def _number(text: str) -> int:
    try:
        return int(text.strip())
    except ValueError:
        raise _BadTest(f"{text}: bad number") from None

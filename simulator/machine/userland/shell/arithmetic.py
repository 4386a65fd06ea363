"""``$((...))``: signed 64-bit integers, C's operators and precedence (POSIX sh, 2.6.4)."""

import re
from collections.abc import Callable

from simulator.machine.userland.shell.syntax import ShellSyntaxError

_TOKEN = re.compile(
    r"\s*(0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*|<<=|>>=|\*\*|<<|>>|<=|>=|==|!=|&&|\|\|"
    r"|[-+*/%&|^]=|\+\+|--|[-+*/%<>=!~&|^?:(),])"
)
_LEVELS = (
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!="),
    ("<", "<=", ">", ">="),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/", "%"),
)
_SIGN = 1 << 63


def evaluate(text: str, get: Callable[[str], str], put: Callable[[str, str], None]) -> int:
    """The value of ``text``; variables through ``get`` and ``put``."""
    expression = _Expression(_tokens(text), get, put)
    if not expression.tokens:
        return 0
    value = expression.comma()
    if expression.at < len(expression.tokens):
        raise ShellSyntaxError("arithmetic syntax error")
    return value


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ShellSyntaxError("arithmetic syntax error")
        tokens.append(found.group(1))
        at = found.end()
    return tokens


def _wrap(value: int) -> int:
    return (value + _SIGN) % (2 * _SIGN) - _SIGN


def _number(token: str) -> int:
    if token[:2].lower() == "0x":
        return int(token, 16)
    if len(token) > 1 and token[0] == "0" and all(char in "01234567" for char in token):
        return int(token, 8)
    return int(token)


class _Expression:
    """A token list being read by recursive descent."""

    def __init__(
        self, tokens: list[str], get: Callable[[str], str], put: Callable[[str, str], None]
    ) -> None:
        self.tokens = tokens
        self.at = 0
        self.get = get
        self.put = put

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def comma(self) -> int:
        value = self.assignment()
        while self.peek() == ",":
            self.take()
            value = self.assignment()
        return value

    def assignment(self) -> int:
        name, operator = self.peek(), self.tokens[self.at + 1 : self.at + 2]
        is_name = bool(name) and (name[0].isalpha() or name[0] == "_")
        if is_name and operator and operator[0].endswith("=") and operator[0] not in _COMPARING:
            self.at += 2
            value = self.assignment()
            if operator[0] != "=":
                value = self.binary(operator[0][:-1], self.variable(name), value)
            self.put(name, str(value))
            return value
        return self.conditional()

    def conditional(self) -> int:
        condition = self.level(0)
        if self.peek() != "?":
            return condition
        self.take()
        first = self.comma()
        if self.take() != ":":
            raise ShellSyntaxError("arithmetic syntax error")
        second = self.conditional()
        return first if condition else second

    def level(self, depth: int) -> int:
        if depth == len(_LEVELS):
            return self.unary()
        value = self.level(depth + 1)
        while (operator := self.peek()) in _LEVELS[depth]:
            self.take()
            value = self.binary(operator, value, self.level(depth + 1))
        return value

    def unary(self) -> int:
        operator = self.peek()
        if operator in ("-", "+", "!", "~"):
            self.take()
            value = self.unary()
            return {"-": _wrap(-value), "+": value, "!": int(not value), "~": ~value}[operator]
        if operator in ("++", "--"):
            self.take()
            return self.step(self.take(), operator, after=False)
        return self.primary()

    def primary(self) -> int:
        token = self.take()
        if token == "(":
            value = self.comma()
            if self.take() != ")":
                raise ShellSyntaxError("arithmetic syntax error")
            return value
        if token[:1].isdigit():
            return _wrap(_number(token))
        if token[:1].isalpha() or token[:1] == "_":
            if self.peek() in ("++", "--"):
                return self.step(token, self.take(), after=True)
            return self.variable(token)
        raise ShellSyntaxError("arithmetic syntax error")

    def step(self, name: str, operator: str, *, after: bool) -> int:
        old = self.variable(name)
        new = _wrap(old + (1 if operator == "++" else -1))
        self.put(name, str(new))
        return old if after else new

    def variable(self, name: str) -> int:
        text = self.get(name).strip()
        return evaluate(text, self.get, self.put) if text else 0

    def binary(self, operator: str, left: int, right: int) -> int:
        if operator in ("/", "%"):
            if not right:
                raise ShellSyntaxError("divide by zero")
            quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
            return _wrap(quotient if operator == "/" else left - quotient * right)
        return _wrap(_BINARY[operator](left, right))


_COMPARING = ("==", "!=", "<=", ">=")
_BINARY: dict[str, Callable[[int, int], int]] = {
    "||": lambda a, b: int(bool(a) or bool(b)),
    "&&": lambda a, b: int(bool(a) and bool(b)),
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "&": lambda a, b: a & b,
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "<": lambda a, b: int(a < b),
    "<=": lambda a, b: int(a <= b),
    ">": lambda a, b: int(a > b),
    ">=": lambda a, b: int(a >= b),
    "<<": lambda a, b: a << (b & 63),
    ">>": lambda a, b: a >> (b & 63),
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}

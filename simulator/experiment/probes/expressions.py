"""An argument's Python syntax tree to an ``Expr``; anything else is refused."""

import ast

from simulator.experiment.probes.program import (
    DictOf,
    Expr,
    ListOf,
    Literal,
    Makedev,
    Or,
    Plus,
    Ref,
    Text,
    Times,
    TupleOf,
    names_in,
)
from simulator.experiment.probes.values import (
    MAX_NUMBER,
    MIN_NUMBER,
    BadValueError,
    evaluate,
)
from simulator.machine.abi.constants import BY_NAME
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

MAX_DEPTH = 40

_INSTEAD: dict[type[ast.expr], str] = {
    ast.Lambda: N_("a function; arguments are plain values"),
    ast.ListComp: N_("a comprehension; write the list out"),
    ast.SetComp: N_("a comprehension; write a list"),
    ast.DictComp: N_("a comprehension; write the dict out"),
    ast.GeneratorExp: N_("a comprehension; write the tuple out"),
    ast.Set: N_("a set; write a list"),
    ast.Starred: N_("a starred argument; write the values one by one"),
    ast.Attribute: N_("an attribute; a value has none"),
    ast.Subscript: N_("an index; bind the parts with 'a, b = actor.pipe()'"),
    ast.Compare: N_("a comparison; a program is a straight line"),
    ast.BoolOp: N_("'and' or 'or'; flags are joined with '|'"),
    ast.IfExp: N_("a condition; a program is a straight line"),
    ast.NamedExpr: N_("':='; bind a name with 'name = actor.call()'"),
    ast.Await: N_("'await'; every call is waited for"),
}


class Refusal(Exception):
    """Outside the probe language; ``str`` says what to write instead."""


def expression(node: ast.expr, depth: int = 0) -> Expr:
    """The argument that ``node`` writes. Raise ``Refusal``."""
    if depth > MAX_DEPTH:
        raise Refusal(_("more than {limit} levels of nesting").format(limit=MAX_DEPTH))
    expr = _convert(node, depth + 1)
    if depth == 0:
        _check_constant_parts(expr)
    return expr


def plain_number(node: ast.expr) -> int | None:
    """The number that ``node`` writes out, if it is one."""
    match node:
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))) if not isinstance(
            value, bool
        ):
            return -value
        case _:
            return None


def _convert(node: ast.expr, depth: int) -> Expr:
    match node:
        case ast.Constant(value=value):
            return _literal(value)
        case ast.UnaryOp():
            number = plain_number(node)
            if number is None:
                raise Refusal(_("only a number written out can be negative: -1"))
            return _literal(number)
        case ast.Name(id=name):
            return Ref(name)
        case ast.JoinedStr(values=parts):
            return Text(tuple(_piece(part) for part in parts))
        case ast.BinOp(left=left, op=op, right=right):
            return _operation(expression(left, depth), op, expression(right, depth))
        case ast.Tuple(elts=items):
            return TupleOf(tuple(expression(item, depth) for item in items))
        case ast.List(elts=items):
            return ListOf(tuple(expression(item, depth) for item in items))
        case ast.Dict(keys=keys, values=values):
            return _dict(keys, values, depth)
        case ast.Call():
            return _makedev(node, depth)
        case _:
            what = _INSTEAD.get(type(node))
            raise Refusal(
                _("{what} is not in the probe language").format(what=type(node).__name__)
                if what is None
                else _("not in the probe language: {what}").format(what=_(what))
            )


def _literal(value: object) -> Literal:
    if isinstance(value, bool):
        raise Refusal(_("write 1 for True and 0 for False"))
    if isinstance(value, int) and not MIN_NUMBER <= value <= MAX_NUMBER:
        raise Refusal(_("a number of more than 64 bits"))
    if isinstance(value, str) and not value.isascii():
        _check_encodable(value)
    if value is None or isinstance(value, int | str | bytes):
        return Literal(value)
    if isinstance(value, float | complex):
        raise Refusal(_("the kernel takes whole numbers only; write 1, not 1.5"))
    raise Refusal(_("'...' is no value; write the argument out"))


def _check_encodable(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Refusal(_('a lone surrogate is no text; write bytes, such as b"\\xff"')) from None


def _piece(part: ast.expr) -> Literal | Ref:
    match part:
        case ast.Constant(value=str(value)):
            _check_encodable(value)
            return Literal(value)
        case ast.FormattedValue(value=ast.Name(id=name), conversion=-1, format_spec=None):
            return Ref(name)
        case _:
            raise Refusal(_('an f-string holds plain names only: f"/proc/{pid}/root"'))


def _operation(left: Expr, op: ast.operator, right: Expr) -> Expr:
    match op:
        case ast.BitOr():
            return Or(left, right)
        case ast.Add():
            return Plus(left, right)
        case ast.Mult():
            return Times(left, right)
        case _:
            raise Refusal(_("only '|', '+' and '*' join values"))


def _dict(keys: list[ast.expr | None], values: list[ast.expr], depth: int) -> DictOf:
    items: list[tuple[int | str, Expr]] = []
    for key, value in zip(keys, values, strict=True):
        literal = None if key is None else expression(key, depth)
        if not isinstance(literal, Literal) or not isinstance(literal.value, int | str):
            raise Refusal(_("the keys of a dict are numbers or strings written out"))
        items.append((literal.value, expression(value, depth)))
    return DictOf(tuple(items))


def _makedev(node: ast.Call, depth: int) -> Makedev:
    match node:
        case ast.Call(func=ast.Name(id="makedev"), args=[major, minor], keywords=[]):
            return Makedev(expression(major, depth), expression(minor, depth))
        case ast.Call(func=ast.Name(id="makedev")):
            raise Refusal(_("makedev takes two numbers: makedev(8, 0)"))
        case ast.Call(func=ast.Attribute()):
            raise Refusal(_("a call inside a call; bind its result on a line of its own"))
        case _:
            raise Refusal(_("the only function among values is makedev(major, minor)"))


def _check_constant_parts(expr: Expr) -> None:
    """Refuse ``"x" * 10**12`` and ``1 + "a"`` when read, where the line number is known."""
    match expr:
        case Times(left, right) | Plus(left, right) | Or(left, right):
            _check_constant_parts(left)
            _check_constant_parts(right)
        case TupleOf(items) | ListOf(items):
            for item in items:
                _check_constant_parts(item)
        case DictOf(items):
            for _key, item in items:
                _check_constant_parts(item)
        case _:
            pass
    if all(name in BY_NAME for name in names_in(expr)):
        try:
            evaluate(expr, BY_NAME)
        except BadValueError as error:
            raise Refusal(str(error)) from None

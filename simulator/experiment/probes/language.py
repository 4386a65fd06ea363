"""The probe language: text to ``Program``, read with ``ast`` and never evaluated.

``guest.chdir("..") * 12`` is Python's grammar; whatever the language has no use for (loops,
attributes of values, keyword arguments, imports) is refused with its line number and with what
to write instead. Limits keep hostile text cheap: nothing that a program describes is built here.
"""

import ast
import difflib
import re
import warnings
from typing import NamedTuple

from simulator.experiment.probes.constants import WORLD_CONSTANTS
from simulator.experiment.probes.expressions import Refusal, expression, plain_number
from simulator.experiment.probes.program import (
    ACTORS,
    Expr,
    Filter,
    Literal,
    Program,
    Step,
    names_in,
)
from simulator.machine.abi.constants import BY_NAME
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _

MAX_TEXT = 1 << 20
MAX_LINE = 8_000
MAX_STEPS = 5_000
MAX_REPEAT = 10_000
MAX_ENTRIES = 50_000
"""Limits of a program: characters, characters a line, steps, repeats of a step, entries in all."""

KNOWN_CONSTANTS = frozenset(BY_NAME) | frozenset(WORLD_CONSTANTS)

_SHELL = re.compile(r"(?P<actor>[A-Za-z_][A-Za-z0-9_]*)\$(?:[ \t]+(?P<line>.*)|)$", re.DOTALL)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_CALL_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FILTER_WORD = re.compile(r"-?[a-z][a-z0-9_.-]*")


class ProgramError(VitrinaError):
    """A line outside the probe language; ``str`` names the line and what to write instead."""

    def __init__(self, message: str, line: int, source: str = "") -> None:
        place = _("line {line}").format(line=line)
        super().__init__(f"{source}, {place}: {message}" if source else f"{place}: {message}")
        self.line = line
        self.source = source
        self.reason = message


class _Calling(NamedTuple):
    """The parts of ``actor.call(args) * n``."""

    actor: str
    call: str
    args: tuple[Expr, ...]
    repeat: int


def parse(text: str | bytes, source: str = "") -> Program:
    """The program that ``text`` says; ``source`` names it in errors. Raise ``ProgramError``."""
    steps: list[Step] = []
    comments: list[str] = []
    filters: list[tuple[int, list[str]]] = []
    number = 0
    try:
        for number, raw in enumerate(_lines(text), start=1):
            line = raw.strip()
            if not line:
                continue
            if line.startswith("#"):
                _read_comment(line[1:].strip(), number, steps, comments, filters)
                continue
            steps.append(_read_step(line, number))
            if len(steps) > MAX_STEPS:
                raise Refusal(_("more than {limit} steps").format(limit=MAX_STEPS))
    except Refusal as refusal:
        raise ProgramError(str(refusal), max(number, 1), source) from None
    _check_whole(steps, number, source)
    return Program(steps=tuple(steps), comments=tuple(comments), on=_filter(filters, source))


def _lines(text: str | bytes) -> list[str]:
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            line = text.count(b"\n", 0, error.start) + 1
            raise Refusal(
                _("not UTF-8 text (line {line}); save the program as UTF-8").format(line=line)
            ) from None
    if len(text) > MAX_TEXT:
        raise Refusal(_("a program of more than {limit} characters").format(limit=MAX_TEXT))
    return [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]


def _read_comment(
    comment: str,
    number: int,
    steps: list[Step],
    comments: list[str],
    filters: list[tuple[int, list[str]]],
) -> None:
    if comment == "on:" or comment.startswith(("on: ", "on:\t")):
        if steps:
            raise Refusal(_("'# on:' must stand before the first step"))
        filters.append((number, comment.removeprefix("on:").split()))
    elif not steps:
        comments.append(comment)


def _filter(lines: list[tuple[int, list[str]]], source: str) -> Filter:
    only: list[str] = []
    but: list[str] = []
    for number, words in lines:
        if not words:
            raise ProgramError(
                _("'# on:' names no technology; write '# on: docker lxc' or '# on: -none'"),
                number,
                source,
            )
        for word in words:
            if not _FILTER_WORD.fullmatch(word):
                message = _("{word!r} is no technology's name").format(word=word[:40])
                raise ProgramError(message, number, source)
            (but if word.startswith("-") else only).append(word.removeprefix("-"))
        if only and but:
            message = _("'# on:' names either those to ask or, with '-', those to leave out")
            raise ProgramError(message, number, source)
    return Filter(tuple(only), tuple(but))


def _read_step(line: str, number: int) -> Step:
    if len(line) > MAX_LINE:
        raise Refusal(
            _('a line of more than {limit} characters; build long text with "x" * 300').format(
                limit=MAX_LINE
            )
        )
    if "\0" in line:
        raise Refusal(_('a NUL byte in the text; write "\\0" inside a string'))
    shell = _SHELL.match(line)
    if shell:
        return _read_shell(shell, line, number)
    statement, comment = _statement(line)
    binds, value = _binding(statement)
    calling = _calling(value)
    return Step(
        line=number,
        text=line,
        actor=calling.actor,
        call=calling.call,
        args=calling.args,
        binds=binds,
        repeat=calling.repeat,
        comment=comment,
    )


def _read_shell(match: re.Match[str], line: str, number: int) -> Step:
    command, comment = _split_shell_comment((match["line"] or "").strip())
    if not command:
        raise Refusal(_("an empty shell line; write 'guest$ ls -l'"))
    return Step(
        line=number,
        text=line,
        actor=match["actor"],
        kind="shell",
        call="shell",
        args=(Literal(command),),
        comment=comment,
    )


def _split_shell_comment(text: str) -> tuple[str, str]:
    """Cut at the ``#`` where sh(1) itself would begin a comment: a word's start, unquoted."""
    quote = ""
    escaped = False
    for index, char in enumerate(text):
        if escaped:
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "#" and (index == 0 or text[index - 1] in " \t;"):
            return text[:index].rstrip(), text[index + 1 :].strip()
    return text, ""


def _statement(line: str) -> tuple[ast.stmt, str]:
    """The one statement of ``line`` and the comment behind it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(line)
    except SyntaxError as error:
        raise Refusal(_syntax_message(error)) from None
    except (ValueError, RecursionError, MemoryError, OverflowError):
        raise Refusal(_("too deeply nested, or a number too long; write it simpler")) from None
    if len(module.body) != 1:
        raise Refusal(_("one step a line; put the second one on a line of its own"))
    statement = module.body[0]
    rest = line.encode()[statement.end_col_offset :].decode("utf-8", "replace").strip()
    if rest and not rest.startswith("#"):
        raise Refusal(_("one step a line; nothing but a comment may follow it"))
    return statement, rest.removeprefix("#").strip()


def _syntax_message(error: SyntaxError) -> str:
    detail = (error.msg or "").lower()
    if "never closed" in detail or "unexpected eof" in detail:
        return _("a bracket is not closed; a step stands on one line")
    if "unterminated" in detail:
        return _("a string is not closed; a step stands on one line")
    if "digits" in detail:
        return _("a number of more than 64 bits")
    if "too many nested" in detail:
        return _("too deeply nested, or a number too long; write it simpler")
    return _("not a step: {detail}; write 'actor.call(args)' or 'actor$ shell line'").format(
        detail=error.msg
    )


def _binding(statement: ast.stmt) -> tuple[tuple[str, ...], ast.expr]:
    match statement:
        case ast.Expr(value=value):
            return (), value
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return (_new_name(name),), value
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=value) if targets:
            names = tuple(_target(target) for target in targets)
            if len(set(names)) != len(names):
                raise Refusal(_("the same name twice on the left of '='"))
            return names, value
        case ast.Assign():
            raise Refusal(_("only 'name = actor.call()' or 'a, b = actor.pipe()' binds names"))
        case _:
            raise Refusal(
                _("'{what}' is not in the probe language; write 'actor.call(args)'").format(
                    what=type(statement).__name__.lower()
                )
            )


def _target(target: ast.expr) -> str:
    if isinstance(target, ast.Name):
        return _new_name(target.id)
    raise Refusal(_("only plain names stand on the left of '='"))


def _new_name(name: str) -> str:
    if name in KNOWN_CONSTANTS:
        raise Refusal(_("{name} is a constant; bind another name").format(name=name))
    if name in ACTORS:
        raise Refusal(_("{name} is an actor; bind another name").format(name=name))
    if not _NAME.fullmatch(name) or name == "makedev":
        raise Refusal(
            _("{name!r} can't be bound; a name is ASCII letters, digits and '_'").format(
                name=name[:40]
            )
        )
    return name


def _calling(value: ast.expr) -> _Calling:
    repeat = 1
    if isinstance(value, ast.BinOp):
        if not isinstance(value.op, ast.Mult) or not isinstance(value.left, ast.Call):
            raise Refusal(_("a step is 'actor.call(args)' or 'actor.call(args) * 12'"))
        repeat = _repeat(value.right)
        value = value.left
    match value:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=actor), attr=call), args=args):
            pass
        case ast.Call(func=ast.Name(id=call)):
            message = _("{call}() names no actor; write 'guest.{call}(...)'")
            raise Refusal(message.format(call=call[:40]))
        case _:
            raise Refusal(_("a step calls the kernel: 'actor.call(args)'"))
    if value.keywords:
        raise Refusal(_("arguments have no names; write the values in the kernel's order"))
    if not _CALL_NAME.fullmatch(call):
        raise Refusal(_("{call!r} is no system call's name").format(call=call[:40]))
    return _Calling(actor, call, tuple(expression(arg) for arg in args), repeat)


def _repeat(node: ast.expr) -> int:
    count = plain_number(node)
    if count is None:
        raise Refusal(_("how often is a plain number: 'actor.call(args) * 12'"))
    if not 1 <= count <= MAX_REPEAT:
        raise Refusal(_("a step is repeated 1 to {limit} times").format(limit=MAX_REPEAT))
    return count


def _check_whole(steps: list[Step], last: int, source: str) -> None:
    """Names and actors need the whole program: a step may use what a later one binds."""
    born = {step.binds[0] for step in steps if step.forks and len(step.binds) == 1}
    bound = {name for step in steps for name in step.binds}
    actors = born.union(ACTORS)
    if sum(step.repeat for step in steps) > MAX_ENTRIES:
        message = _("more than {limit} calls in all; repeat less").format(limit=MAX_ENTRIES)
        raise ProgramError(message, last, source)
    for step in steps:
        if step.actor not in actors:
            raise ProgramError(_no_actor(step.actor, actors), step.line, source)
        if not step.forks and born.intersection(step.binds):
            name = sorted(born.intersection(step.binds))[0]
            message = _("{name} is an actor that a fork bears; bind another name")
            raise ProgramError(message.format(name=name), step.line, source)
        if step.forks and len(step.binds) > 1:
            message = _("a fork bears one child: 'child = {actor}.{call}()'")
            raise ProgramError(message.format(actor=step.actor, call=step.call), step.line, source)
        for name in (name for arg in step.args for name in names_in(arg)):
            if name not in bound and name not in actors and name not in KNOWN_CONSTANTS:
                raise ProgramError(_no_name(name, bound | actors), step.line, source)


def _no_actor(name: str, actors: set[str]) -> str:
    return _("no actor named {name!r}; the actors are {actors}").format(
        name=name[:40], actors=", ".join(sorted(actors)[:12])
    )


def _no_name(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name[:60], sorted(known | KNOWN_CONSTANTS), n=1)
    if near:
        return _("{name!r} is neither bound nor a constant; did you mean {near}?").format(
            name=name[:40], near=near[0]
        )
    return _(
        "{name!r} is neither bound nor a constant; bind it with '{name} = actor.call()'"
    ).format(name=name[:40])

"""What the parser makes of a script: words and commands as values (POSIX sh, chapter 2.9)."""

from typing import TypeAlias

import msgspec


class Literal(msgspec.Struct, frozen=True):
    """Text as written; ``quoted`` text is neither split nor a pattern."""

    text: str
    quoted: bool = False


class Variable(msgspec.Struct, frozen=True):
    """``$name`` or ``${name op word}``; ``op`` is ``:-``, ``-``, ``:=`` ... or ``#`` for length.

    ash has bash's ``${name:from:length}`` (``:``) and ``${name/pattern/text}`` (``/``, ``//``) too:
    ``more`` is what stands after the second mark.
    """

    name: str
    op: str = ""
    word: "Word" = ()
    quoted: bool = False
    more: "Word | None" = None


class Substitution(msgspec.Struct, frozen=True):
    """``$(script)`` or backquotes."""

    script: str
    quoted: bool = False


class Arithmetic(msgspec.Struct, frozen=True):
    """``$((expression))``; the expression is expanded first."""

    expression: "Word"
    quoted: bool = False


Part: TypeAlias = Literal | Variable | Substitution | Arithmetic
Word: TypeAlias = tuple[Part, ...]


class Redirect(msgspec.Struct, frozen=True):
    """``fd op target``: ``op`` is one of < > >> >| <> <& >& << (a here-document's text)."""

    fd: int
    op: str
    target: Word


class Simple(msgspec.Struct, frozen=True):
    """Assignments, words and redirections."""

    assignments: tuple[tuple[str, Word], ...] = ()
    words: tuple[Word, ...] = ()
    redirects: tuple[Redirect, ...] = ()


class Group(msgspec.Struct, frozen=True):
    """``{ body; }``, or ``( body )`` when it is a ``subshell``."""

    body: "Script"
    subshell: bool = False
    redirects: tuple[Redirect, ...] = ()


class If(msgspec.Struct, frozen=True):
    """Pairs of condition and body, then what is done otherwise."""

    branches: tuple[tuple["Script", "Script"], ...]
    otherwise: "Script" = ()
    redirects: tuple[Redirect, ...] = ()


class While(msgspec.Struct, frozen=True):
    """``while`` or, with ``until``, its opposite."""

    condition: "Script"
    body: "Script"
    until: bool = False
    redirects: tuple[Redirect, ...] = ()


class For(msgspec.Struct, frozen=True):
    """``for name in words``; None stands for the positional parameters."""

    name: str
    words: tuple[Word, ...] | None
    body: "Script"
    redirects: tuple[Redirect, ...] = ()


class Case(msgspec.Struct, frozen=True):
    """``case word in`` arms of patterns and what they do."""

    word: Word
    arms: tuple[tuple[tuple[Word, ...], "Script"], ...]
    redirects: tuple[Redirect, ...] = ()


class Function(msgspec.Struct, frozen=True):
    """``name() body``."""

    name: str
    body: "Command"
    redirects: tuple[Redirect, ...] = ()


Command: TypeAlias = Simple | Group | If | While | For | Case | Function


class Pipeline(msgspec.Struct, frozen=True):
    """Commands joined by ``|``; ``negated`` by ``!``."""

    commands: tuple[Command, ...]
    negated: bool = False


class AndOr(msgspec.Struct, frozen=True):
    """Pipelines joined by ``&&`` and ``||``; the first one's operator is ``&&``."""

    parts: tuple[tuple[str, Pipeline], ...]
    background: bool = False


Script: TypeAlias = tuple[AndOr, ...]


class ShellSyntaxError(Exception):
    """The script is not one; ``str(error)`` is what ash says."""

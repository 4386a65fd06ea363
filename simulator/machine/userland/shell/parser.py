"""Scripts to commands, one complete command at a time, as ash reads them (POSIX sh, 2.10)."""

import functools
from collections.abc import Callable
from typing import NoReturn

from simulator.machine.userland.shell.syntax import (
    AndOr,
    Case,
    Command,
    For,
    Function,
    Group,
    If,
    Literal,
    Pipeline,
    Redirect,
    Script,
    ShellSyntaxError,
    Simple,
    While,
    Word,
)
from simulator.machine.userland.shell.words import META, Reader, literal

_OPERATORS = ("&&", "||", ";;", "&>", "|", ";", "&", "(", ")", "\n")
_FIRSTS = frozenset(operator[0] for operator in _OPERATORS)
_REDIRECTIONS = ("<<-", "<<", "<>", "<&", "<", ">>", ">|", ">&", ">")
_CLOSERS = frozenset(("then", "else", "elif", "fi", "do", "done", "esac", "}", ")", ";;"))


_SHORT = 2048
"""Characters of a script that is kept once it has been read: a probe runs on every technology."""


def commands(text: str) -> tuple[tuple[tuple[Script, bool], ...], str]:
    """A script's complete commands, each with whether it is the last; and what is wrong after
    them, if anything.
    """
    return _kept(text) if len(text) < _SHORT else _commands(text)


def _commands(text: str) -> tuple[tuple[tuple[Script, bool], ...], str]:
    parser = Parser(text)
    found: list[tuple[Script, bool]] = []
    try:
        while (script := parser.next()) is not None:
            found.append((script, parser.finished()))
    except ShellSyntaxError as error:
        return tuple(found), str(error)
    return tuple(found), ""


_kept = functools.lru_cache(maxsize=256)(_commands)


class Parser:
    """A script being read. Raises ``ShellSyntaxError``."""

    def __init__(self, text: str, *, partial: bool = False) -> None:
        self.reader = Reader(text)
        self._partial = partial
        self._documents: list[tuple[str, bool, bool, list[Word]]] = []

    def next(self) -> Script | None:
        """The commands up to the end of the line (or of a compound that spans lines), or None."""
        self._newlines()
        if self.reader.done():
            return None
        script = self._line()
        operator = self._operator()
        if operator not in ("", "\n"):
            self._unexpected(operator)
        if operator == "\n":
            self._take_newline()
        return script

    def rest(self) -> str:
        """What has not been read yet."""
        return self.reader.text[self.reader.at :]

    def finished(self) -> bool:
        """Whether nothing but blank lines is left."""
        self._newlines()
        return self.reader.done()

    def _line(self) -> Script:
        """Commands joined by ``;`` and ``&`` on one line."""
        commands: list[AndOr] = []
        while True:
            command = self._and_or()
            operator = self._operator()
            if operator in (";", "&"):
                self.reader.take()
            commands.append(AndOr(command.parts, background=operator == "&"))
            if operator not in (";", "&") or self._ends_here():
                return tuple(commands)

    def _ends_here(self) -> bool:
        operator = self._operator()
        return operator in ("\n", ")", ";;") or self.reader.done() or self._peek_word() in _CLOSERS

    def _block(self, *ends: str) -> tuple[Script, str]:
        """Commands up to one of the reserved words ``ends``, which is taken and returned."""
        commands: list[AndOr] = []
        while True:
            self._newlines()
            word = self._peek_word() or self._operator()
            if word in ends:
                if not commands and word not in ("esac", ";;"):
                    self._unexpected(word)
                self._take_token(word)
                return tuple(commands), word
            if self.reader.done():
                raise ShellSyntaxError(
                    f'syntax error: unexpected end of file (expecting "{ends[0]}")'
                )
            commands += self._line()

    def _and_or(self) -> AndOr:
        parts = [("&&", self._pipeline())]
        while (operator := self._operator()) in ("&&", "||"):
            self.reader.take(2)
            self._newlines()
            parts.append((operator, self._pipeline()))
        return AndOr(tuple(parts))

    def _pipeline(self) -> Pipeline:
        negated = False
        while self._peek_word() == "!":
            self._take_token("!")
            negated = not negated
        commands = [self._command()]
        while self._operator() == "|":
            self.reader.take()
            self._newlines()
            commands.append(self._command())
        return Pipeline(tuple(commands), negated)

    def _command(self) -> Command:
        operator = self._operator()
        if operator == "(":
            self.reader.take()
            body, _ = self._block(")")
            return Group(body, subshell=True, redirects=self._redirects())
        word = self._peek_word()
        compound = self._COMPOUND.get(word) if word else None
        if compound is not None:
            self._take_token(word)
            return compound(self)
        if word in _CLOSERS:
            self._unexpected(word)
        return self._simple()

    def _simple(self) -> Command:
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while True:
            redirect = self._redirect()
            if redirect is not None:
                redirects.append(redirect)
                continue
            word = self.reader.word()
            if word is None:
                break
            pair = _assignment(word) if not words else None
            if pair is not None:
                assignments.append(pair)
                continue
            words.append(word)
            if len(words) == 1 and self._operator() == "(" and literal(word):
                return self._function(literal(word) or "")
        if not (assignments or words or redirects):
            self._unexpected(self._operator())
        return Simple(tuple(assignments), tuple(words), tuple(redirects))

    def _function(self, name: str) -> Function:
        self.reader.take()
        if self._operator() != ")":
            self._unexpected(self._peek_word() or self._operator(), '")"')
        self.reader.take()
        self._newlines()
        return Function(name, self._command())

    def _if(self) -> If:
        branches: list[tuple[Script, Script]] = []
        while True:
            condition, _ = self._block("then")
            body, end = self._block("fi", "elif", "else")
            branches.append((condition, body))
            if end == "elif":
                continue
            otherwise: Script = ()
            if end == "else":
                otherwise, _ = self._block("fi")
            return If(tuple(branches), otherwise, self._redirects())

    def _while(self) -> While:
        return self._loop(until=False)

    def _until(self) -> While:
        return self._loop(until=True)

    def _loop(self, *, until: bool) -> While:
        condition, _ = self._block("do")
        body, _ = self._block("done")
        return While(condition, body, until, self._redirects())

    def _for(self) -> For:
        name = literal(self.reader.word() or ())
        if not name or not name.isidentifier():
            raise ShellSyntaxError("syntax error: bad for loop variable")
        self._newlines()
        words: list[Word] | None = None
        if self._peek_word() == "in":
            self._take_token("in")
            words = []
            while (word := self.reader.word()) is not None:
                words.append(word)
        if self._operator() == ";":
            self.reader.take()
        self._newlines()
        if self._peek_word() != "do":
            self._unexpected(self._peek_word() or self._operator(), '"do"')
        self._take_token("do")
        body, _ = self._block("done")
        return For(name, None if words is None else tuple(words), body, self._redirects())

    def _case(self) -> Case:
        subject = self.reader.word() or ()
        self._newlines()
        if self._peek_word() != "in":
            self._unexpected(self._peek_word() or self._operator(), '"in"')
        self._take_token("in")
        arms: list[tuple[tuple[Word, ...], Script]] = []
        while True:
            self._newlines()
            if self._peek_word() == "esac":
                self._take_token("esac")
                return Case(subject, tuple(arms), self._redirects())
            patterns = self._patterns()
            body, end = self._block(";;", "esac")
            arms.append((patterns, body))
            if end == "esac":
                return Case(subject, tuple(arms), self._redirects())

    def _patterns(self) -> tuple[Word, ...]:
        if self._operator() == "(":
            self.reader.take()
        patterns: list[Word] = []
        while True:
            word = self.reader.word()
            if word is None:
                self._unexpected(self._operator())
            patterns.append(word)
            operator = self._operator()
            if operator not in ("|", ")"):
                self._unexpected(self._peek_word() or operator, '")"')
            self.reader.take()
            if operator == ")":
                return tuple(patterns)

    def _braces(self) -> Group:
        body, _ = self._block("}")
        return Group(body, redirects=self._redirects())

    _COMPOUND: dict[str, "Callable[[Parser], Command]"] = {  # noqa: RUF012 - never written
        "{": _braces,
        "if": _if,
        "while": _while,
        "until": _until,
        "for": _for,
        "case": _case,
    }

    def _redirects(self) -> tuple[Redirect, ...]:
        found: list[Redirect] = []
        while (redirect := self._redirect()) is not None:
            found.append(redirect)
        return tuple(found)

    def _redirect(self) -> Redirect | None:
        reader = self.reader
        reader.blanks()
        if reader.peek(2) == "&>":
            reader.take(2)
            return Redirect(-1, ">", self._target())
        start = reader.at
        while reader.peek().isdigit():
            reader.take()
        operator = next((o for o in _REDIRECTIONS if reader.peek(len(o)) == o), "")
        if not operator:
            reader.at = start
            return None
        digits = reader.text[start : reader.at]
        fd = int(digits) if digits else int(operator[0] == ">")
        reader.take(len(operator))
        if operator == "<<" and reader.peek() == "<":
            raise ShellSyntaxError("syntax error: unexpected redirection")
        if operator.startswith("<<"):
            return Redirect(fd, "<<", self._document(strip=operator == "<<-"))
        return Redirect(fd, operator, self._target())

    def _target(self) -> Word:
        word = self.reader.word()
        if word is None:
            raise ShellSyntaxError(f"syntax error: unexpected {_quote(self._operator())}")
        return word

    def _document(self, *, strip: bool) -> Word:
        """A here-document's text: read ahead from the next line, which is cut out."""
        delimiter = self._target()
        quoted = any(isinstance(part, Literal) and part.quoted for part in delimiter)
        end = "".join(part.text for part in delimiter if isinstance(part, Literal))
        reader = self.reader
        line_end = reader.text.find("\n", reader.at)
        if line_end < 0:
            return ()
        rest, body = reader.text[line_end + 1 :], ""
        while rest:
            line, newline, rest = rest.partition("\n")
            line = line.lstrip("\t") if strip else line
            if line == end:
                break
            body += line + newline
        else:
            if self._partial:
                raise ShellSyntaxError("syntax error: unexpected end of file")
        reader.text = reader.text[: line_end + 1] + rest
        return (Literal(body, quoted=True),) if quoted else Reader(body).double_quoted()

    def _operator(self) -> str:
        """The operator that comes next, not taken; ``''`` for a word or the end."""
        reader = self.reader
        reader.blanks()
        if reader.peek() not in _FIRSTS:
            return ""
        return next((o for o in _OPERATORS if reader.peek(len(o)) == o), "")

    def _peek_word(self) -> str:
        """The text of the next word when it is one unquoted literal, not taken."""
        reader = self.reader
        reader.blanks()
        end = reader.at
        while end < len(reader.text) and reader.text[end] not in META + "'\"\\$`":
            end += 1
        if end < len(reader.text) and reader.text[end] in "'\"\\$`":
            return ""
        return reader.text[reader.at : end]

    def _take_token(self, token: str) -> None:
        self.reader.blanks()
        self.reader.take(len(token))

    def _take_newline(self) -> None:
        self.reader.take()

    def _newlines(self) -> None:
        while self._operator() == "\n":
            self._take_newline()

    def _unexpected(self, token: str, expected: str = "") -> NoReturn:
        more = f" (expecting {expected})" if expected else ""
        raise ShellSyntaxError(f"syntax error: unexpected {_quote(token)}{more}")


def _quote(token: str) -> str:
    return {"": "end of file", "\n": "newline"}.get(token, f'"{token}"')


def _assignment(word: Word) -> tuple[str, Word] | None:
    first = word[0]
    if not isinstance(first, Literal) or first.quoted:
        return None
    name, equals, value = first.text.partition("=")
    if not equals or not name.isidentifier():
        return None
    rest = (Literal(value), *word[1:]) if value else word[1:]
    return name, rest

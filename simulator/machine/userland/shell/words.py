"""Reading words: quoting, escapes, and the forms that ``$`` begins (POSIX sh, 2.2 and 2.6)."""

from simulator.machine.userland.shell.syntax import (
    Arithmetic,
    Literal,
    Part,
    ShellSyntaxError,
    Substitution,
    Variable,
    Word,
)

META = " \t\n;&|<>()"
_SPECIAL = "@*#?-$!0123456789"
_OPERATORS = (":-", ":=", ":?", ":+", "-", "=", "?", "+", "##", "#", "%%", "%")


class Reader:
    """A position in a script's text."""

    __slots__ = ("at", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def peek(self, length: int = 1) -> str:
        """The next characters, without taking them."""
        return self.text[self.at : self.at + length]

    def take(self, length: int = 1) -> str:
        """The next characters."""
        taken = self.text[self.at : self.at + length]
        self.at += length
        return taken

    def done(self) -> bool:
        """Whether the text has ended."""
        return self.at >= len(self.text)

    def blanks(self) -> None:
        """Pass over blanks, continued lines and a comment."""
        while True:
            if self.peek() in ("\t", " "):
                self.at += 1
            elif self.peek(2) == "\\\n":
                self.at += 2
            elif self.peek() == "#":
                while not self.done() and self.peek() != "\n":
                    self.at += 1
            else:
                return

    def word(self) -> Word | None:
        """The next word, or None when an operator or the end comes first."""
        self.blanks()
        if self.done() or self.peek() in META:
            return None
        return self._parts(META)

    def until(self, stop: str) -> Word:
        """Parts up to a character of ``stop``, which is left: what stands inside ``${..}``."""
        return self._parts(stop)

    def double_quoted(self) -> Word:
        """All of it as parts inside double quotes."""
        return tuple(self._quoted_parts(""))

    def _parts(self, stop: str) -> Word:
        parts: list[Part] = []
        while not self.done() and self.peek() not in stop:
            char = self.take()
            if char == "'":
                parts.append(Literal(self._to("'"), quoted=True))
            elif char == '"':
                inner = self._quoted_parts('"')
                self._need('"')
                parts.extend(inner or [Literal("", quoted=True)])
            elif char == "\\":
                if self.peek() == "\n":
                    self.at += 1
                else:
                    parts.append(Literal(self.take() or "\\", quoted=True))
            elif char in "$`":
                parts.append(self._dollar(char, quoted=False))
            else:
                start = self.at - 1
                while not self.done() and self.peek() not in stop + "'\"\\$`":
                    self.at += 1
                parts.append(Literal(self.text[start : self.at]))
        return tuple(parts)

    def _quoted_parts(self, stop: str) -> list[Part]:
        parts: list[Part] = []
        text = ""
        while not self.done() and self.peek() not in stop:
            char = self.take()
            if char == "\\" and self.peek() and self.peek() in '$`"\\\n':
                following = self.take()
                text += "" if following == "\n" else following
            elif char in "$`":
                if text:
                    parts.append(Literal(text, quoted=True))
                    text = ""
                parts.append(self._dollar(char, quoted=True))
            else:
                text += char
        if text:
            parts.append(Literal(text, quoted=True))
        return parts

    def _dollar(self, char: str, *, quoted: bool) -> Part:
        if char == "`":
            return Substitution(self._backquoted(), quoted)
        if self.peek(2) == "((":
            return self._arithmetic(quoted)
        if self.peek() == "(":
            self.at += 1
            return Substitution(self._balanced(")"), quoted)
        if self.peek() == "{":
            self.at += 1
            return self._braced(quoted)
        if self.peek() and self.peek() in _SPECIAL:
            return Variable(self.take(), quoted=quoted)
        name = self._name()
        return Variable(name, quoted=quoted) if name else Literal("$", quoted)

    def _braced(self, quoted: bool) -> Part:
        if self.peek() == "#" and self.peek(2) not in ("#}", "#-", "#:"):
            self.at += 1
            name = self._name() or self.take()
            self._need("}", "bad substitution")
            return Variable(name, "length", quoted=quoted)
        name = self._name() or (self.take() if self.peek() in _SPECIAL else "")
        if not name:
            raise ShellSyntaxError("bad substitution")
        for operator in _OPERATORS:
            if self.peek(len(operator)) == operator:
                self.take(len(operator))
                inner = tuple(self._quoted_parts("}")) if quoted else self._parts("}")
                self._need("}", "syntax error: unterminated quoted string")
                return Variable(name, operator, inner, quoted)
        if self.peek() in ("/", ":"):
            return self._twofold(name, quoted)
        self._need("}", "bad substitution")
        return Variable(name, quoted=quoted)

    def _twofold(self, name: str, quoted: bool) -> Part:
        """``:from[:length]``, ``/pattern[/text]`` or ``//pattern[/text]`` and the brace."""
        operator = "//" if self.peek(2) == "//" else self.peek()
        mark = self.take(len(operator))[0]
        inner, more = self._parts(mark + "}"), None
        if self.peek() == mark:
            self.take()
            more = self._parts("}")
        self._need("}", "syntax error: unterminated quoted string")
        return Variable(name, operator, inner, quoted, more)

    def _arithmetic(self, quoted: bool) -> Part:
        start = self.at
        self.at += 2
        inner = Reader(self._balanced(")"))
        if self.peek() != ")":
            self.at = start + 1
            return Substitution(self._balanced(")"), quoted)
        self.at += 1
        return Arithmetic(inner.double_quoted(), quoted)

    def _name(self) -> str:
        start = self.at
        while self.peek() and (self.peek().isalnum() or self.peek() == "_"):
            if self.at == start and self.peek().isdigit():
                break
            self.at += 1
        return self.text[start : self.at]

    def _to(self, end: str) -> str:
        start = self.at
        found = self.text.find(end, start)
        if found < 0:
            raise ShellSyntaxError("syntax error: unterminated quoted string")
        self.at = found + 1
        return self.text[start:found]

    def _need(self, char: str, complaint: str = "syntax error: unterminated quoted string") -> None:
        if self.take() != char:
            raise ShellSyntaxError(complaint)

    def _backquoted(self) -> str:
        text = ""
        while self.peek() != "`":
            if self.done():
                raise ShellSyntaxError("syntax error: EOF in backquote substitution")
            char = self.take()
            if char == "\\" and self.peek() in ("$", "`", "\\"):
                char = self.take()
            text += char
        self.at += 1
        return text

    def _balanced(self, end: str) -> str:
        """The text up to the ``)`` that closes, minding quotes and nesting."""
        start, depth = self.at, 1
        while not self.done():
            char = self.take()
            if char == "'":
                self._to("'")
            elif char == '"':
                self._skip_double_quotes()
            elif char == "\\":
                self.at += 1
            elif char == "(":
                depth += 1
            elif char == end:
                depth -= 1
                if not depth:
                    return self.text[start : self.at - 1]
        raise ShellSyntaxError('syntax error: unexpected end of file (expecting ")")')

    def _skip_double_quotes(self) -> None:
        while self.peek() != '"':
            if self.done():
                raise ShellSyntaxError("syntax error: unterminated quoted string")
            if self.take() == "\\":
                self.at += 1
        self.at += 1


def literal(word: Word) -> str | None:
    """The word's text when it is one unquoted literal (a reserved word may be), else None."""
    if len(word) == 1 and isinstance(word[0], Literal) and not word[0].quoted:
        return word[0].text
    return None

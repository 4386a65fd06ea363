"""Variables in a Dockerfile's words: buildkit ``frontend/dockerfile/shell/lex.go``."""

from collections.abc import Mapping

from simulator.isolation.control.docker.api.errors import BadRequest


class _Lexer:
    def __init__(self, text: str, variables: Mapping[str, str], escape: str) -> None:
        self.text = text
        self.variables = variables
        self.escape = escape
        self.at = 0

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def next(self) -> str:
        char = self.peek()
        self.at += 1
        return char

    def run(self, stop: str = "") -> str:
        """The expanded text up to ``stop``; words are split at its own spaces alone."""
        found = ""
        while (char := self.peek()) and char != stop:
            if char == "'":
                found += self._single()
            elif char == '"':
                found += self._double()
            elif char == "$":
                found += self._dollar()
            else:
                self.at += 1
                if char == self.escape:
                    if not self.peek():
                        break
                    char = self.next()
                found += char
        return found

    def _single(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise BadRequest("unexpected end of statement while looking for matching single-quote")
        taken = self.text[self.at + 1 : end]
        self.at = end + 1
        return taken

    def _double(self) -> str:
        self.at += 1
        found = ""
        while (char := self.peek()) != '"':
            if not char:
                message = "unexpected end of statement while looking for matching double-quote"
                raise BadRequest(message)
            if char == "$":
                found += self._dollar()
                continue
            self.at += 1
            if char == self.escape and self.peek() in ('"', "$", self.escape):
                char = self.next()
            found += char
        self.at += 1
        return found

    def _name(self) -> str:
        start = self.at
        char = self.peek()
        if char.isdigit() or char in ("@", "*", "#"):
            self.at += 1
            return char
        while (char := self.peek()) and (char.isalnum() or char == "_"):
            self.at += 1
        return self.text[start : self.at]

    def _dollar(self) -> str:
        self.at += 1
        if self.peek() != "{":
            name = self._name()
            return self.variables.get(name, "") if name else "$"
        self.at += 1
        name = self._name()
        if not name:
            raise BadRequest("syntax error: bad substitution")
        value = self.variables.get(name)
        if self.peek() == "}":
            self.at += 1
            return value or ""
        colon = self.peek() == ":"
        self.at += colon
        kind = self.next()
        if kind not in ("-", "+", "?"):
            raise BadRequest(f"unsupported modifier ({':' if colon else ''}{kind}) in substitution")
        other = self.run("}")
        if self.next() != "}":
            raise BadRequest(f"syntax error: missing '}}' in \"{self.text}\"")
        given = bool(value) if colon else value is not None
        if kind == "-":
            return (value or "") if given else other
        if kind == "+":
            return other if given else ""
        if not given:
            raise BadRequest(f"{name}: {other or 'not allowed to be empty'}")
        return value or ""


def expand(text: str, variables: Mapping[str, str], escape: str = "\\") -> str:
    """One word with quotes taken away and variables put in. Raises ``BadRequest``."""
    return _Lexer(text, variables, escape).run()


def split(text: str, escape: str = "\\") -> list[str]:
    """Words at spaces that are neither quoted nor escaped; quotes stay."""
    words: list[str] = []
    word, quote, skip = "", "", False
    for char in text:
        if skip:
            word, skip = word + char, False
        elif char == escape and quote != "'":
            word, skip = word + char, True
        elif quote:
            word += char
            quote = "" if char == quote else quote
        elif char in " \t":
            if word:
                words.append(word)
            word = ""
        else:
            quote = char if char in "\"'" else ""
            word += char
    return [*words, word] if word else words

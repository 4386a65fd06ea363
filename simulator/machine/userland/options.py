"""Options of programs as getopt(3) reads them, and the complaint about others."""

from collections.abc import Sequence
from typing import NamedTuple

BANNER = "BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary."


class UsageError(Exception):
    """A program was called wrongly: ``str(error)`` is printed after its name; status 1."""


class Options(NamedTuple):
    """What was given: a count for each letter, the values of those that take one, the rest."""

    given: dict[str, int]
    values: dict[str, list[str]]
    rest: list[str]

    def has(self, letter: str) -> bool:
        """Whether the option was given."""
        return letter in self.given

    def value(self, letter: str, default: str = "") -> str:
        """The last value of an option that takes one."""
        return self.values[letter][-1] if letter in self.values else default


def to_number(text: str, base: int = 10) -> int:
    """A number that somebody typed. Raises ``UsageError`` in busybox's words (xatoi)."""
    try:
        return int(text, base)
    except ValueError:
        raise UsageError(f"invalid number '{text}'") from None


def parse(
    argv: Sequence[str],
    letters: str,
    long: dict[str, str] | None = None,
    *,
    stop_early: bool = False,
) -> Options:
    """Read ``argv`` by a getopt(3) string; ``long`` maps ``--names`` to letters.

    A colon after a letter means it takes a value, two that the value is optional and attached.
    ``stop_early``: the first operand ends the options.
    """
    given: dict[str, int] = {}
    values: dict[str, list[str]] = {}
    rest: list[str] = []
    words = list(argv[1:])
    while words:
        word = words.pop(0)
        if word == "--":
            rest += words
            break
        if word.startswith("--"):
            _long(word, words, letters, long or {}, given, values)
        elif word.startswith("-") and len(word) > 1:
            _short(word, words, letters, given, values)
        elif stop_early:
            rest += [word, *words]
            break
        else:
            rest.append(word)
    return Options(given, values, rest)


def _short(
    word: str, words: list[str], letters: str, given: dict[str, int], values: dict[str, list[str]]
) -> None:
    at = 1
    while at < len(word):
        letter = word[at]
        at += 1
        place = letters.find(letter)
        if place < 0 or letter == ":":
            raise UsageError(f"invalid option -- '{letter}'")
        given[letter] = given.get(letter, 0) + 1
        if letters[place + 1 : place + 3] == "::":
            values.setdefault(letter, []).append(word[at:])
            return
        if letters[place + 1 : place + 2] == ":":
            if at == len(word) and not words:
                raise UsageError(f"option requires an argument -- '{letter}'")
            values.setdefault(letter, []).append(word[at:] or words.pop(0))
            return


def _long(
    word: str,
    words: list[str],
    letters: str,
    long: dict[str, str],
    given: dict[str, int],
    values: dict[str, list[str]],
) -> None:
    name, equals, value = word[2:].partition("=")
    matching = [known for known in long if known.startswith(name)]
    letter = long.get(name) or (long[matching[0]] if len(matching) == 1 else "")
    if not letter:
        raise UsageError(f"unrecognized option '{word}'")
    given[letter] = given.get(letter, 0) + 1
    place = letters.find(letter)
    if letters[place + 1 : place + 3] == "::":
        values.setdefault(letter, []).append(value)
    elif letters[place + 1 : place + 2] == ":":
        if not equals and not words:
            raise UsageError(f"option '--{name}' requires an argument")
        values.setdefault(letter, []).append(value if equals else words.pop(0))

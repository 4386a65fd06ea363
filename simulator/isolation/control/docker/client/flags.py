"""The command line as the real client reads it (pflag): ``--name=x``, ``-it``, ``-p 80:80``."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from simulator.isolation.control.docker.client.helping import Misused, check
from simulator.isolation.control.docker.client.wire import ClientError


class Flag(NamedTuple):
    """One flag: ``kind`` is ``bool``, ``text``, ``list`` or ``number``."""

    kind: str = "bool"
    short: str = ""


class Parsed(NamedTuple):
    """The flags that were given, and the words that are none."""

    given: dict[str, Any]
    words: list[str]

    def on(self, name: str) -> bool:
        """Whether a boolean flag was given."""
        return bool(self.given.get(name))

    def text(self, name: str, default: str = "") -> str:
        """The last value of a flag."""
        return str(self.given.get(name, default))

    def listed(self, name: str) -> list[str]:
        """Every value of a flag that may be given several times."""
        return list(self.given.get(name, ()))


def parse(
    command: str, flags: Mapping[str, Flag], words: list[str], *, stop_early: bool = False
) -> Parsed:
    """Read ``words``. ``stop_early``: the first word that is no flag ends them.

    Raises ``ClientError`` with status 125 for an unknown flag, as the real client's.
    """
    shorts = {flag.short: name for name, flag in flags.items() if flag.short}
    given: dict[str, Any] = {}
    rest: list[str] = []
    todo = list(words)
    while todo:
        word = todo.pop(0)
        if word == "--":
            rest += todo
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if name not in flags:
                raise _unknown(command, f"unknown flag: --{name}")
            _take(command, flags, name, value if equals else None, todo, given)
        elif word.startswith("-") and len(word) > 1:
            _shorts(command, flags, shorts, word[1:], todo, given)
        elif stop_early:
            rest += [word, *todo]
            break
        else:
            rest.append(word)
    return Parsed(given, rest)


def _shorts(
    command: str,
    flags: Mapping[str, Flag],
    shorts: Mapping[str, str],
    letters: str,
    todo: list[str],
    given: dict[str, Any],
) -> None:
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter not in shorts:
            raise _unknown(command, f"unknown shorthand flag: '{letter}' in -{letter}{letters}")
        name = shorts[letter]
        if flags[name].kind == "bool" and not letters.startswith("="):
            given[name] = True
            continue
        value = letters.removeprefix("=") if letters else None
        _take(command, flags, name, value, todo, given)
        return


def _take(
    command: str,
    flags: Mapping[str, Flag],
    name: str,
    value: str | None,
    todo: list[str],
    given: dict[str, Any],
) -> None:
    kind = flags[name].kind
    if kind == "bool":
        given[name] = value is None or value.lower() in ("1", "t", "true")
        return
    if value is None:
        if not todo:
            raise _unknown(command, f"flag needs an argument: --{name}")
        value = todo.pop(0)
    if kind == "list":
        given.setdefault(name, []).append(value)
    elif kind == "number":
        if not value.lstrip("-").isdigit():
            raise _unknown(command, f'invalid argument "{value}" for "--{name}" flag')
        given[name] = int(value)
    else:
        given[name] = value


def _unknown(command: str, what: str) -> ClientError:
    return Misused(command, what, 125)


def need(command: str, words: list[str], least: int, most: int | None = None) -> None:
    """Raise ``ClientError`` unless there are so many words."""
    check(command, words)
    plural = "" if least == 1 else "s"
    if least == most and len(words) != least:
        raise ClientError(f"'docker {command}' requires {least} argument{plural}", 1)
    if len(words) < least:
        raise ClientError(f"'docker {command}' requires at least {least} argument{plural}", 1)

"""An instruction's own words: JSON lists, ``name=value`` pairs, durations.

buildkit ``parser/line_parsers.go`` and ``instructions/parse.go``.
"""

import re

import msgspec

from simulator.isolation.control.docker.building import lex
from simulator.isolation.control.docker.building.dockerfile import Instruction, wrong

_UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h))+")
_MILLISECOND = 1_000_000


def json_list(text: str) -> list[str] | None:
    """The exec form; None when it is none."""
    if not text.startswith("["):
        return None
    try:
        return msgspec.json.decode(text.encode("utf-8", "surrogateescape"), type=list[str])
    except msgspec.MsgspecError:
        return None


def quoted(words: list[str]) -> str:
    """Go's %q of a list of strings."""
    return "[" + " ".join(msgspec.json.encode(word).decode() for word in words) + "]"


def command(one: Instruction, shell: list[str]) -> list[str]:
    """CMD, ENTRYPOINT and RUN: the exec form, or the shell with its line."""
    listed = json_list(one.text)
    if listed is not None:
        return listed
    return [*shell, one.text] if one.text else []


def places(one: Instruction) -> list[str]:
    """The words of COPY, ADD and VOLUME: a JSON list or split at spaces."""
    listed = json_list(one.text)
    return listed if listed is not None else one.text.split()


def pairs(one: Instruction, escape: str) -> list[tuple[str, str]]:
    """ENV and LABEL: ``a=b c=d``, or the old form of one name and the rest of the line."""
    words = lex.split(one.text, escape)
    if not words:
        raise wrong(one.line, f"{one.word} requires at least one argument")
    if "=" not in words[0]:
        name, _, rest = one.text.partition(" ")
        if not rest.strip():
            raise wrong(one.line, f"{one.word} must have two arguments")
        return [(name, rest.strip())]
    found: list[tuple[str, str]] = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise wrong(
                one.line,
                f'Syntax error - can\'t find = in "{word}". Must be of the form: name=value',
            )
        if not name:
            raise wrong(one.line, f"{one.word} names can not be blank")
        found.append((name, value))
    return found


def exactly_one(one: Instruction) -> str:
    """The only argument. Raises ``BadRequest``."""
    if not one.text:
        raise wrong(one.line, f"{one.word} requires exactly one argument")
    return one.text


def shown(nanoseconds: int) -> str:
    """time.Duration.String(): ``1m30s``, ``500ms``, ``0s``."""
    if 0 < nanoseconds < _UNITS["s"]:
        unit = next(name for name in ("ms", "us", "ns") if nanoseconds >= _UNITS[name])
        return f"{nanoseconds / _UNITS[unit]:g}{unit.replace('us', 'µs')}"
    minutes, rest = divmod(nanoseconds, int(_UNITS["m"]))
    hours, minutes = divmod(minutes, 60)
    begun = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{begun}{rest / _UNITS['s']:g}s"


def duration(one: Instruction, flag: str) -> int:
    """A flag in Go's notation (``1m30s``), in nanoseconds; 0 when it is not there."""
    text = one.flag(flag)
    if not text or text == "0":
        return 0
    if not _DURATION.fullmatch(text):
        raise wrong(one.line, f'time: invalid duration "{text}"')
    parts = re.findall(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)", text)
    total = int(sum(float(number) * _UNITS[unit] for number, unit in parts))
    if total < _MILLISECOND:
        raise wrong(one.line, f'Interval "{flag}" cannot be less than 1ms')
    return total

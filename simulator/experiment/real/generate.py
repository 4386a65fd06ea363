"""Programs of the probe language that nobody wrote: what the differential search draws from.

Each line is a call with arguments that are likely to matter to another line: a handful of paths,
descriptors, ids and flags (``vocabulary.toml``). Whether a call succeeds is left to the kernels.
"""

import re
import tomllib
from functools import cache
from pathlib import Path

import msgspec
from hypothesis import strategies as st

Line = st.SearchStrategy[str]

_SLOT = re.compile(r"\{(\w+)\}")
_NAME = re.compile(r"\bv\d\b")
_OWN = re.compile(r'\b(kid|son|v\d)\b|"/t(?=[/"])')


class _Vocabulary(msgspec.Struct):
    """Words by their kind, and templates of calls by subject; ``;`` parts calls of one actor."""

    words: dict[str, tuple[str, ...]]
    subjects: dict[str, str]


@cache
def _vocabulary() -> _Vocabulary:
    text = Path(__file__).with_name("vocabulary.toml").read_text()
    return msgspec.convert(tomllib.loads(text), _Vocabulary)


SUBJECTS = tuple(_vocabulary().subjects)
"""What a search can be limited to."""

BEGIN = (
    "kid = guest.fork()",
    'kid.mkdir("/t", 0o777)',
    'kid.chmod("/t", 0o777)',
    'kid.chdir("/t")',
    "son = kid.fork()",
)
END = ("guest.kill(son, SIGKILL)", "guest.kill(kid, SIGKILL)", "guest.waitpid(-1, WNOHANG)")
"""A program ends what it began, so that another can follow it in the same sandbox."""

_BEFORE = (
    (),
    (),
    ("kid.setresgid(1000, 1000, 1000)", "kid.setresuid(1000, 1000, 1000)"),
    ("son.setresgid(1000, 1000, 1000)", "son.setresuid(1000, 1000, 1000)"),
    ("kid.unshare(CLONE_NEWUSER)",),
    ("kid.unshare(CLONE_NEWNS)", 'kid.mount(None, "/", None, MS_REC | MS_PRIVATE, None)'),
    ("kid.unshare(CLONE_NEWUSER | CLONE_NEWNS)",),
)
"""Who the two are when they begin: root, an ordinary user, one with namespaces of its own."""


def templates(subject: str) -> tuple[str, ...]:
    """The subject's calls, with ``{kind}`` for each word to be drawn."""
    lines = _vocabulary().subjects[subject].splitlines()
    return tuple(line.strip() for line in lines if line.strip())


def _filled(template: str) -> Line:
    words = _vocabulary().words
    drawn = [st.sampled_from(words[kind]) for kind in _SLOT.findall(template)]
    return st.tuples(*drawn).map(lambda chosen: _put(template, chosen))


def _put(template: str, chosen: tuple[str, ...]) -> str:
    left = iter(chosen)
    return _SLOT.sub(lambda _slot: next(left), template)


def _acted(drawn: tuple[str, str]) -> list[str]:
    """The calls of one template, each with its actor."""
    actor, calls = drawn
    lines: list[str] = []
    for call in calls.split("; "):
        name, equals, rest = call.partition(" = ")
        bound = equals and "(" not in name
        lines.append(f"{name} = {actor}.{rest}" if bound else f"{actor}.{call}")
    return lines


def programs(subjects: tuple[str, ...], longest: int = 40) -> st.SearchStrategy[str]:
    """Texts of programs with lines of these subjects by a guest's child and its child."""
    calls = st.one_of(*(_filled(one) for name in subjects for one in templates(name)))
    steps = st.tuples(st.sampled_from(("kid", "kid", "kid", "son")), calls).map(_acted)
    return st.tuples(st.sampled_from(_BEFORE), st.lists(steps, min_size=8, max_size=longest)).map(
        lambda drawn: _text(drawn[0], drawn[1])
    )


def _text(before: tuple[str, ...], steps: list[list[str]]) -> str:
    lines = _bound([line for step in steps for line in step])
    return "\n".join((*BEGIN, *before, *lines, *END)) + "\n"


def _bound(lines: list[str]) -> list[str]:
    """A name that nothing has bound yet is a number instead: v2 is 2 more than the first file."""
    bound: set[str] = set()
    return [_named(line, bound) for line in lines]


def _named(line: str, bound: set[str]) -> str:
    left, equals, body = line.partition(" = ")
    names = set(_NAME.findall(left)) if "(" not in left else set[str]()
    if not names:
        left, equals, body = "", "", line
    body = _NAME.sub(
        lambda found: found[0] if found[0] in bound else str(3 + int(found[0][1:])), body
    )
    bound |= names
    return f"{left}{equals}{body}"


def numbered(text: str, number: int) -> str:
    """The same program with actors, names and a directory of its own."""
    return _OWN.sub(lambda found: f"{found[0]}_{number}" if found[1] else f'"/t{number}', text)

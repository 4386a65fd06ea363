"""From the text of a Dockerfile to its stages: directives, comments, continuations, flags.

buildkit ``frontend/dockerfile/parser`` and ``instructions/parse.go``, as the classic builder uses
them.
"""

import re
from dataclasses import dataclass, field

from simulator.isolation.control.docker.api.errors import BadRequest

_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*")
_SPACES = re.compile(r"[\t\v\f\r ]+")
_STAGE_NAME = re.compile(r"[a-z][a-z0-9\-_.]*")
_HEREDOC = re.compile(r"""<<-?\s*(["']?)([a-zA-Z_][a-zA-Z0-9_.]*)\1(?=\s|$)""")
HELP = (
    "Refer to https://docs.docker.com/go/buildkit/ to learn how to build images with BuildKit"
    " enabled"
)
WORDS = frozenset(
    (
        "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
        "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Instruction:
    """One instruction: its word in capitals, flags, the rest, the line as written, its number."""

    word: str
    flags: tuple[str, ...]
    text: str
    original: str
    line: int

    def flag(self, name: str) -> str | None:
        """The value of ``--name=value``; None when it is not there."""
        for one in self.flags:
            key, _, value = one[2:].partition("=")
            if key == name:
                return value
        return None


@dataclass
class Stage:
    """FROM and what follows it."""

    base: str
    name: str
    platform: str
    original: str
    steps: list[Instruction] = field(default_factory=list[Instruction])


@dataclass(frozen=True)
class Dockerfile:
    """Arguments before the first FROM, the stages, and the escape character."""

    arguments: tuple[Instruction, ...]
    stages: tuple[Stage, ...]
    escape: str

    def until(self, target: str) -> tuple[Stage, ...]:
        """The stages up to the one named (or numbered) ``target``. Raises ``BadRequest``."""
        if not target:
            return self.stages
        for number, stage in enumerate(self.stages):
            if target.lower() == stage.name or target == str(number):
                return self.stages[: number + 1]
        raise BadRequest(f'target stage "{target}" could not be found')


def wrong(line: int, message: str) -> BadRequest:
    """An error of a line, as buildkit words it."""
    return BadRequest(f"dockerfile parse error on line {line}: {message}")


def parse(text: str, name: str = "Dockerfile") -> Dockerfile:
    """A Dockerfile. Raises ``BadRequest`` with the builder's words."""
    escape = _escape(text)
    if not text.strip():
        raise BadRequest(f"the Dockerfile ({name}) cannot be empty")
    arguments: list[Instruction] = []
    stages: list[Stage] = []
    for line, joined in _joined(text, escape):
        one = instruction(joined, line)
        if one.word == "FROM":
            stages.append(_stage(one))
        elif stages:
            stages[-1].steps.append(one)
        elif one.word == "ARG":
            arguments.append(one)
        else:
            raise BadRequest("no build stage in current context")
    if not stages:
        if not arguments:
            raise BadRequest("dockerfile parse error: file with no instructions")
        raise BadRequest("dockerfile contains no stages to build")
    return Dockerfile(tuple(arguments), tuple(stages), escape)


def _escape(text: str) -> str:
    """The escape directive; directives come before anything else."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        matched = _DIRECTIVE.fullmatch(line.strip())
        if matched is None:
            break
        key = matched[1].lower()
        if key not in ("escape", "syntax", "check"):
            break
        if key in found:
            raise wrong(number, f"only one {key} parser directive can be used")
        found[key] = matched[2]
    escape = found.get("escape", "\\")
    if escape not in ("\\", "`"):
        raise BadRequest(f"invalid escape token '{escape}' does not match ` or \\")
    return escape


def _joined(text: str, escape: str) -> list[tuple[int, str]]:
    """Instructions with their continuations joined, each with the number of its first line."""
    mark = re.escape(escape)
    continued = re.compile(rf"(?:(?<=[^{mark}])|^){mark}[ \t]*$")
    found: list[tuple[int, str]] = []
    first, whole = 0, ""
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if line.lstrip().startswith("#") or not line.strip():
            continue
        if not first:
            first, line = number, line.lstrip()
        bare = continued.sub("", line)
        whole += bare
        if bare == line:
            found.append((first, whole.strip()))
            first, whole = 0, ""
    if first and whole.strip():
        found.append((first, whole.strip()))
    return found


def instruction(original: str, line: int = 1) -> Instruction:
    """One joined line. Raises ``BadRequest``."""
    parts = _SPACES.split(original, maxsplit=1)
    word = parts[0].upper()
    rest = parts[1].strip() if len(parts) > 1 else ""
    if word not in WORDS:
        raise wrong(line, f"unknown instruction: {parts[0]}")
    flags: list[str] = []
    while rest.startswith("--"):
        one, _, after = rest.partition(" ")
        if one == "--":
            rest = after.lstrip()
            break
        flags.append(_unquoted(one))
        rest = after.lstrip()
    if word in ("RUN", "COPY", "ADD") and _HEREDOC.search(rest):
        raise wrong(line, f"the heredoc syntax of {word} requires BuildKit. {HELP}")
    _check_flags(word, flags, line)
    return Instruction(word, tuple(flags), rest, original, line)


def _unquoted(flag: str) -> str:
    return flag.replace('"', "").replace("'", "")


_FLAGS = {
    "FROM": ("platform",),
    "COPY": ("from", "chown"),
    "ADD": ("chown",),
    "HEALTHCHECK": ("interval", "timeout", "start-period", "start-interval", "retries"),
}
_NEED_BUILDKIT = {
    "RUN": ("mount", "network", "security"),
    "COPY": ("chmod", "link", "parents", "exclude"),
    "ADD": ("chmod", "link", "checksum", "keep-git-dir", "exclude"),
}


def needs_buildkit(one: Instruction) -> str:
    """What the classic builder says of an option that it does not have, at its step (moby
    ``dispatchers.go``); empty when there is none.
    """
    for flag in one.flags:
        key = flag[2:].partition("=")[0]
        if key in _NEED_BUILDKIT.get(one.word, ()):
            return f"the --{key} option requires BuildKit. {HELP}"
    return ""


def _check_flags(word: str, flags: list[str], line: int) -> None:
    seen: set[str] = set()
    for one in flags:
        key = one[2:].partition("=")[0]
        if key in _NEED_BUILDKIT.get(word, ()):
            continue
        if key not in _FLAGS.get(word, ()):
            raise wrong(line, f"unknown flag: --{key}")
        if "=" not in one:
            raise wrong(line, f"missing a value on flag: {key}")
        if key in seen:
            raise wrong(line, f"duplicate flag specified: {key}")
        seen.add(key)


def _stage(one: Instruction) -> Stage:
    words = one.text.split()
    name = ""
    if len(words) == 3 and words[1].lower() == "as":
        name = words[2].lower()
        if not _STAGE_NAME.fullmatch(name):
            raise wrong(
                one.line,
                f'invalid name for build stage: "{words[2]}", name can\'t start with a number or'
                " contain symbols",
            )
    elif len(words) != 1:
        raise wrong(one.line, "FROM requires either one or three arguments")
    return Stage(words[0], name, one.flag("platform") or "", one.original)

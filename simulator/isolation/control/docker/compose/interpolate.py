"""Variables in a Compose file: ``${NAME}``, with defaults, errors and replacements.

compose-go ``template/template.go``, ``interpolation/interpolation.go``.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from simulator.isolation.control.docker.compose.errors import Invalid

_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_OPERATORS = (":-", ":?", ":+", "-", "?", "+")
_NUMBERS = frozenset((
    "cpu_count", "cpu_percent", "cpu_shares", "cpu_quota", "cpu_period", "hard", "max_attempts",
    "oom_score_adj", "parallelism", "pids_limit", "replicas", "retries", "scale", "size", "soft",
    "target",
))  # fmt: skip
_BOOLEANS = frozenset((
    "attachable", "create_host_path", "disable", "enable_ipv6", "external", "init", "internal",
    "nocopy", "oom_kill_disable", "privileged", "read_only", "required", "stdin_open", "tty",
))  # fmt: skip
_TRUTH = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}
Warn = Callable[[str], None]


class _Missing(Exception):
    """A required variable has no value."""


class _Malformed(Exception):
    """A ``$`` that begins nothing."""


def tree(value: Any, env: Mapping[str, str], warn: Warn, path: str = "") -> Any:
    """``value`` with every string interpolated. Raises ``Invalid``."""
    if isinstance(value, dict):
        mapping = cast("dict[Any, Any]", value)
        return {
            key: tree(one, env, warn, f"{path}.{key}" if path else str(key))
            for key, one in mapping.items()
        }
    if isinstance(value, list):
        listed = cast("list[Any]", value)
        return [tree(one, env, warn, f"{path}.[]") for one in listed]
    if not isinstance(value, str) or "$" not in value:
        return value
    try:
        return _typed(path, text(value, env, warn))
    except _Missing as missing:
        raise Invalid(f"error while interpolating {path}: {missing}") from None
    except _Malformed:
        raise Invalid(
            f"invalid interpolation format for {path}.\nYou may need to escape any $ with another"
            f" $.\n{value}".replace("\n", " ")
        ) from None


def _typed(path: str, value: str) -> Any:
    """What must be a number or a truth is one afterwards (``interpolateTypeCastMapping``)."""
    name = path.rpartition(".")[2]
    if name in _NUMBERS and re.fullmatch(r"-?\d+", value):
        return int(value)
    if name in _BOOLEANS and value.lower() in _TRUTH:
        return _TRUTH[value.lower()]
    return value


def text(value: str, env: Mapping[str, str], warn: Warn) -> str:
    """One string with its variables."""
    found = ""
    at = 0
    while at < len(value):
        mark = value.find("$", at)
        if mark < 0:
            return found + value[at:]
        found += value[at:mark]
        following = value[mark + 1 : mark + 2]
        name = _NAME.match(value, mark + 1)
        if following == "$":
            found, at = found + "$", mark + 2
        elif following == "{":
            end = _closing(value, mark + 1)
            found, at = found + _braced(value[mark + 2 : end], env, warn), end + 1
        elif name is not None:
            found, at = found + _plain(name[0], env, warn), name.end()
        else:
            raise _Malformed
    return found


def _closing(value: str, at: int) -> int:
    depth = 0
    for place in range(at, len(value)):
        depth += {"{": 1, "}": -1}.get(value[place], 0)
        if not depth:
            return place
    raise _Malformed


def _plain(name: str, env: Mapping[str, str], warn: Warn) -> str:
    if name not in env:
        warn(f'The "{name}" variable is not set. Defaulting to a blank string.')
    return env.get(name, "")


def _braced(inside: str, env: Mapping[str, str], warn: Warn) -> str:
    name = _NAME.match(inside)
    if name is None:
        raise _Malformed
    rest = inside[name.end() :]
    if not rest:
        return _plain(name[0], env, warn)
    operator = next((one for one in _OPERATORS if rest.startswith(one)), "")
    if not operator:
        raise _Malformed
    word = rest[len(operator) :]
    value = env.get(name[0])
    given = bool(value) if operator.startswith(":") else value is not None
    if operator.endswith("+"):
        return text(word, env, warn) if given else ""
    if given:
        return value or ""
    if operator.endswith("-"):
        return text(word, env, warn)
    reason = text(word, env, warn)
    raise _Missing(
        f"required variable {name[0]} is missing a value" + (f": {reason}" if reason else "")
    )


def env_file(content: str, env: Mapping[str, str], warn: Warn) -> dict[str, str | None]:
    """``.env`` and ``env_file``: KEY=value lines; quotes, comments and ``export`` are known.

    A key without ``=`` is None: it takes the value that the shell has.
    """
    found: dict[str, str | None] = {}
    for number, line in enumerate(content.splitlines(), 1):
        line = line.strip().removeprefix("export ").strip()
        if not line or line.startswith("#"):
            continue
        key, given, value = line.partition("=")
        key, value = key.strip(), value.strip()
        if not _NAME.fullmatch(key.replace(".", "_").replace("-", "_")):
            raise Invalid(f'line {number}: unexpected character in variable name "{line}"')
        known = {**{k: v for k, v in found.items() if v is not None}, **env}
        found[key] = _unquoted(value, known, warn) if given else None
    return found


def _unquoted(value: str, env: Mapping[str, str], warn: Warn) -> str:
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1]
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1].replace("\\n", "\n").replace('\\"', '"')
    else:
        value = re.split(r"\s#", value, maxsplit=1)[0].rstrip()
    try:
        return text(value, env, warn)
    except (_Missing, _Malformed):
        return value

"""Every short form of a Compose file in its long one: compose-go ``transform``, ``paths``."""

import posixpath
import re
import shlex
from collections.abc import Callable
from typing import Any, cast

from simulator.isolation.control.docker.compose.errors import Invalid
from simulator.isolation.control.docker.compose.merge import Override, Reset
from simulator.isolation.control.docker.compose.tree import Tree

_MAPS = ("labels", "sysctls", "annotations")
_PORT = re.compile(
    r"(?:(?:(?P<ip>[0-9.]+|\[[0-9a-fA-F:]*\]):)?(?P<outer>[0-9-]*):)?(?P<inner>[0-9-]+)(?:/(?P<kind>tcp|udp|sctp))?"
)
_MODES = frozenset(("ro", "rw", "z", "Z", "nocopy", "cached", "delegated", "consistent"))
_UNITS = {"us": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9}
_SIZES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def nanoseconds(value: Any) -> int:
    """``1m30s``. Raises ``Invalid``."""
    pieces = re.findall(r"(\d+(?:\.\d+)?)(us|ms|s|m|h)", str(value))
    if not pieces or "".join(a + b for a, b in pieces) != str(value):
        raise Invalid(f'time: invalid duration "{value}"')
    return int(sum(float(number) * _UNITS[unit] for number, unit in pieces))


def size(value: Any) -> int:
    """``512m`` in bytes. Raises ``Invalid``."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([bkmgt]?)i?b?", str(value).lower())
    if found is None:
        raise Invalid(f"invalid size: '{value}'")
    return int(float(found[1]) * _SIZES[found[2]])


def service(tree: Tree, name: str, directory: str) -> Tree:
    """A service; its paths are below ``directory``; tags stay. Raises ``Invalid``."""
    resets = {key: one for key, one in tree.items() if isinstance(one, Reset)}
    overrides = [key for key, one in tree.items() if isinstance(one, Override)]
    plain = {key: tree[key].value if key in overrides else tree[key] for key in tree}
    found = _long({k: one for k, one in plain.items() if k not in resets}, name, directory)
    return found | resets | {key: Override(found[key]) for key in overrides}


def _long(tree: Tree, name: str, directory: str) -> Tree:
    found = dict(tree)
    for key, change in _CHANGES.items():
        if found.get(key) is not None:
            found[key] = change(found[key])
    for key in _MAPS:
        if key in found:
            found[key] = pairs(found[key])
    if "build" in found:
        found["build"] = _build(found["build"], directory)
    if "develop" in found:
        found["develop"] = _develop(found["develop"], directory)
    if "env_file" in found:
        found["env_file"] = _env_files(found["env_file"], directory)
    if "ports" in found:
        ports = [one for text in found["ports"] for one in port(text, name)]
        found["ports"] = ports
    if "volumes" in found:
        found["volumes"] = [volume(one, directory) for one in found["volumes"]]
    for key in ("secrets", "configs"):
        if key in found:
            found[key] = [
                {"source": one} if isinstance(one, str) else dict(one) for one in found[key]
            ]
    return found


def _words(value: Any) -> Any:
    try:
        return shlex.split(value) if isinstance(value, str) else value
    except ValueError as error:
        raise Invalid(f"invalid command line string: {value}: {error}") from None


def pairs(value: Any) -> dict[str, str | None]:
    """``KEY=value`` words or a mapping, as a mapping; None is for a key alone."""
    if isinstance(value, dict):
        return {key: _shown(one) for key, one in value.items()}  # pyright: ignore
    split = [str(word).partition("=") for word in value or ()]
    return {key: text if given else None for key, given, text in split}


def _shown(value: Any) -> str | None:
    if value is None or isinstance(value, str | Reset | Override):
        return cast("str | None", value)
    return (
        str(value).lower() if isinstance(value, bool) else f"{value:g}" if value % 1 else str(value)
    )


def _depends(value: Any) -> Tree:
    if isinstance(value, list):
        value = {name: {"condition": "service_started"} for name in value}  # pyright: ignore
    return {name: {"required": True, **one} for name, one in value.items()}  # pyright: ignore


def _networks(value: Any) -> Tree:
    return dict.fromkeys(value) if isinstance(value, list) else dict(value)  # pyright: ignore


def _healthcheck(value: Tree) -> Tree:
    test = value.get("test")
    if isinstance(test, str):
        return {**value, "test": ["CMD-SHELL", test]}
    return value


def _ulimits(value: Tree) -> Tree:
    return {k: {"soft": v, "hard": v} if isinstance(v, int) else v for k, v in value.items()}


def _extra_hosts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [f"{name}={one}" for name, one in value.items()]  # pyright: ignore
    return [re.sub(r"^([^=:]+)[=:]", r"\1=", str(one)) for one in value]


def _list(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value)


_CHANGES: dict[str, Callable[[Any], Any]] = {
    "command": _words, "entrypoint": _words, "environment": pairs, "depends_on": _depends,
    "networks": _networks, "healthcheck": _healthcheck, "ulimits": _ulimits,
    "extra_hosts": _extra_hosts, "dns": _list, "dns_search": _list, "tmpfs": _list,
    "expose": lambda value: [str(one) for one in value],
}  # fmt: skip


def _develop(value: Any, directory: str) -> Tree:
    """What ``compose watch`` looks at; its paths are the project's."""
    tree = dict(cast("Tree", value or {}))
    rules = cast("list[Tree]", tree.get("watch") or [])
    return {**tree, "watch": [{**one, "path": path(one["path"], directory)} for one in rules]}


def _build(value: Any, directory: str) -> Tree:
    found: Tree = {"context": value} if isinstance(value, str) else dict(value)
    context = found.get("context", ".")
    found["context"] = context if "://" in context else path(context, directory)
    found.setdefault("dockerfile", "Dockerfile")
    for key in ("args", "labels"):
        if key in found:
            found[key] = pairs(found[key])
    return found


def _env_files(value: Any, directory: str) -> list[Tree]:
    listed = cast("list[Any]", value) if isinstance(value, list) else [value]
    full: list[Tree] = [{"path": one} if isinstance(one, str) else dict(one) for one in listed]
    return [{"required": True, **one, "path": path(one["path"], directory)} for one in full]


def path(text: str, directory: str) -> str:
    """``text`` as an absolute path."""
    return posixpath.normpath(posixpath.join(directory, text))


def port(value: Any, name: str) -> list[Tree]:
    """``[[IP:]PUBLISHED:]TARGET[/tcp]`` with ranges, one entry a port. Raises ``Invalid``."""
    if isinstance(value, dict):
        found: Tree = {"mode": "ingress", "protocol": "tcp", **value}
        if "published" in found:
            found["published"] = str(found["published"])
        return [found]
    match = _PORT.fullmatch(str(value))
    if match is None:
        raise Invalid(f"services.{name}.ports: invalid containerPort: {value}")
    inner, outer = _range(match["inner"]), _range(match["outer"] or "")
    if outer and len(inner) not in (len(outer), 1):
        raise Invalid(f"services.{name}.ports: invalid ranges specified for {value}")
    made: list[Tree] = []
    for at, number in enumerate(inner):
        one: Tree = {"mode": "ingress", "target": number, "protocol": match["kind"] or "tcp"}
        if match["ip"]:
            one["host_ip"] = match["ip"].strip("[]")
        if outer:
            published = f"{outer[0]}-{outer[-1]}" if len(outer) > len(inner) else str(outer[at])
            one["published"] = published
        made.append(one)
    return made


def _range(text: str) -> list[int]:
    low, _, high = text.partition("-")
    return list(range(int(low), int(high or low) + 1)) if low else []


def volume(value: Any, directory: str) -> Tree:
    """``[SOURCE:]TARGET[:MODE]``: a path is a bind mount, a name a volume."""
    if isinstance(value, dict):
        found = dict(cast("Tree", value))
    else:
        first, *rest = str(value).split(":")
        modes = rest.pop().split(",") if rest and set(rest[-1].split(",")) <= _MODES else []
        source, target = (first, rest[0]) if rest else ("", first)
        kind = "bind" if source.startswith((".", "/", "~")) else "volume"
        found = cast("Tree", {"type": kind, "target": target})
        if source:
            found["source"] = source
        if "ro" in modes:
            found["read_only"] = True
        found[kind] = {"create_host_path": True} if kind == "bind" else {}
        if "nocopy" in modes:
            found["volume"] = {"nocopy": True}
    if found["type"] == "bind" and found.get("source"):
        found["source"] = path(found["source"], directory)
    return found

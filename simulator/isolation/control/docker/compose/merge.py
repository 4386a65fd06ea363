"""One Compose file laid over another: compose-go ``override/merge.go``.

Mappings are merged key by key, lists joined; some lists are mappings in disguise, and some values
are replaced as a whole. It is done on canonical trees (``normal``). ``!reset`` takes away what was
there, ``!override`` puts the new value in its place.
"""

from typing import Any, NamedTuple, cast

from simulator.isolation.control.docker.compose.tree import Tree

_REPLACED = frozenset(("command", "entrypoint", "test"))
_BY = {
    "ports": ("host_ip", "published", "target", "protocol"),
    "volumes": ("target",),
    "secrets": ("source",),
    "configs": ("source", "target"),
    "devices": ("target",),
}
_UNIQUE = frozenset(("cap_add", "cap_drop", "dns", "dns_search", "expose", "profiles", "tmpfs"))


class Reset(NamedTuple):
    """What ``!reset`` tags: nothing of it stays."""


class Override(NamedTuple):
    """What ``!override`` tags."""

    value: Any


def merged(below: Any, above: Any, name: str = "", depth: int = 0) -> Any:
    """``above`` laid over ``below``; ``name`` is the key that both are the value of."""
    if isinstance(above, Reset):
        return above
    if isinstance(above, Override):
        return above.value
    if name in _REPLACED and depth > 2:
        return above
    if isinstance(below, dict) and isinstance(above, dict):
        found = dict(cast("Tree", below))
        for key, value in cast("Tree", above).items():
            new = key not in found
            found[key] = value if new else merged(found[key], value, str(key), depth + 1)
        return found
    if isinstance(below, list) and isinstance(above, list):
        return _joined(cast("list[Any]", below), cast("list[Any]", above), name)
    return cast("Tree", below) if above is None and isinstance(below, dict) else above


def _joined(below: list[Any], above: list[Any], name: str) -> list[Any]:
    keys = _BY.get(name)
    if keys and all(isinstance(one, dict) for one in (*below, *above)):
        found: dict[Any, Any] = {}
        for one in (*below, *above):
            ident = tuple(one.get(key) for key in keys)
            found[ident] = {**found.get(ident, {}), **one}
        return list(found.values())
    return list(dict.fromkeys((*below, *above))) if name in _UNIQUE else [*below, *above]


def cleaned(value: Any) -> Any:
    """Without what was reset, and with what was overridden."""
    if isinstance(value, Override):
        return cleaned(value.value)
    if isinstance(value, dict):
        tree = cast("Tree", value)
        return {key: cleaned(one) for key, one in tree.items() if not isinstance(one, Reset)}
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return [cleaned(one) for one in items if not isinstance(one, Reset)]
    return value

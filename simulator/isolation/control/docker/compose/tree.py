"""Parts of a canonical tree, of which any may be left out."""

from typing import Any, cast

Tree = dict[str, Any]


def part(tree: Any, key: str) -> Tree:
    """The mapping at ``key``; empty when there is none."""
    return cast("Tree", tree.get(key) or {}) if tree else {}


def listed(tree: Any, key: str) -> list[Any]:
    """The list at ``key``; empty when there is none."""
    return cast("list[Any]", tree.get(key) or []) if tree else []


def texts(tree: Any, key: str) -> dict[str, str]:
    """The mapping of texts at ``key``, such as labels; nothing is an empty text."""
    return {name: "" if value is None else str(value) for name, value in part(tree, key).items()}

"""Validation with the Compose specification's JSON schema, as check-jsonschema ships it.

The schema is the specification's (Apache License 2.0); its newest version comes with an update of
that package, so there is no copy of it here.
"""

import functools
import importlib.metadata
import json
from typing import Any

import jsonschema

from simulator.isolation.control.docker.compose.errors import Invalid

_PACKAGE = "check-jsonschema"
_FILE = "check_jsonschema/builtin_schemas/vendor/compose-spec.json"
_KINDS = {"object": "mapping", "array": "list"}


@functools.cache
def _validator() -> Any:
    place: Any = importlib.metadata.distribution(_PACKAGE).locate_file(_FILE)
    document = json.loads(place.read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(document)


def validate(tree: Any, file: str) -> None:
    """Raise ``Invalid`` for what is not of the specification, saying where in compose's words."""
    if not isinstance(tree, dict):
        raise Invalid(f"validating {file}: top-level object must be a mapping")
    errors: list[Any] = sorted(_validator().iter_errors(tree), key=lambda one: list(one.path))
    if errors:
        worst = max((_deepest(error) for error in errors), key=lambda one: len(one.absolute_path))
        raise Invalid(f"validating {file}: {_told(worst)}")


def _deepest(error: Any) -> Any:
    """Among alternatives, the complaint about the one that comes nearest."""
    while error.context:
        error = max(
            error.context,
            key=lambda one: (
                len(one.absolute_path), one.validator in ("additionalProperties", "enum"),
                one.validator != "type",
            ),
        )  # fmt: skip
    return error


def _told(error: Any) -> str:
    where = ".".join(str(part) for part in error.absolute_path)
    where = f"{where} " if where else ""
    if error.validator == "type":
        wanted = error.validator_value
        kinds = [wanted] if isinstance(wanted, str) else list(wanted)
        names = [_KINDS.get(kind, kind) for kind in kinds]
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
        return f"{where}must be a {listed}"
    if error.validator in ("additionalProperties", "unevaluatedProperties"):
        known = set(error.schema.get("properties", {}))
        extra = sorted(str(key) for key in error.instance if key not in known)
        extra = [key for key in extra if not key.startswith("x-") and f"'{key}'" in error.message]
        return f"{where}additional properties {', '.join(map(repr, extra))} not allowed"
    if error.validator == "enum":
        listed = ", ".join(f"'{one}'" for one in error.validator_value)
        return f"{where}value must be one of {listed}"
    if error.validator == "required":
        return f"{where}{error.message.replace('is a required property', 'is required')}"
    return f"{where}{error.message}"

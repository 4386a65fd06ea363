"""TOML tables to frozen rows, with every mistake of a file at once.

cattrs structures dataclasses; rows are msgspec structs, so each gets a dataclass of the same
fields to stand in for it while it is checked.
"""

import dataclasses
import functools
import tomllib
import typing
from collections.abc import Callable
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from simulator.experiment.probes.source import UnreadableError, read_text
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _

if typing.TYPE_CHECKING:
    import cattrs

T = TypeVar("T")

Pairs = tuple[tuple[str, str], ...]
Constants = tuple[tuple[str, int | str], ...]


class Mistake(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One thing wrong in a file; ``place`` is the key in it, such as ``claim[2].source``."""

    file: str
    place: str = ""
    message: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.place}" if self.place else self.file
        return f"{where}: {self.message}"


class ScenarioError(VitrinaError):
    """A scenario, world or strings file with mistakes; ``str`` gives one line for each."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = tuple(mistakes)


def read_table(path: Path | Traversable, name: str) -> dict[str, Any]:
    """The TOML table in ``path``, called ``name`` in errors. Raise ``ScenarioError``."""
    try:
        text = read_text(path)
    except UnreadableError as error:
        detail = str(error).removeprefix(f"{path}: ")
        raise ScenarioError([Mistake(file=name, message=detail)]) from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = _("not TOML: {reason}").format(reason=str(error).replace("\n", " "))
    except (ValueError, RecursionError, OverflowError):
        message = _("not TOML: too deeply nested, or a number too long")
    raise ScenarioError([Mistake(file=name, message=message)])


def structure(table: dict[str, Any], shape: type[T], name: str) -> T:
    """``table`` as a ``shape``. Raise ``ScenarioError`` with all mistakes."""
    import cattrs  # 50 ms that only loading a file should pay

    try:
        return converter().structure(table, shape)
    except cattrs.BaseValidationError as error:
        lines = cattrs.transform_error(error, path="", format_exception=_explain)
    except (TypeError, ValueError) as error:
        lines = [f"{_explain(error, None)} @ "]
    raise ScenarioError([_mistake(line, name) for line in lines])


@functools.cache
def converter() -> "cattrs.Converter":
    """A strict converter: no coercion between types, no unknown keys."""
    import cattrs

    made = cattrs.Converter(forbid_extra_keys=True)
    for plain in (int, str, bool):
        made.register_structure_hook(plain, _exactly(plain))
    made.register_structure_hook_func(lambda shape: shape == Pairs, _pairs(str))
    made.register_structure_hook_func(lambda shape: shape == Constants, _pairs(int, str))
    made.register_structure_hook_func(lambda shape: shape == int | str, _int_or_str)
    made.register_structure_hook_factory(_is_struct, functools.partial(_struct_hook, made))
    return made


def _is_struct(shape: object) -> bool:
    return isinstance(shape, type) and issubclass(shape, msgspec.Struct)


def _struct_hook(
    made: "cattrs.Converter", shape: type[msgspec.Struct]
) -> Callable[[Any, Any], msgspec.Struct]:
    from cattrs.gen import make_dict_structure_fn

    stand_in: Any = dataclasses.make_dataclass(
        shape.__name__, [_field(field) for field in msgspec.structs.fields(shape)], kw_only=True
    )
    fill = make_dict_structure_fn(stand_in, made, _cattrs_forbid_extra_keys=True)

    def hook(value: Any, _shape: Any) -> msgspec.Struct:
        if not isinstance(value, dict):
            raise TypeError(_("must be a table"))
        return shape(**vars(fill(typing.cast("dict[str, Any]", value), stand_in)))

    return hook


def _field(field: msgspec.structs.FieldInfo) -> tuple[str, Any, Any]:
    if field.required:
        return field.name, field.type, dataclasses.field()
    return field.name, field.type, dataclasses.field(default=field.default)


def _exactly(plain: type) -> Callable[[Any, Any], Any]:
    def hook(value: Any, _shape: Any) -> Any:
        if type(value) is plain:
            return value
        if plain is int:
            raise TypeError(_("must be a whole number"))
        raise TypeError(_("must be a string") if plain is str else _("must be true or false"))

    return hook


def _int_or_str(value: Any, _shape: Any) -> int | str:
    if type(value) is int or type(value) is str:
        return value
    raise TypeError(_("must be a number or a string"))


def _pairs(*kinds: type) -> Callable[[Any, Any], Any]:
    def hook(value: Any, _shape: Any) -> Any:
        if not isinstance(value, dict):
            raise TypeError(_("must be a table of names and values"))
        table = typing.cast("dict[str, Any]", value)
        for key, item in table.items():
            if type(item) not in kinds:
                raise TypeError(_("{key} has a value of the wrong type").format(key=key))
        return tuple(table.items())

    return hook


def _explain(error: BaseException, _shape: type | None) -> str:
    import cattrs

    match error:
        case KeyError():
            return _("missing")
        case cattrs.errors.ForbiddenExtraKeysError():
            keys = ", ".join(sorted(error.extra_fields))
            return _("unknown key {keys}; is it misspelt?").format(keys=keys)
        case _:
            text = str(error).replace("\n", " ")
            if " not in literal " in text:
                value, _sep, allowed = text.partition(" not in literal ")
                allowed = allowed.removeprefix("typing.Literal[").removesuffix("]")
                return _("{value} is not one of {allowed}").format(value=value, allowed=allowed)
            return text if isinstance(error, TypeError) else _("wrong: {why}").format(why=text)


def _mistake(line: str, name: str) -> Mistake:
    message, _sep, place = line.rpartition(" @ ")
    return Mistake(file=name, place=place.removeprefix("."), message=message)

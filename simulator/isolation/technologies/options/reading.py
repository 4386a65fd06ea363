"""Reading a product's own command line: a table of options, each a function of the technology."""

import difflib
import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec

from simulator.isolation.technologies.base import SpecError, Technology
from simulator.machine.abi.i18n import gettext as _

Apply: TypeAlias = Callable[[Technology, str], Technology]


class Option(msgspec.Struct, frozen=True):
    """One option. ``value``: whether it takes one; ``help`` is an English message id."""

    apply: Apply
    value: bool = True
    help: str = ""


class OptionError(Exception):
    """A value that an option does not take; the message says what it takes."""


def getopt_long(
    product: str, table: Mapping[str, Option], technology: Technology, words: list[str]
) -> Technology:
    """Options as getopt_long(3) reads them: ``--pid=host``, ``--pid host``, ``-u 1000``, ``-u1``.

    ``SpecError`` names an unknown option with its nearest neighbour, or what a value should be.
    """
    pending = list(words)
    while pending:
        word = pending.pop(0)
        name, value = (word, None) if word in table else _split(word)
        option = table.get(name)
        if option is None:
            raise SpecError(unknown(product, name, table))
        if not option.value:
            if value is not None and value not in ("true", "false"):
                raise SpecError(
                    _("{product}: {name} takes no value").format(product=product, name=name)
                )
            if value == "false":
                continue
            value = ""
        elif value is None:
            if not pending:
                raise SpecError(
                    _("{product}: {name} needs a value").format(product=product, name=name)
                )
            value = pending.pop(0)
        technology = apply(product, name, option, technology, value)
    return technology


def apply(
    product: str, name: str, option: Option, technology: Technology, value: str
) -> Technology:
    """The technology with one option applied; a bad value is a ``SpecError``."""
    try:
        return option.apply(technology, value)
    except OptionError as error:
        raise SpecError(
            _("{product}: {name} {value}: {reason}").format(
                product=product, name=name, value=repr(value), reason=error
            )
        ) from None


def unknown(product: str, name: str, table: Mapping[str, object]) -> str:
    """The sentence for an option that the product does not have."""
    near = difflib.get_close_matches(name, table, 1)
    hint = _(" (did you mean {near}?)").format(near=near[0]) if near else ""
    return _("{product} has no option {name}{hint}; it has: {list}").format(
        product=product, name=name, hint=hint, list=" ".join(sorted(table))
    )


def size(text: str) -> int:
    """Bytes: a number with an optional unit ``b``, ``k``, ``m``, ``g`` (docker-units)."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([bkmgt]?)i?b?", text.strip().lower())
    if match is None:
        raise OptionError(_("a size such as 64m was expected"))
    return int(float(match[1]) * 1024 ** "bkmgt".index(match[2] or "b"))


def number(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise OptionError(_("a whole number was expected")) from None


def _split(word: str) -> tuple[str, str | None]:
    if word.startswith("--"):
        name, found, value = word.partition("=")
        return name, value if found else None
    if word.startswith("-") and len(word) > 2:
        return word[:2], word[2:].removeprefix("=")
    return word, None

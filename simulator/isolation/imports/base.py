"""What a configuration says, item by item, put together into a SPEC as far as the model has it."""

import shlex
from collections.abc import Iterable, Sequence

import msgspec

from simulator.isolation.mechanisms.base import PlanError
from simulator.isolation.technologies.base import SpecError, Technology, change, drop
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

LONGEST = 60
ENOUGH = 20_000
"""Most characters of a value and most items of one configuration that are looked at."""


class ImportFault(VitrinaError):
    """A file that is no configuration of a product known here."""


class Wish(msgspec.Struct, frozen=True):
    """One item: as the file has it, and the option words that mean the same.

    ``why`` is set instead when nothing means it: an English message id.
    """

    item: str
    words: tuple[str, ...] = ()
    why: str = ""


class Found(msgspec.Struct, frozen=True):
    """What a reader made of a file: the technology to begin with, and the items in order."""

    product: str
    technology: str
    name: str
    wishes: tuple[Wish, ...]


class Imported(msgspec.Struct, frozen=True):
    """A configuration as a SPEC. ``left`` holds (item, reason) of what it could not carry over."""

    product: str
    technology: str
    name: str
    groups: tuple[tuple[str, ...], ...]
    left: tuple[tuple[str, str], ...]

    @property
    def spec(self) -> str:
        """The SPEC as a person would type it."""
        return spell(self.technology, self.groups)

    def less(self, group: int) -> str:
        """The SPEC without one of its options."""
        return spell(self.technology, self.groups[:group] + self.groups[group + 1 :])

    def more(self, words: Iterable[str]) -> str:
        """The SPEC with another option at its end."""
        return spell(self.technology, (*self.groups, tuple(words)))


NOT_MODELLED = N_("the model does not have it")
NO_WALL = N_("no wall depends on it")


def spell(technology: str, groups: Iterable[tuple[str, ...]]) -> str:
    """A SPEC in words."""
    return shlex.join((technology, *(word for group in groups for word in group)))


def assemble(found: Found) -> Imported:
    """Add one item after the other; what the product's reader refuses is left out, with its reason.

    An item that changes nothing (the product's default, said again) is dropped in silence.
    """
    groups: list[tuple[str, ...]] = []
    left: list[tuple[str, str]] = []
    current = _walls(parse_spec(found.technology))
    for wish in found.wishes[:ENOUGH]:
        if not wish.words:
            left.append((_short(wish.item), _(wish.why or NOT_MODELLED)))
            continue
        try:
            changed = _walls(parse_spec(spell(found.technology, (*groups, wish.words))))
        except (SpecError, PlanError) as error:
            left.append((_short(wish.item), _reason(str(error), wish)))
            continue
        if changed != current:
            groups.append(wish.words)
            current = changed
    if len(found.wishes) > ENOUGH:
        rest = len(found.wishes) - ENOUGH
        left.append((_("{count} more items").format(count=rest), _("more than anybody reads")))
    listed = tuple(dict.fromkeys(left))
    return Imported(found.product, found.technology, found.name, tuple(groups), listed)


def _walls(technology: Technology) -> Technology:
    """The technology without the words that made it, to see whether an item changes a wall."""
    return change(drop(technology, "lxc-config"), spec="")


def _reason(message: str, wish: Wish) -> str:
    """The reader's sentence, less the option it was about and the list of all there are."""
    for word in wish.words:
        for shown in (repr(word), repr(word.partition("=")[2]), word):
            _before, here, rest = message.partition(f"{shown}: ")
            if here and shown:
                return _short(rest, 160)
    if len(message) > 160:
        return _(NOT_MODELLED)
    return message


def _short(text: str, most: int = LONGEST) -> str:
    line = " ".join(text.split())
    printable = "".join(letter if letter.isprintable() else "?" for letter in line)
    return printable if len(printable) <= most else printable[: most - 3] + "..."


def absent(name: str, names: Sequence[str]) -> ImportFault:
    """The file has no container of this name, or none at all."""
    listed = ", ".join(names)
    if not listed:
        return ImportFault(_("there is no container in it"))
    return ImportFault(
        _("there is no container {name}; there are: {list}").format(name=repr(name), list=listed)
    )

"""The command line's own words in the language spoken: help, usage, click's complaints.

Commands are declared once, with English help; what is shown is a copy of one with its words looked
up. click's own words come from a catalogue ``click.po`` beside ours, found as gettext(3) finds one.
"""

import contextlib
import copy
import gettext
import inspect
import os
from collections.abc import Generator, Iterator

import click

from simulator.machine.abi import i18n
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

CLICK = "click"
"""The domain of the catalogue with click's words."""
OPTIONS = N_("[OPTIONS]")
NUMBER, TEXT, PATH = N_("NUMBER"), N_("TEXT"), N_("PATH")
_TYPES: dict[type, str] = {
    click.IntRange: NUMBER,
    click.FloatRange: NUMBER,
    type(click.INT): NUMBER,
    type(click.FLOAT): NUMBER,
    type(click.STRING): TEXT,
    click.Path: PATH,
}
"""What click shows for an option that names no value, by its type."""


def spoken(command: click.Command) -> click.Command:
    """``command`` as whoever reads its help should find it."""
    told = copy.copy(command)
    told.help = _(text) if (text := _help(command)) else None
    told.options_metavar = _(OPTIONS)
    # click keeps it once it is made, in the language of then
    told._help_option = None  # pyright: ignore[reportPrivateUsage]
    told.params = [_spoken(parameter) for parameter in command.params]
    if isinstance(told, click.Group):
        told.commands = {name: spoken(one) for name, one in told.commands.items()}
        told.subcommand_metavar = _(told.subcommand_metavar)
    return told


def _spoken(parameter: click.Parameter) -> click.Parameter:
    told = copy.copy(parameter)
    told.metavar = _(text) if (text := _metavar(parameter)) else None
    if _TYPES.get(type(parameter.type)) == NUMBER:
        told.type = copy.copy(parameter.type)
        told.type.name = _(NUMBER).lower()  # what click calls it when a word is none
    if isinstance(told, click.Option) and told.help:
        told.help = _(told.help)
    return told


def _help(command: click.Command) -> str:
    return inspect.cleandoc(command.help or "")


def _metavar(parameter: click.Parameter) -> str:
    """A plain argument without one is shown by its name; for the others click asks their type."""
    if not parameter.metavar and isinstance(parameter, click.Option) and not parameter.is_flag:
        return _TYPES.get(type(parameter.type), "")
    plain = parameter.required and parameter.nargs == 1 and isinstance(parameter, click.Argument)
    if parameter.metavar or not plain or isinstance(parameter.type, click.Choice):
        return parameter.metavar or ""
    return (parameter.name or "").upper()


def words(command: click.Command) -> Iterator[str]:
    """Every string of ``command`` that ``spoken`` looks up, for the catalogue."""
    yield _help(command)
    if isinstance(command, click.Group):
        yield command.subcommand_metavar
        for one in command.commands.values():
            yield from words(one)
    for parameter in command.params:
        yield _metavar(parameter)
        if isinstance(parameter, click.Option):
            yield parameter.help or ""


@contextlib.contextmanager
def click_speaks(language: str) -> Generator[None]:
    """Meanwhile click's own words are in ``language``."""
    before = os.environ.get("LANGUAGE")
    domain = gettext.textdomain()
    os.environ["LANGUAGE"] = language
    gettext.bindtextdomain(CLICK, i18n.LOCALE_DIR)
    gettext.textdomain(CLICK)
    try:
        yield
    finally:
        gettext.textdomain(domain)
        if before is None:
            del os.environ["LANGUAGE"]
        else:
            os.environ["LANGUAGE"] = before

"""Bring the catalogues up to date with the source: ``make i18n`` (needs the dev group's Babel).

English is the message id, so its catalogue fills itself; Spanish keeps what is translated and gains
an empty entry for each new string, which a test and ``make i18n`` then name.
"""

import importlib
import sys
from pathlib import Path

import click
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from simulator.cli.main import COMMANDS, cli
from simulator.cli.spoken import words
from simulator.machine.abi.i18n import DOMAIN, LANGUAGES

HERE = Path(__file__).parent
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}


def extract() -> Catalog:
    """Every marked string of the source, with where it stands."""
    catalog = Catalog(project=DOMAIN, charset="utf-8")
    for file, line, message, comments, context in extract_from_dir(
        HERE.parent, method_map=[("**.py", "python")], keywords=KEYWORDS
    ):
        catalog.add(message, None, [(f"simulator/{file}", line)], (), comments, context=context)
    for text in filter(None, words(cli)):
        catalog.add(text, None, [("simulator/cli/main.py", 1)])
    for module, _help in COMMANDS.values():
        command = importlib.import_module(f"simulator.cli.commands.{module}").command
        for text in filter(None, words(command)):
            catalog.add(text, None, [(f"simulator/cli/commands/{module}.py", 1)])
    return catalog


def extract_click() -> Catalog:
    """The words of the installed click, which has no catalogues of its own."""
    catalog = Catalog(project="click", charset="utf-8")
    for file, line, message, comments, context in extract_from_dir(
        Path(click.__file__).parent, method_map=[("**.py", "python")], keywords=KEYWORDS
    ):
        catalog.add(message, None, [(f"click/{file}", line)], (), comments, context=context)
    return catalog


def refresh(language: str, template: Catalog) -> list[str]:
    """Rewrite one catalogue; returns the strings that still lack a translation."""
    path = HERE / language / "LC_MESSAGES" / f"{template.project}.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    catalog = Catalog(
        locale=language,
        project=template.project,
        charset="utf-8",
        fuzzy=False,
        header_comment="# Vitrina's messages; English is the message id (make i18n).",
    )
    if path.exists():
        with path.open("rb") as po:
            catalog = read_po(po, locale=language)
    catalog.update(template, no_fuzzy_matching=True)
    if template.project == DOMAIN:  # click's of other releases serve those who have them
        catalog.obsolete.clear()
    for message in catalog:
        if language == "en" and message.id:
            message.string = message.id
    with path.open("wb") as po:
        write_po(po, catalog, omit_header=False, width=100, include_lineno=False, sort_output=True)
    with path.with_suffix(".mo").open("wb") as mo:
        write_mo(mo, catalog)
    return missing(catalog)


def missing(catalog: Catalog) -> list[str]:
    """The strings without a translation."""
    return [str(m.id) for m in catalog if m.id and not _all(m.string)]


def _all(string: object) -> bool:
    return "" not in string if isinstance(string, tuple) else bool(string)


def main() -> int:
    """Refresh both languages and name what is untranslated."""
    # A catalogue adopts the template's messages, so each language gets a template of its own.
    lacking = [f"{lang}: {text}" for lang in LANGUAGES for text in refresh(lang, extract())]
    lacking += [f"es: click: {text}" for text in refresh("es", extract_click())]
    print("\n".join(lacking) or "every string is in both languages")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())

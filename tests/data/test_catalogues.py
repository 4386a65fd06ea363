"""Two languages from the first string."""

import ast
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from simulator.locale.__main__ import extract, missing

LOCALES = Path(__file__).parents[2] / "simulator" / "locale"
PLACEHOLDER = re.compile(r"\{(\w*)[^}]*\}")


def catalogue(language, domain="vitrina"):
    with (LOCALES / language / "LC_MESSAGES" / f"{domain}.po").open("rb") as po:
        return read_po(po, locale=language)


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_string_of_the_source_is_in_the_catalogue_and_translated(language):
    known = catalogue(language)
    absent = [str(m.id) for m in extract() if m.id and known.get(m.id) is None]

    assert absent == []
    assert missing(known) == []


def test_no_string_hides_in_an_f_string_where_it_is_not_found():
    """Babel reads an f-string of Python 3.11 as one word, and what is called in it not at all."""
    known = catalogue("es")
    absent = {
        f"{path.name}: {text}"
        for path in LOCALES.parent.rglob("*.py")
        for text in _spoken(ast.parse(path.read_text(encoding="utf-8")))
        if known.get(text) is None
    }
    assert absent == set()


def _spoken(tree):
    """The literals that a module hands to ``_`` and its like."""
    for call in ast.walk(tree):
        match call:
            case ast.Call(
                func=ast.Name(id="_" | "N_" | "gettext" | "ngettext"),
                args=[ast.Constant(value=str(text)), *_],
            ) if text:
                yield text


def test_the_words_of_click_are_translated():
    assert missing(catalogue("es", "click")) == []


@pytest.mark.parametrize("domain", ["vitrina", "click"])
def test_a_translation_keeps_its_placeholders(domain):
    broken = []
    for message in catalogue("es", domain):
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = {name for text in ids for name in PLACEHOLDER.findall(text)}
        for string in strings:
            if message.id and not set(PLACEHOLDER.findall(string)) <= wanted:
                broken.append(string)

    assert broken == []

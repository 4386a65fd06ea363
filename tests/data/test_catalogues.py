"""Two languages from the first string."""

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

"""Which sentences of a lesson have no source."""

import re

from markdown_it import MarkdownIt

from simulator.classroom.lessons.text import REFERENCE

_END = re.compile(r"(?<=[.!?:])(?:\[\^[A-Za-z0-9-]+\])*\s+(?=[\"'“«¿¡(`*A-ZÁÉÍÓÚÑ])")


def unbound(markdown: str) -> tuple[str, ...]:
    """The sentences of the paragraphs and lists of ``markdown`` that bear no footnote.

    Headings, quotations (how a lesson speaks to the learner) and code are left out, and so are
    questions.
    """
    found: list[str] = []
    quoted = 0
    after_heading = False
    for token in MarkdownIt().parse(markdown):
        if token.type == "blockquote_open":
            quoted += 1
        elif token.type == "blockquote_close":
            quoted -= 1
        elif token.type == "heading_open":
            after_heading = True
        elif token.type == "heading_close":
            after_heading = False
        elif token.type == "inline" and not quoted and not after_heading:
            found += [one for one in sentences(token.content) if _is_loose(one)]
    return tuple(found)


def sentences(text: str) -> list[str]:
    """A paragraph's sentences, each with the footnotes that stand behind its full stop."""
    flat = " ".join(text.split())
    found: list[str] = []
    begun = 0
    for match in _END.finditer(flat):
        found.append(flat[begun : match.end()].strip())
        begun = match.end()
    found.append(flat[begun:].strip())
    return [one for one in found if one]


def _is_loose(sentence: str) -> bool:
    bare = REFERENCE.sub("", sentence).rstrip(' *_`"”»)')
    return not REFERENCE.search(sentence) and not bare.endswith("?")

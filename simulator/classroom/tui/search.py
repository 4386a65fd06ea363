"""Finding what somebody types among titles: words in any order, accents and case aside."""

import unicodedata


def plain(text: str) -> str:
    """``text`` without case and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def matches(typed: str, *texts: str) -> bool:
    """Whether every word that was typed is in one of the texts."""
    among = plain(" ".join(texts))
    return all(word in among for word in plain(typed).split())

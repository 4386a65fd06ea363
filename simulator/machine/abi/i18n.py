"""Two languages from the first string: English message ids, gettext catalogues.

Text shown at once goes through ``gettext``; text that is *stored* in English (the ``why`` of a
refusal, a mechanism's title) is marked with ``N_`` where it is written and translated with
``gettext`` where a person reads it, so that a recorded run can be read in either language.
"""

import gettext as _gettext
import locale
from pathlib import Path

DOMAIN = "vitrina"
LANGUAGES = ("en", "es")
LOCALE_DIR = Path(__file__).resolve().parents[2] / "locale"
"""Where the catalogues are, by language."""

_translation: _gettext.NullTranslations = _gettext.NullTranslations()
_language = "en"


def use(language: str | None) -> str:
    """Speak ``language`` (``en``, ``es``), or the locale's when ``None``; return what is spoken."""
    global _translation, _language  # noqa: PLW0603 - one process speaks one language
    _language = language or _from_locale()
    _translation = _gettext.translation(
        DOMAIN, localedir=LOCALE_DIR, languages=[_language], fallback=True
    )
    return _language


def language() -> str:
    """The language now spoken."""
    return _language


def gettext(message: str) -> str:
    """``message`` in the language now spoken."""
    return _translation.gettext(message) if message else ""


def ngettext(singular: str, plural: str, count: int) -> str:
    """``singular`` or ``plural`` by ``count``, in the language now spoken."""
    return _translation.ngettext(singular, plural, count)


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for a mark
    """Mark ``message`` for the catalogue and return it unchanged."""
    return message


def _from_locale() -> str:
    """The language that LANGUAGE, LC_ALL, LC_MESSAGES or LANG asks for, else the system's.

    gettext reads the variables itself; the C library knows only locales that are installed, which
    a container or a fresh machine may lack.
    """
    asked = _gettext.find(DOMAIN, localedir=LOCALE_DIR)
    if asked is not None:
        return Path(asked).parents[1].name
    name = locale.getlocale()[0] or ""
    return "es" if name.lower().startswith(("es", "spanish")) else "en"

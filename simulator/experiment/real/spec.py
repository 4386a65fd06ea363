"""A SPEC as its words: a technology and its own product's options."""

import shlex

import msgspec

from simulator.experiment.real.errors import RealError
from simulator.machine.abi.i18n import gettext as _


class Spec(msgspec.Struct, frozen=True):
    """``docker --pid=host`` is technology ``docker`` with one option."""

    text: str
    technology: str
    options: tuple[str, ...] = ()


def parse(text: str) -> Spec:
    """Split a SPEC as a shell would."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise RealError(_("SPEC {text!r}: {error}").format(text=text, error=error)) from error
    if not words:
        raise RealError(_("an empty SPEC; write a technology's name"))
    return Spec(text, words[0], tuple(words[1:]))

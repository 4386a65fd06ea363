"""A SPEC on a command line: typed in words, or the file that ``vitrina import`` wrote."""

import tomllib
from pathlib import Path
from typing import Any

import click
import msgspec

from simulator.experiment.probes.source import UnreadableError, read_text
from simulator.isolation.technologies.base import SpecError
from simulator.machine.abi.i18n import gettext as _


class Saved(msgspec.Struct):
    """What such a file holds; more keys are for people."""

    spec: str
    name: str = ""
    source: str = ""


class SpecType(click.ParamType[str]):
    """``docker --read-only`` stays what it is; ``imported.toml`` becomes the SPEC inside."""

    name = "SPEC"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The SPEC in words. Raises ``SpecError`` for a file that holds none."""
        del param, ctx
        text = str(value)
        return saved(Path(text)).spec if text.endswith(".toml") else text


SPEC = SpecType()


def saved(path: Path) -> Saved:
    """Read a file with a SPEC. Raises ``SpecError``."""
    try:
        return msgspec.convert(tomllib.loads(read_text(path)), Saved)
    except UnreadableError as error:
        raise SpecError(str(error)) from None
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as error:
        reason = str(error)
    raise SpecError(_("{path}: {reason}").format(path=path, reason=reason))

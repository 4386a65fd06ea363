"""``vitrina lesson``: what lessons there are."""

import re
from pathlib import Path
from typing import Any

import click

from simulator.cli.output import emit_json, table
from simulator.experiment.probes.source import read_text
from simulator.machine.abi import i18n
from simulator.machine.abi.i18n import gettext as _


@click.group("lesson")
def command() -> None:
    """Lessons."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_(as_json: bool) -> None:
    """The lessons in the language now spoken."""
    rows = lessons()
    if as_json:
        emit_json(rows)
    elif rows:
        table(("id", _("title")), ([row["id"], row["title"]] for row in rows))
    else:
        click.echo(_("there are no lessons yet"))


def lessons() -> list[dict[str, Any]]:
    """Each lesson's id and title, in order."""
    place = _place() / i18n.language()
    if not place.is_dir():
        return []
    return [
        {"id": path.stem, "title": _title(read_text(path), path.stem), "path": str(path)}
        for path in sorted(place.glob("*.md"))
    ]


def _place() -> Path:
    package = Path(__file__).resolve().parents[2]
    beside = package.parent / "lessons"
    return beside if beside.is_dir() else package / "data" / "lessons"


def _title(text: str, otherwise: str) -> str:
    found = re.search(r"^# +(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else otherwise

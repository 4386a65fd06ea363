"""``vitrina list``: what there is."""

from collections.abc import Callable
from typing import Any

import click

from simulator.cli.output import emit_json, table
from simulator.machine.abi.i18n import gettext as _

KINDS = (
    "technologies",
    "mechanisms",
    "probes",
    "scenarios",
    "lessons",
    "moments",
    "demonstrations",
)


@click.command("list")
@click.argument("kind", type=click.Choice(KINDS), default="technologies")
@click.option("--json", "as_json", is_flag=True, help="a list of objects")
def command(kind: str, as_json: bool) -> None:
    """Technologies, mechanisms, probes, scenarios, lessons, moments, demonstrations."""
    rows = _ROWS[kind]()
    if as_json:
        emit_json(rows)
        return
    if not rows:
        click.echo(_("there are no {kind} yet").format(kind=kind))
        return
    columns = _COLUMNS[kind]
    table([_(name) for name in columns], ([_shown(row[name]) for name in columns] for row in rows))


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def _technologies() -> list[dict[str, Any]]:
    from simulator.isolation.technologies.registry import TECHNOLOGIES

    return [
        {
            "id": one.id,
            "year": one.year or None,
            "kernel": one.kernel,
            "title": _(one.title),
            "about": _(one.about),
            "eras": [era.name for era in one.eras],
            "mechanisms": list(one.ids),
        }
        for one in TECHNOLOGIES.values()
    ]


def _mechanisms() -> list[dict[str, Any]]:
    from simulator.isolation.technologies.registry import MECHANISMS, TECHNOLOGIES

    return [
        {
            "id": one.id,
            "title": _(one.title),
            "hides": sorted(one.hides),
            "walls": sorted(one.walls),
            "needs": sorted(one.needs),
            "switch": one.real,
            "cite": one.cite,
            "technologies": [t.id for t in TECHNOLOGIES.values() if one.id in t.ids],
        }
        for one in MECHANISMS.values()
    ]


def _scenarios() -> list[dict[str, Any]]:
    from simulator.experiment.scenarios.load import load_all, words

    return [
        {
            "id": one.id,
            "group": one.group,
            "asks": one.asks,
            "title": words(one.id).title,
            "question": words(one.id).asks,
            "world": one.world,
            "requires": list(one.requires),
            "claims": {claim.technology: claim.outcome.upper() for claim in one.claims},
        }
        for one in load_all()
    ]


def _demonstrations() -> list[dict[str, Any]]:
    from simulator.experiment.scenarios.load import load_demonstrations, words

    return [
        {
            "id": one.id,
            "group": one.group,
            "title": words(one.id).title,
            "question": words(one.id).asks,
            "why": words(one.id).why,
            "world": one.world,
        }
        for one in load_demonstrations()
    ]


def _lessons() -> list[dict[str, Any]]:
    from simulator.classroom.lessons.load import course
    from simulator.cli.commands.lesson import described

    return [described(lesson) for lesson in course()]


def _moments() -> list[dict[str, Any]]:
    from simulator.experiment.scenarios.moments import load_moments, moment_words

    return [
        {
            "number": one.number,
            "id": one.id,
            "title": moment_words(one.id).title,
            "why": moment_words(one.id).why,
            "scenario": one.scenario or None,
            "specs": list(one.on),
            "source": one.source,
        }
        for one in load_moments()
    ]


_ROWS: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "technologies": _technologies,
    "mechanisms": _mechanisms,
    "probes": _scenarios,
    "scenarios": _scenarios,
    "lessons": _lessons,
    "moments": _moments,
    "demonstrations": _demonstrations,
}
_COLUMNS = {
    "technologies": ("id", "year", "kernel", "title", "about"),
    "mechanisms": ("id", "title", "switch", "technologies"),
    "probes": ("id", "asks", "title"),
    "scenarios": ("id", "asks", "title"),
    "lessons": ("id", "title"),
    "moments": ("number", "id", "title"),
    "demonstrations": ("id", "title"),
}

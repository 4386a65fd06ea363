"""``vitrina lesson``: the course: what there is, how far one is, and the judging of answers."""

import sys
from pathlib import Path
from typing import Any

import click

from simulator.classroom.lessons import load as lessons
from simulator.classroom.lessons import progress as saved
from simulator.classroom.lessons.grading import Grade, came, grade, outcomes, so
from simulator.classroom.lessons.schema import Challenge, Lesson, Part
from simulator.cli.output import emit_json, table
from simulator.experiment.probes.source import MAX_FILE, read_text
from simulator.machine.abi.i18n import gettext as _


@click.group("lesson")
def command() -> None:
    """Lessons: predict, look, answer, try."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_(as_json: bool) -> None:
    """The lessons in the language now spoken."""
    listed = lessons.course()
    if as_json:
        emit_json([described(lesson) for lesson in listed])
    elif listed:
        rows = ([one.id, one.title, str(one.front.minutes)] for one in listed)
        table(("id", _("title"), _("minutes")), rows)
    else:
        click.echo(_("there are no lessons yet"))


def described(lesson: Lesson) -> dict[str, Any]:
    """A lesson as ``vitrina list lessons --json`` tells it."""
    front = lesson.front
    return {
        "id": lesson.id,
        "title": lesson.title,
        "minutes": front.minutes,
        "technologies": list(front.technologies),
        "needs": list(front.needs),
        "challenges": [one.id for one in front.challenge],
        "path": lesson.path,
    }


@command.command("start")
@click.argument("lesson")
def start(lesson: str) -> None:
    """Open LESSON (its id, its number or a file .md) where you left it; in a pipe, its text."""
    found = lessons.find(lesson)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        click.echo("\n\n".join(map(_text, found.parts)))
        return
    from simulator.classroom.tui.app import main as open_screens

    open_screens(lesson=lesson if lesson.endswith(".md") else found.id)


def _text(part: Part) -> str:
    """A part as it is read: with its options, without what is told after an answer."""
    options = "\n".join(f"- **{letter})** {text}" for letter, text in part.options)
    return "\n\n".join(filter(None, (part.text, options)))


@command.command("status")
@click.option("--json", "as_json", is_flag=True)
def status(as_json: bool) -> None:
    """How far you are in each lesson."""
    progress, told = saved.read()
    if told:
        click.echo(f"vitrina: {told}", err=True)
    rows: list[dict[str, Any]] = []
    for lesson in lessons.course():
        done, total = progress.done(lesson)
        rows.append({"id": lesson.id, "title": lesson.title, "done": done, "exercises": total})
    if as_json:
        emit_json(rows)
        return
    table(
        ("id", _("title"), _("done")),
        ([row["id"], row["title"], f"{row['done']}/{row['exercises']}"] for row in rows),
    )


@command.command("grade")
@click.argument("lesson")
@click.argument("answer", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--challenge", "name", metavar="ID", help="which one, if there are several")
@click.option("--json", "as_json", is_flag=True)
@click.option("--save/--no-save", default=False, help="note it in your progress")
@click.pass_context
def grade_(
    ctx: click.Context, lesson: str, answer: Path, name: str | None, as_json: bool, save: bool
) -> None:
    """Judge the file ANSWER (- is standard input) as LESSON's challenge; status 1: not met yet."""
    found = lessons.find(lesson)
    challenge = _challenge(found, name)
    text = sys.stdin.read(MAX_FILE) if str(answer) == "-" else read_text(answer)
    judged = grade(challenge, text)
    if save:
        progress, _told = saved.read()
        saved.write(progress.with_answer(found.id, challenge.id, text, right=judged.met))
    if as_json:
        emit_json(
            {
                "lesson": found.id,
                "challenge": challenge.id,
                "met": judged.met,
                "problem": judged.problem,
                "results": [
                    {"goal": r.goal, "wanted": r.wanted, "got": r.got, "met": r.met}
                    for r in judged.results
                ],
            }
        )
    else:
        _tell(judged)
    if not judged.met:
        ctx.exit(1)


def _challenge(lesson: Lesson, name: str | None) -> Challenge:
    listed = lesson.front.challenge
    for one in listed:
        if name in (None, one.id):
            return one
    names = ", ".join(one.id for one in listed)
    if not names:
        raise lessons.NoLessonError(_("{lesson} has no challenge").format(lesson=lesson.id))
    raise lessons.NoLessonError(
        _("{lesson} has no challenge {name}; it has: {list}").format(
            lesson=lesson.id, name=repr(name), list=names
        )
    )


def _tell(judged: Grade) -> None:
    if judged.problem:
        click.echo(judged.problem)
    for one in judged.results:
        mark = "✓" if one.met else "✗"
        click.echo(f"{mark} {came(one)}")
    for line in judged.steps:
        click.echo(f"  {line}")
    click.echo(_("met") if judged.met else _("not met yet"))


@command.command("predict")
@click.argument("lesson")
@click.option("--json", "as_json", is_flag=True)
def predict(lesson: str, as_json: bool) -> None:
    """What LESSON's predictions really come to: for teachers.

    Of a demonstration: the letter of the choice that is so.
    """
    asked = lessons.find(lesson).front.predict
    rows: list[dict[str, Any]] = [
        {
            "predict": one.id,
            "scenario": one.scenario,
            "spec": spec,
            "outcome": verdict.outcome.name,
        }
        for one in asked
        for spec, verdict in outcomes(one).items()
    ]
    rows += [
        {
            "predict": one.id,
            "scenario": one.scenario,
            "spec": "",
            "outcome": ", ".join(so(one)),
            "line": one.line,
        }
        for one in asked
        if one.choices
    ]
    if as_json:
        emit_json(rows)
    else:
        headers = (_("scenario"), _("technology"), _("outcome"))
        table(headers, ([r["scenario"], r["spec"], _(r["outcome"])] for r in rows))

"""``vitrina plan``: how a sandbox is built, each call with the mechanism that asks for it."""

from typing import Any

import click

from simulator.cli.output import emit_json, table
from simulator.cli.spec import SPEC
from simulator.isolation.mechanisms.base import Fill, LaunchStep, Length
from simulator.isolation.technologies.base import plan
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.i18n import gettext as _

WIDTH = 72


@click.command("plan")
@click.argument("spec", type=SPEC)
@click.option("--without", multiple=True, metavar="MECHANISM", help="lift a wall")
@click.option("--json", "as_json", is_flag=True)
def command(spec: str, without: tuple[str, ...], as_json: bool) -> None:
    """The launch of SPEC, step by step. Names in braces are known only while launching."""
    technology = parse_spec(spec, without)
    steps = plan(technology)
    if as_json:
        listed = [{"step": number, **_json(step)} for number, step in enumerate(steps)]
        emit_json({"spec": spec, "without": list(technology.removed), "steps": listed})
        return
    table(
        ("#", _("phase"), _("actor"), _("mechanism"), _("call"), _("why")),
        (
            (
                str(number),
                step.phase.name.lower().replace("_", " "),
                step.actor,
                step.mechanism,
                _spelled(step),
                _(step.why),
            )
            for number, step in enumerate(steps)
        ),
    )


def _json(step: LaunchStep) -> dict[str, Any]:
    return {
        "phase": step.phase.name,
        "actor": step.actor,
        "mechanism": step.mechanism or None,
        "call": step.name,
        "args": [_plain(arg) for arg in step.args],
        "why": _(step.why) or None,
        "tolerates": sorted(step.tolerates),
    }


def _spelled(step: LaunchStep) -> str:
    text = f"{step.name}({', '.join(repr(_plain(arg)) for arg in step.args)})"
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}..."


def _plain(arg: Any) -> Any:
    match arg:
        case Fill(text):
            return text
        case Length(of):
            return len(of.text if isinstance(of, Fill) else of)
        case tuple() | list():
            return [_plain(one) for one in arg]  # pyright: ignore[reportUnknownVariableType]
        case dict():
            return {str(key): _plain(one) for key, one in arg.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case _:
            return arg

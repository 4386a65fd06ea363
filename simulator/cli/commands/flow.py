"""``vitrina flow``: who reached whose objects in a run, and which wall kept the rest away."""

from pathlib import PurePath

import click

from simulator.cli.asking import questions
from simulator.cli.output import emit_json, write
from simulator.cli.present import flows
from simulator.cli.spec import SPEC
from simulator.experiment.engine import flow
from simulator.isolation.technologies.registry import parse_spec

FORMATS = ("text", "json", "graphml", "svg")


@click.command("flow")
@click.argument("scenario")
@click.option("--on", default="none", type=SPEC, show_default=True, metavar="SPEC")
@click.option("--without", multiple=True, metavar="MECHANISM", help="lift a wall")
@click.option("--json", "as_json", is_flag=True)
@click.option("--format", "form", type=click.Choice(FORMATS))
@click.option("-o", "--output", metavar="FILE", help="its ending says the format")
def command(
    scenario: str,
    on: str,
    without: tuple[str, ...],
    as_json: bool,
    form: str | None,
    output: str | None,
) -> None:
    """The graph of SCENARIO on SPEC: domains, objects, and the accesses between them."""
    (question,) = questions([scenario])
    found = flow.accesses(question, parse_spec(on, without))
    ending = PurePath(output or "").suffix.removeprefix(".")
    form = "json" if as_json else form or (ending if ending in FORMATS else "text")
    if form == "json":
        emit_json(flow.as_json(flow.graph(found)), output)
    elif form == "graphml":
        write(flow.as_graphml(flow.graph(found)), output)
    elif form == "svg":
        title = " ".join([question.id, "·", on, *(f"--without {name}" for name in without)])
        write(flows.as_svg(found, title), output)
    else:
        write(flows.as_text(found), output)

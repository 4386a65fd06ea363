"""``vitrina curves``: processors, memory, disk and tasks over time."""

import click

from simulator.cli.asking import lifted, questions, specs
from simulator.cli.output import emit_json, write
from simulator.cli.present import curves as shown
from simulator.cli.spec import SPEC
from simulator.experiment.engine.curves import SECOND, Curves, curves
from simulator.isolation.technologies.registry import parse_spec


@click.command("curves")
@click.argument("scenario")
@click.option(
    "--on", multiple=True, type=SPEC, metavar="SPEC", help="a technology and its own options"
)
@click.option("--without", multiple=True, metavar="MECHANISM", help="lift a wall")
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 600),
    help="virtual time; as long as the program takes when left out",
)
@click.option(
    "--interval",
    type=click.FloatRange(0.01, 60),
    default=0.1,
    show_default=True,
    help="between two looks, in seconds of virtual time",
)
@click.option("--json", "as_json", is_flag=True)
@click.option("--format", "form", type=click.Choice(["text", "svg"]), default="text")
@click.option("-o", "--output", metavar="FILE")
def command(
    scenario: str,
    on: tuple[str, ...],
    without: tuple[str, ...],
    seconds: float | None,
    interval: float,
    as_json: bool,
    form: str,
    output: str | None,
) -> None:
    """What SCENARIO takes of the machine over time, owner by owner, on each SPEC."""
    (question,) = questions([scenario])
    wanted = specs(on, default=("none", "docker"))
    found = [
        curves(
            question,
            parse_spec(spec, lifted(spec, without, wanted)),
            " ".join((spec, *(f"-{name}" for name in lifted(spec, without, wanted)))),
            seconds=seconds,
            interval=round(interval * SECOND),
        )
        for spec in wanted
    ]
    if as_json:
        emit_json([_json(one) for one in found], output)
    elif form == "svg" or (output or "").endswith(".svg"):
        write(shown.as_svg(found), output)
    else:
        write("\n".join(shown.as_text(one) for one in found), output)


def _json(one: Curves) -> dict[str, object]:
    return {
        "scenario": one.scenario,
        "spec": one.spec,
        "seconds": one.seconds,
        "interval": one.interval,
        "processors": one.processors,
        "memory": one.memory,
        "samples": [
            {
                "at": round(sample.at, 3),
                "step": sample.step,
                "load": sample.load,
                "domains": {
                    name: {
                        "cpu": reading.cpu,
                        "waiting": reading.waiting,
                        "memory": reading.memory,
                        "read": reading.read,
                        "written": reading.written,
                        "tasks": reading.tasks,
                    }
                    for name, reading in sample.domains.items()
                },
            }
            for sample in one.samples
        ],
        "marks": [
            {"at": round(mark.at, 3), "domain": mark.domain, "name": mark.name}
            for mark in one.marks
        ],
    }

"""``vitrina import``: a real container's configuration as a SPEC, and what it leaks."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from simulator.cli.asking import questions
from simulator.cli.output import emit_json, table, write
from simulator.experiment.engine.closing import Door, doors
from simulator.experiment.engine.pool import workers
from simulator.isolation.imports.base import Imported, ImportFault
from simulator.isolation.imports.detect import LARGEST, imported
from simulator.isolation.imports.harder import HARDER
from simulator.machine.abi.i18n import gettext as _


@click.command("import")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--name", default="", metavar="NAME", help="which of several containers")
@click.option("-o", "--output", metavar="FILE", help="where the SPEC goes; standard output else")
@click.option("--leaks", is_flag=True, help="what gets through, and which switch would close it")
@click.option("--scenario", "scenarios", multiple=True, metavar="SCENARIO", help="only these")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def command(
    path: Path,
    name: str,
    output: str | None,
    leaks: bool,
    scenarios: tuple[str, ...],
    jobs: int,
    as_json: bool,
) -> None:
    """Read a container's FILE: docker inspect, config.json, LXC config, jail.conf, CTID.conf...

    What is written is a SPEC that every --on takes: vitrina matrix --on imported.toml
    """
    read = _read(path, name)
    found = _doors(read, scenarios, jobs) if leaks else None
    if as_json:
        emit_json(_as_json(read, found), output)
        return
    for item, reason in read.left:
        click.echo(
            _("not carried over: {item}: {reason}").format(item=item, reason=reason), err=True
        )
    if output is not None or found is None:
        write(as_toml(read), output)
    if found is not None:
        _show(read, found)


def _read(path: Path, name: str) -> Imported:
    try:
        if str(path) == "-":
            content = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with path.open("rb") as source:
                content = source.read(LARGEST + 1)
        return imported(content, name)
    except OSError as error:
        raise ImportFault(_("{path}: {reason}").format(path=path, reason=error.strerror)) from None
    except ImportFault as error:
        raise ImportFault(_("{path}: {reason}").format(path=path, reason=error)) from None


def as_toml(read: Imported) -> str:
    """The file: a SPEC with where it comes from. JSON's strings are TOML's, DEL apart."""
    lines = [f"spec = {_quoted(read.spec)}", f"name = {_quoted(read.name)}"]
    lines.append(f"source = {_quoted(read.product)}")
    lines += [f"# {item}: {reason}" for item, reason in read.left]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def switches(read: Imported) -> dict[str, str]:
    """The SPECs that differ from this one in a single switch, by what a person would do."""
    found: dict[str, str] = {}
    for number, words in enumerate(read.groups):
        found[_("without {words}").format(words=shlex.join(words))] = read.less(number)
    for words in HARDER.get(read.technology, ()):
        if words not in read.groups:
            found[_("with {words}").format(words=shlex.join(words))] = read.more(words)
    return found


def _doors(read: Imported, scenarios: tuple[str, ...], jobs: int) -> list[Door]:
    asked = questions(scenarios)
    with workers(jobs, "") as pool:
        return doors(asked, read.spec, switches(read), pool)


def _show(read: Imported, found: list[Door]) -> None:
    click.echo(read.spec)
    if not found:
        click.echo(_("nothing gets through"))
        return
    closed = [door for door in found if door.switches]
    table(
        (_("probe"), _("outcome"), _("closed by")),
        ((one.probe, _(one.outcome.name), "; ".join(one.switches)) for one in closed),
    )
    click.echo(_("A switch closes what it stops, be it a step that only prepares the probe."))
    rest = [door.probe for door in found if not door.switches]
    if rest:
        click.echo(
            _("no single switch closes: {list}").format(list=" ".join(rest)),
        )
    best: dict[str, int] = {}
    for door in closed:
        for switch in door.switches:
            best[switch] = best.get(switch, 0) + 1
    for switch, count in sorted(best.items(), key=lambda item: -item[1])[:3]:
        click.echo(_("{switch} closes {count}").format(switch=switch, count=count))


def _as_json(read: Imported, found: list[Door] | None) -> dict[str, Any]:
    listed: dict[str, Any] = {
        "spec": read.spec,
        "name": read.name,
        "source": read.product,
        "left": [{"item": item, "reason": reason} for item, reason in read.left],
    }
    if found is not None:
        listed["leaks"] = [
            {
                "probe": one.probe,
                "group": one.group,
                "outcome": one.outcome.name,
                "closed_by": list(one.switches),
            }
            for one in found
        ]
    return listed

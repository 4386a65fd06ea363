"""For developers: ``python -m simulator.experiment.real.trace FILE ... --on SPEC ... [-o DIR]``.

Prints the real trace of each program as JSON, or writes ``NAME.SPEC.json`` into DIR.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from simulator.experiment.probes.language import parse
from simulator.experiment.probes.program import Program, names_in
from simulator.experiment.probes.run import run
from simulator.experiment.probes.serial import to_json
from simulator.experiment.probes.trace import Trace
from simulator.experiment.probes.world import World
from simulator.experiment.real import pool
from simulator.experiment.real.executor import open_session
from simulator.experiment.real.purity import anywhere
from simulator.experiment.real.world import DEFAULT
from simulator.machine.abi.errors import VitrinaError


def actors_of(program: Program) -> frozenset[str]:
    """Actors that a program moves or whose pid it names."""
    moved = {step.actor for step in program.steps}
    named = {name for step in program.steps for arg in step.args for name in names_in(arg)}
    if any(name == "neighbour" or name.startswith("NEIGHBOUR_") for name in named):
        moved.add("neighbour")
    return frozenset(moved & {"guest", "neighbour"}) | {"host", "guest"}


def real_trace(
    program: Program,
    spec: str,
    world: World = DEFAULT,
    *,
    lifted: Sequence[str] = (),
    fresh: bool = False,
) -> Trace:
    """One run of ``program`` on this machine's kernel; see ``open_session``."""
    session = open_session(
        world,
        spec,
        actors_of(program),
        lifted=lifted,
        fresh=fresh,
        inside=not fresh and anywhere(program),
    )
    try:
        return run(program, session)
    finally:
        session.close()


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m simulator.experiment.real.trace")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--on", action="append", required=True)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args(arguments)
    tasks = [(path, spec) for path in options.files for spec in options.on]
    with pool.keep(), ThreadPoolExecutor(max_workers=options.jobs) as threads:
        futures = [threads.submit(_one, path, spec, options.output) for path, spec in tasks]
        return max(future.result() for future in futures)


def _one(path: Path, spec: str, output: Path | None) -> int:
    try:
        trace = real_trace(parse(path.read_text()), spec)
    except VitrinaError as error:
        print(f"{path} on {spec}: {error}", file=sys.stderr)
        return 1
    text = json.dumps(to_json(trace), indent=1)
    if output is None:
        print(text)
    else:
        name = re.sub(r"[^a-zA-Z0-9=.-]+", "_", spec)
        (output / f"{path.stem}.{name}.json").write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

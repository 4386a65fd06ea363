"""Scale: many containers on one host, the whole matrix, and steps of a long timeline.

python -m tests.bench.scale containers 10000    its own process, for its peak of memory
"""

import itertools
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor

import msgspec

from simulator.classroom.tui.present.files import files
from simulator.cli.asking import questions
from simulator.experiment.engine import trees, worlds
from simulator.experiment.engine.ablation import ablated
from simulator.experiment.engine.executor import MODERN, open_session
from simulator.experiment.engine.launch import launch
from simulator.experiment.engine.matrix import matrix
from simulator.experiment.engine.pool import calm, workers
from simulator.experiment.engine.setup import root_of
from simulator.experiment.engine.trees import Place
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.base import plan
from simulator.isolation.technologies.registry import TECHNOLOGIES, parse_spec
from simulator.machine.abi.call import Call
from simulator.machine.kernel.vfs import tree
from tests.bench.measure import Budget

CONTAINERS = 10_000
SPEC = "runc"
MEMORY = 64 << 30
"""Bytes of the simulated host: Linux allows as many tasks as memory has room for."""
ABLATED = "docker"
CALLS = 100_000
STEPS = 200
TENTHS = 10


def containers(count: int) -> Iterator[str]:
    """Launch ``count`` containers on one host: what a late one costs against an early one.

    A tenth costs ten times the median of its tenths: a machine that is busy for some seconds slows
    one of them down, a container that pays for those before it all.
    """
    calm()
    world = msgspec.structs.replace(load_world(), memory=MEMORY)
    technology = parse_spec(SPEC)
    machine = worlds.build(world, technology, MODERN)
    kernel, hundredth = machine.kernel, count // TENTHS // TENTHS
    tenth = hundredth * TENTHS
    spent: list[float] = []
    for number in range(tenth * TENTHS):
        if number % tenth == 0:
            kernel.timeline.forget()
        if number % hundredth == 0:
            spent.append(time.process_time())
        name = f"c{number}"
        root = tree.mkdirs(kernel.store, root_of(kernel), technology.image.root.format(name=name))
        trees.populate(kernel.store, Place(root, name), world, technology.kernel)
        steps = plan(technology, name, number + 1, MODERN)
        launch(kernel, machine.actors["runtime"], name, steps)
    spent.append(time.process_time())
    parts = [end - begin for begin, end in itertools.pairwise(spent)]
    first, last = (statistics.median(some) * TENTHS for some in (parts[:TENTHS], parts[-TENTHS:]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield str(Budget(f"{count} containers: last tenth / first", last / first, "x", 1.3))
    yield str(Budget(f"{count} containers: peak of memory", peak, "MB", 2048 * count / CONTAINERS))
    yield str(Budget(f"{count} containers: one, the last tenth", last / tenth * 1e3, "ms"))


def in_a_process(*words: str) -> None:
    """Run a measurement by itself and show what it prints."""
    sys.stdout.flush()
    subprocess.run([sys.executable, "-m", "tests.bench.scale", *words], check=False)


def _cpu() -> float:
    """Seconds of processor that this process and its finished children have used."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def timed(
    name: str, work: Callable[[Executor], object], jobs: int, at_most: float
) -> Iterator[str]:
    """How long ``work`` takes on ``jobs`` processes, and what it costs all of them together."""
    begin, spent = time.perf_counter(), _cpu()
    with workers(jobs) as pool:
        work(pool)
    seconds = time.perf_counter() - begin
    yield str(Budget(f"{name}, {jobs} process(es)", seconds, "s", at_most))
    yield str(Budget("  of processor time, all together", _cpu() - spent, "s"))


def whole_matrix(jobs: int) -> Iterator[str]:
    """Every probe on every technology, with what stopped it."""
    asked = questions()
    cells = len(asked) * len(TECHNOLOGIES)

    def work(pool: Executor) -> None:
        assert sum(1 for _ in matrix(asked, TECHNOLOGIES, pool=pool)) == cells

    yield from timed(f"matrix, {cells} cells", work, jobs, (15, 9)[jobs > 1])


def ablation(jobs: int) -> Iterator[str]:
    """Every mechanism of one technology lifted, and the smallest openings of each probe."""
    asked = questions()
    yield from timed(
        f"matrix --ablate {ABLATED}", lambda pool: ablated(asked, ABLATED, pool), jobs, 60
    )


def stepping() -> Iterator[str]:
    """The dearest of many jumps in a long timeline, anywhere and to the next step, with what a
    person is shown there: what the step wrote, and the panel of files.
    """
    session = open_session(load_world(), parse_spec("none"))
    who = session.actors["guest"]
    kernel = session.kernels[who.machine]
    for number in range(CALLS // 4):
        name = f"/tmp/{number}"
        for call in ("mkdir", name, 0o755), ("stat", name), ("chmod", name, 0o700), ("rmdir", name):
            kernel.call(who.pid, Call(call[0], call[1:]))
    timeline = kernel.timeline
    draw = random.Random(1)
    worst: list[float] = []
    for _ in range(STEPS):
        step = draw.randrange(1, len(timeline))
        for one in (step, step + 1, step - 1):
            begin = time.process_time()
            world = timeline.at(one)
            files(world, kernel.family, who.pid, timeline.diff(one))
            worst.append(time.process_time() - begin)
    worst.sort()
    name = f"a step in {len(timeline)} calls, with its files"
    yield str(Budget(f"{name}: worst", worst[-1] * 1e3, "ms", 16))
    yield str(Budget(f"{name}: median", worst[len(worst) // 2] * 1e3, "ms"))


def main(words: list[str]) -> None:
    """``containers N``, ``matrix JOBS``, ``ablation JOBS`` or ``stepping``."""
    match words:
        case ["containers", count]:
            lines = containers(int(count))
        case ["matrix", jobs]:
            lines = whole_matrix(int(jobs))
        case ["ablation", jobs]:
            lines = ablation(int(jobs))
        case _:
            lines = stepping()
    print(*lines, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Scale: many containers on one host, the whole matrix, and steps of a long timeline.

python -m tests.bench.scale containers 10000    its own process, for its peak of memory
"""

import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

from simulator.cli.asking import questions
from simulator.experiment.engine import trees, worlds
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
CALLS = 100_000
STEPS = 200
TENTHS = 10


def containers(count: int) -> Iterator[str]:
    """Launch ``count`` containers on one host: what a late one costs against an early one."""
    calm()
    world, technology = load_world(), parse_spec(SPEC)
    machine = worlds.build(world, technology, MODERN)
    kernel, tenth = machine.kernel, count // TENTHS
    spent: list[float] = []
    for number in range(tenth * TENTHS):
        if number % tenth == 0:
            kernel.timeline.forget()
            spent.append(time.process_time())
        name = f"c{number}"
        root = tree.mkdirs(kernel.store, root_of(kernel), technology.image.root.format(name=name))
        trees.populate(kernel.store, Place(root, name), world, technology.kernel)
        steps = plan(technology, name, number + 1, MODERN)
        launch(kernel, machine.actors["runtime"], name, steps)
    spent.append(time.process_time())
    first, last = spent[1] - spent[0], spent[-1] - spent[-2]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield str(Budget(f"{count} containers: last tenth / first", last / first, "x", 1.3))
    yield str(Budget(f"{count} containers: peak of memory", peak, "MB", 2048 * count / CONTAINERS))
    yield str(Budget(f"{count} containers: one, the last tenth", last / tenth * 1e3, "ms"))


def in_a_process(*words: str) -> None:
    """Run a measurement by itself and show what it prints."""
    sys.stdout.flush()
    subprocess.run([sys.executable, "-m", "tests.bench.scale", *words], check=False)


def whole_matrix(jobs: int) -> str:
    """Every probe on every technology, in seconds."""
    asked = questions()
    begin = time.perf_counter()
    with workers(jobs) as pool:
        cells = sum(1 for _ in matrix(asked, TECHNOLOGIES, pool=pool))
    seconds = time.perf_counter() - begin
    return str(
        Budget(f"matrix, {cells} cells, {jobs} process(es)", seconds, "s", (15, 9)[jobs > 1])
    )


def stepping() -> str:
    """The dearest of many jumps to anywhere in a long timeline, in milliseconds."""
    session = open_session(load_world(), parse_spec("none"))
    who = session.actors["guest"]
    kernel = session.kernels[who.machine]
    names = [Call("mkdir", (f"/tmp/{number}", 0o755)) for number in range(CALLS // 4)]
    for call in names:
        kernel.call(who.pid, call)
        kernel.call(who.pid, Call("stat", call.args[:1]))
        kernel.call(who.pid, Call("chmod", (call.args[0], 0o700)))
        kernel.call(who.pid, Call("rmdir", call.args[:1]))
    draw = random.Random(1)
    worst = 0.0
    for _ in range(STEPS):
        begin = time.process_time()
        kernel.timeline.at(draw.randrange(len(kernel.timeline)))
        worst = max(worst, time.process_time() - begin)
    return str(Budget(f"a step of {len(kernel.timeline)} calls", worst * 1e3, "ms", 16))


def main(words: list[str]) -> None:
    """``containers N``, ``matrix JOBS`` or ``stepping``."""
    match words:
        case ["containers", count]:
            print(*containers(int(count)), sep="\n")
        case ["matrix", jobs]:
            print(whole_matrix(int(jobs)))
        case _:
            print(stepping())


if __name__ == "__main__":
    main(sys.argv[1:])

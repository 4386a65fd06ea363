"""``make bench``: what the simulated calls cost against this machine's and against pyfakefs.

``--quick`` launches one thousand containers, not ten thousand, and leaves out the ablation.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from pyfakefs.fake_filesystem import FakeFilesystem, FakeOsModule

from simulator.experiment.engine import worlds
from simulator.experiment.engine.executor import MODERN, open_session
from simulator.experiment.engine.launch import launch
from simulator.experiment.engine.session import SimSession
from simulator.experiment.real.dockerd import IMAGE, Engine
from simulator.experiment.real.sandbox import Machine
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.base import plan
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.call import Call, Returned
from simulator.machine.abi.constants import O_CREAT, O_EXCL, O_WRONLY
from simulator.machine.kernel.kernel import Kernel
from tests.bench.measure import Ratio, compare, per_call
from tests.bench.scale import CONTAINERS, in_a_process

DEEP = "a/b/c/d/e/f"
DOCKER_ROUNDS = 5


def session() -> SimSession:
    """A bare machine whose guest has a file six directories deep."""
    opened = open_session(load_world(), parse_spec("none"))
    parts = DEEP.split("/")
    for depth in range(1, len(parts)):
        expect(opened, Call("mkdir", ("/tmp/" + "/".join(parts[:depth]), 0o755)))
    expect(opened, Call("creat", (f"/tmp/{DEEP}", 0o644)))
    return opened


def expect(opened: SimSession, call: Call) -> Returned:
    """The call's result; a refusal would measure nothing."""
    result = opened.call("guest", call)
    assert isinstance(result, Returned), (call, result)
    return result


def caller(opened: SimSession) -> Callable[[Call], object]:
    """The kernel's own entry, as a program's call reaches it, event and journal included."""
    who = opened.actors["guest"]
    kernel = opened.kernels[who.machine]
    return lambda call: kernel.call(who.pid, call)


def stat_ratio(opened: SimSession, real: Path) -> Ratio:
    """stat(2), six levels deep."""
    call = caller(opened)
    ours, theirs = Call("stat", (f"/tmp/{DEEP}",)), str(real / DEEP)
    return compare(
        "stat, six levels deep, / os.stat",
        lambda: call(ours),
        lambda: os.stat(theirs),
        times=2000,
        at_most=2,
    )


def create_ratio(opened: SimSession, real: Path, kind: str, at_most: float | None) -> Ratio:
    """open(2) with O_CREAT, close(2), unlink(2); ``kind`` says on what the real ones work."""
    call = caller(opened)
    create = Call("open", ("/tmp/a/new", O_WRONLY | O_CREAT | O_EXCL, 0o644))
    unlink = Call("unlink", ("/tmp/a/new",))
    name = str(real / "a" / "new")

    def ours() -> None:
        made = call(create)
        assert isinstance(made, Returned)
        call(Call("close", (made.value,)))
        call(unlink)

    def theirs() -> None:
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
        os.unlink(name)

    name_of_it = f"create+close+unlink / real, {kind}"
    return compare(name_of_it, ours, theirs, times=500, at_most=at_most)


def fork_ratio(opened: SimSession) -> Ratio:
    """fork(2), exit(2), waitpid(2)."""
    who = opened.actors["guest"]
    kernel = opened.kernels[who.machine]

    def ours() -> None:
        child = kernel.call(who.pid, Call("fork"))
        assert isinstance(child, Returned)
        kernel.call(child.value, Call("exit", (0,)))  # pyright: ignore[reportArgumentType]
        kernel.call(who.pid, Call("waitpid", (child.value, 0)))

    def theirs() -> None:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)

    return compare("fork+exit+wait / the real three", ours, theirs, times=100, at_most=0.1)


def fakefs_ratios(opened: SimSession) -> Iterator[Ratio]:
    """The same file calls against pyfakefs, which serves many test suites."""
    fs = FakeFilesystem()
    fs.create_file(f"/tmp/{DEEP}")
    fake = FakeOsModule(fs)
    call = caller(opened)
    stat = Call("stat", (f"/tmp/{DEEP}",))
    yield compare(
        "stat / pyfakefs", lambda: call(stat), lambda: fake.stat(f"/tmp/{DEEP}"), times=300
    )
    create = Call("open", ("/tmp/a/new", O_WRONLY | O_CREAT, 0o644))
    unlink = Call("unlink", ("/tmp/a/new",))

    def ours() -> None:
        made = call(create)
        assert isinstance(made, Returned)
        call(Call("close", (made.value,)))
        call(unlink)

    def theirs() -> None:
        fake.close(fake.open("/tmp/a/new", os.O_WRONLY | os.O_CREAT))
        fake.unlink("/tmp/a/new")

    yield compare("create+close+unlink / pyfakefs", ours, theirs, times=100)


def docker_ratios() -> Iterator[Ratio | str]:
    """A sandbox on a booted machine against ``docker run`` of a program that ends.

    Its launch carried out call by call, as the first one in a world is; and begun from a launch
    that was carried out before, as every later session in that world is.
    """
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        yield "container start / docker run: not here, because it needs root and dockerd"
        return
    world, technology = load_world(), parse_spec("docker")
    machine = worlds.build(world, technology, MODERN)
    steps = plan(technology, "guest", 1, MODERN)

    def launched() -> None:
        history = machine.kernel.timeline
        kernel = Kernel(machine.kernel.family, history.branch(len(history)))
        launch(kernel, machine.actors["runtime"], "guest", steps)

    def begun() -> None:
        expect(open_session(world, technology), Call("getpid"))

    theirs = docker_run()
    for name, ours in (("call by call", launched), ("from a launch before", begun)):
        ours()
        starts = sorted(per_call(ours, 3) for _ in range(9))
        yield Ratio(f"container start, {name} / docker run", starts[4], theirs, 1 / 200)


def docker_run() -> float:
    """Microseconds that ``docker run --rm`` of a program that ends at once takes: the median."""
    machine = Machine(load_world())
    try:
        engine = Engine(machine)
        start = partial(engine.client, "run", "--rm", IMAGE, "/bin/true")
        start()
        return sorted(per_call(start, 1) for _ in range(DOCKER_ROUNDS))[DOCKER_ROUNDS // 2]
    finally:
        machine.close()


def start_up() -> Iterator[str]:
    """How long the command takes to answer; wall clock, for information."""
    vitrina = Path(sys.executable).with_name("vitrina")
    if not vitrina.exists():
        return
    times: list[float] = []
    for _ in range(5):
        begin = time.perf_counter()
        subprocess.run([vitrina, "--help"], capture_output=True, check=True)
        times.append(time.perf_counter() - begin)
    yield f"vitrina --help: {sorted(times)[2]:.3f} s (at most 0.25 s wanted)"


def main() -> None:
    """Print every ratio; a missed one is marked, never an error: machines differ."""
    opened = session()
    with contextlib.ExitStack() as stack:
        real = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (real / DEEP).parent.mkdir(parents=True)
        (real / DEEP).touch()
        print(f"{'':<42} {'the model':>15} {'the other':>17} {'ratio':>11}")
        print(stat_ratio(opened, real))
        print(create_ratio(opened, real, "in TMPDIR", at_most=1))
        memory = Path("/dev/shm")
        if memory.is_dir():
            held = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=memory)))
            (held / "a").mkdir()
            print(create_ratio(opened, held, "in memory", at_most=None))
        print(fork_ratio(opened))
    for ratio in fakefs_ratios(session()):
        print(ratio)
    print(*docker_ratios(), sep="\n")
    print(*start_up(), sep="\n")
    in_a_process("stepping")
    in_a_process("matrix", "1")
    in_a_process("matrix", "2")
    quick = "--quick" in sys.argv
    in_a_process("containers", str(CONTAINERS // 10 if quick else CONTAINERS))
    if not quick:
        in_a_process("ablation", "2")


if __name__ == "__main__":
    main()

"""The comparison of ``vitrina verify`` over processes: one for each core, machines kept in each."""

import functools
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context, parent_process, util

import msgspec

from simulator.cli.calibration import Calibration
from simulator.cli.real import machine_facts
from simulator.cli.real import traced as on_this_machine
from simulator.experiment.engine.compare import traced
from simulator.experiment.probes.program import Program
from simulator.experiment.probes.trace import Trace
from simulator.experiment.probes.world import World
from simulator.experiment.real import host, pool
from simulator.experiment.real.products import request
from simulator.experiment.real.report import Row
from simulator.experiment.real.verify import (
    Job,
    RealRun,
    Run,
    Spread,
    Task,
    counts,
    crowd,
    job_of,
)
from simulator.experiment.scenarios.load import load_world
from simulator.machine.abi.errors import VitrinaError

CHUNK = 16
"""Probes of one SPEC that travel together."""


class Columns(msgspec.Struct, frozen=True):
    """Each column's SPEC and the mechanisms lifted from it, and what the runtimes said."""

    wanted: Mapping[str, tuple[str, tuple[str, ...]]]
    calibration: Calibration
    twice: bool = False

    def runs(self) -> tuple[Run, RealRun]:
        """One run in the model, one on this machine's kernel."""

        def model(name: str, program: Program) -> Trace:
            spec, lifted = self.wanted[name]
            technology = self.calibration.technology(spec, lifted)
            return traced(program, _world(own_user=counts(program)), technology, _facts())

        def real(name: str, program: Program, fresh: bool) -> Trace:
            spec, lifted = self.wanted[name]
            world = _world(own_user=counts(program))
            return on_this_machine(program, world, spec, lifted, fresh=fresh)

        return model, real

    def why_not(self, name: str) -> str | None:
        """Why a column's real side need not be tried: this machine can't, or no product can."""
        spec, lifted = self.wanted[name]
        reason = host.why_not(spec)
        if reason is None:
            try:
                request(spec, lifted)
            except VitrinaError as error:
                reason = str(error)
        return reason


@functools.cache
def _world(*, own_user: bool = False) -> World:
    """``own_user``: its programs become a user whom nobody but this process has."""
    world = load_world()
    if not own_user:
        return world
    constants = dict(world.constants) | {"HOST_USER": _FIRST_USER + os.getpid() % _USERS}
    return msgspec.structs.replace(world, constants=tuple(constants.items()))


_FIRST_USER, _USERS = 20_000, 40_000
"""Ids between those that a distribution gives to people and the last that a container maps."""


@functools.cache
def _facts() -> frozenset[str]:
    return machine_facts()


def spread(columns: Columns, processes: int, threads: int) -> Spread:
    """Chunks of tasks over ``processes``, each with ``threads`` sessions at a time."""

    def run(tasks: Sequence[Task]) -> Iterator[list[Row]]:
        context = get_context("spawn")
        workers = ProcessPoolExecutor(processes, mp_context=context, initializer=_begin)
        try:
            chunks = [workers.submit(_chunk, columns, one, threads) for one in _chunks(tasks)]
            for chunk in chunks:
                yield from chunk.result()
        finally:
            workers.shutdown(cancel_futures=True)

    return run


def _chunks(tasks: Sequence[Task]) -> Iterator[list[Task]]:
    """Tasks in their order, none of two SPECs together."""
    chunk: list[Task] = []
    for task in tasks:
        if chunk and (len(chunk) == CHUNK or chunk[0][0] != task[0]):
            yield chunk
            chunk = []
        chunk.append(task)
    if chunk:
        yield chunk


def _begin() -> None:
    """Keep machines until this worker ends, and end them before it does; Ctrl-C is its parent's.

    If the parent is killed nobody would ever tell this worker to end.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    kept = ExitStack()
    kept.enter_context(pool.keep())
    util.Finalize(None, kept.close, exitpriority=100)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


_JOBS: dict[str, Job] = {}
"""A worker's own: what is known is read once."""


def _chunk(columns: Columns, tasks: list[Task], threads: int) -> list[list[Row]]:
    if "job" not in _JOBS:
        _JOBS["job"] = job_of(*columns.runs(), twice=columns.twice, why_not=columns.why_not)
    return list(crowd(_JOBS["job"], tasks, threads))


def processors() -> int:
    """How many this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1

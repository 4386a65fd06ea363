"""Every probe in the model and on this kernel, compared entry by entry; no row is ever dropped."""

import contextlib
import hashlib
import threading
import tomllib
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from simulator.experiment.probes.executor import HarnessError
from simulator.experiment.probes.normalise import normalise
from simulator.experiment.probes.program import Program, names_in
from simulator.experiment.probes.trace import Entry, Status, Trace
from simulator.experiment.real import facts, host, pool
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.outcome import (
    Allowed,
    Difference,
    Known,
    both_counts,
    in_range,
    of_the_machine,
    sources,
    word,
)
from simulator.experiment.real.report import Class, Report, Row
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _

_MODEL_LOCK = threading.Lock()

Run: TypeAlias = Callable[[str, Program], Trace]
"""One run of a program on a SPEC in the model."""

RealRun: TypeAlias = Callable[[str, Program, bool], Trace]
"""One run on this machine's kernel; the last says whether on a machine that nobody had before."""


class Probe(msgspec.Struct, frozen=True):
    """A program with its name; ``requires`` as in a scenario file."""

    id: str
    program: Program
    requires: tuple[str, ...] = ()


def known(path: Path | None = None) -> Known:
    """The list of known differences."""
    source = path or Path(__file__).with_name("divergences.toml")
    try:
        return msgspec.convert(tomllib.loads(source.read_text()), Known)
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise RealError(_("{path}: {error}").format(path=source, error=error)) from error


class Job(msgspec.Struct, frozen=True):
    """What one comparison needs besides its SPEC and probe."""

    model: Run
    real: RealRun
    known: Known
    facts: facts.Facts
    twice: bool = False


def verify(
    specs: Sequence[str],
    probes: Sequence[Probe],
    model: Run,
    real: RealRun,
    *,
    twice: bool = False,
    workers: int = 4,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Compare every probe on every SPEC.

    ``twice`` runs the real side two times: an entry that differs between them is unstable.
    ``progress`` is told (done, all). Errors of a run become rows, never exceptions.
    """
    found = facts.gather()
    job = Job(model, real, known(), found, twice)
    tasks = [(spec, probe) for spec in specs for probe in probes]
    with pool.keep():
        rows = _all(job, tasks, workers, progress)
    return Report(stamp=_stamp(found, probes), rows=tuple(rows))


def _all(
    job: Job,
    tasks: list[tuple[str, Probe]],
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> list[Row]:
    reasons = {spec: host.why_not(spec) for spec, _probe in tasks}
    rows: list[Row] = []
    threads = ThreadPoolExecutor(max_workers=workers)
    try:
        futures = [threads.submit(_pair, job, spec, probe, reasons[spec]) for spec, probe in tasks]
        for number, future in enumerate(futures, start=1):
            rows.extend(future.result())
            if progress is not None:
                progress(number, len(tasks))
    finally:
        # On Ctrl-C the sessions that run end in order, the rest never starts.
        threads.shutdown(cancel_futures=True)
    return rows


def _counts_users(program: Program) -> bool:
    """Whether a probe asks about a limit that counts a user's processes on the whole machine."""
    return any(
        name == "RLIMIT_NPROC"
        for step in program.steps
        for arg in step.args
        for name in names_in(arg)
    )


class _Turns:
    """Many sessions at once, or one alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0

    @contextlib.contextmanager
    def taken(self, alone: bool) -> Generator[None]:
        """Wait for a turn, hold it, give it back."""
        weight = _EVERY_TURN if alone else 1
        with self._changed:
            self._changed.wait_for(lambda: self._running + weight <= _EVERY_TURN)
            self._running += weight
        try:
            yield
        finally:
            with self._changed:
                self._running -= weight
                self._changed.notify_all()


_EVERY_TURN = 1 << 16
_TURNS = _Turns()


def _stamp(found: facts.Facts, probes: Iterable[Probe]) -> dict[str, Any]:
    digest = hashlib.sha256()
    for probe in probes:
        digest.update(probe.id.encode() + msgspec.json.encode(probe.program))
    return {
        "kernel": found.release,
        "machine": found.machine,
        "cgroups": found.cgroups,
        "versions": found.versions,
        "probes": digest.hexdigest()[:16],
    }


def _pair(job: Job, spec: str, probe: Probe, reason: str | None) -> list[Row]:
    """One probe on one SPEC."""
    if reason is None and "model-only" in probe.requires:
        reason = _("the probe could harm a real machine")
    if reason is None and not probe.program.on.asks(spec.split()[0]):
        reason = _("the probe does not ask this technology")
    if reason is not None:
        return [Row(spec=spec, probe=probe.id, kind="not_here", reason=reason)]
    alone = _counts_users(probe.program)
    try:
        with _TURNS.taken(alone):
            if alone:
                pool.drain()
            there = job.real(spec, probe.program, alone)
            again = job.real(spec, probe.program, False) if job.twice else None
    except VitrinaError as error:
        return [Row(spec=spec, probe=probe.id, kind="not_here", reason=str(error))]
    try:
        # The real side waits, the model computes: one of it at a time, in order of arrival.
        with _MODEL_LOCK:
            here = job.model(spec, probe.program)
    except HarnessError as error:
        return [Row(spec=spec, probe=probe.id, kind="unexplained", model=str(error))]
    except VitrinaError as error:
        return [Row(spec=spec, probe=probe.id, kind="model_silent", model=str(error))]
    except Exception as error:  # a bug of the model must not cost the rest
        told = f"{type(error).__name__}: {error}"
        return [Row(spec=spec, probe=probe.id, kind="unexplained", model=told)]
    rows = compare(job, spec, probe.id, here, there, again)
    if all(row.kind != "unexplained" for row in rows):
        return rows
    return _believed(job, (spec, probe), here, there, rows)


def _believed(
    job: Job, pair: tuple[str, Probe], here: Trace, first: Trace, rows: list[Row]
) -> list[Row]:
    """A difference is believed from a machine that nobody had before, with nothing beside it."""
    spec, probe = pair
    try:
        with _TURNS.taken(alone=True):
            there = job.real(spec, probe.program, True)
    except VitrinaError:
        return rows
    if all(row.kind != "unexplained" for row in compare(job, spec, probe.id, here, there)):
        # The first look was at a machine that something had happened to, or that was too slow.
        return compare(job, spec, probe.id, here, there)
    return compare(job, spec, probe.id, here, there, first)


def compare(
    job: Job, spec: str, probe: str, model: Trace, real: Trace, again: Trace | None = None
) -> list[Row]:
    """Row by row; a step that is skipped on one side only follows the difference before it."""
    rows: list[Row] = []
    followed: Row | None = None
    shaky = _unstable(real, again)
    paths = sources(real.entries)
    plain = zip(normalise(model), normalise(real), strict=False)
    pairs = zip(model.entries, real.entries, plain, strict=False)
    for number, (one, other, (here, there)) in enumerate(pairs):
        row = _row(job, (spec, probe), one, other, paths.get(number, ""))
        if number in shaky and row.kind != "agree":
            row = msgspec.structs.replace(row, kind="unstable", reason=_("two real runs differ"))
        elif row.kind == "unexplained" and followed is not None and _skips(one, other):
            row = _following(row, followed)
        if row.kind in ("known_difference", "unexplained", "model_silent", "not_here"):
            followed = followed or row
        differs = row.kind == "agree" and here.data != there.data
        rows.append(msgspec.structs.replace(row, data_differs=differs))
    return rows


def _skips(one: Entry, other: Entry) -> bool:
    return one.skipped != other.skipped


def _following(row: Row, first: Row) -> Row:
    reason = _("follows from step {step}: {reason}").format(
        step=first.step, reason=first.reason or f"{first.model} / {first.real}"
    )
    return msgspec.structs.replace(row, kind=first.kind, reason=reason)


def _unstable(real: Trace, again: Trace | None) -> set[int]:
    if again is None:
        return set()
    pairs = zip(real.entries, again.entries, strict=False)
    return {number for number, (one, two) in enumerate(pairs) if word(one) != word(two)}


def _row(job: Job, names: tuple[str, str], one: Entry, other: Entry, source: str) -> Row:
    spec, probe = names
    words = (word(one), word(other))
    kind, reason = _judge(job, names, one, other, words)
    if kind == "unexplained" and of_the_machine(other, source) and both_counts(words):
        kind, reason = "agree_in_set", _("the length of a kernel's text depends on the machine")
    return Row(
        spec=spec,
        probe=probe,
        step=one.step,
        rep=one.rep,
        actor=one.actor,
        call=one.call,
        kind=kind,
        model=words[0],
        real=words[1],
        reason=reason,
    )


def _judge(
    job: Job, names: tuple[str, str], one: Entry, other: Entry, words: tuple[str, str]
) -> tuple[Class, str]:
    if other.status is Status.SILENT:
        return "not_here", other.note
    if one.status is Status.SILENT:
        return "model_silent", one.note
    if words[0] == words[1]:
        return "agree", ""
    allowed = next((item for item in job.known.allowed if _fits(item, one.call, words)), None)
    if allowed is not None:
        return "agree_in_set", allowed.reason
    found = next(
        (item for item in job.known.difference if _applies(job, item, names, one, words)),
        None,
    )
    if found is not None:
        return "known_difference", f"{found.id}: {found.reason}"
    return "unexplained", ""


def _fits(item: Allowed, call: str, words: tuple[str, str]) -> bool:
    return item.call == call and set(words) <= set(item.results)


def _applies(
    job: Job, item: Difference, names: tuple[str, str], entry: Entry, words: tuple[str, str]
) -> bool:
    if not in_range(job.facts.release, item.kernel):
        return False
    has = job.facts.features.get(item.lacks, item.lacks in job.facts.effective)
    return not (item.lacks and has) and item.explains(*names, entry, words)

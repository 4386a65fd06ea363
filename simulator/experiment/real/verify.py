"""Every probe in the model and on this kernel, compared entry by entry; no row is ever dropped."""

import hashlib
import threading
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from simulator.experiment.probes.normalise import normalise
from simulator.experiment.probes.program import Program, names_in
from simulator.experiment.probes.session import HarnessError
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
BROKEN = "broken"
"""The word of a real side that did not come to an answer: it is asked once more, alone."""

Run: TypeAlias = Callable[[str, Program], Trace]
"""One run of a program on a SPEC in the model."""

RealRun: TypeAlias = Callable[[str, Program, bool], Trace]
"""One run on this machine's kernel; the last says whether on a machine that nobody had before."""

WhyNot: TypeAlias = Callable[[str], str | None]
"""Why a SPEC can't be asked for here, if so."""


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
    why_not: WhyNot = host.why_not


def verify(
    specs: Sequence[str],
    probes: Sequence[Probe],
    model: Run,
    real: RealRun,
    *,
    twice: bool = False,
    workers: int = 4,
    progress: Callable[[int, int], None] | None = None,
    spread: "Spread | None" = None,
    why_not: WhyNot = host.why_not,
) -> Report:
    """Compare every probe on every SPEC.

    ``twice`` runs the real side two times: an entry that differs between them is unstable.
    ``progress`` is told (done, all). ``spread`` does the work elsewhere than in ``workers``
    threads. ``why_not`` tells which SPECs the real side need not try. Errors of a run become rows,
    never exceptions.
    """
    job = job_of(model, real, twice=twice, why_not=why_not)
    tasks = [(spec, probe) for spec in specs for probe in probes]
    with pool.keep():
        rows = _all(job, tasks, spread or _threads(job, workers), progress)
    return Report(stamp=_stamp(job.facts, probes), rows=tuple(rows))


def job_of(
    model: Run, real: RealRun, *, twice: bool = False, why_not: WhyNot = host.why_not
) -> Job:
    """A comparison with what is known of differences and of this machine."""
    return Job(model, real, known(), facts.gather(), twice, why_not)


Task: TypeAlias = tuple[str, Probe]
Spread: TypeAlias = Callable[[Sequence[Task]], Iterator[list[Row]]]
"""Does many tasks at once and gives each one's rows, in their order."""


def crowd(job: Job, tasks: Sequence[Task], workers: int) -> Iterator[list[Row]]:
    """Tasks side by side in threads of this process."""
    reasons = {spec: job.why_not(spec) for spec, _probe in tasks}
    threads = ThreadPoolExecutor(max_workers=workers)
    try:
        futures = [threads.submit(_pair, job, task, reasons[task[0]]) for task in tasks]
        for future in futures:
            yield future.result()
    finally:
        # On Ctrl-C the sessions that run end in order, the rest never starts.
        threads.shutdown(cancel_futures=True)


def _threads(job: Job, workers: int) -> Spread:
    return lambda tasks: crowd(job, tasks, workers)


def _all(
    job: Job, tasks: list[Task], spread: Spread, progress: Callable[[int, int], None] | None
) -> list[Row]:
    """All side by side; then, one by one, what nobody believes."""
    found: list[list[Row]] = []
    for rows in spread(tasks):
        found.append(rows)
        if progress is not None:
            progress(len(found), len(tasks))
    for number, task in enumerate(tasks):
        if any(row.kind == "unexplained" or row.real == BROKEN for row in found[number]):
            found[number] = _alone(job, task)
    return [row for rows in found for row in rows]


def _alone(job: Job, task: Task) -> list[Row]:
    """With nothing beside it. A difference is believed from machines that nobody had before.

    The first look may have been at one that something had happened to, or that was too slow; one
    that two new machines do not agree about is unstable.
    """
    # A new machine is used once. Kept on, some 190 leave no real time for another (cgroups.make()).
    pool.drain()
    job = msgspec.structs.replace(job, twice=True)
    return _pair(job, task, job.why_not(task[0]), fresh=True)


def counts(program: Program) -> bool:
    """Whether a program asks about a limit that counts a user's processes on the whole machine.

    Nobody else's may be among them: it is given a user of its own (``comparing``).
    """
    return any(
        name == "RLIMIT_NPROC"
        for step in program.steps
        for arg in step.args
        for name in names_in(arg)
    )


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


def _pair(job: Job, task: Task, reason: str | None, *, fresh: bool = False) -> list[Row]:
    """One probe on one SPEC."""
    spec, probe = task
    if reason is None and "model-only" in probe.requires:
        reason = _("the probe would take this machine's processors, memory or disk for itself")
    if not probe.program.on.asks(spec.split()[0]):
        reason = _("the probe does not ask this technology")
        return [Row(spec=spec, probe=probe.id, kind="not_here", reason=reason)]
    if reason is not None:
        return _alone_in_the_model(job, spec, probe, reason)
    try:
        there = job.real(spec, probe.program, fresh)
        again = job.real(spec, probe.program, fresh) if job.twice else None
    except (VitrinaError, OSError) as error:
        return [_not_started(job, task, error)]
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
    return _told(probe, compare(job, spec, probe.id, here, there, again))


def _not_started(job: Job, task: Task, error: Exception) -> Row:
    """A real side that came to no answer. It agrees where the model can't build the sandbox either:
    what a switch leaves may be one that the kernel lets nobody build.
    """
    spec, probe = task
    if isinstance(error, HarnessError):
        try:
            with _MODEL_LOCK:
                job.model(spec, probe.program)
        except HarnessError as here:
            told = _("neither starts: {reason}").format(reason=error)
            return Row(
                spec=spec,
                probe=probe.id,
                kind="agree",
                model=str(here),
                real=str(error),
                reason=told,
            )
        except Exception:  # its own trouble is told where it is compared
            pass
    return Row(spec=spec, probe=probe.id, kind="not_here", real=BROKEN, reason=str(error))


def _alone_in_the_model(job: Job, spec: str, probe: Probe, reason: str) -> list[Row]:
    """What can't be asked here, with what the model says of it."""
    row = Row(spec=spec, probe=probe.id, kind="not_here", reason=reason)
    try:
        with _MODEL_LOCK:
            entries = job.model(spec, probe.program).entries
    except VitrinaError as error:
        return [msgspec.structs.replace(row, model=str(error))]
    told = [
        msgspec.structs.replace(
            row, step=one.step, rep=one.rep, actor=one.actor, call=one.call, model=word(one)
        )
        for one in entries
    ]
    return _told(probe, told) or [row]


def _told(probe: Probe, rows: list[Row]) -> list[Row]:
    """With the program's own line in each."""
    lines = [step.text.removesuffix(step.comment).rstrip("# ") for step in probe.program.steps]
    return [
        row if row.step is None else msgspec.structs.replace(row, line=lines[row.step])
        for row in rows
    ]


def compare(
    job: Job, spec: str, probe: str, model: Trace, real: Trace, again: Trace | None = None
) -> list[Row]:
    """Row by row; a step that is skipped on one side only follows the difference before it.

    Behind a call that the guard kept back the two machines are not the same any more.
    """
    rows: list[Row] = []
    followed: Row | None = None
    kept: Row | None = None
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
        elif row.kind == "unexplained" and kept is not None:
            row = _following(row, kept)
        if row.kind in ("known_difference", "unexplained", "model_silent", "not_here"):
            followed = followed or row
        if row.kind == "not_here":
            kept = kept or row
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
    own = of_the_machine(other, source)
    if kind == "unexplained" and own and both_counts(words):
        kind, reason = "agree_in_set", _(own)
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
        return "agree_in_set", str(allowed.reason)
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

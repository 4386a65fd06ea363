"""Differential search: programs that nobody wrote, in the model and on this machine's kernel.

Hypothesis draws programs. They run one after another in the same pair of sandboxes, a chain, since
making a machine costs more than most programs; what one leaves behind the next one meets on both
sides. The first disagreement of a chain is looked at again on machines that nobody had before,
shrunk to a smallest program and kept as a regression probe, ``tests/real/regressions/*.probe``.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from simulator.experiment.probes.language import parse
from simulator.experiment.probes.run import Runner
from simulator.experiment.probes.session import Session
from simulator.experiment.probes.trace import Trace
from simulator.experiment.probes.world import World
from simulator.experiment.real.executor import open_session
from simulator.experiment.real.generate import END, numbered, programs
from simulator.experiment.real.report import Row
from simulator.experiment.real.verify import Job, compare, job_of
from simulator.experiment.real.written import plain, with_data
from simulator.machine.abi.errors import VitrinaError

Opening = Callable[[str], Session]
"""A session of a SPEC in the model."""

HASTE = 0.12
"""Seconds without CPU after which a search takes a call to be asleep; a second look waits longer.
"""

CHAIN = 40
"""Programs in one sandbox, at most."""

SHRINKING = 180.0
"""Seconds after which a program that differs is kept as small as it is by then."""

_EACH = 200
"""Programs that Hypothesis draws before it forgets what it has drawn."""


class Finding(msgspec.Struct, frozen=True):
    """A smallest program with what the two sides say, a comment for each row that differs."""

    spec: str
    text: str
    rows: tuple[Row, ...]

    def __str__(self) -> str:
        return self.text + "".join(f"# {row.call}: {row.model} / {row.real}\n" for row in self.rows)


class Tally(msgspec.Struct):
    """What a search did. ``silent``: calls that the model does not know, by name."""

    programs: int = 0
    calls: int = 0
    passing: int = 0
    found: list[Finding] = msgspec.field(default_factory=list[Finding])
    silent: Counter[str] = msgspec.field(default_factory=Counter[str])
    broken: Counter[str] = msgspec.field(default_factory=Counter[str])


class Sides(msgspec.Struct, frozen=True):
    """What both sides need: how the model opens a session of a world, and what is known."""

    opening: Opening
    world: World
    job: Job


STRAYS = ("known_difference", "model_silent", "not_here", "unexplained")
"""After such a row the two sides are no longer in the same state."""


class Pair:
    """Two sessions of one SPEC, the model's and a real one, that run the same programs."""

    def __init__(
        self,
        sides: Sides,
        spec: str,
        *,
        quiet: float | None = None,
        fresh: bool,
    ) -> None:
        self._job = sides.job
        self._spec = spec
        self._real = open_session(sides.world, spec, frozenset({"host", "guest"}), fresh=fresh)
        if quiet is not None:
            self._real.quiet = quiet
        self._sides = (Runner(sides.opening(spec)), Runner(self._real))

    def go(self, text: str) -> list[Row]:
        """Each row of the program. Raises ``HarnessError``."""
        program = parse(text, "search")
        here, there = (side.go(program) for side in self._sides)
        rows = compare(self._job, self._spec, "search", here, there)
        judged: list[Row] = []
        for row, *told in zip(rows, *plain(here, there), strict=True):
            alike = not any(one.kind in STRAYS for one in judged)
            judged.append(with_data(row, *told) if alike else row)
        return judged

    def close(self) -> None:
        """End the real one."""
        self._real.close()


def differing(sides: Sides, spec: str, text: str) -> list[Row]:
    """Rows that nobody can explain, of a run on a machine that nobody had before."""
    pair = Pair(sides, spec, fresh=True)
    try:
        return _bad(pair.go(text))
    finally:
        pair.close()


def _bad(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.kind == "unexplained"]


class Search:
    """One search of one SPEC after another; ``tally`` says what it did.

    ``stopping`` ends it behind the program that runs: Hypothesis has callbacks of the garbage
    collector, in which an exception such as KeyboardInterrupt is printed and lost.
    """

    def __init__(self, sides: Sides) -> None:
        self.tally = Tally()
        self.stopping = False
        self._sides = sides
        self._seen: set[tuple[str, ...]] = set()
        self._told: Callable[[Finding], None] | None = None

    def search(
        self,
        spec: str,
        subjects: tuple[str, ...],
        seconds: float,
        seed: int,
        *,
        first: bool = False,
        told: Callable[[Finding], None] | None = None,
    ) -> list[Finding]:
        """Draw programs until ``seconds`` are over, or until the ``first`` that differs.

        ``told`` is given each finding when it is made. A disagreement of the same call with the
        same words is not told twice.
        """
        self._told = told
        deadline = time.monotonic() + seconds
        before = len(self.tally.found)
        while not self.over(deadline) and not (first and len(self.tally.found) > before):
            chain = _Chain(self, spec, deadline, first=first)
            try:
                _draw(subjects, seed, chain.take)
            except _Enough:
                pass
            finally:
                chain.close()
            seed += 1000
        return self.tally.found[before:]

    def over(self, deadline: float) -> bool:
        """Whether no program is to begin any more."""
        return self.stopping or time.monotonic() > deadline

    def pair(self, spec: str, *, fresh: bool = False) -> Pair:
        """Two new sessions."""
        return Pair(self._sides, spec, quiet=HASTE, fresh=fresh)

    def judge(self, spec: str, drawn: str, texts: list[str], bad: list[Row]) -> bool:
        """Look again at the last of a chain of programs, then at all; whether it was a finding."""
        if all(_signature(row) in self._seen for row in bad):
            return False
        for text in (drawn, "".join(texts)):
            rows = self._again(spec, text)
            if rows:
                self._note(Finding(spec, *self._shrunk(spec, text, _signature(rows[0]))))
                self._seen.update(_signature(row) for row in (*rows, *bad))
                return True
        self.tally.passing += 1
        return False

    def _note(self, found: Finding) -> None:
        self._seen.update(_signature(row) for row in found.rows)
        self.tally.found.append(found)
        if self._told is not None:
            self._told(found)

    def _again(self, spec: str, text: str) -> list[Row]:
        try:
            return differing(self._sides, spec, text)
        except VitrinaError:
            return []

    def _shrunk(self, spec: str, text: str, wanted: tuple[str, ...]) -> tuple[str, tuple[Row, ...]]:
        """The fewest lines that still show a row of this signature, and the rows they show."""
        trial = _Trial(self, spec, wanted, chained="kid_" not in text)
        try:
            lines = fewest(text.splitlines(), trial.shows)
        finally:
            trial.close()
        small = "\n".join(lines) + "\n"
        rows = self._again(spec, small)
        return (small, tuple(rows)) if rows else (text, tuple(self._again(spec, text)))


class _Trial:
    """Whether fewer lines still show it. One that does not can be followed by another program."""

    def __init__(
        self, search: Search, spec: str, wanted: tuple[str, ...], *, chained: bool
    ) -> None:
        self._search = search
        self._chained = chained
        self._spec = spec
        self._wanted = wanted
        self._pair: Pair | None = None
        self._number = 0
        self._until = time.monotonic() + SHRINKING

    def shows(self, lines: list[str]) -> bool:
        """Run them as one more program of a chain."""
        if self._search.over(self._until):
            return False
        try:
            text = numbered("\n".join((*lines, *_ends(lines))) + "\n", self._number)
            parse(text)
        except VitrinaError:
            return False
        self._number += 1
        try:
            self._pair = self._pair or self._search.pair(self._spec)
            rows = self._pair.go(text)
        except VitrinaError:
            self.close()
            return False
        strays = any(row.kind in STRAYS for row in rows)
        if strays or not self._chained or self._number % CHAIN == 0:
            self.close()
        return any(_signature(row) == self._wanted for row in _bad(rows))

    def close(self) -> None:
        """End the sandboxes."""
        if self._pair is not None:
            self._pair.close()
        self._pair = None


def _ends(lines: list[str]) -> list[str]:
    """The last lines of a program, for those actors that it still has."""
    return [one for one in END if _actor(one) in "".join(lines)]


def _actor(line: str) -> str:
    return "son = " if "son" in line else "kid = "


def _signature(row: Row) -> tuple[str, ...]:
    return (row.call, row.model, row.real)


class _Enough(BaseException):
    """The time is over, or the first was found; not an error that Hypothesis should shrink."""


class _Chain:
    """Programs in one pair of sandboxes, as long as the two sides agree."""

    def __init__(self, search: Search, spec: str, deadline: float, *, first: bool) -> None:
        self._search = search
        self._spec = spec
        self._deadline = deadline
        self._first = first
        self._pair: Pair | None = None
        self._texts: list[str] = []

    def take(self, drawn: str) -> None:
        """Run one more program."""
        if self._search.over(self._deadline):
            raise _Enough
        tally = self._search.tally
        try:
            if self._pair is None:
                self._pair = self._search.pair(self._spec)
            text = numbered(drawn, len(self._texts))
            self._texts.append(text)
            rows = self._pair.go(text)
        except VitrinaError as error:
            tally.broken[str(error)] += 1
            self.close()
            return
        tally.programs += 1
        tally.calls += sum(row.model != "skipped" for row in rows)
        tally.silent.update(f"{row.call}: {row.reason}" for row in rows if _silent(row))
        bad = _bad(rows)
        texts = self._texts
        if len(texts) >= CHAIN or any(row.kind in STRAYS for row in rows):
            self.close()
        if bad and self._search.judge(self._spec, drawn, texts, bad) and self._first:
            raise _Enough

    def close(self) -> None:
        """End the sandboxes."""
        if self._pair is not None:
            self._pair.close()
        self._pair, self._texts = None, []


def _silent(row: Row) -> bool:
    return row.kind == "model_silent" and not row.reason.startswith("follows")


def _draw(subjects: tuple[str, ...], seed: int, take: Callable[[str], None]) -> None:
    """Hypothesis draws a batch of programs, the same for the same seed."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded

    @seeded(seed)
    @settings(
        max_examples=_EACH,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
    )
    @given(programs(subjects))
    def each(text: str) -> None:
        take(text)

    each()


def fewest(lines: list[str], shows: Callable[[list[str]], bool]) -> list[str]:
    """As few of the lines as still show it: halves go first, single lines last (ddmin)."""
    size = len(lines)
    while size:
        size = max(1, size // 2)
        at, cut = len(lines), False
        while at > 0:
            less = lines[: max(at - size, 0)] + lines[at:]
            if len(less) < len(lines) and shows(less):
                lines, cut = less, True
            at -= size
        if size == 1 and not cut:
            break
    return lines


def keep(directory: Path, found: Finding) -> Path:
    """Save a program as a regression probe, named by its content."""
    directory.mkdir(parents=True, exist_ok=True)
    content = f"# spec: {found.spec}\n{found}"
    path = directory / f"{hashlib.sha256(content.encode()).hexdigest()[:10]}.probe"
    path.write_text(content)
    return path


def sides(opening: Opening, world: World) -> Sides:
    """With what is known of differences and of this machine."""
    unused = job_of(lambda _spec, _program: Trace(), lambda _spec, _program, _fresh: Trace())
    return Sides(opening, world, unused)

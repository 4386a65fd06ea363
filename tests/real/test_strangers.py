"""Programs as somebody who never saw the model writes them: both sides give the same errno.

Ten subjects, shared out to root's child, an ordinary user and the owner of a user namespace.
"""

from pathlib import Path

import pytest

from simulator.cli.real import machine_facts
from simulator.experiment.engine.executor import open_session
from simulator.experiment.real.report import Row
from simulator.experiment.real.search import Pair, sides
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec
from tests.real.conftest import requires_spec

WHO = {
    "root": (),
    "user": (
        "me.setgroups(0, [])",
        "me.setresgid(1000, 1000, 1000)",
        "me.setresuid(1000, 1000, 1000)",
    ),
    "owner": ("me.unshare(CLONE_NEWUSER | CLONE_NEWNS)",),
}
SUBJECTS = {path.stem: path.read_text() for path in Path(__file__).parent.glob("strangers/*.probe")}


SPECS = ("none", "unshare -U -r -m -p --fork", "chroot")


@pytest.mark.real
@pytest.mark.parametrize("turn", range(3))
def test_a_strangers_programs_agree(turn: int) -> None:
    begin, spec = list(WHO.values())[turn], SPECS[turn]
    requires_spec(spec)
    world = load_world()
    pair = Pair(
        sides(lambda one: open_session(world, parse_spec(one), machine_facts()), world),
        spec,
        quiet=0.3,
        fresh=False,
    )
    rows: list[tuple[str, Row]] = []
    try:
        for subject, text in sorted(SUBJECTS.items())[turn::3]:
            program = "\n".join(("me = guest.fork()", *begin, text))
            rows += [(subject, row) for row in pair.go(program) if row.model != "skipped"]
    finally:
        pair.close()
    differing = [
        f"{subject}: {row.actor}.{row.call} {row.model} / {row.real}"
        for subject, row in rows
        if row.kind in ("unexplained", "model_silent")
    ]
    assert len(rows) > 100
    assert len(differing) <= len(rows) * 0.01, "\n".join(differing)

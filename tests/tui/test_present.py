"""Pure functions from a world to lines: no terminal."""

import pytest

from simulator.classroom.tui.present.line import Line, changed, heading
from simulator.classroom.tui.present.processes import processes
from simulator.classroom.tui.present.spell import spell
from simulator.classroom.tui.present.step import Step, Tone, last_stop, next_stop, numbered
from simulator.experiment.engine.executor import open_session
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.call import Call
from simulator.machine.abi.constants import (
    CLONE_NEWNS,
    CLONE_NEWPID,
    MS_BIND,
    MS_REC,
    O_CREAT,
    O_RDONLY,
    O_RDWR,
    SIGCHLD,
    SIGKILL,
)


def steps(*depths):
    return tuple(
        Step(
            number=None if depth else position,
            actor="guest",
            call="stat",
            outcome="= 0",
            tone=Tone.OK,
            after=(position,),
            depth=depth,
        )
        for position, depth in enumerate(depths, start=1)
    )


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (Call("open", ("/etc/passwd", O_RDONLY)), 'open("/etc/passwd", O_RDONLY)'),
        (Call("open", ("/x", O_RDWR | O_CREAT, 0o644)), 'open("/x", O_RDWR|O_CREAT, 420)'),
        (Call("clone", (CLONE_NEWNS | SIGCHLD,)), "clone(CLONE_NEWNS|SIGCHLD)"),
        (Call("unshare", (CLONE_NEWPID,)), "unshare(CLONE_NEWPID)"),
        (Call("kill", (1, SIGKILL)), "kill(1, SIGKILL)"),
        (
            Call("mount", ("/a", "/b", "", MS_BIND | MS_REC, "")),
            'mount("/a", "/b", "", MS_BIND|MS_REC, "")',
        ),
    ],
)
def test_a_call_is_spelled_as_strace_spells_it(call, text):
    said = spell(call)

    assert sorted(said.replace("(", "|").replace(")", "|").split("|")) == sorted(
        text.replace("(", "|").replace(")", "|").split("|")
    )


def test_a_long_buffer_is_cut():
    assert len(spell(Call("write", (3, b"x" * 10_000)))) < 80


def test_a_line_is_changed_when_it_reads_otherwise_than_before():
    before = [heading("Things"), Line(text="one"), Line(text="two")]
    after = [heading("Other things"), Line(text="one"), Line(text="2"), Line(text="three")]

    assert changed(after, before) == {2, 3}
    assert changed(before, before) == frozenset()


def test_stepping_passes_over_the_calls_inside_a_shell_line():
    walked = steps(0, 0, 1, 1, 0)

    assert next_stop(walked, 2, 1, into=False) == 5
    assert next_stop(walked, 2, 1, into=True) == 3
    assert next_stop(walked, 5, -1, into=False) == 2
    assert next_stop(walked, 5, 1, into=False) == 5
    assert next_stop(walked, 0, -1, into=False) == 0


def test_the_last_line_is_the_end_and_not_the_last_call_inside_it():
    walked = steps(0, 0, 1, 1)

    assert last_stop(walked) == 2
    assert next_stop(walked, 2, 1, into=False) == 2
    assert next_stop(walked, 2, 1, into=True) == 3
    assert next_stop(walked, 4, 1, into=True) == 4


def test_a_line_number_that_is_not_there_has_no_cursor():
    assert numbered(steps(0, 1, 0), 3) == 3
    assert numbered(steps(0, 1, 0), 2) is None


def test_the_process_tree_lists_only_those_whom_the_kernel_lists():
    session = open_session(load_world(), parse_spec("vserver"))
    kernel = session.kernels[0]
    host, guest = session.actors["host"].pid, session.actors["guest"].pid
    seen = {who: processes(kernel.store, kernel.family, who) for who in (host, guest)}
    assert not any(line.domain == "guest" for line in seen[host])
    assert any("vitrinad" in line.text for line in seen[host])
    assert not any("vitrinad" in line.text for line in seen[guest])

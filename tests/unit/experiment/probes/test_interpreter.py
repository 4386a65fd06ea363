"""What the interpreter does with results: names, repetition, sleep, death and birth."""

import json

import pytest
from fake_session import FakeSession, denied

from simulator.experiment.probes.language import parse
from simulator.experiment.probes.observation import Crossing, Extra, Nested
from simulator.experiment.probes.observe import observe
from simulator.experiment.probes.run import Runner, run
from simulator.experiment.probes.serial import to_json
from simulator.experiment.probes.session import HarnessError
from simulator.experiment.probes.trace import Status
from simulator.machine.abi.call import (
    Blocked,
    Call,
    Executed,
    Exited,
    Killed,
    Returned,
    Silent,
)
from simulator.machine.abi.errno import Errno


def trace(text, session=None, **answers):
    """Run ``text``; ``answers`` maps a call's name to its result."""
    session = session or FakeSession()
    if answers:
        session.answer = lambda _actor, call: answers.get(call.name, Returned())
    return run(parse(text), session)


def statuses(found):
    return [str(entry.status) for entry in found.entries]


def test_a_bound_value_is_given_to_later_calls():
    session = FakeSession(lambda _actor, call: Returned(7 if call.name == "open" else 0))
    run(parse("fd = guest.open(CANARY, O_RDONLY)\nguest.read(fd, 64)"), session)
    assert session.asked == [
        ("guest", "open", ("/srv/canary/secret", 0)),
        ("guest", "read", (7, 64)),
    ]


def test_programs_one_after_another_share_names_and_actors():
    session = FakeSession(lambda _actor, call: Returned(7))
    runner = Runner(session)
    first = runner.go(parse("kid = guest.fork()\nfd = kid.dup(0)"))
    second = runner.go(parse("kid = guest.fork()\nfd = kid.dup(fd)\nkid.close(fd)"))
    assert [entry.step for entry in second.entries] == [0, 1, 2]
    assert statuses(first) == ["returned", "returned"]
    assert statuses(second) == ["returned", "skipped", "skipped"]
    third = runner.go(parse("fd = guest.dup(0)\nguest.close(fd)"))
    assert statuses(third) == ["returned", "returned"]


def test_parts_of_a_calls_data_are_bound_in_order():
    session = FakeSession(lambda _actor, call: Returned(0, (4, 5) if call.name == "pipe" else None))
    run(parse("r, w = guest.pipe()\nguest.close(w)\nguest.close(r)"), session)
    assert [args for _, name, args in session.asked if name == "close"] == [(5,), (4,)]


def test_a_step_whose_name_was_never_bound_is_skipped_and_says_which():
    found = trace(
        "fd = guest.open(CANARY, O_RDONLY)\nguest.read(fd, 64)\nguest.getpid()",
        open=denied(Errno.ENOENT),
    )
    assert statuses(found) == ["failed", "skipped", "returned"]
    assert found.entries[1].note == "Skipped: unbound name fd"
    assert (found.entries[1].value, found.entries[1].errno) == (None, None)


def test_a_failed_rebinding_does_not_leave_the_old_value():
    results = iter([Returned(7), denied(Errno.EMFILE), Returned(0)])
    session = FakeSession(lambda _actor, _call: next(results))
    found = run(
        parse("fd = guest.open(CANARY, 0)\nfd = guest.open(CANARY, 0)\nguest.close(fd)"), session
    )
    assert statuses(found) == ["returned", "failed", "skipped"]


def test_a_repeated_step_gives_one_entry_each_and_a_failure_does_not_stop_it():
    results = iter([Returned(1), denied(Errno.EPERM), Returned(3)])
    found = run(parse("guest.f() * 3"), FakeSession(lambda _actor, _call: next(results)))
    assert [(entry.step, entry.rep, entry.line) for entry in found.entries] == [
        (0, 0, 1),
        (0, 1, 1),
        (0, 2, 1),
    ]
    assert statuses(found) == ["returned", "failed", "returned"]


def test_a_failure_carries_its_wall_and_an_ordinary_mistake_has_none():
    found = trace(
        "guest.a()\nguest.b()", a=denied(Errno.EPERM, "capability"), b=denied(Errno.EBADF)
    )
    first, second = found.entries
    assert (first.value, first.errno, first.stopped_by, first.why, first.cite) == (
        -1,
        "EPERM",
        "capability",
        "Because.",
        "manual(2)",
    )
    assert second.stopped_by is None


def test_a_sleeper_is_skipped_until_another_actor_wakes_it():
    session = FakeSession()

    def answer(actor, call):
        if call.name == "read":
            session.sleeping.add(actor)
            return Blocked("pipe")
        if call.name == "write":
            session.sleeping.clear()
        return Returned()

    session.answer = answer
    found = run(
        parse(
            "child = guest.fork()\nchild.read(0, 1) * 2\nchild.getpid()\n"
            'guest.write(1, "x", 1)\nchild.getpid()'
        ),
        session,
    )
    assert statuses(found) == [
        "returned", "blocked", "skipped", "skipped", "returned", "returned",
    ]  # fmt: skip
    assert found.entries[1].note == "Blocked: pipe"
    assert found.entries[2].note == "Skipped: child is asleep"


@pytest.mark.parametrize(
    ("result", "status", "note"),
    [
        (Killed("SIGKILL"), Status.KILLED, "Killed: SIGKILL"),
        (Exited(3), Status.EXITED, "Exited: 3"),
        (Executed(), Status.EXECUTED, "Executed"),
    ],
)
def test_an_actor_that_ended_makes_no_more_calls(result, status, note):
    found = trace("guest.last()\nguest.getpid()\nhost.getpid()", last=result)
    assert (found.entries[0].status, found.entries[0].note) == (status, note)
    assert statuses(found)[1:] == ["skipped", "returned"]


def test_a_shell_that_is_killed_does_not_end_the_actor_that_ran_it():
    assert statuses(trace("guest$ kill -9 $$\nguest.getpid()", shell=Killed("SIGKILL"))) == [
        "killed",
        "returned",
    ]


def test_an_actor_killed_by_another_is_dead():
    session = FakeSession()
    session.answer = lambda _actor, call: (
        session.dead.add("neighbour") or Returned() if call.name == "kill" else Returned()
    )
    found = run(parse("guest.kill(NEIGHBOUR_PID, SIGKILL)\nneighbour.getpid()"), session)
    assert found.entries[1].note == "Skipped: neighbour is dead"


def test_a_child_acts_under_its_name_and_its_name_is_its_pid():
    session = FakeSession(lambda _actor, call: Returned(44 if call.name == "fork" else 0))
    run(parse("kid = guest.fork()\nkid.getpid()\nguest.kill(kid, SIGKILL)"), session)
    assert session.children == ["kid"]
    assert session.asked[1:] == [("kid", "getpid", ()), ("guest", "kill", (44, 9))]


def test_a_child_of_a_failed_fork_was_never_born():
    found = trace("kid = guest.fork()\nkid.getpid()\nkid$ id", fork=denied(Errno.EAGAIN))
    assert [entry.note for entry in found.entries[1:]] == ["Skipped: kid was never born"] * 2


def test_the_last_success_of_a_repeated_fork_names_the_child():
    results = iter([Returned(44), Returned(45), denied(Errno.EAGAIN), Returned(0)])
    session = FakeSession(lambda _actor, _call: next(results))
    found = run(parse("kid = guest.fork() * 3\nguest.kill(kid, 0)"), session)
    assert statuses(found)[-1] == "returned"
    assert session.asked[-1][2] == (45, 0)


def test_an_actors_name_is_the_pid_that_the_host_sees():
    session = FakeSession()
    run(parse("host.kill(guest, 0)\nhost.kill(neighbour, 0)\nhost.kill(host, 0)"), session)
    assert [args[0] for _, _, args in session.asked] == [301, 302]


def test_a_value_that_grows_too_large_at_run_time_is_skipped_not_built():
    session = FakeSession(lambda _actor, _call: Returned(1 << 60))
    found = run(parse('n = guest.f()\nguest.write(1, "x" * n, 1)'), session)
    assert statuses(found) == ["returned", "skipped"]


def test_what_the_model_does_not_know_is_silent_and_not_an_errno():
    entry = trace("guest.f()", f=Silent("not modelled")).entries[0]
    assert (entry.status, entry.value, entry.errno) == (Status.SILENT, None, None)


def test_what_a_session_adds_about_a_call_reaches_the_trace():
    crossing = Crossing(kind="file", owner="host", operation="read", name="/srv/canary/secret")
    nested = Nested(call=Call("open", ("/proc", 0)), result=denied(Errno.ENOENT))
    session = FakeSession(told=Extra(domain="host", crossings=(crossing,), nested=(nested,)))
    found = run(parse("guest$ cat /srv/canary/secret"), session)
    entry = found.entries[0]
    assert (entry.domain, entry.crossings, entry.nested) == ("host", (crossing,), (nested,))
    assert found.sees_crossings


def test_json_has_the_promised_keys_and_only_text_and_numbers():
    found = trace(
        "guest.read(0, 9)\nguest.stat(CANARY)\nguest.f()",
        read=Returned(3, b"a\xffb"),
        stat=Returned(0, {"ino": 3, "size": (1, 2)}),
    )
    rows = json.loads(json.dumps(to_json(found)))
    promised = (
        "step line rep actor call args value errno data signal note stopped_by why cite domain"
    )
    assert set(promised.split()) <= set(rows[0])
    assert [row["data"] for row in rows] == ["a\\xffb", {"ino": 3, "size": [1, 2]}, None]


def test_a_broken_apparatus_is_noted_and_not_raised():
    session = FakeSession()

    def broken(_actor, _call):
        raise HarnessError("the agent is gone")

    session.answer = broken
    assert observe(parse("guest.getpid()"), session).failure == "the agent is gone"


def test_an_observation_holds_the_host_before_and_after():
    session = FakeSession(prints=[{"/srv/x": "1"}, {"/srv/x": "2"}])
    seen = observe(parse("guest.getpid()"), session)
    assert (seen.before, seen.after, len(seen.trace.entries)) == (
        {"/srv/x": "1"},
        {"/srv/x": "2"},
        1,
    )

"""Two runs compare equal when only identities, times and places differ."""

from fake_session import FakeSession, denied

from simulator.experiment.probes.classes import value_class
from simulator.experiment.probes.language import parse
from simulator.experiment.probes.normalise import first_difference, normalise
from simulator.experiment.probes.run import run
from simulator.experiment.probes.trace import Trace
from simulator.machine.abi.call import Blocked, Returned
from simulator.machine.abi.constants import BY_NAME
from simulator.machine.abi.errno import Errno


def traced(text, *results, constants=None):
    answers = iter(results)
    found = run(parse(text), FakeSession(lambda _actor, _call: next(answers)))
    return Trace(found.entries, constants) if constants is not None else found


def test_descriptors_are_compared_by_first_occurrence():
    text = "a, b = guest.pipe()\nc = guest.dup(a)\nguest.open(CANARY, O_RDONLY)"
    here = traced(text, Returned(0, (3, 4)), Returned(5), Returned(6))
    there = traced(text, Returned(0, (17, 23)), Returned(19), Returned(30))
    assert first_difference(here, there) is None
    other = traced(text, Returned(0, (3, 4)), Returned(5), Returned(3))
    assert first_difference(here, other) == 2


def test_pids_are_compared_by_first_occurrence_but_0_and_1_are_themselves():
    here = traced("guest.getpid()\nguest.getppid()", Returned(44), Returned(2))
    there = traced("guest.getpid()\nguest.getppid()", Returned(99), Returned(98))
    first = traced("guest.getpid()\nguest.getppid()", Returned(1), Returned(0))
    assert first_difference(here, there) is None
    assert first_difference(here, first) == 0
    assert [entry.value for entry in normalise(first)] == [1, 0]


def test_a_world_constants_pid_is_its_name():
    text = "guest.waitpid(-1, 0)"
    here = traced(text, Returned(300), constants={"HOST_PID": 300})
    there = traced(text, Returned(411), constants={"HOST_PID": 411})
    stranger = traced(text, Returned(412), constants={"HOST_PID": 411})
    assert first_difference(here, there) is None
    assert first_difference(here, stranger) == 0


def test_ordinary_numbers_and_errnos_and_statuses_are_compared_as_they_are():
    text = "guest.lseek(3, 0, SEEK_SET)"
    returned, other = traced(text, Returned(4)), traced(text, Returned(5))
    refused, badly = traced(text, denied(Errno.EPERM)), traced(text, denied(Errno.EBADF))
    asleep = traced(text, Blocked("x"))
    for one, two in ((returned, other), (refused, badly), (returned, refused), (returned, asleep)):
        assert first_difference(one, two) == 0


def test_the_wall_and_the_note_of_a_refusal_are_not_compared():
    one = traced("guest.f()", denied(Errno.EPERM, "capability"))
    two = traced("guest.f()", denied(Errno.EPERM, "seccomp"))
    assert first_difference(one, two) is None


def test_inodes_and_devices_are_identities_and_times_are_dropped():
    text = "guest.stat(CANARY) * 2"
    here = traced(
        text,
        Returned(0, {"ino": 7, "dev": 1, "mtime": 5, "mode": 0o644}),
        Returned(0, {"ino": 7, "dev": 1, "mtime": 6, "mode": 0o644}),
    )
    there = traced(
        text,
        Returned(0, {"ino": 90, "dev": 2, "mtime": 1, "mode": 0o644}),
        Returned(0, {"ino": 90, "dev": 2, "mtime": 1, "mode": 0o644}),
    )
    moved = traced(
        text,
        Returned(0, {"ino": 90, "dev": 2, "mode": 0o644}),
        Returned(0, {"ino": 91, "dev": 2, "mode": 0o644}),
    )
    assert first_difference(here, there) is None
    assert first_difference(here, moved) == 1


def test_host_paths_and_namespace_links_are_compared_by_name():
    text = 'guest.readlink("/x", 64) * 2'
    here = traced(
        text,
        Returned(4, "/srv/canary/secret (deleted)"),
        Returned(4, "pid:[4026531836]"),
        constants={"CANARY": "/srv/canary/secret", "GUEST_ROOT": "/srv"},
    )
    there = traced(
        text,
        Returned(4, b"/tmp/run1/canary (deleted)"),
        Returned(4, b"pid:[4026532999]"),
        constants={"CANARY": "/tmp/run1/canary", "GUEST_ROOT": "/tmp/run1"},
    )
    assert first_difference(here, there) is None
    assert normalise(here)[0].data == "<CANARY> (deleted)"


def test_a_longer_run_differs_where_the_shorter_one_ends():
    one = traced("guest.f() * 2", Returned(), Returned())
    assert first_difference(one, Trace(one.entries[:1])) == 1


def test_addresses_only_say_that_there_is_one():
    here = traced("guest.shmat(1, 0, 0)", Returned(0x7F0000000000))
    there = traced("guest.shmat(1, 0, 0)", Returned(0x7E0000000000))
    assert first_difference(here, there) is None


def test_a_calls_value_has_the_class_of_what_it_is():
    assert value_class("open", ()) == "fd"
    assert value_class("fcntl", (3, BY_NAME["F_DUPFD"], 0)) == "fd"
    assert value_class("fcntl", (3, BY_NAME["F_GETFD"])) == "number"
    assert value_class("clone", (0,)) == "pid"
    assert value_class("shmget", (0, 0, 0)) == "id"
    assert value_class("keyctl", (BY_NAME["KEYCTL_SEARCH"],)) == "id"
    assert value_class("keyctl", (BY_NAME["KEYCTL_READ"],)) == "number"
    assert value_class("mmap", ()) == "addr"
    assert value_class("setuid", (0,)) == "number"

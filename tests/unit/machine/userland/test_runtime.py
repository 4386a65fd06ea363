"""Programs run by turns over the kernel: time, sleep, signals, limits, background."""

from scene import line, machine, output

from simulator.machine.abi.call import Call, Returned
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel import clock
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.userland import line as lines
from simulator.machine.userland.line import begin_line
from simulator.machine.userland.runtime import Userland


def test_sleep_moves_the_virtual_clock_and_nothing_else_does() -> None:
    kernel = machine()
    before = clock.monotonic(kernel.store)
    assert line(kernel, "ls /; ps").blocked is None
    assert clock.monotonic(kernel.store) == before
    assert line(kernel, "sleep 3").status == 0
    assert clock.monotonic(kernel.store) == before + 3_000_000_000


def test_a_sleeper_in_the_background_does_not_hold_up_the_line() -> None:
    kernel = machine()
    before = clock.monotonic(kernel.store)
    assert output("sleep 1000 & echo on", kernel) == "on\n"
    assert clock.monotonic(kernel.store) == before


def test_a_line_that_waits_for_nobody_is_blocked_and_goes_on_when_somebody_comes() -> None:
    kernel = machine()
    land = Userland(kernel)
    waiting, first = begin_line(kernel, Pid(1), "mkfifo /tmp/p; cat /tmp/p", land=land)
    assert first.blocked is not None
    opened = kernel.call(Pid(1), Call("open", ("/tmp/p", 0o4001, 0)))
    assert isinstance(opened, Returned)
    kernel.call(Pid(1), Call("write", (opened.value, b"news\n", 5)))
    kernel.call(Pid(1), Call("close", (opened.value,)))
    done = waiting.proceed()
    assert (done.blocked, done.status, done.output) == (None, 0, b"news\n")


def test_a_loop_without_an_end_reaches_the_limit(monkeypatch) -> None:
    monkeypatch.setattr(lines, "MAX_CALLS", 3_000)
    kernel = machine()
    for text in ("while true; do ls /; done", "f() { f; }; f"):
        result = line(kernel, text)
        assert result.silent == "the line reached the limit of steps"
    assert line(kernel, "while true; do :; done").silent == "the line computes without end"
    living = [t for t in kernel.store.all(Task) if t.state is not TaskState.ZOMBIE]
    assert [task.comm for task in living] == ["init"]


def test_output_without_an_end_reaches_the_limit(monkeypatch) -> None:
    monkeypatch.setattr(lines, "MAX_OUTPUT", 20_000)
    assert line(machine(), "yes").silent == "the line reached the limit of steps"


def test_a_reader_that_leaves_ends_the_writer() -> None:
    result = line(machine(), "yes | head -n 1")
    assert (result.status, result.output) == (0, b"y\n")


def test_every_call_of_a_line_is_an_event_of_depth_one() -> None:
    kernel = machine()
    result = line(kernel, "echo hi")
    events = kernel.timeline.events[result.first - 1 : result.last]
    names = [event.call.name for event in events]
    assert {event.depth for event in events} == {1}
    assert names[:3] == ["pipe2", "fcntl", "fork"]
    assert "execve" in names
    assert "wait4" in names


def test_a_bracket_that_nothing_closes_reads_no_directory() -> None:
    kernel = machine()
    result = line(kernel, "[ a = a ] && echo [x")
    names = [event.call.name for event in kernel.timeline.events[result.first - 1 : result.last]]
    assert result.output == b"[x\n"
    assert "getdents64" not in names
    assert line(kernel, "cd /etc; echo [p]asswd").output == b"passwd\n"


def test_a_script_fails_where_its_fault_stands() -> None:
    for _again in range(2):  # the second time it has been read before
        result = line(machine(), "echo a\necho b )")
        assert result.status == 2
        assert result.output.startswith(b"a\n")
        assert b"syntax error" in result.output


def test_a_line_leaves_no_process_and_no_descriptor_behind() -> None:
    kernel = machine()
    before = (list(kernel.store.all(Task)), kernel.store.row(Task, 1).files)
    output("echo a | cat; (ls /); x=$(id)", kernel)
    assert [task.id for task in kernel.store.all(Task)] == [task.id for task in before[0]]
    assert output("ls /proc/1/fd", kernel) == output("ls /proc/1/fd", kernel)


def test_a_root_without_a_shell_says_so_with_status_127() -> None:
    kernel = machine()
    assert line(kernel, "rm /bin/sh").status == 0
    result = line(kernel, "echo hi")
    assert (result.status, result.output) == (127, b"/bin/sh: No such file or directory\n")


def test_a_program_that_is_ended_in_its_sleep_is_let_go() -> None:
    kernel = machine()
    land = Userland(kernel)
    _line, done = begin_line(kernel, Pid(1), "sleep 1000 & kill -9 $!; wait; echo on", land=land)
    assert done.output == b"on\n"
    while land.round():
        continue
    assert not land.programs

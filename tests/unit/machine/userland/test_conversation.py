"""An interactive shell keeps what is its own between lines, and so do the shells it starts."""

import pytest
from scene import machine

from simulator.machine.abi.ids import Pid
from simulator.machine.userland import line as lines
from simulator.machine.userland.conversation import Conversation
from simulator.machine.userland.runtime import Userland


def talk(*said: str) -> list[str]:
    """What is printed for each line, the first prompt first."""
    talking = Conversation(Userland(machine()), Pid(1))
    heard = [talking.begin().output.decode()]
    return heard + [talking.send(text).output.decode() for text in said]


def test_directory_and_variables_last_from_line_to_line() -> None:
    assert talk("cd /tmp", "x=5", "echo $x; pwd") == [
        "/ # ",
        "/tmp # ",
        "/tmp # ",
        "5\n/tmp\n/tmp # ",
    ]


def test_a_command_may_take_several_lines() -> None:
    assert talk("for i in 1 2", "do echo $i", "done", "cat <<E", "in", "E") == [
        "/ # ",
        "> ",
        "> ",
        "1\n2\n/ # ",
        "> ",
        "> ",
        "in\n/ # ",
    ]


def test_a_mistake_does_not_end_the_shell() -> None:
    heard = talk(") x", "echo $((1/0))", "cd /nosuch", ". /nosuch", "echo on")
    assert heard[1] == 'sh: syntax error: unexpected ")"\n/ # '
    assert heard[2] == "sh: divide by zero\n/ # "
    assert heard[-1] == "on\n/ # "


def test_a_shell_inside_a_namespace_reads_on() -> None:
    heard = talk("unshare -p -f --mount-proc", "ps -o pid,comm", "exit 3", "echo $?; ps | wc -l")
    assert heard[1] == "/ # "
    assert heard[2] == "PID   COMMAND\n    1 sh\n    2 ps\n/ # "
    assert heard[4].startswith("3\n")


def test_a_user_has_another_prompt() -> None:
    assert talk("su user", "id -u", "exit", "id -u") == [
        "/ # ",
        "/ $ ",
        "1000\n/ $ ",
        "/ # ",
        "0\n/ # ",
    ]


def test_status_and_end_are_told() -> None:
    talking = Conversation(Userland(machine()), Pid(1))
    talking.begin()
    assert talking.send("false").status == 1
    assert not talking.ended
    assert talking.send("exit 4").status == 4
    assert talking.ended


def test_the_end_of_input_ends_the_shell() -> None:
    talking = Conversation(Userland(machine()), Pid(1))
    talking.begin()
    assert talking.end().status == 0
    assert talking.ended


def test_a_program_beyond_the_model_ends_and_its_shell_goes_on() -> None:
    talking = Conversation(Userland(machine()), Pid(1))
    talking.begin()
    beyond = talking.send("cd /etc; ip link add a type vlan; echo $?; pwd")
    assert beyond.silent is not None
    assert not talking.ended
    rest = talking.go_on()
    assert rest.silent is None
    assert rest.output == b"1\n/etc\n/etc # "
    assert talking.send("exit 3").status == 3


def test_a_line_that_goes_beyond_the_model_without_end_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines, "MAX_CALLS", 2000)
    talking = Conversation(Userland(machine()), Pid(1))
    talking.begin()
    told = talking.send("while true; do ip link add a type vlan; done")
    while told.silent is not None and not talking.ended:
        told = talking.go_on()
    assert told.silent == "the line reached the limit of steps"
    assert talking.ended

"""What is no number where one is wanted is a complaint of the program's, never a bug of ours."""

import pytest
from scene import line, machine, output

from simulator.machine.userland import registry

ENDLESS = {"yes", "sh", "ash"}


@pytest.mark.parametrize("name", sorted(set(registry.names()) - ENDLESS))
@pytest.mark.parametrize("words", ["x", "-1 x"])
def test_no_program_stumbles_over_a_word(name: str, words: str) -> None:
    told = line(machine(), f"{name} {words} </dev/null")
    assert told.silent is None


@pytest.mark.parametrize(
    "typed",
    [
        "dd bs=x", "dd count=x", "dd skip=x if=/dev/null", "nice -n x id", "cut -f x /etc/passwd",
        "truncate -s x /tmp/a", "mknod /tmp/q b x y", "timeout x id", "setpriv --reuid x id",
        "xargs -n x", "renice -1 x", "usleep x", "head -c x /etc/passwd", "split -l x",
    ],
)  # fmt: skip
def test_the_status_says_that_it_failed(typed: str) -> None:
    told = output(f"{typed} </dev/null; echo status $?")
    assert not told.endswith("status 0\n"), told


def test_the_complaint_is_busyboxs() -> None:
    assert output("mknod /tmp/q b x y") == "mknod: invalid number 'x'\n"
    assert output("usleep x") == "usleep: invalid number 'x'\n"
    assert output("printf %q x") == "sh: %q: invalid format\n"
    assert output("sort -k x /etc/passwd") == "sort: bad field specification\n"

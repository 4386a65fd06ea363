"""rctl(8)'s numbers and rules as a person writes them: lib/libutil, usr.bin/rctl/rctl.c."""

import pytest

from simulator.machine.userland.programs.rctl import RuleError, expand, humanized


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (9999, "9999"),
        (10_000, "9.8K"),
        (12_345, "12K"),
        (9 * 1024 + 973, "10K"),
        (1 << 20, "1024K"),
        (16 << 20, "16M"),
        (1 << 30, "1024M"),
        (1500 << 20, "1500M"),
        (10_000 << 20, "9.8G"),
    ],
)
def test_a_number_is_shown_in_five_characters(number: int, text: str) -> None:
    assert humanized(number) == text


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("j:web:maxproc:deny=100", "jail:web:maxproc:deny=100"),
        ("jail:web:vmemoryuse:deny=1g/process", "jail:web:vmemoryuse:deny=1073741824/process"),
        ("c:users:maxproc:deny=0x10", "loginclass:users:maxproc:deny=16"),
        ("p:12:maxproc:deny=010", "process:12:maxproc:deny=8"),
        ("user:root:maxproc:deny=10", "user:root:maxproc:deny=10"),
        ("j:web:shmsize:deny=1MB", "jail:web:shmsize:deny=1048576"),
        (":", "::"),
        ("::maxproc", "::maxproc"),
        (":::=/", ":::=/"),
        (":::deny", ":::deny"),
    ],
)
def test_a_rule_is_written_out(rule: str, text: str) -> None:
    assert expand(rule) == text


@pytest.mark.parametrize("amount", ["often", "5z", "17e", "08", "16384p"])
def test_an_amount_that_is_none_is_refused(amount: str) -> None:
    with pytest.raises(RuleError, match=f"invalid numeric value '{amount}'"):
        expand(f"j:web:maxproc:deny={amount}")

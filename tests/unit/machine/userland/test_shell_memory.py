"""A shell that doubles what it holds runs out of memory, as a real one does; we don't."""

import pytest
from scene import line, machine


@pytest.mark.parametrize(
    "text",
    [
        "a=x; while true; do a=$a$a; done; echo no",
        'set -- a b; while true; do set -- "$@" "$@"; done; echo no',
        "a=x; while true; do a=`echo $a$a` || exit 1; done; echo no",
    ],
)
def test_doubling_ends_in_one_line_and_status_1(text: str) -> None:
    result = line(machine(), text)
    assert result.status == 1
    assert result.output == b"sh: out of memory\n"


def test_seq_writes_as_it_counts() -> None:
    result = line(machine(), "seq 1 1000000000000 | head -n 2; seq 9999 10001 | tail -n 1")
    assert result.output == b"1\n2\n10001\n"


def test_seq_refuses_what_is_no_number() -> None:
    assert line(machine(), "seq x").status == 1
    assert line(machine(), "seq").status == 1

"""What never ends, or is larger than any machine, ends in bounded memory with one clear line."""

import resource

import pytest

from simulator.experiment.engine.executor import open_session
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.call import Returned, Silent
from simulator.machine.kernel.vfs import content
from simulator.machine.kernel.vfs.inode import Inode

LIMIT = "the line reached the limit of steps"


def run(line: str, spec: str = "none") -> tuple[str, str]:
    """What the line printed, and why the model had no answer."""
    result = open_session(load_world(), parse_spec(spec)).shell("guest", line)
    if isinstance(result, Silent):
        return "", result.note
    assert isinstance(result, Returned), result
    return result.data.decode("latin-1"), ""


@pytest.mark.parametrize(
    "line",
    [
        "yes > /tmp/y",
        "cat /dev/zero > /tmp/z",
        "cat /dev/urandom > /tmp/z",
        "head -c 100G /dev/zero | wc -c",
        "seq 1 1e9 > /tmp/s",
        "tail -c 5 /dev/zero",
        "tail -f /dev/null",
        "awk 'BEGIN{while(1);}'",
        "awk 'BEGIN{for(;;) n++}'",
    ],
)
def test_a_line_without_end_is_ended_before_it_has_eaten_the_memory(
    monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setattr("simulator.machine.userland.line.MAX_CALLS", 10_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert LIMIT in run(line)[1]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_a_thousand_blocks_of_a_gigabyte_fill_the_disk_and_no_memory() -> None:
    said, _ = run("dd if=/dev/zero of=/tmp/x bs=1G count=1000; stat -c %s /tmp/x; echo a > /tmp/y")
    assert "No space left on device" in said
    assert "8+0 records out" in said
    assert str(8 << 30) in said


def test_dd_needs_the_memory_of_one_block() -> None:
    said, _ = run("dd if=/dev/zero of=/dev/null bs=1G count=3; echo $?", "docker --memory 256m")
    assert said.splitlines()[-1] == "137"


def test_a_gigabyte_of_zeros_is_copied_and_a_terabyte_counted() -> None:
    said, _ = run(
        "dd if=/dev/zero of=/tmp/a bs=1M count=1000; wc -c /tmp/a;"
        "truncate -s 1T /tmp/b; wc -c < /tmp/b"
    )
    assert "1000+0 records out" in said
    assert f"{1000 << 20} /tmp/a" in said
    assert str(1 << 40) in said


def test_what_holds_a_whole_file_says_when_it_has_no_memory_left() -> None:
    assert run("sort /dev/zero; echo $?")[0] == "sort: out of memory\n1\n"


def test_a_fork_bomb_leaves_the_simulator_alive() -> None:
    session = open_session(load_world(), parse_spec("none"))
    session.shell("guest", ":(){ :|:& };:")
    answer = session.shell("host", "echo alive")
    assert isinstance(answer, Returned)
    assert b"alive" in answer.data


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("seq 1 5 | tail -n 2", "4\n5\n"),
        ("seq 1 5 | tail -n +4", "4\n5\n"),
        ("printf abcdef | tail -c 2", "ef"),
        ("printf abcdef | tail -c +5", "ef"),
        ("seq 1 3 | wc", "        3         3         6\n"),
        ("printf 'a b' | wc -w", "2\n"),
        ("seq 1 0.5 2", "1.0\n1.5\n2.0\n"),
        ("seq -w 9 10", "09\n10\n"),
        ("seq 3 1", ""),
        ("dd bs=0", "dd: number 0 is not in 1..2147483647 range\n"),
        ("dd count=x", "dd: invalid number 'x'\n"),
        ("(sleep 2; echo late >> /tmp/l) & touch /tmp/l; timeout 5 tail -f /tmp/l", "late\n"),
    ],
)
def test_ends_counts_and_amounts(line: str, said: str) -> None:
    assert said in run(line)[0]


def test_appended_bytes_are_copied_only_as_often_as_they_double() -> None:
    row = Inode(id=1, sb=1, mode=0o100644)  # pyright: ignore[reportArgumentType]
    whole = b""
    for number in range(2000):
        block = bytes([number % 255 + 1]) * 997
        changes = content.written(row, len(whole), block, len(block))
        row = Inode(id=1, sb=1, mode=0o100644, **changes)  # pyright: ignore[reportArgumentType]
        whole += block
    assert len(row.extents) < 50
    assert content.read(row, 0, row.size) == whole
    assert content.read(row, 700_001, 12_345) == whole[700_001:712_346]
    assert content.pages(row) == -(-len(whole) // content.PAGE)


def test_a_line_that_kills_who_typed_it_leaves_the_session_usable() -> None:
    session = open_session(load_world(), parse_spec("docker"))
    session.shell("host", "kill -9 0")
    answer = session.shell("guest", "echo alive")
    assert isinstance(answer, Returned)
    assert b"alive" in answer.data
    assert not isinstance(session.shell("host", "echo alive"), Returned)


@pytest.mark.parametrize(
    "line",
    [
        "tr",
        "time",
        "mountpoint",
        "pgrep '('",
        "pkill '['",
        "mount --",
        "mknod a ''",
        "sed",
        "sed Z",
    ],
)
def test_a_program_called_wrongly_says_so(line: str) -> None:
    said, _ = run(f"{line} </dev/null; echo =$?")
    name = line.split()[0]
    assert said.startswith((f"{name}: ", "BusyBox v1.35.0"))
    assert f"{name}: " in said or f"\n\nUsage: {name} " in said
    assert "=1" in said


@pytest.mark.parametrize(
    ("script", "left"),
    [
        ("-i s/b/X/", "a\nX\nc\n"),
        ("-i.bak -e /b/,/c/d", "a\n"),
        ("-i '$d'", "a\nb\n"),
        ("-i '1a hello'", "a\nhello\nb\nc\n"),
        (r"-i 's/\(.\)/[\1]/;y/b/B/'", "[a]\n[B]\n[c]\n"),
        ("-n -i 2p", "b\n"),
    ],
)
def test_sed_edits_in_place(script: str, left: str) -> None:
    assert run(rf"printf 'a\nb\nc\n' > /tmp/s; sed {script} /tmp/s; cat /tmp/s")[0] == left


@pytest.mark.parametrize(
    "program",
    [
        'BEGIN{s="x"; while(1) s=s s}',
        "function f(n){return f(n+1)} BEGIN{f(1)}",
        "BEGIN{$100000000=1}",
        'BEGIN{printf "%1000000000d", 1; print "end"; exit 1}',
        "BEGIN{" + "(" * 5000 + "1",
    ],
)
def test_an_awk_program_that_grows_without_end_is_refused(program: str) -> None:
    said, silent = run(f"awk '{program}'; echo $?")
    assert not silent
    assert said.splitlines()[-1] == "1"
    assert "Traceback" not in said

"""How commands end when their output leads nowhere, and the words of their complaints."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.cli import main

FULL = Path("/dev/full")


def started(*words: str, stdout: object) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "simulator.cli", *words], stdout=stdout, stderr=subprocess.PIPE
    )


@pytest.mark.skipif(not FULL.exists(), reason="this system has no full device")
@pytest.mark.parametrize(
    "words", [["list", "technologies"], ["--help"], ["list", "technologies", "--json"]]
)
def test_a_full_disk_below_standard_output_is_one_clear_line(words: list[str]) -> None:
    with FULL.open("wb") as full, started(*words, stdout=full) as process:
        err = process.communicate()[1].decode()
    assert process.returncode == 2
    assert err == "vitrina: standard output: can't be written: No space left on device\n"


@pytest.mark.skipif(os.name == "nt", reason="pipes break otherwise there")
def test_whoever_stops_reading_is_told_of_as_a_signal_and_not_as_a_failure() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with started("list", "scenarios", stdout=writing) as process:
        os.close(writing)
        err = process.communicate()[1].decode()
    assert (process.returncode, err) == (141, "")


def test_h_is_help_for_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["run", "-h"]) == 0
    assert capsys.readouterr().out.startswith("Usage: vitrina run")


def test_a_mistyped_scenario_has_a_suggestion_however_it_is_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("fs/chroot-scape", "fs.chroot-scape", "scenarios/fs/chroot-scape.toml"):
        assert main.run(["run", name]) == 2
        assert "did you mean fs.chroot-escape?" in capsys.readouterr().err
    assert main.run(["run", "mine/own.toml"]) == 2
    assert "mine/own.toml: no such file" in capsys.readouterr().err


def test_what_is_no_number_is_said_in_the_language_spoken(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main.run(["--lang", "es", "serve", "--port", "abc"]) == 2
    err = capsys.readouterr().err
    assert "integer range" not in err
    assert "número" in err


def test_a_socket_that_cannot_be_made_is_one_clear_line() -> None:
    with started("engine", "--socket", "/no/such/dir/x", stdout=subprocess.DEVNULL) as process:
        err = process.communicate()[1].decode()
    assert process.returncode == 2
    assert err == "vitrina: /no/such/dir/x: No such file or directory\n"


@pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminals there")
def test_ctrl_c_at_the_prompt_of_a_shell_forgets_the_line_and_asks_anew() -> None:
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a job in the background ignores it
        os.execv(sys.executable, [sys.executable, "-m", "simulator.cli", "shell", "chroot"])
    seen = b""
    for typed in (b"echo forgotten \x03", b"echo kept\n", b"exit 3\n"):
        while not seen.rstrip().endswith(b"#"):
            seen += os.read(terminal, 1024)
        os.write(terminal, typed)
        seen = b"" if typed.endswith(b"\x03") else seen + b"\n"
    with contextlib.suppress(OSError):  # Linux says EIO when the other end is closed
        while more := os.read(terminal, 1024):
            seen += more
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
    assert b"\nkept" in seen
    assert b"\nforgotten" not in seen

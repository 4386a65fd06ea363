"""How commands end when their output leads nowhere, and the words of their complaints."""

import os
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

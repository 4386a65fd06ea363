"""The command line as scripts and teachers rely on it."""

import json
from pathlib import Path

import pytest

from simulator.cli import main


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main.run(["--lang", "en", *words])
    done = capsys.readouterr()
    return status, done.out, done.err


@pytest.mark.parametrize("kind", ["technologies", "mechanisms", "probes", "scenarios"])
def test_lists_are_json_with_ids(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _err = call(capsys, "list", kind, "--json")
    rows = json.loads(out)
    assert status == 0
    assert all(row["id"] for row in rows)
    assert len(rows) >= 5


def test_run_prints_the_promised_keys(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _err = call(
        capsys, "run", "fs/chroot-escape", "--on", "none", "--on", "chroot", "--json"
    )
    rows = json.loads(out)
    assert status == 0
    assert [row["outcome"] for row in rows] == ["LEAKS", "LEAKS"]
    for row in rows:
        assert {"spec", "without", "outcome", "stopped_by", "evidence", "provenance"} <= set(row)
    assert rows[0]["evidence"]
    assert rows[0]["provenance"] == "MODEL"


def test_trace_prints_one_entry_a_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = tmp_path / "p.txt"
    program.write_text('guest.mkdir("/tmp/x", 0o700)\nguest.chdir("/tmp/x") * 2\n')
    status, out, _err = call(capsys, "trace", str(program), "--on", "chroot", "--json")
    entries = json.loads(out)
    assert status == 0
    assert [(entry["step"], entry["rep"], entry["value"]) for entry in entries] == [
        (0, 0, 0),
        (1, 0, 0),
        (1, 1, 0),
    ]
    for key in [
        "line",
        "actor",
        "call",
        "args",
        "errno",
        "data",
        "signal",
        "note",
        "stopped_by",
        "why",
        "cite",
        "domain",
    ]:
        assert key in entries[0]


def test_matrix_gives_cells(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _err = call(
        capsys, "matrix", "--on", "none", "--scenario", "fs.chroot-escape", "--json"
    )
    (cell,) = json.loads(out)["cells"]
    assert status == 0
    assert {"probe", "group", "spec", "outcome", "stopped_by", "evidence"} <= set(cell)


@pytest.mark.parametrize("form", ["md", "html", "csv", "svg"])
def test_a_matrix_is_written_in_each_format(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / f"m.{form}"
    words = ["matrix", "--on", "none", "--scenario", "fs.chroot-escape", "-o", str(target)]
    status, out, _err = call(capsys, *words)
    assert status == 0
    assert out == ""
    assert "LEAKS" in target.read_text()


def test_plan_names_a_mechanism_beside_each_call(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _err = call(capsys, "plan", "docker", "--json")
    steps = json.loads(out)["steps"]
    assert status == 0
    assert any(step["call"] == "pivot_root" for step in steps)
    assert {"uts-ns", "seccomp", "capabilities"} <= {step["mechanism"] for step in steps}


def test_compare_finds_the_first_difference(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["compare", "none", "sealed", "--scenario", "fs.read-canary", "--json"]
    status, out, _err = call(capsys, *words)
    assert status == 0
    assert json.loads(out)["first_difference"] is not None


def test_compare_names_the_rule_on_each_side(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["compare", "docker", "none", "--scenario", "hostname.set"]
    status, out, _err = call(capsys, *words)
    assert status == 0
    assert "docker: EPERM [seccomp]" in out
    assert "What keeps such objects away: uts-ns" in out
    assert "docker: HOLDS [seccomp]" in out
    assert "none: LEAKS" in out
    status, out, _err = call(capsys, *words, "--json")
    found = json.loads(out)
    assert [one["stopped_by"] for one in found["verdicts"]] == ["seccomp", None]
    assert [one["stopped_by"] for one in found["rows"][0]["entries"]] == ["seccomp", None]
    assert found["rows"][0]["entries"][0]["why"]


def test_repetitions_that_came_out_alike_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["cgroups pids.max=16", "openvz --numproc 16"]
    status, out, _err = call(capsys, "compare", *words, "--scenario", "resources.processes")
    assert status == 0
    assert out.count("guest.fork ×") == 3  # two stretches, and the second again with its rules
    assert "EAGAIN [cgroup-pids]" in out
    assert "ENOMEM [beancounters]" in out


def test_a_moment_is_compared_on_its_own_specs(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _err = call(capsys, "compare", "--moment", "blind-host")
    assert status == 0
    assert "vserver: ESRCH [context-visibility]" in out
    assert call(capsys, "compare", "--moment", "blind")[0] == 2
    assert call(capsys, "compare", "--moment", "3", "--scenario", "hostname.set")[0] == 2
    status, out, _err = call(capsys, "list", "moments", "--json")
    assert [one["number"] for one in json.loads(out)] == list(range(1, 16))


def test_exec_prints_and_returns_what_the_command_did(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, _err = call(capsys, "exec", "chroot", "--", "echo", "hello")
    assert (status, out) == (0, "hello\n")
    status, out, _err = call(capsys, "exec", "chroot", "--", "false")
    assert status == 1


@pytest.mark.parametrize(
    "words",
    [
        ["run", "no/such"],
        ["run", "fs/chroot-escape", "--on", "doker"],
        ["run", "fs/chroot-escape", "--on", "docker", "--without", "nothing"],
        ["run", "fs/chroot-escape", "--nonsense"],
        ["run"],
        ["plan", "docker --bogus"],
        ["plan", "docker", "--without", "mount-ns"],
        ["trace", "/no/such/file", "--on", "none"],
        ["trace", "/", "--on", "none"],
        ["list", "nonsense"],
        ["nonsense"],
        ["compare", "none"],
        ["check", "/no/such/file.toml"],
        [],
        ["matrix", "--on", "none", "--scenario", "fs.chroot-escape", "-o", "/no/such/dir/x.md"],
    ],
)
def test_bad_input_is_one_line_on_standard_error_and_status_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = call(capsys, *words)
    assert status == 2
    assert out == ""
    assert err.startswith("vitrina: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00binary",
        b"guest.open(__import__('os'))\n",
        b"for x in y: pass\n",
        b"import os\n",
    ],
)
def test_a_file_that_is_no_program_is_one_clear_line(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad"
    path.write_bytes(content)
    status, out, err = call(capsys, "trace", str(path), "--on", "none")
    assert (status, out) == (2, "")
    assert str(path) in err
    assert err.count("\n") == 1


def test_an_interrupt_is_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_args: object, **_more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(main.cli, "main", interrupted)
    status, _out, _err = call(capsys, "list")
    assert status == 130


def test_help_speaks_the_language_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--lang", "en", "--help"]) == 0
    assert "technologies side by side" in capsys.readouterr().out


def test_plain_text_has_no_escape_sequences(capsys: pytest.CaptureFixture[str]) -> None:
    _status, out, _err = call(capsys, "list", "technologies")
    assert "\x1b" not in out


def test_the_language_may_follow_the_command_but_not_a_programs_own_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main.run(["list", "--help", "--lang", "es"]) == 0
    spanish = capsys.readouterr().out
    assert main.run(["--lang=es", "list", "--help"]) == 0
    assert capsys.readouterr().out == spanish
    assert main.run(["exec", "none", "--", "echo", "--lang", "es"]) == 0
    assert capsys.readouterr().out == "--lang es\n"


def test_an_open_quotation_in_a_spec_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--lang", "en", "plan", "docker '"]) == 2
    assert "a quotation or an escape is not closed" in capsys.readouterr().err


def test_a_spec_file_without_an_end_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    endless = tmp_path / "x.toml"
    endless.write_text("spec = 'none'\n#" + "x" * 2_000_000)
    assert main.run(["--lang", "en", "plan", str(endless)]) == 2
    assert "larger than" in capsys.readouterr().err

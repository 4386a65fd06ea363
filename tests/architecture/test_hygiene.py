"""What an import may load, and how large a room may grow."""

import ast
import dataclasses
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from simulator.machine.kernel.family import Traits

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "simulator").rglob("*.py"))

MODULE_LINES = 400
TECHNOLOGY_LINES = 60
SHARED = {"__init__", "base", "registry"}
"""What stands beside the technologies and is none."""
FUNCTION_LINES = 60

POSIX_ONLY = ("fcntl", "grp", "pwd", "resource", "termios", "pty", "tty")


def loaded_by(statement: str, *, blocked: tuple[str, ...] = ()) -> set[str]:
    """The modules that a fresh interpreter has loaded after ``statement``."""
    block = "".join(f"sys.modules[{name!r}] = None\n" for name in blocked)
    program = (
        f"import sys\n{block}{statement}\nprint('\\n'.join(m for m, v in sys.modules.items() if v))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_engine_runs_without_a_screen():
    loaded = loaded_by("import simulator.experiment.engine.executor")

    assert "textual" not in loaded
    assert "rich" not in loaded


def test_the_help_loads_neither_the_engine_nor_a_screen():
    loaded = loaded_by(
        "from simulator.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass"
    )

    assert not {"textual", "simulator.experiment.engine.executor"} & loaded


@pytest.mark.parametrize(
    "module", ["simulator.experiment.engine.executor", "simulator.classroom.tui.app"]
)
def test_the_model_and_the_screens_import_where_posix_modules_are_missing(module):
    # Textual itself needs termios on POSIX; elsewhere it doesn't ask, so it is let through here.
    blocked = tuple(m for m in POSIX_ONLY if m not in ("termios", "tty", "fcntl"))

    assert module in loaded_by(f"import {module}", blocked=blocked)


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_fits_in_a_sitting(source):
    is_technology = source.parent.name == "technologies" and source.stem not in SHARED
    limit = TECHNOLOGY_LINES if is_technology else MODULE_LINES
    assert len(source.read_text().splitlines()) <= limit


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_function_fits_on_a_screen(source):
    tree = ast.parse(source.read_text())
    long = [
        f"{node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]

    assert long == []


def test_every_trait_of_a_kernel_is_read_by_some_handler():
    read = {
        node.attr
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Attribute)
    }

    assert {field.name for field in dataclasses.fields(Traits)} - read == set()


def test_no_index_is_declared_twice():
    # Each costs something at every write of its rows.
    declared = Counter(
        indexed(*node.args[:2])
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Index"
    )

    assert len(declared) > 20
    assert [index for index, count in declared.items() if count > 1] == []


def indexed(row: ast.expr, key: ast.expr) -> str:
    """An index in words, whatever its function calls a row."""
    if not isinstance(key, ast.Lambda):
        return f"{ast.unparse(row)} {ast.unparse(key)}"
    own_name = rf"\b{key.args.args[0].arg}\b"
    return f"{ast.unparse(row)} {re.sub(own_name, 'row', ast.unparse(key.body))}"


def test_the_first_screen_brings_no_docker_along():
    loaded = loaded_by("import simulator.classroom.tui.app")

    assert not [name for name in loaded if name.startswith("simulator.isolation.control.docker")]


def test_imports_go_one_way():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_every_test_file_has_a_name_of_its_own():
    # Test folders are no packages: pytest imports each file by its bare name.
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []

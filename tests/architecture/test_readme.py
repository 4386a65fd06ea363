"""The two front pages say the same, and what they tell a reader to type exists."""

import re
import shlex
from pathlib import Path

import pytest

from simulator.cli.main import cli

TOP = Path(__file__).parents[2]
PAGES = {name: (TOP / name).read_text(encoding="utf-8") for name in ("README.md", "README.es.md")}


def _commands(page: str) -> list[str]:
    """The code of a page, without comments and the choice of a language."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    lines = [line.partition("  #")[0].rstrip() for block in blocks for line in block.splitlines()]
    return [line.replace("--lang es ", "") for line in lines]


def test_both_pages_have_the_same_code_and_as_many_sections() -> None:
    english, spanish = PAGES.values()
    assert _commands(english) == _commands(spanish)
    assert english.count("\n## ") == spanish.count("\n## ")
    assert english.count("\n- **") == spanish.count("\n- **")


def test_every_command_that_a_page_shows_exists() -> None:
    shown = {
        shlex.split(line)[1]
        for line in _commands(PAGES["README.md"])
        if line.startswith("vitrina ")
    }
    assert len(shown) > 10
    assert shown <= set(cli.list_commands(None))  # pyright: ignore


def test_the_map_names_every_room_and_no_other() -> None:
    page = (TOP / "simulator/README.md").read_text(encoding="utf-8")
    wings = re.search(r"^```\n(cli/.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert wings is not None
    named = re.findall(r"^(?:  )?(\w+)/ ", wings[1], re.MULTILINE)

    packages = {path.parent for path in (TOP / "simulator").glob("*/**/__init__.py")}
    rooms = {path.name for path in packages if path.parent.parent.parent == TOP}
    halls = {path.name for path in packages if path.parent.parent == TOP}
    assert set(named) == rooms - {"commands", "present"} | halls


@pytest.mark.parametrize("name", ["simulator/README.md", "tests/README.md"])
def test_every_file_that_a_page_for_contributors_names_exists(name: str) -> None:
    named = re.findall(r"`([\w/]+\.(?:py|toml|md))`", (TOP / name).read_text(encoding="utf-8"))
    places = [path.as_posix() for top in ("*.toml", "[!.]*/**/*.*") for path in TOP.glob(top)]
    assert named
    assert [one for one in named if not any(path.endswith(f"/{one}") for path in places)] == []


def test_every_link_of_a_page_leads_somewhere() -> None:
    for name, page in PAGES.items():
        for target in re.findall(r"\]\(([^)#:]+)\)", page):
            assert (TOP / target).exists(), f"{name}: {target}"

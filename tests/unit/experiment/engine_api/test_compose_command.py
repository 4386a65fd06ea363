"""``vitrina compose`` from a real terminal's side: the README's example, against a real socket."""

import asyncio
import re
from pathlib import Path

import pytest

from simulator.experiment.engine_api import compose
from simulator.experiment.engine_api.server import Server

README = Path(__file__).parents[4] / "README.md"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    section = README.read_text(encoding="utf-8").partition("## Compose files")[2]
    example = re.search(r"```yaml\n(.*?)```", section, re.DOTALL)
    assert example is not None
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "compose.yaml").write_text(example[1], encoding="utf-8")
    monkeypatch.chdir(tmp_path / "app")
    return tmp_path


async def _on_an_engine(place: Path, *lines: str) -> list[int]:
    server = Server()
    path = str(place / "e.sock")
    await server.listen_unix(path)
    running = asyncio.ensure_future(server.run())
    env = {"DOCKER_HOST": f"unix://{path}"}
    try:
        return [await compose.run(line.split(), env) for line in lines]
    finally:
        server.stop()
        await running


def test_the_readmes_example(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    section = README.read_text(encoding="utf-8").partition("## Compose files")[2]
    typed = re.findall(r"^vitrina compose (.*?)(?:  +#.*)?$", section, re.MULTILINE)
    assert len(typed) == 5
    statuses = asyncio.run(_on_an_engine(place, *typed))
    printed, told = capfd.readouterr()
    assert statuses == [0] * 5, told
    assert "Welcome to nginx!" in printed
    assert "PONG" in printed
    assert re.search(r"app-store-1 +redis .*\(healthy\)", printed)
    assert told.index("app-store-1  Healthy") < told.index("app-web-1  Starting")
    assert " Volume app_data  Removed\n" in told


def test_what_is_bound_is_copied_to_the_engines_machine(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (place / "app" / "site").mkdir()
    (place / "app" / "site" / "page").write_text("from here\n", encoding="utf-8")
    (place / "app" / "key").write_text("hush", encoding="utf-8")
    (place / "app" / "compose.yaml").write_text(
        "services:\n  web:\n    image: busybox\n    command: cat /in/page /run/secrets/key\n"
        "    volumes: [./site:/in]\n    secrets: [key]\nsecrets: {key: {file: ./key}}\n",
        encoding="utf-8",
    )
    assert asyncio.run(_on_an_engine(place, "up")) == [0]
    printed, _told = capfd.readouterr()
    assert printed == "web-1  | from here\nweb-1  | hush\nweb-1 exited with code 0\n"


def test_an_image_is_built_from_this_machines_files(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (place / "app" / "compose.yaml").write_text(
        "services:\n  web:\n    build: .\n", encoding="utf-8"
    )
    (place / "app" / "Dockerfile").write_text(
        "FROM busybox\nCOPY note /note\nCMD cat /note\n", encoding="utf-8"
    )
    (place / "app" / "note").write_text("built here\n", encoding="utf-8")
    assert asyncio.run(_on_an_engine(place, "up")) == [0]
    printed, told = capfd.readouterr()
    assert "web-1  | built here\n" in printed
    assert " Service web  Built\n" in told


def test_without_an_engine_one_lives_as_long_as_the_command(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    del place
    assert asyncio.run(compose.run(["up", "-d"], {})) == 0
    printed, told = capfd.readouterr()
    assert "app-web-1" in printed
    assert "vitrina engine --socket" in told


def test_an_engine_that_is_not_there_is_told(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert asyncio.run(compose.run(["--socket", str(place / "no.sock"), "ps"], {})) == 1
    assert capfd.readouterr().err.startswith("Cannot connect to the Docker daemon at unix://")

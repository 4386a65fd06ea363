"""The real docker command builds, pushes and pulls against ``vitrina engine``."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real.conftest import requires

pytestmark = [
    pytest.mark.real,
    pytest.mark.xdist_group("engine_build"),
]

Docker = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    requires("docker")
    place = tmp_path_factory.mktemp("engine")
    path = place / "docker.sock"
    words = [sys.executable, "-m", "simulator.cli.main", "engine", "--socket", str(path)]
    command = shutil.which("vitrina", path=str(Path(sys.executable).parent))
    if command is not None:
        words = [command, *words[3:]]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as engine:
        for _ in range(300):
            if path.exists():
                break
            time.sleep(0.1)
        env = {**os.environ, "DOCKER_HOST": f"unix://{path}", "DOCKER_BUILDKIT": "0",
               "DOCKER_CONFIG": str(place / "config")}  # fmt: skip

        def docker(*args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
            return subprocess.run(["docker", *args], input=stdin, text=True, capture_output=True,
                                  env=env, check=False, timeout=100)  # fmt: skip

        yield docker
        engine.terminate()


def test_build_caches_and_tags(run: Docker, tmp_path: Path) -> None:
    text = 'FROM busybox\nRUN echo hi > /hi\nCOPY . /all/\nCMD ["cat", "/hi"]\n'
    (tmp_path / "Dockerfile").write_text(text)
    (tmp_path / "kept").write_text("k")
    (tmp_path / "hidden").write_text("h")
    (tmp_path / ".dockerignore").write_text("hidden\n")
    first = run("build", "-t", "one:1", str(tmp_path))
    assert first.returncode == 0, first.stderr
    assert "Successfully tagged one:1" in first.stdout
    assert run("build", "-t", "one:1", str(tmp_path)).stdout.count("---> Using cache") == 3
    assert run("run", "--rm", "one:1").stdout == "hi\n"
    listed = run("run", "--rm", "one:1", "ls", "-A", "/all").stdout
    assert listed == ".dockerignore\nDockerfile\nkept\n"
    failed = run("build", "-", stdin="FROM busybox\nRUN exit 4\n")
    assert failed.returncode == 4
    assert "returned a non-zero code: 4" in failed.stderr
    quiet = run("build", "-q", "--build-arg", "A=1", "-", stdin="FROM one:1\nARG A\nRUN echo $A\n")
    assert quiet.stdout.startswith("sha256:")
    assert '/bin/sh -c #(nop) COPY dir' in run("history", "--no-trunc", "one:1").stdout.replace(
        "#(nop)  ", "#(nop) ")  # fmt: skip


def test_login_push_and_pull(run: Docker) -> None:
    refused = run("login", "-u", "student", "--password-stdin", stdin="wrong")
    assert "unauthorized: incorrect username or password" in refused.stderr
    assert run("login", "-u", "student", "--password-stdin", stdin="student").returncode == 0
    run("pull", "alpine")
    run("tag", "alpine", "student/mine:1")
    assert "1: digest: sha256:" in run("push", "student/mine:1").stdout
    assert run("tag", "alpine", "teacher/box").returncode == 0
    assert "denied: requested access" in run("push", "teacher/box").stderr


def test_platforms(run: Docker) -> None:
    ran = run("run", "--rm", "--platform", "linux/arm64", "alpine:3.19", "uname", "-m")
    assert ran.returncode == 255
    assert "exec /bin/uname: exec format error" in ran.stderr
    ran = run("run", "--rm", "alpine:3.19", "true")
    assert "does not match the detected host platform (linux/amd64)" in ran.stderr

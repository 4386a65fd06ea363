"""``vitrina engine --state`` killed in the middle of its work: what was acknowledged is there."""

import subprocess
import sys
import threading
from pathlib import Path

import docker
import docker.errors
import requests


def _server(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    path, state = folder / "docker.sock", folder / "state"
    words = [sys.executable, "-m", "simulator.cli", "engine", "--socket", str(path)]
    server = subprocess.Popen([*words, "--state", str(state)], stderr=subprocess.PIPE)
    assert server.stderr is not None
    for line in server.stderr:
        if b"DOCKER_HOST" in line:
            return server, f"unix://{path}"
    raise AssertionError("it did not start")


def test_a_kill_in_the_middle_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    server, url = _server(tmp_path)
    client = docker.DockerClient(base_url=url, timeout=60)
    client.images.pull("busybox", tag="latest")
    acknowledged: list[tuple[str, str]] = []
    enough = threading.Event()

    def work() -> None:
        try:
            for at in range(1000):
                volume = client.volumes.create(f"kept-{at}")
                acknowledged.append(("volume", volume.name))
                one = client.containers.create("busybox", "true", name=f"kept-{at}")
                acknowledged.append(("container", one.name))
                if at == 4:
                    enough.set()
        except (docker.errors.DockerException, requests.exceptions.RequestException):
            return

    worker = threading.Thread(target=work)
    worker.start()
    assert enough.wait(60)
    server.kill()
    server.wait()
    worker.join(60)
    client.close()
    server, url = _server(tmp_path)
    try:
        client = docker.DockerClient(base_url=url, timeout=60)
        volumes = {one.name for one in client.volumes.list()}
        containers = {one.name for one in client.containers.list(all=True)}
        there = {"volume": volumes, "container": containers}
        assert len(acknowledged) >= 10
        assert [one for one in acknowledged if one[1] not in there[one[0]]] == []
        assert client.containers.run("busybox", "echo alive", remove=True) == b"alive\n"
        client.close()
    finally:
        server.kill()
        server.wait()


def test_sigterm_ends_a_busy_engine(tmp_path: Path) -> None:
    server, url = _server(tmp_path)
    try:
        client = docker.DockerClient(base_url=url, timeout=60)
        client.images.pull("busybox", tag="latest")
        begun = threading.Event()

        def work() -> None:
            try:
                while True:
                    client.ping()
                    client.volumes.create()
                    begun.set()
            except (docker.errors.DockerException, requests.exceptions.RequestException):
                return

        worker = threading.Thread(target=work)
        worker.start()
        assert begun.wait(60)
        server.terminate()
        assert server.wait(60) == 0
        worker.join(60)
        assert not (tmp_path / "docker.sock").exists()
    finally:
        server.kill()
        server.wait()

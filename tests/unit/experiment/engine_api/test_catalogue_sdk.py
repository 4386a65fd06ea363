"""The SDK builds, pushes and pulls; a port of the simulated host is reached from this machine."""

import asyncio
import io
import json
import socket
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import docker
import pytest

from simulator.experiment.engine_api.server import Server

pytestmark = pytest.mark.xdist_group("catalogue_sdk")  # one engine for all of them


class Served(NamedTuple):
    client: docker.DockerClient
    port: int


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    path = tmp_path_factory.mktemp("engine") / "docker.sock"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    servers: list[Server] = []

    async def serve() -> None:
        server = Server()
        await server.listen_unix(str(path))
        await server.listen_tcp("127.0.0.1", port, ("127.0.0.1", 8080))
        servers.append(server)
        await server.run(ready.set)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(60)
    client = docker.DockerClient(base_url=f"unix://{path}", timeout=60)
    yield Served(client, port)
    client.close()
    loop.call_soon_threadsafe(servers[0].stop)
    thread.join(10)


def test_a_built_site_is_served_to_this_machine(served: Served, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("built\n")
    (tmp_path / "secret").write_text("x")
    (tmp_path / ".dockerignore").write_text("secret\n")
    (tmp_path / "Dockerfile").write_text("FROM nginx\nCOPY . /usr/share/nginx/html\n")
    image, log = served.client.images.build(path=str(tmp_path), tag="site:1", rm=True)
    assert {"stream": "Successfully tagged site:1\n"} in list(log)
    one = served.client.containers.run(image, detach=True, ports={"80/tcp": 8080})
    with urllib.request.urlopen(f"http://127.0.0.1:{served.port}/", timeout=30) as answer:
        assert answer.read() == b"built\n"
        assert answer.headers["Server"].startswith("nginx/")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://127.0.0.1:{served.port}/secret", timeout=30)
    assert b'"GET / HTTP/1.1" 200' in one.logs()
    one.remove(force=True)


def test_errors_of_a_build_are_the_sdks(served: Served) -> None:
    with pytest.raises(docker.errors.BuildError, match="returned a non-zero code: 3"):
        served.client.images.build(fileobj=io.BytesIO(b"FROM busybox\nRUN exit 3\n"))
    with pytest.raises(docker.errors.APIError, match="unknown instruction: NO"):
        served.client.images.build(fileobj=io.BytesIO(b"FROM busybox\nNO\n"))


def test_push_and_pull_with_a_login(served: Served) -> None:
    client = served.client
    with pytest.raises(docker.errors.APIError, match="unauthorized"):
        client.login("student", "wrong")
    assert client.login("student", "student")["Status"] == "Login Succeeded"
    client.images.pull("alpine", tag="3.20").tag("student/mine", tag="1")
    lines = [json.loads(line) for line in client.images.push("student/mine", tag="1").splitlines()]
    digest = next(line["aux"]["Digest"] for line in lines if "aux" in line)
    client.images.remove("student/mine:1", force=True)
    pulled = client.images.pull("student/mine", tag="1")
    assert f"student/mine@{digest}" in pulled.attrs["RepoDigests"]
    assert [one["name"] for one in client.images.search("postgres")] == ["postgres"]

"""The Docker SDK for Python, unchanged, against ``vitrina engine`` on a real socket."""

import asyncio
import io
import tarfile
import threading
from collections.abc import Iterator

import docker
import pytest

from simulator.experiment.engine_api.server import Server

pytestmark = pytest.mark.xdist_group("sdk")  # one engine for all of them


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[docker.DockerClient]:
    path = tmp_path_factory.mktemp("engine") / "docker.sock"
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    servers: list[Server] = []

    async def serve() -> None:
        server = Server()
        await server.listen_unix(str(path))
        servers.append(server)
        await server.run(ready.set)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(60)
    client = docker.DockerClient(base_url=f"unix://{path}", timeout=60)
    client.images.pull("busybox", tag="latest")
    yield client
    client.close()
    loop.call_soon_threadsafe(servers[0].stop)
    thread.join(10)


def test_system(sdk: docker.DockerClient) -> None:
    assert sdk.ping()
    assert sdk.version()["Os"] == "linux"
    assert sdk.info()["Driver"] == "overlay2"
    assert sdk.df()["LayersSize"] > 0


def test_a_run_gives_its_output(sdk: docker.DockerClient) -> None:
    assert sdk.containers.run("busybox", "echo hi", remove=True) == b"hi\n"
    with pytest.raises(docker.errors.ContainerError) as failed:
        sdk.containers.run("busybox", "sh -c 'echo no >&2; exit 3'", remove=True)
    assert failed.value.exit_status == 3
    assert failed.value.stderr == b"no\n"
    with pytest.raises(docker.errors.ImageNotFound):
        sdk.containers.run("nosuch-image", "true")


def test_a_container_lives(sdk: docker.DockerClient) -> None:
    one = sdk.containers.run("busybox", "sh", detach=True, tty=True, stdin_open=True, name="lively")
    assert one.status == "created"
    one.reload()
    assert one.status == "running"
    assert one.exec_run("echo in").output == b"in\n"
    code, (out, err) = one.exec_run(["sh", "-c", "echo o; echo e >&2; exit 4"], demux=True)
    assert (code, out, err) == (4, b"o\n", b"e\n")
    one.pause()
    one.unpause()
    one.rename("livelier")
    assert one.top()["Titles"][1] == "PID"
    assert one.stats(stream=False)["pids_stats"]["current"] == 1
    one.resize(40, 100)
    one.stop(timeout=0)
    assert one.wait()["StatusCode"] == 137
    one.restart(timeout=0)
    one.kill()
    one.remove(force=True)
    with pytest.raises(docker.errors.NotFound):
        sdk.containers.get("livelier")


def test_logs_follow(sdk: docker.DockerClient) -> None:
    script = "for i in 1 2 3; do echo $i; sleep 0.1; done"
    one = sdk.containers.run("busybox", ["sh", "-c", script], detach=True)
    assert list(one.logs(stream=True, follow=True)) == [b"1\n", b"2\n", b"3\n"]
    assert one.logs(tail=1) == b"3\n"
    one.remove(force=True)


def test_attached_input_reaches_the_program(sdk: docker.DockerClient) -> None:
    one = sdk.containers.create("busybox", "cat", stdin_open=True)
    socket = one.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
    one.start()
    socket._sock.sendall(b"typed\n")
    head = socket.read(8)
    assert socket.read(int.from_bytes(head[4:], "big")) == b"typed\n"
    socket._sock.close()
    one.remove(force=True)


def test_files(sdk: docker.DockerClient) -> None:
    one = sdk.containers.create("busybox", "true")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("given")
        info.size = 2
        archive.addfile(info, io.BytesIO(b"ok"))
    assert one.put_archive("/tmp", out.getvalue())
    bits, told = one.get_archive("/tmp/given")
    assert told["name"] == "given"
    with tarfile.open(fileobj=io.BytesIO(b"".join(bits))) as archive:
        taken = archive.extractfile("given")
        assert taken is not None
        assert taken.read() == b"ok"
    assert {"Path": "/tmp/given", "Kind": 1} in one.diff()
    image = one.commit("committed", tag="1")
    assert sdk.containers.run(image, "cat /tmp/given", remove=True) == b"ok"
    one.remove()


def test_networks_and_volumes(sdk: docker.DockerClient) -> None:
    network = sdk.networks.create("sdk-net", labels={"a": "b"})
    volume = sdk.volumes.create("sdk-volume")
    one = sdk.containers.run(
        "busybox",
        "sleep 100",
        detach=True,
        network="sdk-net",
        volumes={"sdk-volume": {"bind": "/v"}},
    )
    network.reload()
    assert [c.id for c in network.containers] == [one.id]
    assert one.attrs["Mounts"] == [] or one.attrs["Mounts"][0]["Name"] == "sdk-volume"
    with pytest.raises(docker.errors.APIError, match="volume is in use"):
        volume.remove()
    one.remove(force=True, v=True)
    network.remove()
    volume.remove()
    assert "sdk-volume" not in [v.name for v in sdk.volumes.list()]


def test_events_are_seen(sdk: docker.DockerClient) -> None:
    stream = sdk.events(decode=True, filters={"type": "container"})
    one = sdk.containers.create("busybox", "true")
    assert next(stream)["Action"] == "create"
    one.remove()
    assert next(stream)["Action"] == "destroy"
    stream.close()


def test_images(sdk: docker.DockerClient) -> None:
    image = sdk.images.get("busybox")
    assert image.tag("sdk/box", tag="1")
    image.reload()
    assert "sdk/box:1" in image.tags
    saved = b"".join(image.save(named="sdk/box:1"))
    sdk.images.remove("sdk/box:1")
    assert sdk.images.load(saved)[0].id == image.id
    assert image.history()[0]["Id"] == image.id
    with pytest.raises(docker.errors.ImageNotFound):
        sdk.images.get("nothing/of/the/kind")


def test_fifty_clients(sdk: docker.DockerClient) -> None:
    results: list[bytes] = []
    place = f"unix://{sdk.api.get_adapter(sdk.api.base_url).socket_path}"

    def run() -> None:
        # A client each: one that threads share loses connections of its own pool
        client = docker.DockerClient(base_url=place, timeout=60)
        results.append(client.containers.run("busybox", "echo many", remove=True))
        client.close()

    threads = [threading.Thread(target=run) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [b"many\n"] * 50

"""The two engines that the calls are made to."""

import asyncio
import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import docker

from simulator.experiment.engine_api.server import Server
from simulator.experiment.real import dockerd
from simulator.experiment.real.sandbox import Machine
from simulator.experiment.scenarios.load import load_world
from tests.unit.experiment.engine_api.sdk_calls.suite import BOX


@contextlib.contextmanager
def serving(path: Path) -> Iterator[Server]:
    """An engine of ours on a socket, in a thread, as long as the block lasts."""
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    tasks: list[asyncio.Future[None]] = []
    servers: list[Server] = []

    async def serve() -> None:
        server = Server()
        servers.append(server)
        await server.listen_unix(str(path))
        tasks.append(asyncio.ensure_future(server.run(ready.set)))
        await asyncio.wait(tasks)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(60)
    yield servers[0]
    loop.call_soon_threadsafe(tasks[0].cancel)
    thread.join(10)


@contextlib.contextmanager
def ours(path: Path) -> Iterator[str]:
    """Our engine with the box and nothing else."""
    with serving(path):
        url = f"unix://{path}"
        client = docker.DockerClient(base_url=url, timeout=60)
        client.images.pull("busybox", tag="latest").tag(BOX)
        client.images.remove("busybox:latest")
        client.close()
        yield url


@contextlib.contextmanager
def real() -> Iterator[str]:
    """A private dockerd in a scratch machine with the box and nothing else."""
    from tests.real.test_engine_parity import box

    machine = Machine(load_world(), unified=True)
    try:
        dockerd.Engine(machine)
        url = f"unix://{machine.root}/run/docker.sock"
        environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "DOCKER_HOST": url}
        words = ["docker", "import", "-c", "ENV PATH=/bin", "-", BOX]
        subprocess.run(words, input=box(), env=environ, check=True, capture_output=True)
        subprocess.run(
            ["docker", "rmi", dockerd.IMAGE], env=environ, check=True, capture_output=True
        )
        yield url
    finally:
        machine.close()

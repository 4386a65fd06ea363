"""RUN: a real container of the image so far, whose layer becomes the next one.

moby ``builder/dockerfile/containerbackend.go`` and ``dispatchers.go`` (dispatchRun).
"""

from typing import Any

import msgspec

from simulator.isolation.control.docker.api.errors import ApiError
from simulator.isolation.control.docker.building import arguments, layers
from simulator.isolation.control.docker.building.dockerfile import Instruction
from simulator.isolation.control.docker.building.state import Build, BuildFailed
from simulator.isolation.control.docker.engine import create, removing, running
from simulator.isolation.control.docker.engine.config import (
    CreateRequest,
    HostSettings,
)
from simulator.isolation.control.docker.engine.container import Container
from simulator.isolation.control.docker.engine.streams import STDERR
from simulator.isolation.control.docker.images import tarball
from simulator.isolation.control.docker.images.store import Image
from simulator.isolation.control.docker.wire.exchange import Gone
from simulator.machine.userland.process import Process


async def run(build: Build, one: Instruction) -> Image:
    """The image after a command. Raises ``BuildFailed`` for a status that is not 0."""
    stage = build.stage
    command = arguments.command(one, stage.shell)
    given = {
        name: value
        for name, value in build.arguments.values().items()
        if name not in stage.env
    }  # fmt: skip
    saved = build.arguments.saved(given)
    told = command
    if saved:
        told = [f"|{len(saved)}", *(f"{name}={value}" for name, value in saved.items()), *command]
    hit = layers.probed(build, told, Entrypoint=None)
    if hit is not None:
        await build.say(" ---> Using cache\n")
        return hit
    if stage.image is None:
        await _no_root(command)
    container = await _create(build, command, given)
    await build.say(f" ---> Running in {container.id[:12]}\n")
    code = await _run(build, container)
    if code:
        words = " ".join(command)
        raise BuildFailed(f"The command '{words}' returned a non-zero code: {code}", code)
    content = await tarball.pack(build.sys, f"{container.layer}/diff", layer=True)
    return await layers.commit(build, told, container.id, content, Entrypoint=None)


async def _no_root(command: list[str]) -> None:
    program = command[0] if command else "/bin/sh"
    raise ApiError(
        "failed to create task for container: failed to create shim task: OCI runtime create"
        " failed: runc create failed: unable to start container process: exec:"
        f' "{program}": stat {program}: no such file or directory: unknown'
    )


async def _create(build: Build, command: list[str], given: dict[str, str]) -> Container:
    stage, options = build.stage, build.options
    config: dict[str, Any] = {
        **stage.config,
        "Cmd": command,
        "Entrypoint": [""],
        "Env": [*(stage.config.get("Env") or []), *(f"{k}={v}" for k, v in given.items())],
        "Image": stage.id,
        "AttachStdout": True,
        "AttachStderr": True,
        "Healthcheck": {"Test": ["NONE"]},
        "Volumes": stage.config.get("Volumes"),
    }
    request = msgspec.convert(config, CreateRequest)
    mode = "bridge" if options.network in ("", "default") else options.network
    wanted = {**options.host, "NetworkMode": mode, "Memory": options.memory}
    request.HostConfig = msgspec.convert(wanted, HostSettings)
    container, _warnings = await create.create(build.sys, build.engine, "", request)
    build.containers.append(container.id)
    return container


async def _run(build: Build, container: Container) -> int:
    channel = container.streams.attach()
    await running.start(build.sys, build.engine, container)
    if build.cancelled:
        await cancel(build, build.sys)
    while (piece := await channel.get(build.sys)) is not None:
        text = piece.data.decode("utf-8", "replace")
        await build.say(text, error=piece.stream == STDERR)
    await running.wait_end(build.sys, container, -1)
    if build.cancelled:
        raise Gone
    return container.state.ExitCode


async def cancel(build: Build, sys: Process) -> None:
    """Nobody waits for it any more: what runs for it is killed (containerManager.Run())."""
    build.cancelled = True
    for ident in build.containers:
        container = build.engine.containers.get(ident)
        if container is not None and container.state.Running:
            await removing.kill(sys, build.engine, container, "KILL")


async def remove_all(build: Build) -> None:
    """Remove intermediate containers, telling of each."""
    for ident in build.containers:
        container = build.engine.containers.get(ident)
        if container is not None:
            await removing.remove(build.sys, build.engine, container, force=True, volumes=True)
        await build.say(f" ---> Removed intermediate container {ident[:12]}\n")
    build.containers.clear()

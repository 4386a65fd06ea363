"""Containers in docker's own places that another hand launched: the sandbox of a session.

What launched it left what docker's launch leaves (``containers/NAME``, its layer, its control
group), but no record. The daemon makes one of what it sees, under the name that it finds: without
that, ``docker ps`` would not show the sandbox, and its address would be given to somebody else.
"""

from typing import TYPE_CHECKING

from simulator.isolation.control.docker.engine import files, running, times
from simulator.isolation.control.docker.engine.config import (
    ContainerConfig,
    EndpointSettings,
    HostSettings,
)
from simulator.isolation.control.docker.engine.container import Container, ContainerState, Record
from simulator.isolation.control.docker.engine.ids import new_id
from simulator.machine.abi.constants import O_CLOEXEC, O_RDONLY, SIGKILL
from simulator.machine.userland.process import Process, SysError

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

_ROOT = "/var/lib/docker/containers"
_IMAGE = "vitrina:guest"
_LINE = 1024


async def adopt(sys: Process, engine: "Engine") -> None:
    """Know whoever is there and was not known; see to the end of those that have ended.

    One stat(2) as long as nothing was added or taken away.
    """
    await see_to_ends(sys, engine)
    try:
        changed = (await sys.stat(_ROOT)).get("mtime", 0)
    except SysError:
        return
    if changed == engine.looked:
        return
    starting = False
    for name in await files.names(sys, _ROOT):
        if name in engine.containers or name in engine.names:
            continue
        if not await files.exists(sys, f"{_ROOT}/{name}/config.v2.json"):
            pids = await _pids(sys, name)
            starting |= not pids
            if pids:
                await _enter(sys, engine, name, pids[0])
    if not starting:  # else its process is yet to come, and the directory will not tell
        engine.looked = changed


async def _pids(sys: Process, name: str) -> list[int]:
    for group in await running.groups(sys, name):
        text = await sys.text_or_empty(f"{group}/cgroup.procs")
        if text:
            return sorted(int(line) for line in text.split())
    return []


async def _enter(sys: Process, engine: "Engine", name: str, pid: int) -> None:
    words = (await sys.text_or_empty(f"/proc/{pid}/cmdline")).rstrip("\0").split("\0")
    hostname = (await sys.text_or_empty(f"{_ROOT}/{name}/hostname")).strip()
    now = times.rfc3339(await times.now(sys))
    record = Record(
        ID=name,
        Name=name,
        Created=now,
        Path=words[0],
        Args=words[1:],
        Config=ContainerConfig(Hostname=hostname, Cmd=words, Image=_IMAGE, Labels={}),
        Image=_IMAGE,
        State=ContainerState(Running=True, Pid=pid, StartedAt=now),
    )
    host = HostSettings(NetworkMode="bridge")
    host.RestartPolicy.Name, host.LogConfig.Type = "no", "none"
    container = Container(record, host)
    container.stranger = True
    engine.strangers.append(container)
    engine.enter(container)
    await _on_the_bridge(sys, engine, container)


async def _on_the_bridge(sys: Process, engine: "Engine", container: Container) -> None:
    """Its address, from the hosts file that was written for it."""
    bridge = engine.networks.find("bridge")
    for line in (await sys.text_or_empty(f"{container.root}/hosts")).splitlines():
        address, _, name = line.partition("\t")
        if name.split()[:1] == [container.config.Hostname] and "." in address:
            got = EndpointSettings(
                NetworkID=bridge.Id, EndpointID=await new_id(sys), Gateway=bridge.Gateway,
                IPAddress=address, IPPrefixLen=16,
            )  # fmt: skip
            container.record.Networks["bridge"] = got
            bridge.Endpoints[container.id] = got


async def see_to_ends(sys: Process, engine: "Engine") -> None:
    """Nobody here is their parent, so their end is seen when somebody looks."""
    for one in tuple(engine.strangers):
        stat = await _stat(sys, one)
        ended = stat.rpartition(b")")[2].split()[:1] in ([], [b"Z"], [b"X"])
        if ended and one in engine.strangers:  # else another worker has seen it
            engine.strangers.remove(one)
            await sys.succeeds("close", one.stat)
            await running.ended_with(sys, engine, one, SIGKILL if one.stopping else 0)


async def _stat(sys: Process, one: Container) -> bytes:
    """/proc/PID/stat, kept open: it is looked at with every request. Empty when it has gone."""
    try:
        if one.stat < 0:
            one.stat = await sys.open(f"/proc/{one.state.Pid}/stat", O_RDONLY | O_CLOEXEC)
        return await sys.data("pread64", one.stat, _LINE, 0)
    except SysError:
        return b""

"""The world constants of a simulated session."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from simulator.experiment.probes.world import World
from simulator.machine.abi.call import Value
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.kernel import Kernel

if TYPE_CHECKING:
    from simulator.experiment.engine.session import Actor


def world_constants(
    world: World, kernel: Kernel, actors: "Mapping[str, Actor]", daemons: Mapping[str, Pid]
) -> dict[str, Value]:
    """Names of ``probes.constants.WORLD_CONSTANTS`` with this world's values."""
    del kernel
    found: dict[str, Value] = {
        "CANARY": world.canary,
        "CANARY_NAME": world.canary.rpartition("/")[2],
        "CANARY_SIZE": len(world.secret),
        "GUEST_ROOT": world.guest_root,
        "HOST_NAME": world.hostname,
        "HOST_DOMAIN": world.domainname,
    }
    for one in world.interfaces:
        if not one.loopback:
            found |= {"HOST_INTERFACE": one.name, "HOST_ADDRESS": one.address}
            break
    names = {"shm": "HOST_SHM_KEY", "sem": "HOST_SEM_KEY", "msg": "HOST_MSG_KEY"}
    found |= {names[one.kind]: one.key for one in world.ipc}
    found |= _listeners(world)
    if world.disks:
        found |= {
            "HOST_DISK_MAJOR": world.disks[0].major,
            "HOST_DISK_MINOR": world.disks[0].minor,
            "HOST_DISK": world.disks[0].name,
        }
    ordinary = [user for user in world.users if user.uid and user.name != "nobody"]
    if ordinary:
        found["HOST_USER"] = ordinary[0].uid
    rooted = [process for process in world.processes if process.uid == 0]
    if rooted:
        found["HOST_PID"] = daemons[rooted[0].name]
        found["HOST_DAEMON"] = rooted[0].name
    found |= dict(world.constants)
    for actor, name in (
        ("host", "HOST_ACTOR_PID"),
        ("guest", "GUEST_PID"),
        ("neighbour", "NEIGHBOUR_PID"),
    ):
        if actor in actors:
            found[name] = actors[actor].pid
    return found


def _listeners(world: World) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for process in world.processes:
        for listener in process.listens:
            match listener.kind:
                case "inet":
                    found.setdefault("HOST_PORT", listener.port)
                case "unix":
                    found.setdefault("HOST_SOCKET", listener.address)
                case "abstract":
                    found.setdefault("HOST_ABSTRACT", f"\0{listener.address}")
    return found

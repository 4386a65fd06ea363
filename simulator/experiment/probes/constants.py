"""Names that a world gives a probe, in one place for the model and the real kernel.

Every session answers ``constants()`` with a value for each of these (a probe that uses one which
a session cannot give is skipped at that step, with a note):

================= ==== =================================================================
CANARY            str  path of the host's secret file, as the host names it
CANARY_NAME       str  its last component (``secret``)
CANARY_SIZE       int  its size in bytes; the same in twin worlds
GUEST_ROOT        str  the guest's tree as the host names it (``/srv/guest``)
HOST_ONLY         str  a world-writable directory of the host outside the guest's tree
HOST_NAME         str  the machine's host name (``vitrina-host``)
HOST_PID          int  a daemon of the host, root's, as the host sees it; its environment holds
                       ``VITRINA_SECRET=<secret>``
HOST_DAEMON       str  that daemon's command name
HOST_ACTOR_PID    int  the process of the actor ``host``, as the host sees it
GUEST_PID         int  the process of the actor ``guest``, as the host sees it
NEIGHBOUR_PID     int  the process of the actor ``neighbour``, as the host sees it
NEIGHBOUR_CANARY  str  path of the neighbour's secret file, as the neighbour names it
HOST_SHM_KEY      int  key of a SysV shared memory segment of the host, mode 0666, of 4096 bytes;
                       it begins with the secret
HOST_SEM_KEY      int  key of a SysV set of one semaphore of the host, mode 0666, value 1
HOST_MSG_KEY      int  key of a SysV message queue of the host, mode 0666; holds one message of
                       type 1 whose text is the secret
HOST_ABSTRACT     str  abstract Unix socket (``"\\0..."``) on which a host process listens
HOST_SOCKET       str  path Unix socket, mode 0666, on which a host process listens; the path
                       is the host's and lies outside the guest's tree
HOST_PORT         int  TCP port on 127.0.0.1 and ::1 on which a host process listens
HOST_FREE_PORT    int  TCP port that nobody uses
HOST_INTERFACE    str  a network interface of the host that is not loopback
HOST_ADDRESS      str  the IPv4 address of that interface
HOST_USER         int  uid of the host's ordinary user (1000)
HOST_DISK_MAJOR   int  block device of the host's disk: 8
HOST_DISK_MINOR   int  0
HOST_DISK         str  its name: ``sda``
HOST_KEY          str  description of a key of type ``user`` in root's user keyring
HOST_DOMAIN       str  the host's NIS domain name
================= ==== =================================================================

The secret is a string of fixed length (``world.secret`` in the world file); twin worlds differ in
nothing but its characters.
"""

from typing import TypeAlias

from simulator.experiment.probes.world import World
from simulator.machine.abi.call import Value

Kind: TypeAlias = type[int] | type[str]

WORLD_CONSTANTS: dict[str, Kind] = {
    "CANARY": str,
    "CANARY_NAME": str,
    "CANARY_SIZE": int,
    "GUEST_ROOT": str,
    "HOST_ONLY": str,
    "HOST_NAME": str,
    "HOST_PID": int,
    "HOST_DAEMON": str,
    "HOST_ACTOR_PID": int,
    "GUEST_PID": int,
    "NEIGHBOUR_PID": int,
    "NEIGHBOUR_CANARY": str,
    "HOST_SHM_KEY": int,
    "HOST_SEM_KEY": int,
    "HOST_MSG_KEY": int,
    "HOST_ABSTRACT": str,
    "HOST_SOCKET": str,
    "HOST_PORT": int,
    "HOST_FREE_PORT": int,
    "HOST_INTERFACE": str,
    "HOST_ADDRESS": str,
    "HOST_USER": int,
    "HOST_DISK_MAJOR": int,
    "HOST_DISK_MINOR": int,
    "HOST_DISK": str,
    "HOST_KEY": str,
    "HOST_DOMAIN": str,
}
"""Every world constant and the type of its value."""

ACTOR_PIDS: dict[str, str] = {
    "host": "HOST_ACTOR_PID",
    "guest": "GUEST_PID",
    "neighbour": "NEIGHBOUR_PID",
}
"""An actor's name used as a value is the pid that its parent, the host, saw."""


def plain_constants(world: World) -> dict[str, Value]:
    """Those that name no process, each the first of its kind; the world's own list wins."""
    found: dict[str, Value] = {
        "CANARY": world.canary,
        "CANARY_NAME": world.canary.rpartition("/")[2],
        "CANARY_SIZE": len(world.secret),
        "GUEST_ROOT": world.guest_root,
        "HOST_NAME": world.hostname,
        "HOST_DOMAIN": world.domainname,
    }
    if world.daemon is not None:
        found["HOST_DAEMON"] = world.daemon.name
    card = next((one for one in world.interfaces if not one.loopback), None)
    if card is not None:
        found |= {"HOST_INTERFACE": card.name, "HOST_ADDRESS": card.address}
    user = next((one for one in world.users if one.uid and one.name != "nobody"), None)
    if user is not None:
        found["HOST_USER"] = user.uid
    if world.disks:
        disk = world.disks[0]
        found |= {"HOST_DISK_MAJOR": disk.major, "HOST_DISK_MINOR": disk.minor}
        found["HOST_DISK"] = disk.name
    for ipc in world.ipc:
        found.setdefault(f"HOST_{ipc.kind.upper()}_KEY", ipc.key)
    return found | _listeners(world) | dict(world.constants)


def _listeners(world: World) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for listener in (one for process in world.processes for one in process.listens):
        match listener.kind:
            case "inet":
                found.setdefault("HOST_PORT", listener.port)
            case "unix":
                found.setdefault("HOST_SOCKET", listener.address)
            case "abstract":
                found.setdefault("HOST_ABSTRACT", f"\0{listener.address}")
    return found

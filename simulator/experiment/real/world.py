"""The default world as a developer's stand-in, and the constants that a world gives a session."""

from simulator.experiment.probes.world import (
    Disk,
    File,
    Interface,
    Ipc,
    Listener,
    Process,
    User,
    World,
)
from simulator.machine.abi.call import Value

_SOCKET = "/run/vitrina.sock"

DEFAULT = World(
    id="default",
    hostname="vitrina-host",
    domainname="vitrina.example",
    secret="canary-quartz-lantern-meadow-owl",
    canary="/srv/canary/secret",
    guest_root="/srv/guest",
    users=(
        User(name="root", uid=0, gid=0, home="/root"),
        User(name="user", uid=1000, gid=1000, home="/home/user"),
        User(name="nobody", uid=65534, gid=65534, home="/", shell="/bin/false"),
    ),
    files=(
        File(path="/srv/canary", kind="dir", mode=0o755),
        File(path="/srv/canary/secret", mode=0o600, text="{secret}"),
        File(path="/srv/open", kind="dir", mode=0o1777),
        File(path="/root/notes", mode=0o600, text="{secret}"),
        File(path="/srv/canary/neighbour", mode=0o600, text="{secret}", tree="neighbour"),
    ),
    processes=(
        Process(
            name="vitrinad",
            argv=("vitrinad", "--serve"),
            environ=(("PATH", "/bin"), ("VITRINA_SECRET", "{secret}")),
            listens=(
                Listener(kind="inet", address="127.0.0.1", port=4711),
                Listener(kind="inet", address="::1", port=4711),
                Listener(kind="unix", address=_SOCKET),
                Listener(kind="abstract", address="vitrina-host"),
            ),
        ),
        Process(
            name="postgres",
            argv=("postgres", "-D", "/srv/db"),
            uid=1000,
            gid=1000,
            environ=(("PATH", "/bin"), ("PGPASSWORD", "{secret}")),
        ),
    ),
    interfaces=(Interface(name="eth0", address="192.0.2.10", prefix=24, mac="02:00:5e:00:02:0a"),),
    ipc=(
        Ipc(kind="shm", key=0x56495401, size=4096, text="{secret}"),
        Ipc(kind="sem", key=0x56495402, value=1),
        Ipc(kind="msg", key=0x56495403, text="{secret}"),
    ),
    disks=(Disk(major=8, minor=0, name="sda", text="{secret}"),),
    constants=(
        ("HOST_ONLY", "/srv/open"),
        ("NEIGHBOUR_CANARY", "/srv/canary/neighbour"),
        ("HOST_FREE_PORT", 4712),
        ("HOST_KEY", "vitrina:host"),
    ),
)


def constants(world: World) -> dict[str, Value]:
    """World constants that do not name a process; the world's own list wins."""
    listeners = [item for process in world.processes for item in process.listens]
    derived: dict[str, Value] = {
        "CANARY": world.canary,
        "CANARY_NAME": world.canary.rpartition("/")[2],
        "CANARY_SIZE": len(world.secret),
        "GUEST_ROOT": world.guest_root,
        "HOST_NAME": world.hostname,
        "HOST_DOMAIN": world.domainname,
        "HOST_USER": next((user.uid for user in world.users if user.uid == 1000), 1000),
    }
    rooted = [process.name for process in world.processes if process.uid == 0]
    if rooted:
        derived["HOST_DAEMON"] = rooted[0]
    for listener in listeners:
        match listener.kind:
            case "inet":
                derived["HOST_PORT"] = listener.port
            case "unix":
                derived["HOST_SOCKET"] = listener.address
            case "abstract":
                derived["HOST_ABSTRACT"] = "\0" + listener.address.lstrip("\0@")
    for interface in world.interfaces:
        if not interface.loopback:
            derived["HOST_INTERFACE"] = interface.name
            derived["HOST_ADDRESS"] = interface.address
    for ipc in world.ipc:
        derived[f"HOST_{ipc.kind.upper()}_KEY"] = ipc.key
    for disk in world.disks:
        derived["HOST_DISK_MAJOR"], derived["HOST_DISK_MINOR"] = disk.major, disk.minor
        derived["HOST_DISK"] = disk.name
    return derived | dict(world.constants)

"""Booting a machine from a world: files, daemons with sockets, IPC objects, interfaces, devices.

Files are stored directly, as a disk that was written before the machine was switched on. What is
alive is made by system calls of host processes, so that nothing exists that a process could not
have made.
"""

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple, cast

import msgspec

from simulator.experiment.engine import trees
from simulator.experiment.engine.setup import groups_of, mount_all, root_of, say
from simulator.experiment.engine.trees import Place
from simulator.experiment.probes.layout import NODES
from simulator.experiment.probes.world import Interface, Listener, Process, World
from simulator.isolation.control.toolset import Unit, installed
from simulator.isolation.technologies.base import Technology
from simulator.machine import families
from simulator.machine.abi.call import Value
from simulator.machine.abi.constants import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    IPC_CREAT,
    KEY_SPEC_SESSION_KEYRING,
    KEY_SPEC_USER_KEYRING,
    KEYCTL_JOIN_SESSION_KEYRING,
    KEYCTL_LINK,
    O_RDWR,
    SETVAL,
    SOCK_STREAM,
)
from simulator.machine.abi.ids import HOST, KERNEL, Pid
from simulator.machine.kernel.boot import INIT, boot
from simulator.machine.kernel.cred import mask
from simulator.machine.kernel.family import Family
from simulator.machine.kernel.ipc.shm import Segment
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.net import interface as links
from simulator.machine.kernel.resource import layout
from simulator.machine.kernel.resource.memory import Memory
from simulator.machine.kernel.resource.processors import Disk, Processors
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.vfs import tree
from simulator.machine.kernel.vfs.inode import Dentry, Superblock
from simulator.machine.state.store import Counter

FIRST_PID = 411
"""The last pid that was used before the world's own processes, as after a boot."""

_MULTI_QUEUE = (5, 0)
"""The first release of Linux without the old schedulers of disks, cfq among them."""

TENANTS = ("guest", "neighbour")


class Machine(NamedTuple):
    """A booted machine: its kernel, and the processes that have a name."""

    kernel: Kernel
    actors: Mapping[str, Pid]
    daemons: Mapping[str, Pid]
    units: Mapping[Pid, str]
    """Daemons that are programs of ``isolation/control``, with their names."""


def build(world: World, technology: Technology, facts: frozenset[str]) -> Machine:
    """A machine with ``world`` on it, ready for ``technology`` to be launched."""
    kernel = boot(family_of(technology, facts), world.hostname)
    _bound(kernel, facts)
    _hardware(kernel, world)
    layout.setup(
        kernel.store,
        groups_of(kernel.family, facts),
        kernel.family.controllers,
        named=layout.NAMES in kernel.family.features,
    )
    root = root_of(kernel)
    host = Place(root, HOST)
    trees.populate(kernel.store, host, world, technology.kernel)
    if technology.kernel == "linux":
        trees.nodes(kernel.store, host, NODES)
    _tools(kernel, host, technology)
    _disks(kernel, world)
    _host_files(kernel, host, world, technology)
    _tenants(kernel, world, technology)
    mount_all(kernel, facts, technology.kernel)
    _descriptors(kernel)
    for one in world.interfaces:
        _interface(kernel, one)
    kernel.store.put(Counter(id=("pid", kernel.store.row(Task, INIT).ns.pid), last=FIRST_PID))
    say(kernel, INIT, "setdomainname", world.domainname, len(world.domainname))
    _ipc(kernel, world)
    _key(kernel, world)
    daemons = {one.name: _daemon(kernel, one, world.secret) for one in world.processes}
    units = _units(kernel, world, technology)
    actors = {
        name: _child(kernel, comm)
        for name, comm in (("host", "sh"), ("runtime", technology.launcher))
    }
    say(kernel, actors["runtime"], "setsid")  # a login shell's, or a daemon's
    # One more call, so that what was written last belongs to the boot and not to the launch.
    say(kernel, INIT, "getpid")
    return Machine(kernel, actors, daemons, units)


def _hardware(kernel: Kernel, world: World) -> None:
    """Processors, memory and the disk that the world's machine has."""
    kernel.store.put(Processors(id=0, count=world.cpus))
    kernel.store.put(Memory(id=0, total=world.memory))
    scheduler = "cfq" if kernel.family.release < _MULTI_QUEUE else "mq-deadline"
    for one in world.disks:
        kernel.store.put(Disk(id=one.major << 8 | one.minor, scheduler=scheduler))


def _bound(kernel: Kernel, facts: frozenset[str]) -> None:
    """A machine that was itself started with less: ``lacks CAP_...`` takes it from everybody."""
    gone = mask(
        " ".join(fact.removeprefix("lacks ") for fact in facts if fact.startswith("lacks "))
    )
    init = kernel.store.row(Task, INIT)
    cred = msgspec.structs.replace(
        init.cred,
        bounding=init.cred.bounding & ~gone,
        permitted=init.cred.permitted & ~gone,
        effective=init.cred.effective & ~gone,
    )
    kernel.store.put(msgspec.structs.replace(init, cred=cred))


def tenant_of(world: World, tenant: str) -> World:
    """The same machine without anything of the host's: what a tenant alone on it would have."""
    files = tuple(
        msgspec.structs.replace(one, tree="host")
        for one in world.files
        if one.tree in (tenant, "all")
    )
    return msgspec.structs.replace(
        world,
        hostname=f"{tenant}-machine",
        domainname="(none)",
        secret="",
        files=files,
        processes=(),
        ipc=(),
        disks=(),
        interfaces=tuple(one for one in world.interfaces if one.loopback),
        constants=(("HOST_KEY", ""),),
    )


def family_of(technology: Technology, facts: frozenset[str]) -> Family:
    """The kernel that ``technology`` is a part of, ``without`` what this machine's lacks and
    ``with`` what few have.

    A fact ``machine aarch64`` or ``release 5.15.0-126-generic`` is what uname(2) says here, a fact
    ``set fs.protected_symlinks 0`` a setting of the machine that is not as the model's own.
    """
    gone = {fact.removeprefix("without ") for fact in facts if fact.startswith("without ")}
    family = families.kernel(technology.release or technology.kernel)
    said = dict(fact.split(" ", 1) for fact in facts if fact.startswith(("machine ", "release ")))
    more = {fact.removeprefix("with ") for fact in facts if fact.startswith("with ")}
    settings = dict(fact.split(" ", 2)[1:] for fact in facts if fact.startswith("set "))
    if not gone and not said and not more and not settings:
        return family
    kept = {name: one for name, one in family.filesystems.items() if name not in gone}
    return dataclasses.replace(
        family,
        features=(family.features | more) - gone,
        controllers=family.controllers - gone,
        filesystems=kept,
        sysctls={name: settings.get(name, value) for name, value in family.sysctls.items()},
        machine=said.get("machine", family.machine),
        release_name=said.get("release", family.release_name),
    )


def _tools(kernel: Kernel, host: Place, technology: Technology) -> None:
    """What the operator has to type: in /usr/sbin, with the files each product brings."""
    for one in installed(technology):
        trees.install(kernel.store, host, one)


def _host_files(kernel: Kernel, host: Place, world: World, technology: Technology) -> None:
    """Files of the host; those of a neighbour that is only another process are the neighbour's."""
    for one in world.files:
        if one.tree in ("host", "all"):
            trees.plant(kernel.store, host, one, world.secret)
        elif one.tree == "neighbour" and _shares_files(technology):
            trees.plant(kernel.store, Place(host.root, "neighbour"), one, world.secret)


def _shares_files(technology: Technology) -> bool:
    """Whether another tenant's files are where the guest's are: nothing changes the root."""
    return not technology.neighbour_in_sandbox or technology.image.root == "/"


def _tenants(kernel: Kernel, world: World, technology: Technology) -> None:
    """Each tenant's tree: a plain directory, or an image with an empty layer on top."""
    image = technology.image
    for tenant in TENANTS:
        own = _directory(kernel, f"/srv/{tenant}", tenant, image.uid_shift)
        trees.populate(kernel.store, own, world, technology.kernel)
        writable = [own]
        if image.layer:
            writable.append(_layers(kernel, world, technology, tenant))
        for one in world.files:
            if one.tree not in (tenant, "all"):
                continue
            for place in writable:
                trees.plant(kernel.store, place, one, world.secret)


def _layers(kernel: Kernel, world: World, technology: Technology, tenant: str) -> Place:
    """The image below, everybody's and nobody's; the tenant's own layer above it."""
    image = technology.image
    layer = image.layer.format(name=tenant)
    if tree_at(kernel, layer) is None:
        below = _directory(kernel, layer, KERNEL, image.uid_shift)
        trees.populate(kernel.store, below, world, "linux", image=True)
    root = image.root.format(name=tenant)
    base = root.rpartition("/")[0]
    for path in (f"{base}/work", root):
        _directory(kernel, path, tenant, image.uid_shift)
    return _directory(kernel, f"{base}/{image.upper}", tenant, image.uid_shift)


def _directory(kernel: Kernel, path: str, domain: str, shift: int) -> Place:
    number = tree.mkdirs(kernel.store, root_of(kernel), path.rpartition("/")[0])
    place = Place(number, domain, shift)
    return Place(
        trees.directory(kernel.store, place, path.rpartition("/")[2], 0o755), domain, shift
    )


def tree_at(kernel: Kernel, path: str) -> int | None:
    """The stored directory at ``path`` of the host, or None."""
    at = root_of(kernel)
    for name in path.strip("/").split("/"):
        entry = kernel.store.get(Dentry, (at, name))
        if entry is None or not isinstance(entry.inode, int):
            return None
        at = entry.inode
    return at


def _descriptors(kernel: Kernel) -> None:
    """Standard input, output and error of everything that init will start."""
    for _ in range(3):
        say(kernel, INIT, "open", "/dev/null", O_RDWR, 0)


def _interface(kernel: Kernel, one: Interface) -> None:
    store = kernel.store
    ns = store.row(Task, INIT).ns.net
    there = links.named(store, ns, one.name)
    if there is None:
        kind = "loopback" if one.loopback else "ether"
        there = (
            links.populate(store, ns)
            if one.loopback
            else links.add(store, ns, links.Link(one.name, kind, mac=one.mac))
        )
    if not one.loopback:
        there = links.add_address(store, there, one.address, one.prefix)
    links.set_up(store, there, True)


def _disks(kernel: Kernel, world: World) -> None:
    """The text of a disk is its boot block: the first bytes that a reader of the device sees."""
    for disk in world.disks:
        device = disk.major << 8 | disk.minor
        for sb in kernel.store.all(Superblock):
            if sb.device & ~0xF == device:
                boot = disk.text.replace("{secret}", world.secret).encode()
                data = {**(sb.data or {}), "boot": boot}
                kernel.store.put(msgspec.structs.replace(sb, data=data))


def _key(kernel: Kernel, world: World) -> None:
    description = dict(world.constants).get("HOST_KEY", "")
    if description:
        secret = world.secret
        ring = KEY_SPEC_USER_KEYRING
        # As at a login: a session keyring, from which root's user keyring is held.
        say(kernel, INIT, "keyctl", KEYCTL_JOIN_SESSION_KEYRING, None)
        say(kernel, INIT, "keyctl", KEYCTL_LINK, ring, KEY_SPEC_SESSION_KEYRING)
        say(kernel, INIT, "add_key", "user", description, secret, len(secret), ring)


def _ipc(kernel: Kernel, world: World) -> None:
    for one in world.ipc:
        text = one.text.replace("{secret}", world.secret)
        match one.kind:
            case "shm":
                ident = say(kernel, INIT, "shmget", one.key, one.size, IPC_CREAT | one.mode)
                _fill_segment(kernel, ident, text.encode())
            case "sem":
                ident = say(kernel, INIT, "semget", one.key, 1, IPC_CREAT | one.mode)
                say(kernel, INIT, "semctl", ident, 0, SETVAL, one.value)
            case "msg":
                ident = say(kernel, INIT, "msgget", one.key, IPC_CREAT | one.mode)
                say(kernel, INIT, "msgsnd", ident, (1, text), len(text), 0)


def _fill_segment(kernel: Kernel, ident: int, content: bytes) -> None:
    """What the process that made it wrote into its memory."""
    key = (kernel.store.row(Task, INIT).ns.ipc, ident)
    segment = kernel.store.get(Segment, key)
    if segment is not None:
        kernel.store.put(msgspec.structs.replace(segment, content=content))


def _child(kernel: Kernel, comm: str) -> Pid:
    """A process of the host's root, asleep at a prompt."""
    pid = Pid(say(kernel, INIT, "fork"))
    task = kernel.store.row(Task, pid)
    kernel.store.put(msgspec.structs.replace(task, comm=comm, argv=(comm,)))
    return pid


def _daemon(kernel: Kernel, one: Process, secret: str) -> Pid:
    pid = Pid(say(kernel, INIT, "fork"))
    say(kernel, pid, "setsid")
    for listener in one.listens:
        _listen(kernel, pid, listener)
    if one.uid or one.gid:
        say(kernel, pid, "setgroups", 0, [])
        say(kernel, pid, "setgid", one.gid)
        say(kernel, pid, "setuid", one.uid)
    env = tuple((name, value.replace("{secret}", secret)) for name, value in one.environ)
    task = kernel.store.row(Task, pid)
    kernel.store.put(
        msgspec.structs.replace(
            task, comm=one.name, argv=one.argv, env=env, state=TaskState.SLEEPING
        )
    )
    return pid


def _units(kernel: Kernel, world: World, technology: Technology) -> dict[Pid, str]:
    """The daemons of the products that the world wants to run, each with its sockets."""
    wanted = [one for one in installed(technology) if one.product in world.services]
    told = ("VITRINA_SANDBOXES=1",) if world.announced else ()
    return {_unit(kernel, unit, told): unit.argv[0] for one in wanted for unit in one.units}


def _unit(kernel: Kernel, unit: Unit, told: tuple[str, ...]) -> Pid:
    pid = Pid(say(kernel, INIT, "fork"))
    say(kernel, pid, "setsid")
    for text in unit.sockets:
        address, _, port = text.rpartition(":")
        _listen(
            kernel,
            pid,
            Listener(kind="inet", address=address, port=int(port))
            if address
            else Listener(kind="unix", address=text, mode=unit.mode),
        )
    program = f"/usr/sbin/{unit.argv[0]}"
    env = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", f"LISTEN_FDS={len(unit.sockets)}", *told]
    say(kernel, pid, "execve", program, list(unit.argv), cast("Value", env))
    return pid


def _listen(kernel: Kernel, pid: Pid, listener: Listener) -> None:
    if listener.kind == "inet":
        family = AF_INET6 if ":" in listener.address else AF_INET
        address: Value = (listener.address, listener.port)
    else:
        family = AF_UNIX
        address = listener.address if listener.kind == "unix" else f"\0{listener.address}"
    fd = say(kernel, pid, "socket", family, SOCK_STREAM, 0)
    if fd < 0:
        return
    say(kernel, pid, "bind", fd, address)
    say(kernel, pid, "listen", fd, 8)
    if listener.kind == "unix":
        say(kernel, pid, "chmod", listener.address, listener.mode)

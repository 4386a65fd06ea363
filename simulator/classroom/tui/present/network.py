"""Interfaces, listening sockets and System V objects as one task's namespaces hold them."""

from collections.abc import Iterator

from simulator.classroom.tui.present.line import Line, heading
from simulator.machine.abi.i18n import N_, ngettext
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.context import is_within
from simulator.machine.kernel.family import Family
from simulator.machine.kernel.ipc.msg import Queue
from simulator.machine.kernel.ipc.sem import SemSet
from simulator.machine.kernel.ipc.shm import Segment
from simulator.machine.kernel.net.interface import is_up, listed
from simulator.machine.kernel.net.socket import Socket, transport
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Trap
from simulator.machine.state.store import Store, World

_STATES = {
    "closed": N_("closed"),
    "embryo": N_("embryo"),
    "listening": N_("listening"),
    "connected": N_("connected"),
}
"""What ``Socket.state`` says, to be read."""


def network(world: World, family: Family, viewer: Pid) -> list[Line]:
    """What ``ip addr``, ``ss -l`` and ``ipcs`` would list."""
    task = world.row(Task, viewer)
    trap = Trap(Store(world), family, task)
    return [
        *_interfaces(world, task),
        heading(_("Sockets")),
        *_sockets(world, task),
        heading(_("System V IPC")),
        *(_ipc(world, task) if trap.allowed("may_use_sysv", "shm") else ()),
    ]


def _interfaces(world: World, task: Task) -> Iterator[Line]:
    for interface in listed(world, task.ns.net):
        state = _("up") if is_up(interface) else _("down")
        addresses = " ".join(f"{a.ip}/{a.prefix}" for a in interface.addresses if a.scope != "link")
        yield Line(
            text=f"{interface.name}  {state}  {addresses}".rstrip(),
            domain=interface.domain,
        )


def _sockets(world: World, task: Task) -> Iterator[Line]:
    for socket in world.all(Socket):
        seen = socket.ns == task.ns.net and is_within(world, socket.context, task.context)
        if seen and (name := _name(socket)):
            yield Line(
                text=f"{name}  {_(_STATES[socket.state])}",
                domain=socket.domain,
            )


def _ipc(world: World, task: Task) -> Iterator[Line]:
    """What shmget(2), semget(2) and msgget(2) find under a key in the task's namespace."""
    for segment in world.all(Segment):
        if segment.id[0] == task.ns.ipc:
            yield Line(text=f"shm {segment.perm.key:#x}  {segment.size} B", domain=segment.domain)
    for semaphores in world.all(SemSet):
        if semaphores.id[0] == task.ns.ipc:
            yield Line(
                text=f"sem {semaphores.perm.key:#x}  {semaphores.values}", domain=semaphores.domain
            )
    for queue in world.all(Queue):
        if queue.id[0] == task.ns.ipc:
            count = len(queue.messages)
            text = ngettext("{count} message", "{count} messages", count).format(count=count)
            yield Line(text=f"msg {queue.perm.key:#x}  {text}", domain=queue.domain)


def _name(socket: Socket) -> str:
    """Its address, or nothing while it has none."""
    if socket.local is not None:
        return f"{transport(socket)} {socket.local[0]}:{socket.local[1]}"
    return f"unix {socket.name.replace(chr(0), '@')}" if socket.name else ""

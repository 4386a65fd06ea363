"""Interfaces, listening sockets and System V objects as one task's namespaces hold them."""

from collections.abc import Iterator

from simulator.classroom.tui.present.line import Line, heading
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.net.interface import is_up, listed
from simulator.machine.kernel.net.socket import Socket, transport
from simulator.machine.kernel.task import Task
from simulator.machine.state.store import World


def network(world: World, viewer: Pid) -> list[Line]:
    """What ``ip addr``, ``ss -l`` and ``ipcs`` would list."""
    task = world.row(Task, viewer)
    return [
        *_interfaces(world, task),
        heading(_("Sockets")),
        *_sockets(world, task),
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
        if socket.ns == task.ns.net and (name := _name(socket)):
            yield Line(
                text=f"{name}  {socket.state}",
                domain=socket.domain,
            )


def _name(socket: Socket) -> str:
    """Its address, or nothing while it has none."""
    if socket.local is not None:
        return f"{transport(socket)} {socket.local[0]}:{socket.local[1]}"
    return f"unix {socket.name.replace(chr(0), '@')}" if socket.name else ""

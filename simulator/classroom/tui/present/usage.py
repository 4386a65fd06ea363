"""What was taken of the machine so far: owner by owner for the host, group by group for both."""

from collections.abc import Iterator

from simulator.classroom.tui.present.line import Line, heading
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.abi.i18n import ngettext
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.family import Family
from simulator.machine.kernel.resource import demand, load, memory, processors, shares
from simulator.machine.kernel.resource import group as groups
from simulator.machine.kernel.resource.demand import Account
from simulator.machine.kernel.resource.group import Cgroup
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.state.store import World

_SECOND = 1_000_000_000
_MEGABYTE = 1 << 20


def usage(world: World, family: Family, viewer: Pid) -> list[Line]:
    """Processor time, memory, disk and tasks; a sandbox is told of its own groups only."""
    del family
    task = world.row(Task, viewer)
    lines = [heading(_("The machine")), _machine(world)]
    lines.append(heading(_("Owners")))
    inside = task.domain != "host"
    owners = [task.domain] if inside else sorted({one.domain for one in world.all(Task)})
    lines += [_owner(world, domain) for domain in owners]
    lines.append(heading(_("Groups with limits")))
    lines += _groups(world, task) if inside else _all_groups(world)
    return lines


def _machine(world: World) -> Line:
    loads = " ".join(f"{value:.2f}" for value in load.averages(world))
    held = memory.held(world.all(Task)) // _MEGABYTE
    return Line(
        text=_("{processors} processors, load {load}, {held} of {total} MiB held").format(
            processors=processors.count(world),
            load=loads,
            held=held,
            total=memory.total(world) // _MEGABYTE,
        )
    )


def _owner(world: World, domain: str) -> Line:
    had = demand.account(world, ("domain", domain))
    alive = [
        task
        for task in world.all(Task)
        if task.domain == domain and task.state is not TaskState.ZOMBIE
    ]
    text = ngettext(
        "{domain}: {ran} s of processors, {waited} s waiting, {memory} MiB, {tasks} task",
        "{domain}: {ran} s of processors, {waited} s waiting, {memory} MiB, {tasks} tasks",
        len(alive),
    )
    shown = text.format(
        domain=domain,
        ran=_seconds(had.ran),
        waited=_seconds(had.waited),
        memory=memory.held(alive) // _MEGABYTE,
        tasks=len(alive),
    )
    return Line(text=shown + _disk(had), domain=domain)


def _disk(had: Account) -> str:
    if not had.read + had.written:
        return ""
    return ", " + _("{read} MiB read, {written} MiB written").format(
        read=had.read // _MEGABYTE, written=had.written // _MEGABYTE
    )


def _seconds(nanoseconds: int) -> str:
    return f"{nanoseconds / _SECOND:.2f}"


def _groups(world: World, task: Task) -> list[Line]:
    found: dict[int, Cgroup] = {}
    for controller in ("cpu", "memory", "pids"):
        group = groups.controlled(world, task, controller)
        for above in groups.upward(world, group) if group is not None else ():
            found.setdefault(above.id, above)
    return [line for group in found.values() for line in _limits(world, group)]


def _all_groups(world: World) -> list[Line]:
    return [line for group in world.all(Cgroup) for line in _limits(world, group)]


def _limits(world: World, group: Cgroup) -> Iterator[Line]:
    """One line for each limit of a group that is set, with how far it is used."""
    settings, where = group.settings, groups.path(world, group)
    for share in shares.of_group(world, group):
        if share.quota is not None:
            stood = demand.bandwidth(world, share.key)
            yield Line(
                text=_("{group}: {quota} processors, throttled in {times} of {periods}").format(
                    group=where,
                    quota=f"{share.quota / share.period:.2f}",
                    times=stood.throttled,
                    periods=stood.periods,
                ),
                domain=group.domain,
            )
    ceiling = memory.limit(world, group)
    if ceiling is not None:
        yield Line(
            text=_("{group}: {used} of {limit} MiB, {killed} killed").format(
                group=where,
                used=memory.usage(world, group) // _MEGABYTE,
                limit=ceiling // _MEGABYTE,
                killed=group.events.get("oom_kill", 0),
            ),
            domain=group.domain,
        )
    most = settings.get("pids.max", "max")
    if most != "max":
        text = _("{group}: {used} of {limit} tasks").format(
            group=where, used=groups.population(world, group), limit=most
        )
        yield Line(text=text, domain=group.domain)

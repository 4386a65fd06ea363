"""Control groups alone: a directory in each hierarchy, its settings, and a process's pid."""

from pathlib import Path

from simulator.experiment.real import cgroups, plant
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.link import Link
from simulator.experiment.real.sandbox import Machine
from simulator.experiment.real.session import Launch
from simulator.isolation.mechanisms.cgroup_membership import CgroupMembership
from simulator.isolation.technologies.base import Technology
from simulator.machine.abi.i18n import gettext as _


def launcher(technology: Technology) -> Launch:
    """A process of the machine in groups of its own; the neighbour is another one.

    Without the mechanism it stays in the machine's, as ``cgexec -g '*:/'`` leaves it.
    """
    held = technology.get("cgroup-membership")
    settings = held.settings if isinstance(held, CgroupMembership) else ()

    def launch(machine: Machine, actor: str) -> Link:
        link = machine.spawn(machine.runtime)
        if actor == "neighbour":
            plant.as_process(machine.root, machine.world)
        if held is None:
            return link
        left = dict(settings)
        for group, kind in zip(machine.groups, _kinds(), strict=True):
            place = Path(group) / actor
            place.mkdir(exist_ok=True)
            for knob in ("cpuset.cpus", "cpuset.mems"):
                if kind == "cgroup" and (place / knob).exists():
                    (place / knob).write_text((place.parent / knob).read_text())
            for file in [one for one in left if (place / one).exists()]:
                _set(place / file, left.pop(file))
            (place / "cgroup.procs").write_text(str(link.pid))
        if left:
            raise RealError.not_here(
                _("{setting}: this kernel has no such controller").format(setting=next(iter(left)))
            )
        return link

    return launch


def _kinds() -> list[str]:
    return [hierarchy.kind for hierarchy in cgroups.hierarchies()]


def _set(path: Path, value: str) -> None:
    try:
        path.write_text(value)
    except OSError as error:
        raise RealError.broken(f"cgset {path.name}={value}", error.strerror or "") from error

"""The container's own file, /etc/vz/conf/CTID.conf: what vzctl set wrote there. ctid.conf(5)."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, Fill, LaunchPlan, Length, Phase
from simulator.isolation.mechanisms.beancounters import UNLIMITED, Beancounters
from simulator.isolation.mechanisms.cpuunits import CpuUnits
from simulator.isolation.mechanisms.simfs import VE_ROOT, Simfs
from simulator.isolation.mechanisms.ve_context import number
from simulator.isolation.mechanisms.venet import Venet
from simulator.isolation.mechanisms.vzquota import Vzquota
from simulator.machine.abi.constants import O_CREAT, O_TRUNC, O_WRONLY
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="ve-config",
    title=N_("container's configuration file"),
    needs=frozenset({"ve-context"}),
    real="--config",
    cite="ctid.conf(5)",
)

_DERIVED = frozenset(("lockedpages", "oomguarpages", "vmguarpages"))


@dataclass(frozen=True, slots=True)
class VeConfig:
    """Written before the start, so that the tools know the container."""

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """open(2), write(2), close(2)."""
        host = plan.caller(Phase.PREPARE, "runtime", self.about.id)
        text = _text(plan)
        path = f"/etc/vz/conf/{number(plan)}.conf"
        host("open", path, O_WRONLY | O_CREAT | O_TRUNC, 0o644, binds="conf")
        host("write", Fill("{conf}"), text, Length(text))
        host("close", Fill("{conf}"))


def _text(plan: LaunchPlan) -> str:
    """What the mechanisms of this launch are called in the file."""
    found: dict[str, str] = {}
    veid = number(plan)
    for one in plan.mechanisms.values():
        match one:
            case Beancounters(limits):
                for name, (low, high) in limits:
                    vswap = dict(limits).get("physpages", (0, UNLIMITED))[1] < UNLIMITED
                    if not (vswap and name in _DERIVED):
                        found[name.upper()] = f"{_word(low)}:{_word(high)}"
            case Vzquota(space, inodes):
                found["DISKSPACE"] = f"{space[0]}:{space[1]}"
                found["DISKINODES"] = f"{inodes[0]}:{inodes[1]}"
            case CpuUnits(units, limit):
                found["CPUUNITS"] = str(units)
                if limit:
                    found["CPULIMIT"] = str(limit)
            case Venet(addresses) if addresses:
                own = (text.format(ordinal=plan.ordinal) for text in addresses)
                found["IP_ADDRESS"] = " ".join(own)
            case Simfs(root):
                found["VE_ROOT"] = root or f"{VE_ROOT}/{veid}"
                found["VE_PRIVATE"] = plan.image.root.format(name=plan.name)
            case _:
                pass
    found["HOSTNAME"] = plan.guest.hostname or f"ct{veid}"
    found["OSTEMPLATE"] = "centos-6-x86"
    return "".join(f'{name}="{value}"\n' for name, value in found.items())


def _word(value: int) -> str:
    return "unlimited" if value >= UNLIMITED else str(value)

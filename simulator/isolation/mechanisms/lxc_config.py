"""The container's configuration file, by which LXC's tools know it."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, Fill, LaunchPlan, Length, Phase
from simulator.machine.abi.constants import O_CREAT, O_TRUNC, O_WRONLY
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="lxc-config",
    title=N_("configuration file"),
    real="lxc.include",
    cite="lxc.container.conf(5)",
)


@dataclass(frozen=True, slots=True)
class LxcConfig:
    """``lines`` as they stand in ``directory``/NAME/config; ``{name}`` and ``{root}`` are filled.

    It builds no wall: lxc-create(1) writes it, the session's own sandbox has one too.
    """

    lines: tuple[str, ...] = ()
    directory: str = "/var/lib/lxc"

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """A directory for the container and the file in it."""
        prepare = plan.caller(Phase.PREPARE, "runtime", self.about.id)
        place = f"{self.directory}/{plan.name}"
        names = place.strip("/").split("/")
        for count in range(1, len(names) + 1):
            prepare("mkdir", "/" + "/".join(names[:count]), 0o711, tolerates=("EEXIST",))
        text = "".join(f"{line}\n" for line in self.lines)
        text = text.replace("{name}", plan.name).replace("{root}", plan.root)
        flags = O_CREAT | O_WRONLY | O_TRUNC
        prepare("open", f"{place}/config", flags, 0o640, binds="config-fd")
        prepare("write", Fill("{config-fd}"), text, Length(text))
        prepare("close", Fill("{config-fd}"))

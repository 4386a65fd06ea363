"""Masked paths: something empty is mounted over files that show or touch the whole machine."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import MS_BIND, MS_RDONLY
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="masked-paths",
    title=N_("masked paths"),
    hides=frozenset(
        {"kernel-log", "memory", "keyring", "device", "cpu", "clock", "firmware", "power"}
    ),
    real="--security-opt systempaths=unconfined",
    cite="https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md",
)


@dataclass(frozen=True, slots=True)
class MaskedPaths:
    """/dev/null over each file, an empty read-only tmpfs over each directory (runc maskPath)."""

    paths: tuple[str, ...]

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """A path that isn't there needs no mask."""
        for path in self.paths:
            plan.call(
                Phase.CHILD_PATHS,
                "guest",
                self.about.id,
                "mount",
                "/dev/null",
                path,
                "",
                MS_BIND,
                None,
                tolerates=("ENOENT",),
                instead={"ENOTDIR": (("mount", ("tmpfs", path, "tmpfs", MS_RDONLY, "")),)},
            )

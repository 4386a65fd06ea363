"""Read-only paths: parts of /proc that stay visible but can't be written."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import (
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
)
from simulator.machine.abi.i18n import N_

_PROC_FLAGS = MS_NOSUID | MS_NODEV | MS_NOEXEC


ABOUT = About(
    id="readonly-paths",
    title=N_("read-only paths"),
    hides=frozenset({"sysctl", "reboot"}),
    walls=frozenset({"read-only-mount"}),
    real="--security-opt systempaths=unconfined",
    cite="https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md",
)


@dataclass(frozen=True, slots=True)
class ReadonlyPaths:
    """Each path bound onto itself, then remounted read-only (runc readonlyPath).

    ``writable`` are paths below them that are bound onto themselves in between, and stay so.
    """

    paths: tuple[str, ...]
    writable: tuple[str, ...] = ()

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """Two calls a path; one that isn't there is passed over."""
        child = plan.caller(Phase.CHILD_PATHS, "guest", self.about.id)
        for path in self.paths:
            child("mount", path, path, "", MS_BIND | MS_REC, None, tolerates=("ENOENT",))
            for kept in [one for one in self.writable if one.startswith(f"{path}/")]:
                child("mount", kept, kept, "", MS_BIND, None)
            flags = MS_BIND | MS_REC | MS_REMOUNT | MS_RDONLY | _PROC_FLAGS
            child(
                "mount",
                path,
                path,
                "",
                flags,
                None,
                tolerates=("ENOENT", "EINVAL"),
            )

"""A user id for each container out of a pool: what two containers' users count for is apart."""

from dataclasses import dataclass

import msgspec

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.constants import O_APPEND, O_WRONLY
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="uid-pool",
    title=N_("user ids out of a pool"),
    hides=frozenset({"user"}),
    walls=frozenset({"file-mode"}),
    cite="https://github.com/cloudfoundry-attic/warden",
)


@dataclass(frozen=True, slots=True)
class UidPool:
    """The user ``name``, id ``first`` for the first container and so on.

    ``runs``: whether the job runs as that user; else it runs as root (``privileged: true``).
    """

    name: str = "vcap"
    first: int = 10_000
    runs: bool = True

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """useradd(8) in the container's own layer; the job changes to it before it begins."""
        uid = self.first + plan.ordinal - 1
        home = f"{plan.root}/home/{self.name}"
        child = plan.caller(Phase.CHILD_ROOT, "guest", self.about.id)
        line = f"{self.name}:x:{uid}:{uid}::/home/{self.name}:/bin/sh\n"
        for path, text in (("passwd", line), ("group", f"{self.name}:x:{uid}:\n")):
            file = f"{plan.root}/etc/{path}"
            plan.write(
                Phase.CHILD_ROOT, "guest", self.about.id, file, text, flags=O_WRONLY | O_APPEND
            )
        child("mkdir", f"{plan.root}/home", 0o755, tolerates=("EEXIST",))
        child("mkdir", home, 0o755, tolerates=("EEXIST",))
        child("chown", home, uid, uid)
        if self.runs:
            plan.guest = msgspec.structs.replace(
                plan.guest, uid=uid, gid=uid, cwd=f"/home/{self.name}"
            )

"""A sparse root: a zone's programs are the global zone's, seen through read-only lofs mounts."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_

INHERITED = ("/lib", "/platform", "/sbin", "/usr")
"""The default inherit-pkg-dir resources of ``zonecfg create`` (SUNWdefault.xml, Solaris 10)."""

ABOUT = About(
    id="sparse-root",
    title=N_("sparse root"),
    family="sunos",
    needs=frozenset({"zone"}),
    real="create -b",
    cite="zonecfg(1M)",
)
READ_ONLY = About(
    id="sparse-root-readonly",
    title=N_("sparse root: read-only"),
    family="sunos",
    needs=frozenset({"sparse-root"}),
    hides=frozenset({"file"}),
    walls=frozenset({"read-only-mount"}),
    cite="lofs(7FS)",
)


@dataclass(frozen=True, slots=True)
class SparseRoot:
    """``add inherit-pkg-dir``: directories that the zone shares with the global zone."""

    directories: tuple[str, ...] = INHERITED

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """A loopback mount each, made by zoneadmd, which the zone can't take off."""
        options = "ro,nodevices,nosub" if plan.has(READ_ONLY.id) else "rw,nodevices,nosub"
        for path in self.directories:
            share(plan, self.about.id, path, path, options)


@dataclass(frozen=True, slots=True)
class SharedReadOnly:
    """That what is shared can't be written to; its absence is what ``SparseRoot`` looks for."""

    about: About = READ_ONLY

    def plan(self, plan: LaunchPlan) -> None:
        """The mounts themselves are ``SparseRoot``'s."""
        del plan


def share(plan: LaunchPlan, mechanism: str, special: str, place: str, options: str) -> None:
    """A lofs mount of the global zone's ``special`` at ``place`` in the zone.

    To read there is what it is for; to write there would be a leak.
    """
    target = plan.root + place
    runtime = plan.caller(Phase.PREPARE, "runtime", mechanism)
    runtime("mkdir", target, 0o755, tolerates=("EEXIST",))
    runtime("mount", special, target, 0, "lofs", None, 0, options, len(options))
    runtime("@share", target, why=N_("The zone is meant to use the global zone's programs."))

"""Unification: guests share their common files by hard links, which none of them may change.

vunify(8) links what is the same in two guests. Shared files alone would be a way from one guest to
the other; the flags immutable and iunlink close it: no writing, but any guest may unlink its name.
"""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.machine.abi.i18n import N_

REFERENCE = "/srv/neighbour"
"""The guest whose files the others are linked to (``apps/vunify/refserver``)."""
FILES = ("/etc/group",)
"""Of what two guests from one image have in common, one file: as good as any other."""

ABOUT = About(
    id="unified-files",
    title=N_("unified files"),
    real="vserver NAME unify",
    cite="util-vserver src/vunify.c",
)
IMMUTABLE = About(
    id="unified-immutable",
    title=N_("unified files: immutable, but for unlinking"),
    needs=frozenset({"unified-files"}),
    hides=frozenset({"file"}),
    walls=frozenset({"immutable"}),
    real="setattr --~iunlink",
    cite="util-vserver doc/intro.txt, Unification",
)


@dataclass(frozen=True, slots=True)
class UnifiedFiles:
    """``files`` of every guest are those of ``reference``."""

    reference: str = REFERENCE
    files: tuple[str, ...] = FILES

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """One hard link for each, in place of the guest's own copy."""
        if plan.root == self.reference:
            return
        prepare = plan.caller(Phase.PREPARE, "runtime", self.about.id)
        for path in self.files:
            prepare("unlink", plan.root + path)
            prepare(
                "link",
                self.reference + path,
                plan.root + path,
                why=N_("Two guests with the same file need its space only once."),
            )


@dataclass(frozen=True, slots=True)
class UnifiedImmutable:
    """``setattr --iunlink``, which sets both flags."""

    files: tuple[str, ...] = FILES

    about: About = IMMUTABLE

    def plan(self, plan: LaunchPlan) -> None:
        """The flags are the inode's, so every name has them."""
        for path in self.files:
            plan.call(
                Phase.PREPARE,
                "runtime",
                self.about.id,
                "vserver",
                "VCMD_set_iattr",
                0,
                {
                    "name": plan.root + path,
                    "flags": ["immutable", "iunlink"],
                    "mask": ["immutable", "iunlink"],
                },
                why=N_("Nobody writes to a shared file; a guest may only take its name away."),
            )

"""What a technology is, how one is changed by options, and how its launch is planned."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from simulator.isolation.mechanisms.base import (
    ROOT_SWITCH,
    Fill,
    Guest,
    Image,
    LaunchPlan,
    LaunchStep,
    Mechanism,
    Phase,
    PlanError,
)
from simulator.isolation.mechanisms.chroot import Chroot
from simulator.machine import families
from simulator.machine.abi.constants import SIGCHLD
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.resource.layout import NAMES, hierarchies

OVERLAY = "overlay-root"

Kernel: TypeAlias = Literal["linux", "freebsd", "sunos"]


class SpecError(VitrinaError):
    """A SPEC that can't be read: an unknown technology, option, value or mechanism."""


class Technology(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """An isolation technology, or one that options or ``without`` have changed.

    ``id`` is the product's name without options, ``spec`` what the person typed; ``year`` is 0 for
    the controls, which belong to none; ``kernel`` the family and ``release`` which of its kernels
    (a name of ``families.KERNELS``; empty: today's); ``mechanisms`` in the order of a launch;
    ``shared`` the kinds of object that an option shares on purpose, so that using them is granted
    and no leak; ``neighbour_in_sandbox`` whether another tenant is a second sandbox (else a process
    of the same machine); ``launcher`` the product's own program, which carries out the launch on
    the host; ``options`` reads the product's own words. ``eras`` are the same product at other
    times, each a technology of the same id with its own ``era`` (a version or a year, as the
    product counts), typed ``NAME@ERA``; without one the name means today's.
    """

    id: str
    title: str
    year: int = 0
    kernel: Kernel = "linux"
    release: str = ""
    mechanisms: tuple[Mechanism, ...] = ()
    image: Image = Image(root="/")
    guest: Guest = Guest()
    shared: frozenset[str] = frozenset()
    neighbour_in_sandbox: bool = True
    launcher: str = "runc"
    options: "Options | None" = None
    about: str = ""
    era: str = ""
    eras: "tuple[Technology, ...]" = ()
    spec: str = ""
    removed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What a person types for it, without options: ``docker``, ``docker@0.1``."""
        return f"{self.id}@{self.era}" if self.era else self.id

    @property
    def ids(self) -> tuple[str, ...]:
        """The mechanisms by name."""
        return tuple(mechanism.about.id for mechanism in self.mechanisms)

    def get(self, mechanism: str) -> Mechanism | None:
        """The mechanism of that name, if it has it."""
        return next((m for m in self.mechanisms if m.about.id == mechanism), None)


Options: TypeAlias = "Callable[[Technology, list[str]], Technology]"
"""Reads a product's options; raises ``SpecError`` for one that the product does not have."""


def change(technology: Technology, **changes: Any) -> Technology:
    """``technology`` with some fields replaced."""
    return msgspec.structs.replace(technology, **changes)


def put(technology: Technology, mechanism: Mechanism, before: str = "") -> Technology:
    """With ``mechanism`` in the place of the one of the same name, or at the end; one that is new
    comes ``before`` another if that is there.
    """
    name, had = mechanism.about.id, technology.mechanisms
    if name in technology.ids:
        mechanisms = tuple(mechanism if m.about.id == name else m for m in had)
    else:
        at = technology.ids.index(before) if before in technology.ids else len(had)
        mechanisms = (*had[:at], mechanism, *had[at:])
    return change(technology, mechanisms=mechanisms)


def drop(technology: Technology, *names: str, share: bool = False) -> Technology:
    """Without some mechanisms, as an option of the product does it.

    ``share``: the operator wants the host's objects that they hid, so using those is granted.
    """
    gone = [m for m in technology.mechanisms if m.about.id in names]
    shared = technology.shared.union(*(m.about.hides for m in gone)) if share else technology.shared
    kept = tuple(m for m in technology.mechanisms if m.about.id not in names)
    return change(technology, mechanisms=kept, shared=shared)


def without(technology: Technology, names: Iterable[str]) -> Technology:
    """Lift walls as an experiment: what appears then is a leak, nobody asked for it.

    Raises ``SpecError`` for a name that ``technology`` does not have, ``PlanError`` when what
    remains can't be launched. A lifted root switch falls back to plain chroot(2), the only other
    way to the same root; lift that one too to stay at the host's.
    """
    wanted = tuple(dict.fromkeys(names))
    for name in wanted:
        if name not in technology.ids and name != "chroot":
            raise SpecError(_unknown(technology, name))
    result = drop(technology, *wanted)
    had_root = _root_switch(technology)
    if had_root is not None and _root_switch(result) is None and "chroot" not in wanted:
        result = put(result, Chroot())
    removed = tuple(dict.fromkeys((*technology.removed, *wanted)))
    result = change(result, removed=removed)
    check(result)
    return result


def check(technology: Technology) -> None:
    """Raise ``PlanError`` when a mechanism's needs are not met, naming what to do instead."""
    ids = set(technology.ids)
    for mechanism in technology.mechanisms:
        for need in sorted(mechanism.about.needs - ids):
            raise PlanError(
                _(
                    "{technology}: {mechanism} needs {need}; lift it too"
                    " (--without {need} --without {mechanism})"
                ).format(technology=technology.id, mechanism=mechanism.about.id, need=need)
            )


def _unknown(technology: Technology, name: str) -> str:
    if not technology.ids:
        return _("{technology} has no mechanism {name}: it has none at all").format(
            technology=technology.id, name=name
        )
    near = difflib.get_close_matches(name, technology.ids, 1)
    hint = _(" (did you mean {near}?)").format(near=near[0]) if near else ""
    return _("{technology} has no mechanism {name}{hint}; it has: {list}").format(
        technology=technology.id, name=name, hint=hint, list=", ".join(technology.ids)
    )


def _root_switch(technology: Technology) -> Mechanism | None:
    return next((m for m in technology.mechanisms if m.about.role == ROOT_SWITCH), None)


def plan(
    technology: Technology,
    name: str = "guest",
    ordinal: int = 1,
    facts: frozenset[str] = frozenset({"cgroup2"}),
) -> tuple[LaunchStep, ...]:
    """Every call of a launch, in order. ``name`` is the sandbox's domain and actor."""
    check(technology)
    kernel = families.kernel(technology.release or technology.kernel)
    by_id: Mapping[str, Mechanism] = {m.about.id: m for m in technology.mechanisms}
    image = technology.image
    layer = image.layer.format(name=name)
    # Without the overlay there is nothing to put the layers together: the image itself is used.
    bare = layer and OVERLAY not in by_id
    launch = LaunchPlan(
        name=name,
        ordinal=ordinal,
        root=layer if bare else image.root.format(name=name),
        image=msgspec.structs.replace(image, layer=layer),
        guest=_named(technology.guest, name),
        mechanisms=by_id,
        facts=facts if "cgroup2" in kernel.filesystems else facts - {"cgroup2"},
        hierarchies=hierarchies(kernel.controllers)
        + (("systemd",) if NAMES in kernel.features else ()),
        capabilities=kernel.capabilities,
    )
    for mechanism in technology.mechanisms:
        mechanism.plan(launch)
    _first_process(launch, technology.kernel)
    return launch.ordered()


def _named(guest: Guest, name: str) -> Guest:
    """A product that calls the host name after the sandbox writes ``{name}``."""
    return msgspec.structs.replace(guest, hostname=guest.hostname.replace("{name}", name))


def _first_process(plan: LaunchPlan, kernel: str) -> None:
    """What no mechanism is needed for: the child, its user, its program."""
    flags = (plan.clone_flags | SIGCHLD,) if kernel == "linux" else ()
    plan.call(
        Phase.CLONE,
        "runtime",
        " ".join(plan.cloners),
        "clone" if flags else "fork",
        *flags,
        binds="pid",
        why=N_("The sandbox's first process is born."),
    )
    plan.call(
        Phase.CLONE,
        "runtime",
        "",
        "@domain",
        Fill("{pid}"),
        plan.name,
        why=N_("From here on what it makes is counted as the sandbox's own."),
    )
    guest = plan.guest
    if guest.session:
        plan.call(Phase.CLONE, "guest", "", "setsid")
    child = plan.caller(Phase.CHILD_USER, "guest", "")
    if (guest.uid, guest.gid, guest.groups) != (0, 0, ()):
        child("setgroups", len(guest.groups), list(guest.groups))
        child("setresgid", guest.gid, guest.gid, guest.gid)
        child("setresuid", guest.uid, guest.uid, guest.uid)
    if guest.cwd != "/":
        child("chdir", guest.cwd)
    environment = [f"{key}={value}" for key, value in guest.env]
    plan.call(
        Phase.EXEC,
        "guest",
        "",
        "execve",
        guest.argv[0],
        list(guest.argv),
        environment,
        why=N_("The program that the operator asked for takes over."),
    )

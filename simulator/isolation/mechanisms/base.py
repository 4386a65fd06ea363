"""What a mechanism is, and the launch plan that mechanisms fill.

A mechanism is a frozen value. Its ``about`` says what it is for; its ``plan`` adds launch steps.
A launch step is an ordinary system call by the runtime or by the sandbox's first process, so that
building a sandbox is itself a history that a person can step through. Phases are in the order in
which runc does things (libcontainer: ``process_linux.go``, ``standard_init_linux.go``).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import msgspec

from simulator.machine.abi.constants import O_WRONLY
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.kernel.cred import ALL_CAPABILITIES
from simulator.machine.kernel.resource.layout import V1_ORDER

Actor: TypeAlias = Literal["runtime", "guest"]

Instead: TypeAlias = "Mapping[str, tuple[tuple[str, tuple[Any, ...]], ...]]"
"""What is done when a step fails, by errno: calls in order."""

ROOT_SWITCH = "root-switch"
"""The role of whatever makes another directory ``/``."""


class PlanError(VitrinaError):
    """A set of mechanisms that cannot be launched together; the line says which and what else."""


class Phase(IntEnum):
    """When a step happens; within a phase, in the order in which it was added."""

    PREPARE = 1
    """The runtime on the host: image, cgroup, bridge."""
    CLONE = 2
    """The runtime makes the sandbox's first process."""
    ID_MAPS = 3
    """The runtime writes the maps of a new user namespace."""
    NAMESPACES = 4
    """The child enters its other namespaces."""
    AFTER_CLONE = 5
    """The runtime: cgroup membership, limits, the network device."""
    CHILD_CGROUP = 6
    CHILD_NET = 7
    CHILD_ROOT = 8
    """Mounts below the new root."""
    CHILD_DEVICES = 9
    CHILD_PIVOT = 10
    CHILD_HOSTNAME = 11
    CHILD_LSM = 12
    CHILD_PATHS = 13
    CHILD_NNP = 14
    CHILD_SECCOMP_EARLY = 15
    """Without no_new_privs a filter needs CAP_SYS_ADMIN: before capabilities are dropped."""
    CHILD_BOUNDING = 16
    CHILD_USER = 17
    CHILD_CAPABILITIES = 18
    CHILD_SECCOMP_LATE = 19
    CHILD_INIT = 20
    EXEC = 21


class Fill(msgspec.Struct, frozen=True):
    """An argument known only while launching: ``{pid}`` is the child's, other names were bound.

    A lone name gives a number, unless ``as_text``.
    """

    text: str
    as_text: bool = False


class Length(msgspec.Struct, frozen=True):
    """An argument that counts the bytes of another one."""

    of: "str | Fill"


class LaunchStep(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a launch. ``why`` is an English message id.

    ``binds`` names its result; ``tolerates`` are errors that runc passes over; ``instead`` is
    what it does on one of them.
    """

    phase: Phase
    actor: Actor
    name: str
    args: tuple[Any, ...]
    mechanism: str
    why: str = ""
    binds: str = ""
    tolerates: frozenset[str] = frozenset()
    instead: "Instead | None" = None


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What every mechanism says of itself.

    ``needs`` are other mechanisms without which it cannot be built; ``hides`` the kinds of object
    that it keeps from the sandbox; ``walls`` the ids that it can say no with; ``role`` a place
    that one of several mechanisms fills; ``real`` the switch of a product that lifts it (empty:
    only the model can); ``cite`` its manual page.
    """

    id: str
    title: str
    family: str = "linux"
    needs: frozenset[str] = frozenset()
    hides: frozenset[str] = frozenset()
    walls: frozenset[str] = frozenset()
    role: str = ""
    real: str = ""
    cite: str = ""


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """Where a sandbox's files come from. Paths are the host's, ``{name}`` is the sandbox's.

    ``root`` is the directory that becomes ``/``; ``layer`` holds the image's files when ``root``
    is put together from layers, and ``upper`` beside it is the sandbox's own layer (a path from
    the directory above ``root``); ``uid_shift`` is added to the owner of every file.
    """

    root: str
    layer: str = ""
    upper: str = "diff"
    uid_shift: int = 0


class Guest(msgspec.Struct, frozen=True, kw_only=True):
    """The first process of a sandbox, as an operator asks for it.

    ``hostname`` may hold ``{name}``, the sandbox's.
    """

    argv: tuple[str, ...] = ("/bin/sh",)
    env: tuple[tuple[str, str], ...] = (("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),)
    cwd: str = "/"
    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()
    hostname: str = ""
    session: bool = False
    """Whether it leads a session of its own (runc's init does)."""


@dataclass(slots=True)
class LaunchPlan:
    """A launch in the making: mechanisms add to it, ``ordered`` gives the steps.

    ``name`` is the sandbox's actor (``guest``, ``neighbour``), ``ordinal`` counts sandboxes from
    1; ``facts`` are what the machine at hand offers (``cgroup2``, ``apparmor``); ``hierarchies``
    the control groups of version 1 that its kernel has, by the names of their directories;
    ``capabilities`` those that it knows, as a mask.
    """

    name: str
    ordinal: int
    root: str
    image: Image
    guest: Guest
    mechanisms: Mapping[str, "Mechanism"]
    facts: frozenset[str] = frozenset({"cgroup2"})
    hierarchies: tuple[str, ...] = (*V1_ORDER, "systemd")
    capabilities: int = ALL_CAPABILITIES
    clone_flags: int = 0
    cloners: list[str] = field(default_factory=list[str])
    steps: list[LaunchStep] = field(default_factory=list[LaunchStep])
    counts: dict[Phase, int] = field(default_factory=dict[Phase, int])
    """How many steps each phase has."""

    @property
    def base(self) -> str:
        """The directory of the sandbox's own on the host, above its root."""
        return self.root.rpartition("/")[0]

    @property
    def upper(self) -> str:
        """Where the sandbox's own files are on the host: its layer, or simply its root."""
        layered = bool(self.image.layer) and self.root != self.image.layer
        return f"{self.base}/{self.image.upper}" if layered else self.root

    def has(self, mechanism: str) -> bool:
        """Whether ``mechanism`` is part of this launch."""
        return mechanism in self.mechanisms

    def call(
        self,
        phase: Phase,
        actor: Actor,
        mechanism: str,
        name: str,
        *args: Any,
        why: str = "",
        binds: str = "",
        tolerates: Iterable[str] = (),
        instead: "Instead | None" = None,
    ) -> None:
        """Add one call."""
        self.counts[phase] = self.counts.get(phase, 0) + 1
        self.steps.append(
            LaunchStep(
                phase=phase,
                actor=actor,
                name=name,
                args=args,
                mechanism=mechanism,
                why=why,
                binds=binds,
                tolerates=frozenset(tolerates),
                instead=instead,
            )
        )

    def caller(self, phase: Phase, actor: Actor, mechanism: str) -> Callable[..., None]:
        """``call`` with its first three arguments given."""

        def add(name: str, *args: Any, **more: Any) -> None:
            self.call(phase, actor, mechanism, name, *args, **more)

        return add

    def write(
        self,
        phase: Phase,
        actor: Actor,
        mechanism: str,
        path: "str | Fill",
        text: "str | Fill",
        *,
        why: str = "",
        tolerates: Iterable[str] = (),
        flags: int = O_WRONLY,
    ) -> None:
        """Add open(2), write(2) and close(2) of a control file."""
        # Counted by phase: what comes before a step does not hang on what comes after it.
        earlier = self.counts.get(phase, 0)
        handle = f"fd{int(phase)}_{earlier}"
        self.call(
            phase,
            actor,
            mechanism,
            "open",
            path,
            flags,
            why=why,
            binds=handle,
            tolerates=tolerates,
        )
        fd = Fill("{" + handle + "}")
        if isinstance(text, Fill):
            text = Fill(text.text, as_text=True)
        self.call(phase, actor, mechanism, "write", fd, text, Length(text), tolerates=tolerates)
        self.call(phase, actor, mechanism, "close", fd)

    def ordered(self) -> tuple[LaunchStep, ...]:
        """The steps, phase by phase."""
        return tuple(sorted(self.steps, key=lambda step: step.phase))


@runtime_checkable
class Mechanism(Protocol):
    """A wall-building device with its settings."""

    @property
    def about(self) -> About:
        """What it is."""
        ...

    def plan(self, plan: LaunchPlan) -> None:
        """Add its launch steps."""
        ...

"""The model is given the defaults of the runtimes that this machine has, and says which differ."""

import hashlib
import json
import textwrap
from collections.abc import Iterable, Iterator

import msgspec

from simulator.experiment.probes.world import World
from simulator.experiment.real import defaults, facts
from simulator.experiment.real.defaults import Defaults
from simulator.isolation.imports.detect import imported
from simulator.isolation.mechanisms.base import Mechanism
from simulator.isolation.mechanisms.capabilities import Capabilities
from simulator.isolation.mechanisms.masked_paths import MaskedPaths
from simulator.isolation.mechanisms.readonly_paths import ReadonlyPaths
from simulator.isolation.mechanisms.seccomp import Seccomp, docker_default
from simulator.isolation.mechanisms.seccomp_fixed import FixedFilter
from simulator.isolation.mechanisms.seccomp_lxc import COMMON
from simulator.isolation.technologies.base import Technology, put
from simulator.isolation.technologies.defaults import lxc_files as files
from simulator.isolation.technologies.registry import TECHNOLOGIES, parse_spec
from simulator.machine.abi.constants import (
    AF_VSOCK,
    CAPABILITY_NAMES,
    CLONE_NEWUSER,
    MNT_FORCE,
)
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.abi.x86_64 import NUMBERS
from simulator.machine.families.linux.numbers import ERRNO_NUMBERS
from simulator.machine.families.linux.seccomp import verdict
from simulator.machine.kernel.cred import mask, names
from simulator.machine.kernel.task import SeccompFilter

BRIEF = 160
"""Characters of a sentence that a terminal is shown: two lines of it."""


class Calibration(msgspec.Struct, frozen=True):
    """What was read; ``told`` has a sentence for each default that is not the model's."""

    docker: Defaults | None = None
    told: tuple[str, ...] = ()

    def technology(self, spec: str, lifted: Iterable[str] = ()) -> Technology:
        """The technology of a SPEC with this machine's defaults instead of the model's.

        What an option of the SPEC has changed stays as the option has it; Docker writes another
        filter for other capabilities.
        """
        lifted = tuple(lifted)
        found = parse_spec(spec, lifted)
        if self.docker is None or found.name != "docker":
            return found
        usual = TECHNOLOGIES["docker"]
        read: list[Mechanism] = [
            MaskedPaths(self.docker.masked),
            ReadonlyPaths(self.docker.readonly),
        ]
        if self.docker.filter and found.get("capabilities") == usual.get("capabilities"):
            read.append(FixedFilter(_filter(self.docker)))
        for mechanism in read:
            name = mechanism.about.id
            if found.get(name) is not None and found.get(name) == usual.get(name):
                found = put(found, mechanism)
        return found

    def brief(self) -> Iterator[str]:
        """The sentences for a terminal: a filter may differ in hundreds of calls."""
        cut = [textwrap.shorten(sentence, BRIEF, placeholder=" ...") for sentence in self.told]
        yield from cut
        if any(sentence.endswith(" ...") for sentence in cut):
            yield _("In full it stands in the report (-o FILE), under stamp.defaults.")

    def stamp(self) -> dict[str, object]:
        """What a report says of it: the runtimes' own defaults, and where the model's differ."""
        said: dict[str, object] = {"differing": list(self.told)}
        if self.docker is not None:
            said["docker"] = {
                "capabilities": list(names(self.docker.capabilities)),
                "masked": list(self.docker.masked),
                "readonly": list(self.docker.readonly),
                "seccomp": digest(self.docker),
            }
        return said


def digest(found: Defaults) -> str:
    """A filter in a word: ``off``, ``on``, or, where the kernel shows it, a hash."""
    if not found.filter:
        return "on" if found.seccomp else "off"
    return hashlib.sha256(repr(found.filter).encode()).hexdigest()[:16]


def calibrate(specs: Iterable[str], world: World) -> Calibration:
    """Ask the runtimes that the SPECs are about."""
    wanted = {spec.split()[0] for spec in specs if spec.strip()}
    docker = defaults.docker(world) if "docker" in wanted else None
    told = [*of_docker(docker)] if docker is not None else []
    for runtime in ("runc", "crun"):
        written = defaults.oci(runtime) if runtime in wanted else None
        if written is not None:
            told += _same(runtime, "runc", json.dumps(written))
    if wanted & {"lxc", "lxc-unpriv"}:
        common, profile = defaults.lxc(), defaults.lxc("common.seccomp")
        told += of_lxc(common) if common else []
        told += of_profile(profile) if profile else []
    return Calibration(docker, tuple(told))


def of_docker(found: Defaults) -> Iterable[str]:
    """A sentence for each default of this engine that is not the model's."""
    usual = TECHNOLOGIES["docker"]
    masked, readonly = usual.get("masked-paths"), usual.get("readonly-paths")
    if isinstance(masked, MaskedPaths):
        yield from _lists("docker", _("masked paths"), masked.paths, found.masked)
    if isinstance(readonly, ReadonlyPaths):
        yield from _lists("docker", _("read-only paths"), readonly.paths, found.readonly)
    kept, usual_filter = usual.get("capabilities"), usual.get("seccomp")
    assert isinstance(kept, Capabilities)
    assert isinstance(usual_filter, Seccomp)
    yield from _lists(
        "docker", _("capabilities"), names(here(kept.keep)), names(found.capabilities)
    )
    if not found.seccomp:
        yield _("docker: no filter of calls is on here")
    elif found.filter:
        model = docker_default(kept.keep, usual_filter.release)
        yield from _lists("docker", _("filter of calls"), _refused(model), _refused(_filter(found)))


def here(capabilities: int) -> int:
    """Those of a mask that this machine's root has at all."""
    bounding = set(facts.gather().bounding) & set(CAPABILITY_NAMES)
    return capabilities & mask(" ".join(sorted(bounding)))


def _filter(found: Defaults) -> SeccompFilter:
    return SeccompFilter("docker-default", program=found.filter)


_ASKED: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("clone", (CLONE_NEWUSER,)),
    ("personality", (8,)),
    ("personality", (4,)),
    ("socket", (AF_VSOCK, 1, 0)),
    ("umount2", (0, MNT_FORCE)),
)
"""Calls whose answer depends on an argument."""


def _refused(filter_: SeccompFilter) -> Iterable[str]:
    """Each call that a filter does not let through, with its answer: ``bpf EPERM``."""
    for name, args in (*((name, ()) for name in NUMBERS), *_ASKED):
        answer = verdict(filter_, name, args)
        if answer != "ALLOW":
            yield f"{name}({', '.join(map(str, args))}) {answer}" if args else f"{name} {answer}"


def _lists(product: str, what: str, model: Iterable[str], real: Iterable[str]) -> Iterable[str]:
    theirs, ours = set(real), set(model)
    more, less = sorted(theirs - ours), sorted(ours - theirs)
    if more or less:
        signed = " ".join([*(f"+{one}" for one in more), *(f"-{one}" for one in less)])
        yield _("{product}: {what} of this version: {list}").format(
            product=product, what=what, list=signed
        )


def of_profile(text: str) -> Iterable[str]:
    """common.seccomp, as the package installed it, beside the model's."""
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    real = [line for line in lines if line and not line.isdigit() and line[0] != "["]
    model = [
        f"{name} errno {ERRNO_NUMBERS[rule.action]}" if rule.op == "any" else "reject_force_umount"
        for rule in COMMON.rules
        for name in sorted(rule.calls)
    ]
    yield from _lists("lxc", "common.seccomp", ["denylist", *model], real)


def of_lxc(common: str) -> Iterable[str]:
    """common.conf, as the package installed it, beside the model's."""
    model = [" = ".join(pair) for pair in files.keys(files.COMMON)]
    real = [" = ".join(" ".join(words.split()) for words in pair) for pair in files.keys(common)]
    quiet = [line for line in real if not line.startswith("lxc.include")]
    yield from _lists("lxc", "common.conf", model, quiet)


def _same(product: str, technology: str, text: str) -> Iterable[str]:
    """The runtime's own default file read as any container's: nothing should be left of it."""
    read = imported(text.encode())
    if read.spec != technology:
        told = read.spec.removeprefix(technology).strip()
        yield _("{product}: {what} of this version: {list}").format(
            product=product, what=_("defaults"), list=told
        )

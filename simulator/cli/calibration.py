"""The model is given the defaults of the runtimes that this machine has, and says which differ."""

import json
from collections.abc import Iterable

import msgspec

from simulator.experiment.probes.world import World
from simulator.experiment.real import defaults, facts
from simulator.experiment.real.defaults import Defaults
from simulator.isolation.imports.detect import imported
from simulator.isolation.mechanisms.capabilities import Capabilities
from simulator.isolation.mechanisms.masked_paths import MaskedPaths
from simulator.isolation.mechanisms.readonly_paths import ReadonlyPaths
from simulator.isolation.technologies.base import Technology, put
from simulator.isolation.technologies.defaults import lxc_files as files
from simulator.isolation.technologies.registry import TECHNOLOGIES, parse_spec
from simulator.machine.abi.constants import CAPABILITY_NAMES
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.cred import mask, names


class Calibration(msgspec.Struct, frozen=True):
    """What was read; ``told`` has a sentence for each default that is not the model's."""

    docker: Defaults | None = None
    told: tuple[str, ...] = ()

    def technology(self, spec: str, lifted: Iterable[str] = ()) -> Technology:
        """The technology of a SPEC with this machine's defaults instead of the model's.

        What an option of the SPEC has changed stays as the option has it.
        """
        lifted = tuple(lifted)
        found = parse_spec(spec, lifted)
        if self.docker is None or found.name != "docker":
            return found
        usual = TECHNOLOGIES["docker"]
        for mechanism in (MaskedPaths(self.docker.masked), ReadonlyPaths(self.docker.readonly)):
            name = mechanism.about.id
            if found.get(name) is not None and found.get(name) == usual.get(name):
                found = put(found, mechanism)
        return found


def calibrate(specs: Iterable[str], world: World) -> Calibration:
    """Ask the runtimes that the SPECs are about."""
    wanted = {spec.split()[0] for spec in specs if spec.strip()}
    docker = defaults.docker(world) if "docker" in wanted else None
    told = [*_docker(docker)] if docker is not None else []
    for runtime in ("runc", "crun"):
        written = defaults.oci(runtime) if runtime in wanted else None
        if written is not None:
            told += _same(runtime, "runc", json.dumps(written))
    if wanted & {"lxc", "lxc-unpriv"}:
        common = defaults.lxc()
        told += _keys(common) if common else []
    return Calibration(docker, tuple(told))


def _docker(found: Defaults) -> Iterable[str]:
    usual = TECHNOLOGIES["docker"]
    masked, readonly = usual.get("masked-paths"), usual.get("readonly-paths")
    if isinstance(masked, MaskedPaths):
        yield from _lists("docker", _("masked paths"), masked.paths, found.masked)
    if isinstance(readonly, ReadonlyPaths):
        yield from _lists("docker", _("read-only paths"), readonly.paths, found.readonly)
    kept = usual.get("capabilities")
    if isinstance(kept, Capabilities):
        bounding = set(facts.gather().bounding) & set(CAPABILITY_NAMES)
        here = kept.keep & mask(" ".join(sorted(bounding)))
        yield from _lists("docker", _("capabilities"), names(here), names(found.capabilities))
    if not found.seccomp:
        yield _("docker: no filter of calls is on here")


def _lists(product: str, what: str, model: Iterable[str], real: Iterable[str]) -> Iterable[str]:
    more, less = sorted(set(real) - set(model)), sorted(set(model) - set(real))
    if more or less:
        signed = " ".join([*(f"+{one}" for one in more), *(f"-{one}" for one in less)])
        yield _("{product}: {what} of this version: {list}").format(
            product=product, what=what, list=signed
        )


def _keys(common: str) -> Iterable[str]:
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

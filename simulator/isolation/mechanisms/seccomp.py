"""seccomp(2): a filter in front of every system call, loaded by the sandbox's own process."""

from dataclasses import dataclass
from typing import Any

from simulator.isolation.mechanisms import seccomp_docker as docker
from simulator.isolation.mechanisms.base import About, LaunchPlan, Phase
from simulator.isolation.mechanisms.capabilities import Capabilities
from simulator.machine.abi.constants import SECCOMP_SET_MODE_FILTER
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.x86_64 import NUMBERS
from simulator.machine.kernel.cred import ALL_CAPABILITIES, names
from simulator.machine.kernel.task import SeccompFilter, SeccompRule

Release = tuple[int, int]
DOCKER_20_10: Release = (20, 10)
DOCKER_28: Release = (28, 2)


ABOUT = About(
    id="seccomp",
    title=N_("system call filter"),
    hides=frozenset(
        {
            "clock",
            "hostname",
            "kernel-log",
            "keyring",
            "module",
            "mount",
            "process",
            "reboot",
            "swap",
        }
    ),
    walls=frozenset({"seccomp"}),
    real="--security-opt seccomp=unconfined",
    cite="seccomp(2)",
)


@dataclass(frozen=True, slots=True)
class Seccomp:
    """Docker's default profile, as ``release`` of the engine has it."""

    release: Release = DOCKER_20_10

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """What is allowed depends on the capabilities that stay."""
        profile = docker_default(kept(plan), self.release)
        load(plan, profile, N_("Calls that the profile does not name will fail with EPERM."))


def load(plan: LaunchPlan, profile: SeccompFilter, why: str) -> None:
    """Have the sandbox's first process load ``profile`` before its capabilities go, unless
    no_new_privs makes the call free.
    """
    late = plan.has("no-new-privs")
    plan.call(
        Phase.CHILD_SECCOMP_LATE if late else Phase.CHILD_SECCOMP_EARLY,
        "guest",
        ABOUT.id,
        "seccomp",
        SECCOMP_SET_MODE_FILTER,
        0,
        as_argument(profile),
        why=why,
    )


def kept(plan: LaunchPlan) -> int:
    """The capabilities (a bit mask) that the sandbox keeps."""
    capabilities = plan.mechanisms.get("capabilities")
    return capabilities.keep if isinstance(capabilities, Capabilities) else ALL_CAPABILITIES


def docker_default(capabilities: int, release: Release = DOCKER_20_10) -> SeccompFilter:
    """The filter for a container that holds ``capabilities`` (a bit mask)."""
    held = names(capabilities)
    recent = release >= DOCKER_28
    allow = docker.ALLOWED | (docker.ONLY_IN_28 if recent else docker.ONLY_IN_20_10)
    allow |= docker.ALLOWED_SINCE_LINUX_4_8_IN_28 if recent else docker.ALLOWED_SINCE_LINUX_4_8
    for name in held:
        allow |= docker.BY_CAPABILITY.get(name, frozenset())
        if recent:
            allow |= docker.BY_CAPABILITY_IN_28.get(name, frozenset())
    rules = _rules("CAP_SYS_ADMIN" in held, recent)
    return SeccompFilter("docker-default", allow, (*for_newer_calls(allow, rules), *rules))


def for_newer_calls(
    allow: frozenset[str], rules: tuple[SeccompRule, ...]
) -> tuple[SeccompRule, ...]:
    """What runc puts before a filter that refuses by default, since 1.0.0-rc93.

    Calls with a higher number than any that the profile names fail with ENOSYS, so that a C library
    takes another way (``libcontainer/seccomp/patchbpf/enosys_linux.go``).
    """
    named = allow.union(*(rule.calls for rule in rules))
    last = max((NUMBERS[name] for name in named if name in NUMBERS), default=0)
    newer = frozenset(name for name, number in NUMBERS.items() if number > last)
    return (SeccompRule(newer, "ENOSYS"),) if last and newer else ()


def as_argument(filter_: SeccompFilter) -> Any:
    """The filter as the model's seccomp(2) takes it: rules in place of BPF, or its instructions."""
    if filter_.program:
        return list(filter_.program)
    rules = [
        {
            "calls": sorted(rule.calls),
            "action": rule.action,
            "index": rule.index,
            "op": rule.op,
            "mask": rule.mask,
            "value": rule.value,
        }
        for rule in filter_.rules
    ]
    return {
        "name": filter_.name,
        "allow": sorted(filter_.allow),
        "rules": rules,
        "default": filter_.default,
    }


def _rules(admin: bool, recent: bool) -> tuple[SeccompRule, ...]:
    by_argument = docker.PERSONALITIES + (docker.SOCKETS_IN_28 if recent else ())
    rules = [_allow(rule) for rule in by_argument]
    if not admin:
        rules.append(_allow(docker.CLONE_WITHOUT_NAMESPACES))
        rules.append(SeccompRule(frozenset({"clone3"}), "ENOSYS"))
    return tuple(rules)


def _allow(rule: docker.ByArgument) -> SeccompRule:
    return SeccompRule(
        frozenset({rule.call}), "ALLOW", rule.argument, rule.op, rule.mask, rule.value
    )

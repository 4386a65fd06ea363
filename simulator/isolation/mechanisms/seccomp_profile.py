"""seccomp(2) with a profile of one's own: the JSON that ``--security-opt seccomp=FILE`` names.

Read as moby ``profiles/seccomp/seccomp_linux.go`` and runc ``libcontainer/seccomp/config.go`` do.
"""

from dataclasses import dataclass

import msgspec

from simulator.isolation.mechanisms.base import About, LaunchPlan
from simulator.isolation.mechanisms.seccomp import ABOUT, for_newer_calls, kept, load
from simulator.machine.abi.i18n import N_
from simulator.machine.families.linux.numbers import ERRNO_NUMBERS
from simulator.machine.kernel.cred import names
from simulator.machine.kernel.task import SeccompFilter, SeccompRule

_ACTIONS = {
    "SCMP_ACT_ALLOW": "ALLOW",
    "SCMP_ACT_LOG": "ALLOW",
    "SCMP_ACT_TRAP": "TRAP",
    "SCMP_ACT_KILL": "KILL",
    "SCMP_ACT_KILL_THREAD": "KILL",
    "SCMP_ACT_KILL_PROCESS": "KILL",
    "SCMP_ACT_TRACE": "ENOSYS",
    "SCMP_ACT_NOTIFY": "ENOSYS",
}
"""With nobody listening, TRACE and NOTIFY fail with ENOSYS (seccomp(2))."""
_OPERATORS = ("NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ")
_ERRNOS = {number: name for name, number in ERRNO_NUMBERS.items()}
_ARCHITECTURE = "amd64"


class ProfileError(ValueError):
    """The profile is none, in moby's words."""


class RuntimeProfileError(ProfileError):
    """The same, found by runc and in its words."""


class _Argument(msgspec.Struct):
    index: int
    op: str
    value: int
    valueTwo: int = 0  # noqa: N815 (the profile's own name)


class _When(msgspec.Struct):
    caps: list[str] = []
    arches: list[str] = []


class _Calls(msgspec.Struct):
    action: str
    names: list[str] = []
    name: str = ""
    errnoRet: int | None = None  # noqa: N815 (the profile's own name)
    args: list[_Argument] | None = None
    includes: _When | None = None
    excludes: _When | None = None


class _Profile(msgspec.Struct):
    defaultAction: str = ""  # noqa: N815 (the profile's own name)
    defaultErrnoRet: int | None = None  # noqa: N815 (the profile's own name)
    architectures: list[str] = []
    archMap: list[object] = []  # noqa: N815 (the profile's own name)
    syscalls: list[_Calls] | None = None


@dataclass(frozen=True, slots=True)
class ProfileFilter:
    """``text`` is the profile's JSON; ``read`` has taken it."""

    text: str

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """What it allows may depend on the capabilities that stay."""
        profile = read(self.text, kept(plan))
        if profile is not None:
            load(plan, profile, N_("From here on the filter is asked before every call."))


def read(text: str, capabilities: int) -> SeccompFilter | None:
    """The filter of a profile for a sandbox with ``capabilities`` (a bit mask); None for no filter.

    Raises ``ProfileError``.
    """
    try:
        profile = msgspec.json.decode(text.encode(), type=_Profile)
    except msgspec.MsgspecError as error:
        raise ProfileError(f"Decoding seccomp profile failed: {error}") from None
    if not profile.defaultAction and not profile.syscalls:
        return None
    if profile.architectures and profile.archMap:
        raise ProfileError(
            "both 'architectures' and 'archMap' are specified in the seccomp profile, use either"
            " 'architectures' or 'archMap'"
        )
    default = _action(profile.defaultAction, profile.defaultErrnoRet)
    held = set(names(capabilities))
    rules: list[SeccompRule] = []
    for calls in profile.syscalls or []:
        if calls.name and calls.names:
            raise ProfileError(
                "both 'name' and 'names' are specified in the seccomp profile, use either 'name'"
                " or 'names'"
            )
        action = _action(calls.action, calls.errnoRet)
        if _applies(calls, held) and action != default:  # runc skips what says nothing new
            rules += _rules(calls, action)
    # of the rules for one call, those that look at an argument are asked first (libseccomp)
    rules.sort(key=lambda rule: rule.op == "any")
    if default not in ("ALLOW", "ENOSYS") and profile.defaultAction != "SCMP_ACT_TRACE":
        named = frozenset(
            name
            for calls in profile.syscalls or []
            if _applies(calls, held)
            for name in calls.names or [calls.name]
        )
        rules = [*for_newer_calls(named, ()), *rules]
    return SeccompFilter("profile", rules=tuple(rules), default=default)


def _action(word: str, number: int | None) -> str:
    if word == "SCMP_ACT_ERRNO":
        return _ERRNOS.get(number or 0, "EPERM")
    if word not in _ACTIONS:
        raise RuntimeProfileError(f"string {word} is not a valid action for seccomp")
    return _ACTIONS[word]


def _applies(calls: _Calls, held: set[str]) -> bool:
    """Whether it is for this machine and these capabilities; a kernel is never too old here."""
    wanted, unwanted = calls.includes or _When(), calls.excludes or _When()
    if held & set(unwanted.caps) or _ARCHITECTURE in unwanted.arches:
        return False
    here = not wanted.arches or _ARCHITECTURE in wanted.arches
    return here and held >= set(wanted.caps)


def _rules(calls: _Calls, action: str) -> list[SeccompRule]:
    over = frozenset(calls.names or [calls.name])
    arguments = calls.args or []
    if not arguments:
        return [SeccompRule(over, action)]
    if len(arguments) > len({one.index for one in arguments}):
        return [_by_argument(over, action, one) for one in arguments]  # any of them (runc)
    if len(arguments) > 1:
        raise ProfileError("a rule about two arguments at once is not modelled")
    return [_by_argument(over, action, arguments[0])]


def _by_argument(over: frozenset[str], action: str, one: _Argument) -> SeccompRule:
    op = one.op.removeprefix("SCMP_CMP_")
    if op not in _OPERATORS:
        raise RuntimeProfileError(f"string {one.op} is not a valid operator for seccomp")
    if op == "MASKED_EQ":
        return SeccompRule(over, action, one.index, "masked_eq", one.value, one.valueTwo)
    return SeccompRule(over, action, one.index, op.lower(), 0, one.value)

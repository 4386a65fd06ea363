"""Authority: does the guest hold a right over what is not its own?

Dangerous rights are asked for harmlessly, so a call that fails *after* the permission check (a bad
magic number, a missing module) proves the right as well as one that succeeds.
"""

from simulator.experiment.probes.observe import Case, numbered
from simulator.experiment.probes.oracles.common import crossings, holds, through
from simulator.experiment.probes.trace import Entry, Status
from simulator.experiment.probes.verdict import Outcome, Verdict
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_

_COMMANDING = frozenset({"privilege", "read", "write", "signal", "trace", "exhaust"})

MACHINE_CALLS = frozenset(
    {
        "reboot",
        "adjtimex",
        "clock_settime",
        "settimeofday",
        "delete_module",
        "init_module",
        "kexec_load",
        "swapon",
        "swapoff",
        "acct",
        "iopl",
        "syslog",
        "quotactl",
        "vhangup",
    }
)
"""Calls over the whole machine in any namespace: to be past the permission check is the right."""

_PERMISSION = frozenset({Errno.EPERM, Errno.EACCES, Errno.ENOSYS, Errno.EROFS, Errno.ESRCH})


def judge(case: Case) -> Verdict:
    """``LEAKS`` when the guest may command another's object; ``LIMITED`` when only some."""
    if case.main.trace.sees_crossings:
        found = crossings(case, _COMMANDING)
        return through(case, found, partly=True) if found else holds(case)
    return _by_errno(case)


def _by_errno(case: Case) -> Verdict:
    """A real kernel doesn't say whose object it was: only refusals and machine-wide calls tell."""
    attacks = numbered(case.main.trace, case.attackers)
    commanded = tuple(
        number
        for number, entry in attacks
        if entry.call in MACHINE_CALLS and _past_the_check(entry)
    )
    if commanded:
        return Verdict(
            outcome=Outcome.LEAKS,
            evidence=commanded,
            reason=N_("the call got past the permission check"),
        )
    if attacks and not _past_the_check(attacks[-1][1]):
        return holds(case)
    return Verdict(
        outcome=Outcome.INCONCLUSIVE,
        reason=N_("a real kernel does not say over whose object the right was"),
    )


def _past_the_check(entry: Entry) -> bool:
    if entry.status is Status.FAILED:
        return entry.errno not in _PERMISSION
    return entry.status in (Status.RETURNED, Status.BLOCKED)

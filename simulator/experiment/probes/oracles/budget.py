"""Budget: can the guest take more than it was granted of a resource that others share?"""

from simulator.experiment.probes.observation import Use
from simulator.experiment.probes.observe import Case, numbered
from simulator.experiment.probes.oracles.common import crossings, holds, through
from simulator.experiment.probes.trace import Entry, Status
from simulator.experiment.probes.verdict import Outcome, Verdict
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_

EXHAUSTED = frozenset(
    {
        Errno.ENOMEM,
        Errno.EAGAIN,
        Errno.ENOSPC,
        Errno.EMFILE,
        Errno.ENFILE,
        Errno.EDQUOT,
        Errno.EFBIG,
        Errno.EPERM,
        Errno.EACCES,
        Errno.EINVAL,
    }
)
"""How a kernel says that there is no more: errno(3), getrlimit(2), fork(2). The last three are
refusals of a limit's own call (setrlimit, F_SETPIPE_SZ, mlock) and count with a wall only."""

_NEED_A_WALL = frozenset({Errno.EPERM, Errno.EACCES, Errno.EINVAL})


def judge(case: Case) -> Verdict:
    """``HOLDS`` within the grant, ``LIMITED`` by somebody else's limit, else ``LEAKS``."""
    found = tuple(pair for pair in crossings(case, frozenset({"exhaust"})) if not pair[1].granted)
    if found:
        return through(case, found, partly=False)
    refused = [
        (number, entry)
        for number, entry in numbered(case.main.trace, case.attackers)
        if _is_limit(entry)
    ]
    use = next((use for use in case.main.uses if use.resource == case.resource), None)
    if use is None:
        return holds(case) if refused else _unlimited(case)
    if use.granted is not None:
        return holds(case) if use.used <= use.granted else _unlimited(case)
    return _by_another_limit(refused, use) if refused else _unlimited(case)


def _is_limit(entry: Entry) -> bool:
    if entry.status is Status.KILLED:
        return True
    if entry.errno in _NEED_A_WALL:
        return entry.stopped_by is not None
    return entry.errno in EXHAUSTED


def _unlimited(case: Case) -> Verdict:
    """A leak, unless the guest took nothing at all (its calls failed for another reason)."""
    took = tuple(
        number
        for number, entry in numbered(case.main.trace, case.attackers)
        if entry.status is Status.RETURNED
    )
    if not took:
        return holds(case)
    return Verdict(
        outcome=Outcome.LEAKS,
        evidence=took[-1:],
        reason=N_("nothing limits what the guest takes"),
    )


def _by_another_limit(refused: list[tuple[int, Entry]], use: Use) -> Verdict:
    number, entry = refused[0]
    return Verdict(
        outcome=Outcome.LIMITED if use.used else Outcome.HOLDS,
        evidence=(number,),
        stopped_by=entry.stopped_by,
        reason=N_("the guest has no grant of its own; another limit ended it"),
    )

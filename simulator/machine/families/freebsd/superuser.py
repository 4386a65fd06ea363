"""What uid 0 may do, and who may signal or trace whom: before any prison has its say.

Source: sys/kern/kern_priv.c (priv_check_cred: "Now test for superuser"), sys/kern/kern_prot.c
(p_cansignal, cr_cansignal, p_candebug).
"""

from simulator.machine.abi.call import Denial
from simulator.machine.abi.constants import SIGCONT
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import NsId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import prison, sysctl
from simulator.machine.kernel.cred import Credentials
from simulator.machine.kernel.security import Answer, Policy
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Trap

_NOT_ROOT = Denial(
    Errno.EPERM,
    "superuser",
    N_("Only the superuser may do that."),
    "sys/kern/kern_priv.c priv_check_cred()",
)
_NO_SUPERUSER = Denial(
    Errno.EPERM,
    "superuser",
    N_("User id 0 is nobody special in this prison (allow.nosuser)."),
    "jail(8)",
)
_HIDDEN_USER = Denial(
    Errno.ESRCH,
    "see-other-uids",
    N_("security.bsd.see_other_uids hides the processes of other users."),
    "security(7)",
)
_OTHER_USER = Denial(
    Errno.EPERM,
    "uid",
    N_("The process belongs to another user, and the caller is not the superuser."),
    "sys/kern/kern_prot.c cr_cansignal()",
)
_NOT_DEBUGGABLE = Denial(
    Errno.EPERM,
    "uid",
    N_("The process has rights that the caller lacks, and the caller is not the superuser."),
    "sys/kern/kern_prot.c p_candebug()",
)


def is_superuser(cred: Credentials) -> bool:
    """The effective user id is what counts."""
    return cred.euid == 0


def holds(trap: Trap, privilege: Privilege, over: NsId | None) -> Answer:
    """uid 0: one test for every privilege but security.bsd.unprivileged_mlock's.

    In a prison with allow.nosuser not even that counts.
    """
    del over
    if is_superuser(trap.task.cred):
        return None if prison.allows(prison.of(trap), "allow.suser") else _NO_SUPERUSER
    if privilege is Privilege.LOCK_MEMORY:
        free = sysctl.number(trap.store, trap.family, "security.bsd.unprivileged_mlock")
        return None if free else _NOT_ROOT
    return _NOT_ROOT


def may_see(trap: Trap, task: Task) -> Answer:
    """cr_canseeotheruids(): security.bsd.see_other_uids 0 hides other users' processes."""
    mine = trap.task.cred
    if mine.ruid == task.cred.ruid or is_superuser(mine):
        return None
    seen = sysctl.number(trap.store, trap.family, "security.bsd.see_other_uids")
    return None if seen else _HIDDEN_USER


def may_signal(trap: Trap, task: Task, signo: int) -> Answer:
    """p_cansignal(): the same user, the superuser, or SIGCONT within a session."""
    mine, theirs = trap.task.cred, task.cred
    if (
        task.id == trap.task.id
        or (signo == SIGCONT and task.sid == trap.task.sid)
        or mine.ruid in (theirs.ruid, theirs.suid)
        or mine.euid in (theirs.ruid, theirs.suid)
        or is_superuser(mine)
    ):
        return None
    return _OTHER_USER


def may_trace(trap: Trap, task: Task) -> Answer:
    """p_candebug(): no group and no id that the caller lacks, nothing set-user-ID."""
    mine, theirs = trap.task.cred, task.cred
    if task.id == trap.task.id or is_superuser(mine):
        return None
    groups = {mine.egid, *mine.groups}
    if not prison.allows(prison.of(trap), "allow.unprivileged_proc_debug"):
        return _NOT_DEBUGGABLE
    same_groups = {theirs.rgid, theirs.sgid, *theirs.groups} <= groups
    same_user = (theirs.ruid, theirs.euid, theirs.suid) == (mine.euid,) * 3
    return None if same_groups and same_user and task.dumpable else _NOT_DEBUGGABLE


SUPERUSER = Policy(
    name="superuser",
    holds=holds,
    may_see=may_see,
    may_signal=may_signal,
    may_trace=may_trace,
)

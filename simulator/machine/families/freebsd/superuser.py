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
    """uid 0: one test for every privilege but security.bsd.unprivileged_mlock's."""
    del over
    if is_superuser(trap.task.cred) or privilege is Privilege.LOCK_MEMORY:
        return None
    return _NOT_ROOT


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
    same_groups = {theirs.rgid, theirs.sgid, *theirs.groups} <= groups
    same_user = (theirs.ruid, theirs.euid, theirs.suid) == (mine.euid,) * 3
    return None if same_groups and same_user and task.dumpable else _NOT_DEBUGGABLE


SUPERUSER = Policy(name="superuser", holds=holds, may_signal=may_signal, may_trace=may_trace)

"""Who may look into whom: the ptrace access check of ptrace(2), and Yama.

Source: kernel/ptrace.c (__ptrace_may_access), security/yama/yama_lsm.c, commoncap.c.
"""

from simulator.machine.abi.call import Denial
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.families.linux.capabilities import capable
from simulator.machine.kernel import pids, sysctl
from simulator.machine.kernel.security import Answer, Policy
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Trap

_OTHER_USER = Denial(
    Errno.EPERM,
    "uid",
    N_("The process belongs to another user, and the caller lacks CAP_SYS_PTRACE over it."),
    "ptrace(2)",
)
_UNDUMPABLE = Denial(
    Errno.EPERM,
    "dumpable",
    N_("The process is not dumpable, and the caller lacks CAP_SYS_PTRACE over it."),
    "ptrace(2)",
)
_MORE_CAPABLE = Denial(
    Errno.EPERM,
    "capability",
    N_("The process has capabilities that the caller lacks."),
    "ptrace(2)",
)
_NOT_A_CHILD = Denial(
    Errno.EPERM,
    "yama",
    N_("Yama lets a process trace only its own descendants."),
    "Documentation/admin-guide/LSM/Yama.rst",
)
_NO_ATTACH = Denial(
    Errno.EPERM,
    "yama",
    N_("Yama forbids tracing, except with CAP_SYS_PTRACE, or at all."),
    "Documentation/admin-guide/LSM/Yama.rst",
)


def may_trace(trap: Trap, task: Task) -> Answer:
    """__ptrace_may_access(): ids, dumpable, capability sets (all modes)."""
    if task.id == trap.task.id:
        return None
    mine, theirs = trap.task.cred, task.cred
    privileged = capable(trap.store, mine, "SYS_PTRACE", theirs.user_ns)
    same_user = (theirs.ruid, theirs.euid, theirs.suid) == (mine.ruid,) * 3
    same_group = (theirs.rgid, theirs.egid, theirs.sgid) == (mine.rgid,) * 3
    if not privileged and not (same_user and same_group):
        return _OTHER_USER
    if not task.dumpable and not capable(trap.store, mine, "SYS_PTRACE", task.mm_user_ns):
        return _UNDUMPABLE
    covered = mine.user_ns == theirs.user_ns and not theirs.permitted & ~mine.permitted
    return None if privileged or covered else _MORE_CAPABLE


def may_attach(trap: Trap, task: Task) -> Answer:
    """yama_ptrace_access_check(), asked on top where PTRACE_MODE_ATTACH is wanted."""
    if "yama" not in trap.family.features or task.id == trap.task.id:
        return None
    scope = sysctl.number(trap.store, trap.family, "kernel.yama.ptrace_scope")
    if scope == 0:
        return None
    privileged = capable(trap.store, trap.task.cred, "SYS_PTRACE", task.cred.user_ns)
    if scope == 1:
        if privileged or pids.descends(trap.store, task, trap.task) or _invited(trap, task):
            return None
        return _NOT_A_CHILD
    return None if scope == 2 and privileged else _NO_ATTACH


def _invited(trap: Trap, task: Task) -> bool:
    """PR_SET_PTRACER: the target named this tracer, or an ancestor of it, or anybody (-1)."""
    named = task.allowed_tracer
    if named is None:
        return False
    invited = trap.store.get(Task, named)
    return named == -1 or (invited is not None and pids.descends(trap.store, trap.task, invited))


TRACING = Policy(name="ptrace", may_trace=may_trace)
YAMA = Policy(name="yama", may_attach=may_attach)

"""The rules of the 2.4 patch (ctx-1 to ctx-17, 2001-2003), where they differ from those of 2.6.

The capability ceiling is the task's own (``cap_bset``), so mainline's rules see to it. The barrier
against chroot(2)'s way out is a directory that nobody may search: mode 000 counts in a context even
for root. Source: util-vserver doc/intro.txt (2003), oldwiki.linux-vserver.org/chroot-barrier.
"""

from simulator.machine.abi.call import Denial
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.families.linux.vserver import policy
from simulator.machine.kernel import vserver as vx
from simulator.machine.kernel.security import Answer, Policy
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs.inode import Inode, is_dir

_CLOSED = Denial(
    Errno.EACCES,
    policy.BARRIER,
    N_("A directory of mode 000 is closed to every security context, even to its root."),
    "https://oldwiki.linux-vserver.org/chroot-barrier",
)


def may_list(trap: Trap, task: Task) -> Answer:
    """Process 1 "is visible from every security context" (doc/intro.txt)."""
    return None if task.id == 1 else policy.may_list(trap, task)


def may_pass(trap: Trap, inode: Inode, want: int) -> Answer:
    """The 000 directory; terminals have tags since ctx-6."""
    if is_dir(inode) and not inode.mode & 0o777 and vx.is_guest(vx.of(trap)):
        return _CLOSED
    return policy.may_pass(trap, inode, want)


CONTEXT = Policy(
    name="vserver-context",
    may_list=may_list,
    may_reach=policy.may_reach,
    may_trace=policy.may_trace,
    may_pass=may_pass,
)

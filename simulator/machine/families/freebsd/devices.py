"""Device nodes work in devfs alone, and what the memory devices ask of whoever writes to them.

Source: sys/ufs/ufs/ufs_vnops.c (ufs_open: EOPNOTSUPP for VCHR and VBLK), devfs(5),
sys/dev/mem/memdev.c (memopen).
"""

from simulator.machine.abi.call import Denial
from simulator.machine.abi.constants import O_ACCMODE, O_RDONLY
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.security import Answer, Policy
from simulator.machine.kernel.task import At
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import permission

_DEAD_NODE = Denial(
    Errno.EOPNOTSUPP,
    "devfs",
    N_("A device node outside devfs opens no device: only devfs knows the drivers."),
    "sys/ufs/ufs/ufs_vnops.c ufs_open()",
)
MEMORY = frozenset(("mem", "kmem"))


def may_open(trap: Trap, at: At, path: str, flags: int) -> Answer:
    """ufs_open(); memopen(): to write to the kernel's memory is a privilege of its own."""
    del path
    if not permission.is_device(inodes.load(trap, at.inode)):
        return None
    if isinstance(at.inode, int):
        return _DEAD_NODE
    if at.inode[-1] in MEMORY and flags & O_ACCMODE != O_RDONLY:
        return trap.family.chain.ask(trap, "holds", Privilege.RAW_IO, None)
    return None


DEVICES = Policy(name="devfs", may_open=may_open)

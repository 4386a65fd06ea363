"""POSIX message queues by their raw calls: names come without the slash of mq_open(3)."""

from simulator.machine.abi.call import Value
from simulator.machine.kernel.ipc import mqueue
from simulator.machine.kernel.trap import Trap
from simulator.machine.syscalls.registry import linux


@linux("mq_open", since=(2, 6, 6), partial="queues have the default attributes")
def mq_open(trap: Trap, name: str, flags: int, mode: int = 0, attributes: Value = None) -> int:
    """Open or make a queue; the descriptor is close-on-exec. ENOENT, EEXIST, EACCES, ENOSPC."""
    return mqueue.open_queue(trap, name, flags, mode, attributes)


@linux("mq_unlink", since=(2, 6, 6))
def mq_unlink(trap: Trap, name: str) -> int:
    """Take a queue's name away. ENOENT, EACCES, EPERM."""
    return mqueue.unlink_queue(trap, name)

"""System V shared memory, semaphores and message queues. sysvipc(7)."""

from simulator.machine.abi.call import Result, Value
from simulator.machine.abi.errno import Errno
from simulator.machine.kernel import clock
from simulator.machine.kernel.ipc import msg, sem, shm
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.syscalls.clock import SHORT_SLEEP
from simulator.machine.syscalls.registry import posix

NANOSECONDS = 1_000_000_000


@posix("shmget")
def shmget(trap: Trap, key: int, size: int, flags: int = 0) -> int:
    """Find or make a segment. EEXIST, ENOENT, EINVAL, EACCES, ENOSPC."""
    return shm.get(trap, key, size, flags)


@posix("shmat")
def shmat(trap: Trap, number: int, address: int = 0, flags: int = 0) -> int:
    """Attach a segment; the address is the value. EINVAL, EACCES."""
    return shm.attach(trap, number, address, flags)


@posix("shmdt")
def shmdt(trap: Trap, address: int) -> int:
    """Detach the segment at an address. EINVAL."""
    return shm.detach(trap, address)


@posix("shmctl")
def shmctl(trap: Trap, number: int, command: int, value: Value = None) -> Result | int:
    """Look at, change, lock or remove a segment. EINVAL, EACCES, EPERM."""
    return shm.control(trap, number, command, value)


@posix("semget")
def semget(trap: Trap, key: int, count: int, flags: int = 0) -> int:
    """Find or make a set of semaphores. EEXIST, ENOENT, EINVAL, EACCES, ENOSPC."""
    return sem.get(trap, key, count, flags)


@posix("semop")
def semop(trap: Trap, number: int, operations: Value, count: int | None = None) -> int:
    """Do operations ``[(number, change, flags)]``, all or none; sleeps until it can."""
    del count
    return sem.operate(trap, number, operations)


@posix("semtimedop")
def semtimedop(
    trap: Trap,
    number: int,
    operations: Value,
    count: int | None = None,
    timeout: Value = None,
) -> int:
    """semop(2) with a relative timeout ``(seconds, nanoseconds)``: EAGAIN when it passes."""
    del count
    deadline = None
    if isinstance(timeout, (tuple, list)):
        if len(timeout) != 2:
            raise NotModelled("a timeout is seconds and nanoseconds")
        seconds, rest = (item if isinstance(item, int) else 0 for item in timeout)
        if seconds < 0 or not 0 <= rest < NANOSECONDS:
            trap.fail(Errno.EINVAL, "", "semop(2)")
        wait = seconds * NANOSECONDS + rest
        # Nobody else acts in so short a time, as in nanosleep(2).
        deadline = clock.monotonic(trap.store) + (wait if wait > SHORT_SLEEP else 0)
    if trap.deadline is not None:  # woken: the time it had was counted from its first try
        deadline = trap.deadline
    return sem.operate(trap, number, operations, deadline)


@posix("semctl")
def semctl(trap: Trap, number: int, place: int, command: int, value: Value = None) -> Result | int:
    """Read, set or remove semaphores. EINVAL, EACCES, EPERM, ERANGE."""
    return sem.control(trap, number, place, command, value)


@posix("msgget")
def msgget(trap: Trap, key: int, flags: int = 0) -> int:
    """Find or make a message queue. EEXIST, ENOENT, EACCES, ENOSPC."""
    return msg.get(trap, key, flags)


@posix("msgsnd")
def msgsnd(trap: Trap, number: int, message: Value, size: int, flags: int = 0) -> int:
    """Send ``(type, text)``; sleeps while the queue is full. EINVAL, EACCES, EAGAIN."""
    return msg.send(trap, number, message, size, flags)


@posix("msgrcv")
def msgrcv(trap: Trap, number: int, size: int, kind: int = 0, flags: int = 0) -> Result:
    """Receive ``(type, text)``; sleeps while there is none. EINVAL, EACCES, E2BIG, ENOMSG."""
    return msg.receive(trap, number, size, kind, flags)


@posix("msgctl")
def msgctl(trap: Trap, number: int, command: int, value: Value = None) -> Result | int:
    """Look at, change or remove a message queue. EINVAL, EACCES, EPERM."""
    return msg.control(trap, number, command, value)

"""Descriptions that tell of events of which none ever comes here: fanotify(7), timerfd_create(2).

No mark is put on a file and no timer is set, so a reader waits for ever.

Source: fs/notify/fanotify/fanotify_user.c (fanotify_read, fanotify_write), fs/timerfd.c.
"""

from typing import TYPE_CHECKING, NoReturn

from simulator.machine.abi.call import Result, Returned, Value
from simulator.machine.abi.constants import FIONREAD, O_NONBLOCK
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.trap import Sleep
from simulator.machine.kernel.vfs import fd as fds

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

FANOTIFY, TIMER = "fanotify", "timerfd"
"""The kinds of description."""

_RESPONSE = 8
"""Bytes of ``struct fanotify_response``: a descriptor and what to answer."""
_ANSWERS = (1, 2)
"""FAN_ALLOW, FAN_DENY. FAN_AUDIT and FAN_INFO go with them in groups that asked for audits."""
_EXPIRATIONS = 8
"""Bytes of a timer's count."""


def _wait(trap: "Trap", file: fds.File, _count: int) -> NoReturn:
    """Whatever the size of the buffer: that is looked at when there is an event."""
    if file.flags & O_NONBLOCK:
        trap.fail(Errno.EAGAIN, N_("It would have to wait, and O_NONBLOCK is set."), "read(2)")
    raise Sleep(file.kind, ())


def _answer(trap: "Trap", _file: fds.File, data: bytes) -> NoReturn:
    """An answer to a question that nobody asked: EINVAL, ENOENT."""
    descriptor = int.from_bytes(data[:4], "little", signed=True)
    answer = int.from_bytes(data[4:8], "little")
    if len(data) < _RESPONSE or descriptor < 0 or answer not in _ANSWERS:
        trap.fail(Errno.EINVAL, N_("That is no answer to an event."), "fanotify(7)")
    trap.fail(Errno.ENOENT, N_("No event waits for this answer."), "fanotify(7)")


def _waiting(trap: "Trap", _file: fds.File, request: int, _argument: Value) -> Result:
    """FIONREAD: no bytes. ENOTTY."""
    if request != FIONREAD:
        trap.fail(Errno.ENOTTY, N_("This kind of descriptor has no such request."), "ioctl(2)")
    return Returned(0, 0)


def _expirations(trap: "Trap", file: fds.File, count: int) -> NoReturn:
    if count < _EXPIRATIONS:
        trap.fail(Errno.EINVAL, N_("A count is 8 bytes."), "timerfd_create(2)")
    _wait(trap, file, count)


fds.register(FANOTIFY, fds.FileOps(_wait, _answer, ioctl=_waiting))
fds.register(TIMER, fds.FileOps(_expirations))

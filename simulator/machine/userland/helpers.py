"""Starting what the kernel wants run by itself: release agents and the programs that take cores."""

from typing import TYPE_CHECKING

from simulator.machine.abi.call import Call, Executed
from simulator.machine.abi.constants import WNOHANG
from simulator.machine.kernel.usermode import ENVIRONMENT, INIT, Helper

if TYPE_CHECKING:
    from simulator.machine.userland.runtime import Userland

ACTOR = "kernel"


def start(land: "Userland") -> bool:
    """Begin every program that the kernel has noted, bury those that ended; whether any began."""
    if not land.helpers and not land.kernel.store.count(Helper):
        return False
    before, land.actor = land.actor, ACTOR
    for pid in [one for one in land.helpers if not land.alive(one)]:
        land.helpers.remove(pid)
        land.syscall(INIT, Call("wait4", (pid, WNOHANG)))
    waiting = tuple(land.kernel.store.all(Helper))
    for helper in waiting:
        _begin(land, helper)
    land.actor = before
    return bool(waiting)


def _begin(land: "Userland", helper: Helper) -> None:
    _born, pid = land.forked(INIT, Call("@helper", (helper.id,)))
    assert pid is not None, "nothing limits what the first process makes"
    land.helpers.append(pid)
    call = Call("execve", (helper.argv[0], list(helper.argv), list(ENVIRONMENT)))
    if isinstance(land.syscall(pid, call), Executed):
        land.start(pid, actor=ACTOR)
    else:
        land.syscall(pid, Call("exit", (127,)))

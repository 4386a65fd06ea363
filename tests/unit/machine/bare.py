"""A booted machine with some files, and one line to make a call on it."""

from typing import Any

import msgspec

from simulator.machine.abi.call import Blocked, Call, Failed, Killed, Returned
from simulator.machine.abi.ids import KGid, KUid, MountId, Pid
from simulator.machine.families.linux import LINUX
from simulator.machine.kernel import fork
from simulator.machine.kernel.boot import INIT, boot
from simulator.machine.kernel.family import Family
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs.mount import Mount


class Machine:
    """A kernel with ``root`` (a child of init) and helpers; answers are values or errno names."""

    def __init__(self, family: Family = LINUX) -> None:
        self.kernel: Kernel = boot(family)
        self.store = self.kernel.store
        self.pid = self.fork(INIT)

    def fork(self, parent: Pid | None = None) -> Pid:
        """A child of ``parent`` (the machine's usual task)."""
        task = self.store.row(Task, self.pid if parent is None else parent)
        trap = Trap(self.store, self.kernel.family, task)
        return fork.fork(trap, 0).id

    def become(self, pid: Pid, uid: int) -> Pid:
        """Make ``pid`` an ordinary user without any capability."""
        task = self.store.row(Task, pid)
        cred = msgspec.structs.replace(
            task.cred,
            **dict.fromkeys(("ruid", "euid", "suid", "fsuid"), KUid(uid)),
            **dict.fromkeys(("rgid", "egid", "sgid", "fsgid"), KGid(uid)),
            groups=(),
            effective=0,
            permitted=0,
        )
        self.store.put(msgspec.structs.replace(task, cred=cred))
        return pid

    def raw(self, name: str, *args: Any, pid: Pid | None = None) -> Any:
        """The result itself."""
        return self.kernel.call(self.pid if pid is None else pid, Call(name, args))

    def do(self, name: str, *args: Any, pid: Pid | None = None) -> Any:
        """The value, the errno's name, ``Blocked`` or the signal's name."""
        return told(self.raw(name, *args, pid=pid))

    def data(self, name: str, *args: Any, pid: Pid | None = None) -> Any:
        """What a successful call wrote."""
        result = self.raw(name, *args, pid=pid)
        assert isinstance(result, Returned), (name, args, result)
        return result.data

    def woken(self, pid: Pid) -> Any:
        """What became of the call that ``pid`` slept in."""
        return told(self.kernel.woken.pop(pid))

    def task(self) -> Task:
        """The usual task's row."""
        return self.store.row(Task, self.pid)

    def trap(self) -> Trap:
        """An entry into the kernel by the usual task."""
        return Trap(self.store, self.kernel.family, self.task())

    def task_mount(self) -> MountId:
        """The mount that the usual task's root is on."""
        return self.task().root.mount

    def mount_flags(self, mount: int, flags: int) -> None:
        """Set a mount's flags by hand."""
        row = self.store.row(Mount, MountId(mount))
        self.store.put(msgspec.structs.replace(row, flags=flags))


def told(result: Any) -> Any:
    """A result in one word."""
    if isinstance(result, Returned):
        return result.value
    if isinstance(result, Failed):
        return str(result.errno)
    if isinstance(result, Blocked):
        return "Blocked"
    if isinstance(result, Killed):
        return result.signal
    return result

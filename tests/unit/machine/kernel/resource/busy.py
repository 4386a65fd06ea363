"""A machine whose tasks are busy: forks of init that compute, touch memory or use the disk."""

from typing import Any

import msgspec

from simulator.machine.abi.call import Call, Result, Returned
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.resource.demand import account, spent
from simulator.machine.kernel.resource.memory import Memory
from simulator.machine.kernel.resource.processors import Processors
from simulator.machine.kernel.task import Task
from tests.unit.machine.kernel.grouped import Grouped

SECOND = 1_000_000_000
PAGES = 3, 34, -1, 0
"""PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, no file."""


class Busy(Grouped):
    """``hog`` is a task without an end to its work, ``run`` lets time pass."""

    def __init__(self, version: str = "v2", cpus: int = 2, memory: int = 1 << 30) -> None:
        super().__init__(version)
        self.store.put(Processors(id=0, count=cpus))
        self.store.put(Memory(id=0, total=memory))

    def child(self, group: str = "") -> Pid:
        pid = self.ask("fork")
        assert isinstance(pid, int)
        for one in group.split():
            assert self.put(f"{one}/cgroup.procs", str(pid)) == len(str(pid))
        return Pid(pid)

    def hog(self, group: str = "", **changes: Any) -> Pid:
        pid = self.child(group)
        self.store.put(msgspec.structs.replace(self.store.row(Task, pid), **changes))
        self.burn(pid)
        return pid

    def burn(self, pid: Pid, nanoseconds: int | None = None, system: int = 0) -> Result:
        return self.kernel.call(pid, Call("@burn", (nanoseconds, system)))

    def touch(self, pid: Pid, size: int) -> Result:
        address = self.kernel.call(pid, Call("mmap", (0, size, *PAGES)))
        assert isinstance(address, Returned), address
        return self.kernel.call(pid, Call("@touch", (address.value, size)))

    def run(self, seconds: float) -> None:
        left = round(seconds * SECOND)
        while left > 0:
            left -= self.kernel.advance(left)

    def ran(self, *pids: Pid) -> float:
        """Seconds of processor time."""
        return sum(one.user + one.system for one in (spent(self.store, p) for p in pids)) / SECOND

    def domain(self, name: str) -> float:
        return account(self.store, ("domain", name)).ran / SECOND

    def alive(self, pid: Pid) -> bool:
        task = self.store.get(Task, pid)
        return task is not None and task.state.value != "Z"

"""A disk's time: shared by weight, bounded by limits, waited for."""

import pytest

from simulator.machine.abi.call import Blocked, Call
from simulator.machine.abi.constants import O_CREAT, O_RDWR
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel import clock
from simulator.machine.kernel.resource.demand import spent
from simulator.machine.kernel.resource.processors import Disk
from simulator.machine.kernel.task import Task
from tests.unit.machine.kernel.resource.busy import SECOND, Busy

MB = 1 << 20
SDA = 8 << 8


def with_disk(version: str = "v2", scheduler: str = "bfq") -> Busy:
    machine = Busy(version)
    disk = Disk(id=SDA, bandwidth=100 * MB, latency=0, scheduler=scheduler)
    machine.store.put(disk)
    return machine


def request(machine: Busy, pid: Pid, size: int, *, write: bool = True, block: int = MB) -> None:
    fd = machine.ask("open", f"/file{pid}", O_RDWR | O_CREAT, 0o600, pid=pid)
    result = machine.kernel.call(pid, Call("@transfer", (fd, size, block, int(write))))
    assert isinstance(result, Blocked)


def written(machine: Busy, pid: Pid) -> float:
    return spent(machine.store, pid).written / MB


def test_a_request_takes_as_long_as_the_disk_is_slow() -> None:
    machine = with_disk()
    pid = machine.child()
    begun = clock.monotonic(machine.store)
    request(machine, pid, 50 * MB)
    assert machine.store.row(Task, pid).state.value == "D"
    passed = machine.kernel.advance(10 * SECOND)
    assert passed / SECOND == pytest.approx(0.5, abs=0.001)
    assert clock.monotonic(machine.store) - begun == passed
    assert written(machine, pid) == 50


def test_weights_divide_the_disk() -> None:
    machine = with_disk()
    machine.put("cgroup.subtree_control", "+io")
    for name, weight in (("a", 300), ("b", 100)):
        machine.make(name)
        machine.put(f"{name}/io.weight", str(weight))
    a, b = machine.child("a"), machine.child("b")
    for pid in (a, b):
        request(machine, pid, 1 << 40)
    machine.run(2)
    assert written(machine, a) == pytest.approx(150, abs=2)
    assert written(machine, b) == pytest.approx(50, abs=2)
    assert "wbytes=" in str(machine.text("a/io.stat"))


def test_a_plain_scheduler_knows_no_weights() -> None:
    machine = with_disk(scheduler="mq-deadline")
    machine.put("cgroup.subtree_control", "+io")
    machine.make("a")
    machine.put("a/io.weight", "1000")
    alone, crowd = machine.child("a"), [machine.child() for _ in range(3)]
    for pid in (alone, *crowd):
        request(machine, pid, 1 << 40)
    machine.run(2)
    assert written(machine, alone) == pytest.approx(50, abs=2)


@pytest.mark.parametrize(
    ("limit", "block", "expected"),
    [("wbps=5242880", MB, 5), ("wiops=20", 256 << 10, 5), ("rbps=1048576", MB, 100)],
)
def test_limits_bind_the_direction_that_they_name(limit: str, block: int, expected: int) -> None:
    machine = with_disk()
    machine.put("cgroup.subtree_control", "+io")
    machine.make("a")
    assert machine.put("a/io.max", f"8:0 {limit}") == len(f"8:0 {limit}")
    pid = machine.child("a")
    request(machine, pid, 1 << 40, block=block)
    machine.run(4)
    assert written(machine, pid) / 4 == pytest.approx(expected, rel=0.05)


def test_version_1_throttles_too() -> None:
    machine = with_disk("v1")
    machine.make("blkio/a")
    machine.put("blkio/a/blkio.throttle.write_bps_device", "8:0 1048576")
    pid = machine.child("blkio/a")
    request(machine, pid, 1 << 40, block=128 << 10)
    machine.run(4)
    assert written(machine, pid) == pytest.approx(4, abs=0.3)
    counted = str(machine.text("blkio/a/blkio.throttle.io_service_bytes"))
    assert f"8:0 Write {spent(machine.store, pid).written}\n" in counted

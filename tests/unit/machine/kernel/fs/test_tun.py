"""/dev/net/tun: the errnos of a kernel 6.18."""

import pytest

from simulator.machine.abi.constants import (
    CLONE_NEWNET,
    IFF_NO_PI,
    IFF_TAP,
    IFF_TUN,
    O_RDWR,
    S_IFCHR,
    TCGETS,
    TUNSETIFF,
)
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.fs.devices import device_number
from simulator.machine.kernel.net import interface
from tests.unit.machine.bare import Machine


@pytest.fixture
def machine() -> Machine:
    made = Machine()
    made.do("mknod", "/tun", S_IFCHR | 0o666, device_number(10, 200))
    return made


def opened(machine: Machine) -> int:
    return machine.do("open", "/tun", O_RDWR)


def names(machine: Machine) -> set[str]:
    rows = interface.listed(machine.store, machine.task().ns.net)
    return {row.name for row in rows}


def test_an_interface_lives_as_long_as_its_descriptor(machine: Machine) -> None:
    fd = opened(machine)
    assert machine.data("ioctl", fd, TUNSETIFF, ("tun0", IFF_TUN | IFF_NO_PI)) == (
        "tun0",
        IFF_TUN | IFF_NO_PI,
    )
    assert "tun0" in names(machine)
    assert machine.do("ioctl", fd, TUNSETIFF, ("tun1", IFF_TUN)) == "EEXIST"
    machine.do("close", fd)
    assert "tun0" not in names(machine)


def test_the_kernel_finds_a_number(machine: Machine) -> None:
    assert machine.data("ioctl", opened(machine), TUNSETIFF, ("tap%d", IFF_TAP))[0] == "tap0"
    assert machine.data("ioctl", opened(machine), TUNSETIFF, ("tap%d", IFF_TAP))[0] == "tap1"


def test_what_makes_no_sense_is_refused(machine: Machine) -> None:
    interface.populate(machine.store, machine.task().ns.net)
    fd = opened(machine)
    assert machine.do("read", fd, 8) == "EBADFD"
    assert machine.do("ioctl", fd, TCGETS, None) == "EBADFD"
    assert machine.do("ioctl", fd, TUNSETIFF, ("tun0", 0)) == "EINVAL"
    assert machine.do("ioctl", fd, TUNSETIFF, ("lo", IFF_TUN)) == "EINVAL"
    machine.do("ioctl", fd, TUNSETIFF, ("tun0", IFF_TUN))
    assert machine.do("ioctl", opened(machine), TUNSETIFF, ("tun0", IFF_TUN)) == "EBUSY"


def test_it_takes_a_right_over_the_stack_where_it_was_opened(machine: Machine) -> None:
    fd = opened(machine)
    user = machine.become(Pid(machine.do("fork")), 1000)
    assert machine.do("ioctl", fd, TUNSETIFF, ("tun0", IFF_TUN), pid=user) == "EPERM"
    machine.do("unshare", CLONE_NEWNET)
    machine.do("ioctl", fd, TUNSETIFF, ("tun0", IFF_TUN))
    assert "tun0" not in names(machine)

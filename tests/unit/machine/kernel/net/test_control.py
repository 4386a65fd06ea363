"""ioctl(2) on interfaces, and the socket options that ask for a right."""

import pytest

from simulator.machine.abi.constants import (
    AF_INET,
    AF_UNIX,
    CLONE_NEWNET,
    CLONE_NEWUSER,
    IFF_LOOPBACK,
    IFF_RUNNING,
    IFF_UP,
    IP_TRANSPARENT,
    SIOCGIFADDR,
    SIOCGIFFLAGS,
    SIOCGIFMTU,
    SIOCSIFADDR,
    SIOCSIFFLAGS,
    SIOCSIFMTU,
    SO_BINDTODEVICE,
    SO_DEBUG,
    SO_MARK,
    SO_PRIORITY,
    SO_SNDBUFFORCE,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_IP,
    SOL_SOCKET,
)
from tests.unit.machine.kernel.networked import Machine


def udp(machine: Machine, pid: int = 1) -> int:
    fd = machine.ask("socket", AF_INET, SOCK_DGRAM, 0, pid=pid)
    assert isinstance(fd, int)
    return fd


def test_the_flags_of_loopback_say_that_it_runs(machine: Machine) -> None:
    flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING
    assert machine.ask("ioctl", udp(machine), SIOCGIFFLAGS, ("lo", 0)) == ("lo", flags)


def test_an_interface_of_another_network_is_enodev(machine: Machine) -> None:
    assert machine.ask("ioctl", udp(machine), SIOCGIFFLAGS, ("eth9", 0)) == "ENODEV"


@pytest.mark.parametrize(
    ("request_", "value"), [(SIOCSIFFLAGS, 0), (SIOCSIFMTU, 1000), (SIOCSIFADDR, "10.0.0.1")]
)
def test_changing_an_interface_needs_the_right_over_its_network(
    machine: Machine, request_: int, value: int | str
) -> None:
    user = machine.user()
    asked = (udp(machine, user), request_, ("lo", value))
    assert machine.ask("ioctl", *asked, pid=user) == "EPERM"


def test_root_of_a_user_namespace_changes_the_network_that_it_owns(machine: Machine) -> None:
    user = machine.user()
    assert machine.ask("unshare", CLONE_NEWUSER | CLONE_NEWNET, pid=user) == 0
    fd = udp(machine, user)
    assert machine.ask("ioctl", fd, SIOCSIFFLAGS, ("lo", IFF_UP), pid=user) == 0
    assert machine.ask("ioctl", fd, SIOCGIFADDR, ("lo", 0), pid=user) == ("lo", "127.0.0.1")


def test_an_interface_without_address_is_eaddrnotavail(machine: Machine) -> None:
    guest = machine.elsewhere()
    assert machine.ask("ioctl", udp(machine, guest), SIOCGIFADDR, ("lo", 0), pid=guest) == (
        "EADDRNOTAVAIL"
    )


def test_an_address_without_mask_gets_that_of_its_class(machine: Machine) -> None:
    fd = udp(machine)
    machine.ask("ioctl", fd, SIOCSIFADDR, ("lo", "10.0.0.1"))
    assert machine.ask("ioctl", fd, SIOCGIFADDR, ("lo", 0)) == ("lo", "10.0.0.1")
    assert machine.ask("ioctl", fd, 0x891B, ("lo", 0)) == ("lo", "255.0.0.0")


def test_a_changed_mtu_is_read_back(machine: Machine) -> None:
    fd = udp(machine)
    assert machine.ask("ioctl", fd, SIOCSIFMTU, ("lo", 1000)) == 0
    assert machine.ask("ioctl", fd, SIOCGIFMTU, ("lo", 0)) == ("lo", 1000)


def test_unix_sockets_know_no_addresses_of_interfaces(machine: Machine) -> None:
    fd = machine.ask("socket", AF_UNIX, SOCK_STREAM, 0)
    assert machine.ask("ioctl", fd, SIOCGIFADDR, ("lo", 0)) == "ENOTTY"


@pytest.mark.parametrize(
    ("level", "option", "value", "errno"),
    [
        (SOL_SOCKET, SO_MARK, 1, "EPERM"),
        (SOL_SOCKET, SO_DEBUG, 1, "EACCES"),
        (SOL_SOCKET, SO_PRIORITY, 7, "EPERM"),
        (SOL_SOCKET, SO_SNDBUFFORCE, 1 << 24, "EPERM"),
        (SOL_IP, IP_TRANSPARENT, 1, "EPERM"),
        (SOL_SOCKET, SO_BINDTODEVICE, "none", "ENODEV"),
        (SOL_SOCKET, 999, 1, "ENOPROTOOPT"),
    ],
)
def test_an_option_is_refused_to_a_user(
    machine: Machine, level: int, option: int, value: int | str, errno: str
) -> None:
    user = machine.user()
    assert machine.ask("setsockopt", udp(machine, user), level, option, value, pid=user) == errno


def test_a_user_may_bind_to_a_device_once(machine: Machine) -> None:
    user = machine.user()
    asked = (udp(machine, user), SOL_SOCKET, SO_BINDTODEVICE, "lo")
    assert machine.ask("setsockopt", *asked, pid=user) == 0
    assert machine.ask("setsockopt", *asked, pid=user) == "EPERM"

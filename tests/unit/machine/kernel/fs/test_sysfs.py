"""sysfs: one tree for the machine, with each network namespace's own interfaces."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "userland"))

from scene import line, machine, output

MOUNT = "mount -t sysfs sysfs /sys; "


def test_interfaces_are_those_of_the_mounter_s_network_namespace() -> None:
    assert output(MOUNT + "ls /sys/class/net") == "eth0\nlo\n"
    assert output(MOUNT + "unshare -n ls /sys/class/net") == "eth0\nlo\n"
    assert output(f"unshare -nm sh -c '{MOUNT}ls /sys/class/net'") == "lo\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mkdir /sys/x", "mkdir: can't create directory '/sys/x': Operation not permitted\n"),
        ("touch /sys/x", "touch: /sys/x: Permission denied\n"),
        ("rm /sys/kernel/notes", "rm: can't remove '/sys/kernel/notes': Operation not permitted\n"),
        ("echo 1 > /sys/kernel/fscaps", "sh: can't create /sys/kernel/fscaps: Permission denied\n"),
    ],
)
def test_the_tree_is_not_for_changing(text: str, message: str) -> None:
    assert output(MOUNT + text) == message


def test_an_interface_s_mtu_is_set_through_its_file() -> None:
    text = "echo 1400 > /sys/class/net/eth0/mtu; cat /sys/class/net/eth0/mtu"
    assert output(MOUNT + text) == "1400\n"
    refused = line(machine(), MOUNT + "su user -c 'echo 1 > /sys/class/net/eth0/mtu'")
    assert refused.output == b"/bin/sh: can't create /sys/class/net/eth0/mtu: Permission denied\n"

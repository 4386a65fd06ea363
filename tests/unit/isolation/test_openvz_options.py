"""vzctl's parameters as words of a SPEC, and the file that holds them."""

import pytest

from simulator.experiment.engine.executor import open_session
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.control.openvz import config
from simulator.isolation.mechanisms.beancounters import UNLIMITED, Beancounters
from simulator.isolation.mechanisms.ve_capabilities import VeCapabilities
from simulator.isolation.mechanisms.ve_devices import VeDevices
from simulator.isolation.mechanisms.vzquota import Vzquota
from simulator.isolation.technologies.base import SpecError
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.call import Returned
from simulator.machine.kernel.cred import mask


def limits(spec: str) -> dict[str, tuple[int, int]]:
    counters = parse_spec(spec).get("beancounters")
    assert isinstance(counters, Beancounters)
    return dict(counters.limits)


def test_barrier_and_limit_are_in_the_resource_s_own_unit() -> None:
    assert limits("openvz --privvmpages 65536:69632")["privvmpages"] == (65536, 69632)
    assert limits("openvz --privvmpages 256M")["privvmpages"] == (65536, 65536)
    assert limits("openvz --kmemsize 1M:2M")["kmemsize"] == (1 << 20, 2 << 20)
    assert limits("openvz --numproc unlimited")["numproc"] == (UNLIMITED, UNLIMITED)


def test_what_vswap_derives_follows_ram_and_swap() -> None:
    found = limits("openvz --ram 64M --swap 32M")
    assert found["physpages"] == (0, 16384)
    assert found["swappages"] == (0, 8192)
    assert found["lockedpages"] == (16384, 16384)
    assert found["vmguarpages"] == (24576, UNLIMITED)


def test_a_sample_is_the_whole_list() -> None:
    assert limits("openvz --config basic")["numproc"] == (240, 240)
    assert "numproc" not in limits("openvz")


def test_capabilities_are_switched_one_by_one() -> None:
    caps = parse_spec("openvz --capability sys_time:on,mknod:off").get("ve-capabilities")
    assert isinstance(caps, VeCapabilities)
    assert caps.keep & mask("SYS_TIME")
    assert not caps.keep & mask("MKNOD")


def test_disk_space_is_in_kilobytes_or_with_a_unit() -> None:
    quota = parse_spec("openvz --diskspace 1G:1.1G").get("vzquota")
    assert isinstance(quota, Vzquota)
    assert quota.space == (1 << 20, 1153433)


def test_a_device_node_is_made_and_may_be_opened() -> None:
    devices = parse_spec("openvz --devnodes sda:r").get("ve-devices")
    assert isinstance(devices, VeDevices)
    assert devices.rules == ("b 8:0 rm",)
    session = open_session(load_world(), parse_spec("openvz --devnodes sda:r"))
    result = session.shell("guest", "test -b /dev/sda && head -c 4 /dev/sda > /dev/null")
    assert isinstance(result, Returned)
    assert result.value == 0


@pytest.mark.parametrize(
    "words",
    [
        "--numproc",
        "--numproc x",
        "--numproc 5M",
        "--capability sys_time",
        "--config huge",
        "--netfilter maybe",
        "--cpuunits 1",
        "--frobnicate 1",
    ],
)
def test_a_mistake_is_one_line(words: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(f"openvz {words}")
    assert "\n" not in str(caught.value)


def test_the_first_kernel_has_no_vswap() -> None:
    with pytest.raises(SpecError, match="VSwap"):
        parse_spec("openvz@2.6.18 --ram 256M")


def test_the_file_reads_as_it_was_written() -> None:
    values = config.parse('NUMPROC="240:240"\n# comment\nIP_ADDRESS="192.0.2.7 192.0.2.8"\nX=y\n')
    assert values == {"NUMPROC": "240:240", "IP_ADDRESS": "192.0.2.7 192.0.2.8", "X": "y"}
    assert config.parse(config.spell(values)) == values
    assert config.words(values) == [
        "--numproc", "240:240", "--ipadd", "192.0.2.7", "--ipadd", "192.0.2.8",
    ]  # fmt: skip

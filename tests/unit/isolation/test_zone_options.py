"""zonecfg's words in a SPEC, and the configuration that they come to."""

import pytest

from simulator.isolation.mechanisms.zone import Zone
from simulator.isolation.technologies.base import SpecError, Technology
from simulator.isolation.technologies.options import zone_xml, zonecfg
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.kernel import privset


def zone_of(technology: Technology) -> Zone:
    found = technology.get("zone")
    assert isinstance(found, Zone)
    return found


def test_create_b_is_a_whole_root() -> None:
    assert "sparse-root" in parse_spec("zone").ids
    assert "sparse-root" in parse_spec("zone create").ids
    assert "sparse-root" not in parse_spec("zone create -b").ids


def test_properties_become_resource_controls() -> None:
    zone = zone_of(
        parse_spec(
            "zone max-processes=5 capped-memory:swap=64m capped-memory:physical=1g"
            " capped-cpu:ncpus=1.25 cpu-shares=20"
        )
    )
    assert dict(zone.rctls) == {
        "zone.max-processes": 5,
        "zone.max-lwps": 50,
        "zone.cpu-shares": 20,
        "zone.max-swap": 64 << 20,
        "zone.cpu-cap": 125,
    }
    assert zone.physical == 1 << 30


def test_a_resource_comes_again_with_its_first_property() -> None:
    spec = "zone net:address=192.0.2.30 net:physical=e0 net:address=192.0.2.31/25"
    nets = zone_of(parse_spec(spec)).nets
    assert [(net.address, net.physical) for net in nets] == [
        ("192.0.2.30", "e0"),
        ("192.0.2.31/25", ""),
    ]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("zone limitpriv=default,sys_config", "not permitted"),
        ("zone limitpriv=basic", "is missing"),
        ("zone limitpriv=default,sys_god", "there is no privilege"),
        ("zone ip-typ=shared", "did you mean ip-type"),
        ("zone ip-type=other", "shared, exclusive"),
        ("zone capped-memory:swap=much", "such as 100 or 64m"),
        ("zone net:physical=e0", "address must be specified"),
        ("zone ip-type=exclusive net:address=192.0.2.3", "cannot be specified"),
        ("zone fs:dir=/x fs:type=lofs", "special"),
        ("zone printer:name=x", "no property or resource printer"),
        ("zone verbose", "name=value"),
    ],
)
def test_what_zonecfg_does_not_take_is_said_in_one_line(spec: str, told: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(spec)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_limitpriv_is_read_as_priv_str_to_set_reads_it() -> None:
    words = {"default": privset.mask("sys_mount proc_chroot")}
    bits = privset.parse("default,!proc_chroot,PRIV_SYS_TIME", words)
    assert privset.names(bits) == ("sys_mount", "sys_time")


def test_a_configuration_survives_its_file() -> None:
    config = zonecfg.default()
    for name, value in (("zonename", "web"), ("zonepath", "/zones/web"), ("max-lwps", "20")):
        config = zonecfg.set_property(config, name, value) if name != "zonename" else config
        config = zonecfg.set_property(config, name, value)
    config = zonecfg.add(config, "fs")
    for name, value in (("dir", "/a"), ("special", "/b"), ("type", "lofs"), ("options", "[ro]")):
        config = zonecfg.set_inner(config, "fs", name, value)
    config = zonecfg.add(config, "capped-memory")
    config = zonecfg.set_inner(config, "capped-memory", "swap", "64m")
    back = zone_xml.parse(zone_xml.text(config))
    assert back.properties == config.properties
    assert back.of("fs") == config.of("fs")
    assert back.of("inherit-pkg-dir") == config.of("inherit-pkg-dir")
    assert zonecfg.rctls(back) == zonecfg.rctls(config)


def test_what_is_no_configuration_is_said() -> None:
    with pytest.raises(zonecfg.ConfigError):
        zone_xml.parse("<zone")

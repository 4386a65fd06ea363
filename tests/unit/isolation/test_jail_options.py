"""jail(8)'s parameters on a SPEC: what is taken, what is refused, and with which line."""

import pytest

from simulator.isolation.mechanisms.devfs_rules import DevfsRules
from simulator.isolation.mechanisms.prison import Prison
from simulator.isolation.technologies.base import SpecError
from simulator.isolation.technologies.registry import parse_spec


def params(spec: str) -> dict[str, object]:
    prison = parse_spec(spec).get("prison")
    assert isinstance(prison, Prison)
    return dict(prison.params)


@pytest.mark.parametrize(
    ("word", "name", "value"),
    [
        ("allow.raw_sockets", "allow.raw_sockets", 1),
        ("allow.noset_hostname", "allow.set_hostname", 0),
        ("allow.mount.notmpfs", "allow.mount.tmpfs", 0),
        ("enforce_statfs=1", "enforce_statfs", 1),
        ("sysvshm=new", "sysvshm", "new"),
        ("ip4.addr=192.0.2.7,192.0.2.8", "ip4.addr", ("192.0.2.7", "192.0.2.8")),
        ("ip4.addr=em0|192.0.2.7/24", "ip4.addr", ("192.0.2.7",)),
    ],
)
def test_a_parameter_is_taken_as_jail_writes_it(word: str, name: str, value: object) -> None:
    assert params(f"jail {word}")[name] == value


def test_a_network_of_its_own_takes_the_list_of_addresses_away() -> None:
    assert params("jail vnet=new")["ip4.addr"] == ()


def test_without_mount_devfs_nothing_is_mounted_on_dev() -> None:
    rules = parse_spec("jail mount.devfs=0").get("devfs-rules")
    assert isinstance(rules, DevfsRules)
    assert not rules.mounted


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        ("jail allow.everything", "allow.everything"),
        ("jail enforce_statfs=3", "enforce_statfs"),
        ("jail ip4.addr=somewhere", "somewhere"),
        ("jail ip6.addr=192.0.2.7", "192.0.2.7"),
        ("jail vnet ip4.addr=192.0.2.7", "ip4.addr"),
        ("jail sysvshm=new sysvmsg=inherit", "sysvmsg"),
    ],
)
def test_a_mistake_is_named_in_one_line(spec: str, word: str) -> None:
    with pytest.raises(SpecError) as refused:
        parse_spec(spec)
    assert word in str(refused.value)
    assert "\n" not in str(refused.value)

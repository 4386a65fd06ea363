"""jail(8)'s parameters on a SPEC: what is taken, what is refused, and with which line."""

import pytest

from simulator.isolation.mechanisms.devfs_rules import DevfsRules
from simulator.isolation.mechanisms.prison import Prison
from simulator.isolation.mechanisms.rctl import Rctl
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


@pytest.mark.parametrize(
    ("words", "rules"),
    [
        ("jail::maxproc:deny=64", (("maxproc", "deny=64"),)),
        ("jail:web:maxproc:deny=64 j::vmemoryuse:log=1g/user", (
            ("maxproc", "deny=64"), ("vmemoryuse", "log=1073741824/user"),
        )),
        ("'jail:$name:nthr:deny=2k/jail'", (("nthr", "deny=2048"),)),
        ("kern.racct.enable=1", ()),
    ],
)  # fmt: skip
def test_a_line_of_rctl_conf_is_a_rule_for_the_jail(
    words: str, rules: tuple[tuple[str, str], ...]
) -> None:
    limits = parse_spec(f"jail {words} allow.mlock").get("rctl")
    assert isinstance(limits, Rctl)
    assert limits.rules == rules
    assert parse_spec("jail").get("rctl") is None


def test_rules_come_before_the_prison_that_they_are_for_and_without_it_hold_nobody() -> None:
    walls = [wall for wall in parse_spec("jail").ids if wall.startswith("prison")]
    limited = parse_spec("jail jail::maxproc:deny=64")
    assert limited.ids.index("rctl") < limited.ids.index("prison")
    assert "rctl" in parse_spec("jail jail::maxproc:deny=64", walls).ids


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("jail::nosuch:deny=1", "failed to add rule 'jail::nosuch:deny=1': Invalid argument"),
        ("jail::maxproc", "failed to add rule 'jail::maxproc': Invalid argument"),
        ("jail::cputime:deny=1", "rule 'jail::cputime:deny=1': Operation not supported"),
        ("jail::maxproc:deny=5z", "malformed rule 'jail::maxproc:deny=5z': invalid numeric value"),
        ("jail::wallclock:devctl=1", "does not have what the rule is about"),
        ("u:root:maxproc:deny=5", "a rule for a jail was expected"),
        ("jail:a:maxproc:deny=5 jail:b:nthr:deny=5", "more than one jail: a, b"),
        ("kern.racct.enable=0", "1 was expected"),
    ],
)
def test_a_rule_that_the_kernel_would_refuse_is_refused_before(words: str, line: str) -> None:
    with pytest.raises(SpecError) as refused:
        parse_spec(f"jail {words}")
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)

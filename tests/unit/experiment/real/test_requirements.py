"""What keeps a technology from running on this machine is said in words."""

import pytest

from simulator.experiment.real import host
from simulator.experiment.real.products import PRODUCTS


def test_the_first_thing_that_is_missing_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    there = dict.fromkeys(host.REQUIREMENTS, lambda: None)
    monkeypatch.setattr(host, "REQUIREMENTS", there | {"runc": lambda: "no runc"})
    monkeypatch.setattr(host, "effective", lambda: frozenset(host.NEEDED_CAPABILITIES))

    assert host.why_not("runc") == "no runc"
    assert host.why_not("chroot") is None


def test_kinds_of_namespaces_that_are_missing_are_listed_as_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(host.os.path, "exists", lambda path: "/ns/" not in path)

    assert host.check("namespaces") == (
        "this kernel has no namespaces of kind mnt, pid, uts, ipc, net"
    )


def test_whatever_can_be_launched_for_real_says_what_it_takes() -> None:
    assert host.NEEDS.keys() == PRODUCTS.keys()
    assert {name for names in host.NEEDS.values() for name in names} <= {
        *host.REQUIREMENTS,
        *host.NEEDED_CAPABILITIES,
    }

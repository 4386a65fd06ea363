"""Docker's default profile, release by release."""

from simulator.isolation.mechanisms.seccomp import DOCKER_20_10, DOCKER_28, docker_default
from simulator.isolation.technologies.defaults.docker import CAPABILITIES
from simulator.machine.kernel.cred import ALL_CAPABILITIES


def test_clone3_is_absent_for_a_container_without_sys_admin() -> None:
    profile = docker_default(CAPABILITIES)
    assert [rule.action for rule in profile.rules if "clone3" in rule.calls] == ["ENOSYS"]


def test_clone3_is_allowed_with_sys_admin() -> None:
    profile = docker_default(ALL_CAPABILITIES)
    assert "clone3" in profile.allow
    assert not any("clone3" in rule.calls for rule in profile.rules)


def test_a_capability_brings_its_calls() -> None:
    assert "chroot" in docker_default(CAPABILITIES).allow
    assert "chroot" not in docker_default(0).allow
    assert "mount" not in docker_default(CAPABILITIES).allow


def test_the_newer_profile_lets_go_of_io_uring_and_vsock() -> None:
    assert "io_uring_setup" in docker_default(CAPABILITIES, DOCKER_20_10).allow
    recent = docker_default(CAPABILITIES, DOCKER_28)
    assert "io_uring_setup" not in recent.allow
    assert [(rule.op, rule.value) for rule in recent.rules if "socket" in rule.calls] == [
        ("ne", 40)
    ]


def test_keys_are_in_neither_profile() -> None:
    for release in (DOCKER_20_10, DOCKER_28):
        assert (
            not {"add_key", "keyctl", "request_key"} & docker_default(CAPABILITIES, release).allow
        )

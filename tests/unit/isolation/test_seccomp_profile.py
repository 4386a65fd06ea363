"""Docker's default profile, release by release."""

from simulator.isolation.mechanisms.seccomp import DOCKER_20_10, DOCKER_28, docker_default
from simulator.isolation.mechanisms.seccomp_profile import read
from simulator.isolation.technologies.defaults.docker import CAPABILITIES
from simulator.machine.families.linux.seccomp import verdict
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


def test_a_call_newer_than_the_profile_is_unknown_to_it_and_not_forbidden() -> None:
    old, new = (docker_default(CAPABILITIES, release) for release in (DOCKER_20_10, DOCKER_28))
    assert [verdict(old, call) for call in ("fchmodat2", "quotactl_fd")] == ["ENOSYS", "EPERM"]
    assert verdict(new, "fchmodat2") == "ALLOW"


def test_a_profile_of_ones_own_forbids_only_what_was_there_when_it_was_written() -> None:
    text = '{"defaultAction": "%s", "syscalls": [{"names": ["openat2"], "action": "%s"}]}'
    strict = read(text % ("SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW"), 0)
    lax = read(text % ("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"), 0)
    assert strict is not None
    assert lax is not None
    calls = ("mkdir", "openat2", "faccessat2")
    assert [verdict(strict, call) for call in calls] == ["EPERM", "ALLOW", "ENOSYS"]
    assert [verdict(lax, call) for call in calls] == ["ALLOW", "EPERM", "ALLOW"]

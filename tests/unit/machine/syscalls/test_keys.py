"""Keys: what hangs on a user id crosses every wall that does not change it. keyrings(7)."""

import pytest

from simulator.machine.abi.constants import (
    CLONE_NEWPID,
    CLONE_NEWUSER,
    KEY_SPEC_PROCESS_KEYRING,
    KEY_SPEC_SESSION_KEYRING,
    KEY_SPEC_USER_KEYRING,
    KEYCTL_CLEAR,
    KEYCTL_DESCRIBE,
    KEYCTL_GET_KEYRING_ID,
    KEYCTL_JOIN_SESSION_KEYRING,
    KEYCTL_READ,
    KEYCTL_REVOKE,
    KEYCTL_SEARCH,
)
from simulator.machine.abi.ids import Pid
from tests.unit.machine.bare import Machine

USER_RING = KEY_SPEC_USER_KEYRING


@pytest.fixture
def machine() -> Machine:
    return Machine()


def add(machine: Machine, name: str, ring: int, pid: Pid | None = None) -> int:
    return machine.do("add_key", "user", name, b"secret", 6, ring, pid=pid)


def test_a_user_keyring_is_shared_across_pid_namespaces(machine: Machine) -> None:
    key = add(machine, "k", USER_RING)
    inside = Pid(machine.do("clone", CLONE_NEWPID))
    assert machine.do("keyctl", KEYCTL_SEARCH, USER_RING, "user", "k", 0, pid=inside) == key
    assert machine.data("keyctl", KEYCTL_READ, key, 64, pid=inside) == b"secret"


def test_another_user_has_another_keyring(machine: Machine) -> None:
    add(machine, "k", USER_RING)
    user = machine.become(Pid(machine.do("fork")), 1000)
    assert machine.do("keyctl", KEYCTL_SEARCH, USER_RING, "user", "k", 0, pid=user) == "ENOKEY"


def test_another_user_namespace_has_another_keyring(machine: Machine) -> None:
    add(machine, "k", USER_RING)
    inside = Pid(machine.do("clone", CLONE_NEWUSER))
    assert machine.do("keyctl", KEYCTL_SEARCH, USER_RING, "user", "k", 0, pid=inside) == "ENOKEY"


def test_a_session_keyring_goes_down_to_children(machine: Machine) -> None:
    ring = machine.do("keyctl", KEYCTL_JOIN_SESSION_KEYRING, None)
    child = Pid(machine.do("fork"))
    special = KEY_SPEC_SESSION_KEYRING
    assert machine.do("keyctl", KEYCTL_GET_KEYRING_ID, special, 0, pid=child) == ring


def test_a_process_keyring_does_not(machine: Machine) -> None:
    add(machine, "k", KEY_SPEC_PROCESS_KEYRING)
    child = Pid(machine.do("fork"))
    special = KEY_SPEC_PROCESS_KEYRING
    assert machine.do("keyctl", KEYCTL_GET_KEYRING_ID, special, 0, pid=child) == "ENOKEY"


def test_a_strangers_key_is_eacces(machine: Machine) -> None:
    key = add(machine, "k", KEY_SPEC_PROCESS_KEYRING)
    user = machine.become(Pid(machine.do("fork")), 1000)
    assert machine.do("keyctl", KEYCTL_READ, key, 64, pid=user) == "EACCES"


def test_the_same_name_is_the_same_key(machine: Machine) -> None:
    assert add(machine, "k", USER_RING) == add(machine, "k", USER_RING)


def test_no_such_type_is_enodev(machine: Machine) -> None:
    assert machine.do("add_key", "nosuch", "k", b"x", 1, USER_RING) == "ENODEV"


def test_no_such_keyring_is_enokey(machine: Machine) -> None:
    assert add(machine, "k", 99999999) == "ENOKEY"


def test_an_empty_payload_is_einval(machine: Machine) -> None:
    assert machine.do("add_key", "user", "k", b"", 0, USER_RING) == "EINVAL"


def test_a_revoked_key_says_so(machine: Machine) -> None:
    key = add(machine, "k", USER_RING)
    machine.do("keyctl", KEYCTL_REVOKE, key)
    assert machine.do("keyctl", KEYCTL_READ, key, 64) == "EKEYREVOKED"


def test_a_cleared_keyring_is_empty(machine: Machine) -> None:
    add(machine, "k", USER_RING)
    machine.do("keyctl", KEYCTL_CLEAR, USER_RING)
    assert machine.data("keyctl", KEYCTL_READ, USER_RING, 64) == b""


def test_a_key_describes_itself(machine: Machine) -> None:
    key = add(machine, "k", USER_RING)
    assert machine.data("keyctl", KEYCTL_DESCRIBE, key, 64) == b"user;0;0;3f010000;k\0"


def test_a_users_quota_of_keys_ends(machine: Machine) -> None:
    user = machine.become(Pid(machine.do("fork")), 1000)
    answers = [add(machine, f"k{number}", USER_RING, user) for number in range(210)]
    assert answers[-1] == "EDQUOT"


def test_no_such_command_is_eopnotsupp(machine: Machine) -> None:
    assert machine.do("keyctl", 9999) == "EOPNOTSUPP"


def test_what_is_found_in_a_special_keyring_is_possessed(machine: Machine) -> None:
    key = add(machine, "k", USER_RING)
    machine.do("keyctl", KEYCTL_JOIN_SESSION_KEYRING, None)
    assert machine.do("keyctl", KEYCTL_SEARCH, USER_RING, "user", "k", 0) == key
    assert machine.do("keyctl", KEYCTL_READ, key, 64) == "EACCES"

"""POSIX message queues: one guarantee or errno each."""

import pytest

from simulator.machine.abi.constants import CLONE_NEWIPC, O_CREAT, O_EXCL, O_RDONLY, O_RDWR
from tests.unit.machine.kernel.networked import Machine


def test_a_queue_is_found_by_its_name(machine: Machine) -> None:
    assert isinstance(machine.ask("mq_open", "q", O_RDWR | O_CREAT, 0o600, None), int)
    assert isinstance(machine.ask("mq_open", "q", O_RDONLY), int)


def test_a_missing_queue_is_enoent(machine: Machine) -> None:
    assert machine.ask("mq_open", "q", O_RDWR) == "ENOENT"
    assert machine.ask("mq_unlink", "q") == "ENOENT"


def test_making_what_exists_exclusively_is_eexist(machine: Machine) -> None:
    machine.ask("mq_open", "q", O_RDWR | O_CREAT, 0o600, None)
    assert machine.ask("mq_open", "q", O_RDWR | O_CREAT | O_EXCL, 0o600, None) == "EEXIST"


@pytest.mark.parametrize("name", ["/q", "a/b", ".."])
def test_a_name_with_a_slash_is_eacces(machine: Machine, name: str) -> None:
    assert machine.ask("mq_open", name, O_RDWR | O_CREAT, 0o600, None) == "EACCES"


def test_another_ipc_namespace_has_none_of_the_queues(machine: Machine) -> None:
    machine.ask("mq_open", "q", O_RDWR | O_CREAT, 0o666, None)
    guest = machine.fork()
    machine.ask("unshare", CLONE_NEWIPC, pid=guest)
    assert machine.ask("mq_open", "q", O_RDWR, pid=guest) == "ENOENT"


def test_the_mode_keeps_another_user_out(machine: Machine) -> None:
    machine.ask("mq_open", "q", O_RDWR | O_CREAT, 0o600, None)
    user = machine.user()
    assert machine.ask("mq_open", "q", O_RDWR, pid=user) == "EACCES"
    assert machine.ask("mq_unlink", "q", pid=user) == "EPERM"

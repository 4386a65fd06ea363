"""System V objects: one guarantee or errno each, as the real kernel has them."""

from simulator.machine.abi.constants import (
    CLONE_NEWIPC,
    GETNCNT,
    GETVAL,
    IPC_CREAT,
    IPC_EXCL,
    IPC_NOWAIT,
    IPC_PRIVATE,
    IPC_RMID,
    IPC_SET,
    IPC_STAT,
    MSG_EXCEPT,
    MSG_NOERROR,
    SEM_UNDO,
    SETVAL,
    SHM_RDONLY,
)
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.ipc import params, shm
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Trap
from tests.unit.machine.kernel.networked import Machine


def segment(machine: Machine, mode: int = 0o600, key: int = 1234) -> int:
    number = machine.ask("shmget", key, 4096, IPC_CREAT | mode)
    assert isinstance(number, int)
    return number


def semaphores(machine: Machine, value: int = 0, mode: int = 0o600) -> int:
    number = machine.ask("semget", 2345, 2, IPC_CREAT | mode)
    assert isinstance(number, int)
    machine.ask("semctl", number, 0, SETVAL, value)
    return number


def queue(machine: Machine, mode: int = 0o600) -> int:
    number = machine.ask("msgget", 3456, IPC_CREAT | mode)
    assert isinstance(number, int)
    return number


def test_a_key_finds_the_segment_that_was_made_with_it(machine: Machine) -> None:
    number = segment(machine)
    assert machine.ask("shmget", 1234, 0, 0) == number


def test_ipc_private_makes_a_new_segment_each_time(machine: Machine) -> None:
    one = machine.ask("shmget", IPC_PRIVATE, 4096, 0o600)
    assert machine.ask("shmget", IPC_PRIVATE, 4096, 0o600) != one


def test_making_what_exists_exclusively_is_eexist(machine: Machine) -> None:
    segment(machine)
    assert machine.ask("shmget", 1234, 4096, IPC_CREAT | IPC_EXCL) == "EEXIST"


def test_a_key_of_nobody_is_enoent(machine: Machine) -> None:
    assert machine.ask("shmget", 999, 4096, 0) == "ENOENT"


def test_asking_for_more_than_the_segment_has_is_einval(machine: Machine) -> None:
    segment(machine)
    assert machine.ask("shmget", 1234, 8192, 0) == "EINVAL"


def test_another_ipc_namespace_has_none_of_the_keys(machine: Machine) -> None:
    segment(machine)
    guest = machine.fork()
    machine.ask("unshare", CLONE_NEWIPC, pid=guest)
    assert machine.ask("shmget", 1234, 4096, 0, pid=guest) == "ENOENT"


def test_another_user_may_not_attach_a_private_segment(machine: Machine) -> None:
    number = segment(machine)
    user = machine.user()
    assert machine.ask("shmat", number, None, SHM_RDONLY, pid=user) == "EACCES"


def test_the_mode_lets_others_read_and_no_more(machine: Machine) -> None:
    number = segment(machine, 0o644)
    user = machine.user()
    assert machine.ask("shmat", number, None, 0, pid=user) == "EACCES"
    assert isinstance(machine.ask("shmat", number, None, SHM_RDONLY, pid=user), int)


def test_only_its_owner_removes_a_segment(machine: Machine) -> None:
    number = segment(machine, 0o666)
    user = machine.user()
    assert machine.ask("shmctl", number, IPC_RMID, None, pid=user) == "EPERM"


def test_ipc_set_hands_a_segment_over(machine: Machine) -> None:
    number = segment(machine)
    machine.ask("shmctl", number, IPC_SET, (1000, 1000, 0o600))
    user = machine.user()
    assert machine.ask("shmctl", number, IPC_RMID, None, pid=user) == 0


def test_a_removed_segment_lives_until_the_last_detaches(machine: Machine) -> None:
    number = segment(machine)
    address = machine.ask("shmat", number, None, 0)
    machine.ask("shmctl", number, IPC_RMID, None)
    stat = machine.ask("shmctl", number, IPC_STAT)
    assert isinstance(stat, dict)
    assert (stat["key"], stat["nattch"]) == (0, 1)
    machine.ask("shmdt", address)
    assert machine.ask("shmctl", number, IPC_STAT) == "EINVAL"


def test_a_child_has_its_parents_segments_attached(machine: Machine) -> None:
    number = segment(machine)
    machine.ask("shmat", number, None, 0)
    child = machine.fork()
    stat = machine.ask("shmctl", number, IPC_STAT)
    assert isinstance(stat, dict)
    assert stat["nattch"] == 2
    machine.ask("exit", 0, pid=child)
    stat = machine.ask("shmctl", number, IPC_STAT)
    assert isinstance(stat, dict)
    assert stat["nattch"] == 1


def test_what_was_put_in_a_segment_is_read_by_whoever_attaches_it(machine: Machine) -> None:
    number = segment(machine)
    shm.fill(machine.store, machine.store.row(Task, 1).ns.ipc, number, b"secret")
    address = machine.ask("shmat", number, None, 0)
    assert isinstance(address, int)
    task = machine.store.row(Task, 1)
    trap = Trap(machine.store, machine.kernel.family, task)
    assert shm.read(trap, task, address, 8) == b"secret\0\0"


def test_detaching_nothing_is_einval(machine: Machine) -> None:
    assert machine.ask("shmdt", 4096) == "EINVAL"


def test_shmmni_bounds_the_segments_of_a_namespace(machine: Machine) -> None:
    ns = machine.store.row(Task, 1).ns.ipc
    params.write(machine.store, ns, "kernel.shmmni", "1")
    segment(machine)
    assert machine.ask("shmget", IPC_PRIVATE, 4096, 0o600) == "ENOSPC"


def test_attaching_another_domains_segment_is_reported(machine: Machine) -> None:
    number = segment(machine, 0o666)
    guest = machine.fork()
    machine.ask("@domain", guest, "guest")
    machine.ask("shmat", number, None, 0, pid=guest)
    crossings = machine.kernel.timeline.events[-1].crossings
    assert [(c.kind, c.owner, c.operation) for c in crossings] == [("shm", "host", "read")]


def test_a_semaphore_at_zero_makes_its_taker_wait(machine: Machine) -> None:
    number = semaphores(machine)
    child = machine.fork()
    assert machine.ask("semop", number, [(0, -1, 0)], pid=child) == "Blocked"
    assert machine.ask("semctl", number, 0, GETNCNT) == 1
    assert machine.ask("semop", number, [(0, 1, 0)]) == 0
    assert machine.word(child) == "0"
    assert machine.ask("semctl", number, 0, GETVAL) == 0


def test_all_operations_of_a_call_happen_or_none(machine: Machine) -> None:
    number = semaphores(machine, 1)
    assert machine.ask("semop", number, [(0, -1, IPC_NOWAIT), (1, -1, IPC_NOWAIT)]) == "EAGAIN"
    assert machine.ask("semctl", number, 0, GETVAL) == 1


def test_a_semaphore_outside_the_set_is_efbig(machine: Machine) -> None:
    assert machine.ask("semop", semaphores(machine), [(9, 1, 0)]) == "EFBIG"


def test_a_value_above_semvmx_is_erange(machine: Machine) -> None:
    assert machine.ask("semop", semaphores(machine, 1), [(0, 32767, 0)]) == "ERANGE"


def test_removing_a_set_wakes_its_sleepers_with_eidrm(machine: Machine) -> None:
    number = semaphores(machine)
    child = machine.fork()
    machine.ask("semop", number, [(0, -1, 0)], pid=child)
    machine.ask("semctl", number, 0, IPC_RMID)
    assert machine.word(child) == "EIDRM"


def test_semtimedop_gives_up_when_its_time_has_passed(machine: Machine) -> None:
    number = semaphores(machine)
    child = machine.fork()
    asked = ("semtimedop", number, [(0, -1, 0)], 1, (1, 0))
    assert machine.ask(*asked, pid=child) == "Blocked"
    machine.kernel.advance(999_999_999)
    assert Pid(child) not in machine.kernel.woken
    machine.kernel.advance(1)
    assert machine.word(child) == "EAGAIN"


def test_sem_undo_gives_back_what_a_dead_task_took(machine: Machine) -> None:
    number = semaphores(machine, 1)
    child = machine.fork()
    machine.ask("semop", number, [(0, -1, SEM_UNDO)], pid=child)
    assert machine.ask("semctl", number, 0, GETVAL) == 0
    machine.ask("exit", 0, pid=child)
    assert machine.ask("semctl", number, 0, GETVAL) == 1


def test_messages_come_in_order_and_by_type(machine: Machine) -> None:
    number = queue(machine)
    for kind, text in ((1, "one"), (3, "three"), (2, "two")):
        machine.ask("msgsnd", number, (kind, text), len(text), 0)
    assert machine.ask("msgrcv", number, 64, 3, 0) == (3, b"three")
    assert machine.ask("msgrcv", number, 64, -2, 0) == (1, b"one")
    assert machine.ask("msgrcv", number, 64, 1, MSG_EXCEPT) == (2, b"two")


def test_a_message_longer_than_the_buffer_stays(machine: Machine) -> None:
    number = queue(machine)
    machine.ask("msgsnd", number, (1, "hello"), 5, 0)
    assert machine.ask("msgrcv", number, 2, 0, 0) == "E2BIG"
    assert machine.ask("msgrcv", number, 2, 0, MSG_NOERROR) == (1, b"he")


def test_an_empty_queue_has_no_message(machine: Machine) -> None:
    assert machine.ask("msgrcv", queue(machine), 64, 0, IPC_NOWAIT) == "ENOMSG"


def test_a_full_queue_makes_its_sender_wait(machine: Machine) -> None:
    number = queue(machine)
    for _ in range(2):
        assert machine.ask("msgsnd", number, (1, "x" * 8192), 8192, 0) == 0
    assert machine.ask("msgsnd", number, (1, "x"), 1, IPC_NOWAIT) == "EAGAIN"
    child = machine.fork()
    assert machine.ask("msgsnd", number, (1, "x"), 1, 0, pid=child) == "Blocked"
    machine.ask("msgrcv", number, 8192, 0, 0)
    assert machine.word(child) == "0"


def test_msgmax_bounds_a_message(machine: Machine) -> None:
    assert machine.ask("msgsnd", queue(machine), (1, "x" * 8193), 8193, 0) == "EINVAL"


def test_removing_a_queue_wakes_its_readers_with_eidrm(machine: Machine) -> None:
    number = queue(machine)
    child = machine.fork()
    machine.ask("msgrcv", number, 64, 0, 0, pid=child)
    machine.ask("msgctl", number, IPC_RMID)
    assert machine.word(child) == "EIDRM"


def test_taking_another_domains_message_is_reported(machine: Machine) -> None:
    number = queue(machine, 0o666)
    machine.ask("msgsnd", number, (1, "secret"), 6, 0)
    guest = machine.fork()
    machine.ask("@domain", guest, "guest")
    machine.ask("msgrcv", number, 64, 0, IPC_NOWAIT, pid=guest)
    crossings = machine.kernel.timeline.events[-1].crossings
    assert [(c.kind, c.owner, c.operation) for c in crossings] == [("msg", "host", "read")]


def test_pids_in_a_segments_record_are_those_of_the_readers_namespace(machine: Machine) -> None:
    number = segment(machine)
    stat = machine.ask("shmctl", number, IPC_STAT)
    assert isinstance(stat, dict)
    assert stat["cpid"] == Pid(1)

"""Processes begin, run programs and end: fork(2), clone(2), execve(2), wait4(2), setsid(2)."""

import pytest

from simulator.machine.abi.call import Executed, Exited, Silent
from simulator.machine.abi.constants import (
    CLONE_FILES,
    CLONE_FS,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_PARENT,
    CLONE_PIDFD,
    CLONE_SIGHAND,
    CLONE_THREAD,
    CLONE_VM,
    MS_NOEXEC,
    O_CLOEXEC,
    O_CREAT,
    O_WRONLY,
    PR_SET_CHILD_SUBREAPER,
    RLIMIT_NPROC,
    SIG_IGN,
    SIGCHLD,
    SIGKILL,
    WNOHANG,
)
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.boot import INIT
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.vfs import tree
from simulator.machine.kernel.vfs.fd import File
from tests.unit.machine.bare import Machine

ELF = b"\x7fELF program\n"


@pytest.fixture
def machine() -> Machine:
    made = Machine()
    tree.file(made.store, 1, "/bin/sh", ELF, mode=0o755)
    tree.file(made.store, 1, "/bin/script", b"#!/bin/sh -e\n", mode=0o755)
    tree.file(made.store, 1, "/bin/text", b"no program\n", mode=0o755)
    tree.file(made.store, 1, "/bin/plain", ELF, mode=0o644)
    tree.mkdirs(made.store, 1, "/tmp")
    return made


def test_fork_gives_the_parent_the_childs_pid(machine: Machine) -> None:
    child = machine.do("fork")
    assert machine.do("getppid", pid=Pid(child)) == machine.do("getpid")


def test_a_child_has_descriptors_of_its_own(machine: Machine) -> None:
    fd = machine.do("open", "/bin/sh", 0)
    child = Pid(machine.do("fork"))
    machine.do("close", fd, pid=child)
    assert machine.do("close", fd) == 0


def test_clone_files_shares_the_descriptors(machine: Machine) -> None:
    fd = machine.do("open", "/bin/sh", 0)
    child = Pid(machine.do("clone", CLONE_FILES))
    machine.do("close", fd, pid=child)
    assert machine.do("close", fd) == "EBADF"


def test_clone_fs_shares_the_working_directory(machine: Machine) -> None:
    child = Pid(machine.do("clone", CLONE_FS))
    machine.do("chdir", "/tmp", pid=child)
    assert machine.data("getcwd", 64) == "/tmp"


@pytest.mark.parametrize(
    "flags",
    [
        CLONE_THREAD,
        CLONE_SIGHAND,
        CLONE_NEWNS | CLONE_FS,
        CLONE_NEWUSER | CLONE_FS,
        CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWPID,
    ],
)
def test_clone_refuses_flags_that_exclude_each_other(machine: Machine, flags: int) -> None:
    assert machine.do("clone", flags) == "EINVAL"


def test_an_init_makes_no_sibling(machine: Machine) -> None:
    init = Pid(machine.do("clone", CLONE_NEWPID))
    assert machine.do("clone", CLONE_PARENT, pid=init) == "EINVAL"


def test_threads_are_not_guessed_at(machine: Machine) -> None:
    assert isinstance(machine.raw("clone", CLONE_VM | CLONE_SIGHAND | CLONE_THREAD), Silent)


def test_clone3_without_its_structure_is_einval(machine: Machine) -> None:
    assert machine.do("clone3", None, 0) == "EINVAL"


def test_clone3_gives_the_pid_that_was_asked_for(machine: Machine) -> None:
    assert machine.do("clone3", {"flags": 0, "set_tid": (77,)}) == 77


def test_clone3_refuses_a_pid_that_is_taken(machine: Machine) -> None:
    assert machine.do("clone3", {"flags": 0, "set_tid": (1,)}) == "EEXIST"


def test_clone_pidfd_opens_a_descriptor_for_the_child(machine: Machine) -> None:
    fd = machine.data("clone", CLONE_PIDFD)
    assert machine.do("pidfd_send_signal", fd, SIGKILL) == 0


def test_the_first_process_of_a_pid_namespace_is_pid_1_without_a_parent(machine: Machine) -> None:
    child = Pid(machine.do("clone", CLONE_NEWPID))
    assert (machine.do("getpid", pid=child), machine.do("getppid", pid=child)) == (1, 0)


def test_a_process_counts_in_every_namespace_above(machine: Machine) -> None:
    child = Pid(machine.do("clone", CLONE_NEWPID))
    machine.do("fork", pid=child)
    assert [t.pids for t in machine.store.all(Task)][-1] == (child + 1, 2)


def test_nobody_is_born_in_a_namespace_whose_init_has_ended(machine: Machine) -> None:
    machine.do("unshare", CLONE_NEWPID)
    machine.do("exit", 0, pid=Pid(machine.do("fork")))
    assert machine.do("fork") == "ENOMEM"


def test_the_end_of_an_init_kills_its_namespace(machine: Machine) -> None:
    init = Pid(machine.do("clone", CLONE_NEWPID))
    inside = Pid(machine.do("fork", pid=init))
    inner = next(t.id for t in machine.store.all(Task) if t.parent == init)
    assert inside == 2
    machine.do("exit", 0, pid=init)
    assert machine.store.get(Task, inner) is None


def test_fork_stops_at_rlimit_nproc(machine: Machine) -> None:
    machine.become(machine.pid, 1000)
    machine.do("setrlimit", RLIMIT_NPROC, (1, 1))
    assert machine.do("fork") == "EAGAIN"


def test_root_is_not_held_to_rlimit_nproc(machine: Machine) -> None:
    machine.do("setrlimit", RLIMIT_NPROC, (1, 1))
    assert machine.do("fork") > 0


def test_exit_keeps_the_low_eight_bits(machine: Machine) -> None:
    assert machine.raw("exit", 300) == Exited(44)


def test_wait_gives_the_pid_and_the_status(machine: Machine) -> None:
    child = machine.do("fork")
    machine.do("exit", 3, pid=Pid(child))
    result = machine.raw("waitpid", -1, 0)
    assert (result.value, result.data) == (child, 3 << 8)


def test_wait_sleeps_until_a_child_ends(machine: Machine) -> None:
    child = machine.do("fork")
    assert machine.do("waitpid", child, 0) == "Blocked"
    machine.do("exit", 0, pid=Pid(child))
    assert machine.woken(machine.pid) == child


def test_wnohang_gives_0_while_all_children_run(machine: Machine) -> None:
    machine.do("fork")
    assert machine.do("waitpid", -1, WNOHANG) == 0


def test_wait_without_children_is_echild(machine: Machine) -> None:
    assert machine.do("waitpid", -1, 0) == "ECHILD"


def test_wait_refuses_unknown_options(machine: Machine) -> None:
    assert machine.do("waitpid", -1, 0x100) == "EINVAL"


def test_a_parent_that_ignores_sigchld_leaves_no_zombies(machine: Machine) -> None:
    child = Pid(machine.do("fork"))
    machine.do("rt_sigaction", SIGCHLD, SIG_IGN)
    machine.do("exit", 0, pid=child)
    assert machine.store.get(Task, child) is None


def test_an_orphan_goes_to_init(machine: Machine) -> None:
    child = Pid(machine.do("fork"))
    grandchild = Pid(machine.do("fork", pid=child))
    machine.do("exit", 0, pid=child)
    assert machine.store.row(Task, grandchild).parent == INIT


def test_an_orphan_goes_to_the_nearest_subreaper(machine: Machine) -> None:
    machine.do("prctl", PR_SET_CHILD_SUBREAPER, 1)
    child = Pid(machine.do("fork"))
    grandchild = Pid(machine.do("fork", pid=child))
    machine.do("exit", 0, pid=child)
    assert machine.store.row(Task, grandchild).parent == machine.pid


def test_exit_closes_what_was_open(machine: Machine) -> None:
    child = Pid(machine.do("fork"))
    machine.do("open", "/tmp/x", O_CREAT | O_WRONLY, 0o600, pid=child)
    before = machine.store.count(File)
    machine.do("exit", 0, pid=child)
    assert machine.store.row(Task, child).state is TaskState.ZOMBIE
    assert machine.store.count(File) == before - 1


def test_execve_puts_another_program_in_place(machine: Machine) -> None:
    assert machine.raw("execve", "/bin/sh", ["sh", "-c"], ["A=1"]) == Executed()
    task = machine.task()
    assert (task.comm, task.argv, task.env) == ("sh", ("sh", "-c"), (("A", "1"),))


def test_a_script_runs_its_interpreter(machine: Machine) -> None:
    machine.raw("execve", "/bin/script", ["script", "arg"], [])
    assert machine.task().argv == ("/bin/sh", "-e", "/bin/script", "arg")


@pytest.mark.parametrize(
    ("path", "errno"),
    [
        ("/bin/none", "ENOENT"),
        ("/bin/plain", "EACCES"),
        ("/bin", "EACCES"),
        ("/bin/text", "ENOEXEC"),
        ("/bin/sh/x", "ENOTDIR"),
    ],
)
def test_execve_says_why_a_file_is_no_program(machine: Machine, path: str, errno: str) -> None:
    assert machine.do("execve", path, ["x"], []) == errno


def test_a_script_without_its_interpreter_is_enoent(machine: Machine) -> None:
    tree.file(machine.store, 1, "/bin/lost", b"#!/bin/nowhere\n", mode=0o755)
    assert machine.do("execve", "/bin/lost", ["x"], []) == "ENOENT"


def test_scripts_that_lead_to_scripts_end_in_eloop(machine: Machine) -> None:
    tree.file(machine.store, 1, "/bin/loop", b"#!/bin/loop\n", mode=0o755)
    assert machine.do("execve", "/bin/loop", ["x"], []) == "ELOOP"


def test_a_file_open_for_writing_is_busy(machine: Machine) -> None:
    machine.do("open", "/bin/sh", O_WRONLY)
    assert machine.do("execve", "/bin/sh", ["sh"], []) == "ETXTBSY"


def test_noexec_mounts_run_nothing(machine: Machine) -> None:
    machine.mount_flags(machine.task_mount(), MS_NOEXEC)
    assert machine.do("execve", "/bin/sh", ["sh"], []) == "EACCES"


def test_execve_closes_what_is_marked(machine: Machine) -> None:
    fd = machine.do("open", "/bin/sh", O_CLOEXEC)
    kept = machine.do("open", "/bin/sh", 0)
    machine.raw("execve", "/bin/sh", ["sh"], [])
    assert (machine.do("close", fd), machine.do("close", kept)) == ("EBADF", 0)


def test_execve_keeps_what_is_ignored_and_forgets_handlers(machine: Machine) -> None:
    machine.do("rt_sigaction", 1, SIG_IGN)
    machine.do("rt_sigaction", 2, 4096)
    machine.raw("execve", "/bin/sh", ["sh"], [])
    assert dict(machine.task().handlers) == {1: SIG_IGN}


def test_setsid_is_refused_to_a_group_leader(machine: Machine) -> None:
    child = Pid(machine.do("fork"))
    assert machine.do("setsid", pid=child) == child
    assert machine.do("setsid", pid=child) == "EPERM"


def test_setpgid_after_execve_is_eacces(machine: Machine) -> None:
    child = Pid(machine.do("fork"))
    machine.raw("execve", "/bin/sh", ["sh"], [], pid=child)
    assert machine.do("setpgid", child, 0) == "EACCES"


def test_setpgid_of_a_stranger_is_esrch(machine: Machine) -> None:
    assert machine.do("setpgid", INIT, 0) == "ESRCH"


def test_setpgid_joins_only_groups_of_the_session(machine: Machine) -> None:
    other = Pid(machine.do("fork"))
    machine.do("setsid", pid=other)
    assert machine.do("setpgid", 0, other) == "EPERM"


def test_unshare_parts_a_shared_working_directory(machine: Machine) -> None:
    child = Pid(machine.do("clone", CLONE_FS))
    machine.do("unshare", CLONE_FS, pid=child)
    machine.do("chdir", "/tmp", pid=child)
    assert machine.data("getcwd", 64) == "/"


def test_looking_up_a_number_names_its_process(machine: Machine) -> None:
    guest = Pid(machine.do("fork"))
    machine.do("@domain", guest, "guest")
    machine.do("getsid", INIT, pid=guest)
    crossing = machine.kernel.timeline.events[-1].crossings[0]
    assert (crossing.kind, crossing.operation) == ("process", "name")

"""Calls on what a descriptor refers to where no path leads: xattr(7), linkat(2), execveat(2)."""

import pytest

from simulator.machine.abi.constants import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_HANDLE_CONNECTABLE,
    AT_HANDLE_FID,
    AT_HANDLE_MNT_ID_UNIQUE,
    CLONE_NEWUSER,
    F_GETOWN,
    F_SETOWN,
    MS_RDONLY,
    O_CREAT,
    O_NONBLOCK,
    O_PATH,
    O_RDONLY,
    O_RDWR,
    O_TMPFILE,
    S_IFREG,
)
from simulator.machine.families import kernel
from simulator.machine.kernel.vfs import tree
from simulator.machine.kernel.vfs.inode import Inode
from tests.unit.machine.bare import Machine


def _opened(it: Machine) -> dict[str, int]:
    reading, _writing = it.data("pipe2", 0)
    return {
        "pipe": reading,
        "socket": it.do("socket", 1, 1, 0),
        "eventfd": it.do("eventfd2", 0, 0),
    }


@pytest.mark.parametrize("kind", ["pipe", "socket", "eventfd"])
def test_what_is_no_file_and_no_directory_has_no_user_attributes(kind: str) -> None:
    it = Machine()
    fd = _opened(it)[kind]
    assert it.do("fsetxattr", fd, "user.a", "v", 1, 0) == "EPERM"
    assert it.do("fgetxattr", fd, "user.a", 8) == "ENODATA"
    assert it.do("fremovexattr", fd, "user.a") == "EPERM"
    assert it.do("fsetxattr", fd, "security.c", "v", 1, 0) == "EOPNOTSUPP"


def test_a_socket_tells_its_protocol_and_leaves_its_label_to_a_security_module() -> None:
    it = Machine()
    fd = it.do("socket", 1, 1, 0)
    assert it.data("flistxattr", fd, 64) == b"system.sockprotoname\0"
    assert it.data("fgetxattr", fd, "system.sockprotoname", 64) == b"UNIX-STREAM\0"
    assert it.do("fremovexattr", fd, "security.c") == "EAGAIN"


def test_a_pipe_changes_hands_by_its_descriptor_and_an_event_counter_does_not() -> None:
    it = Machine()
    fds = _opened(it)
    assert it.do("fchownat", fds["pipe"], "", 1000, 1000, AT_EMPTY_PATH) == 0
    assert it.data("fstat", fds["pipe"])["uid"] == 1000
    user = it.become(it.fork(), 1000)
    count = fds["eventfd"]
    for pid in (it.pid, user):
        assert it.do("fchownat", count, "", 1000, 1000, AT_EMPTY_PATH, pid=pid) == "EOPNOTSUPP"
        assert it.do("fchmod", count, 0o777, pid=pid) == "EOPNOTSUPP"


def test_execveat_runs_no_descriptor_that_is_no_regular_file() -> None:
    it = Machine()
    assert it.do("execveat", 99, "", ["x"], [], AT_EMPTY_PATH) == "EBADF"
    it.do("mkdir", "/d", 0o755)
    for fd in (*_opened(it).values(), it.do("open", "/d", O_PATH)):
        assert it.do("execveat", fd, "", ["x"], [], AT_EMPTY_PATH) == "EACCES"


def test_linkat_by_descriptor_is_for_who_opened_it_or_may_read_anything() -> None:
    it = Machine()
    assert it.do("linkat", 99, "", AT_FDCWD, "/named", AT_EMPTY_PATH) == "EBADF"
    it.do("mkdir", "/u", 0o777)
    it.do("chmod", "/u", 0o777)
    user = it.become(it.fork(), 1000)
    fd = it.do("open", "/u", O_TMPFILE | O_RDWR, 0o600, pid=user)
    child = it.fork(user)
    assert it.do("linkat", fd, "", AT_FDCWD, "/u/a", AT_EMPTY_PATH, pid=child) == "ENOENT"
    assert it.do("linkat", fd, "", AT_FDCWD, "/u/a", AT_EMPTY_PATH, pid=user) == 0
    assert it.do("linkat", AT_FDCWD, "", AT_FDCWD, "/u/a", AT_EMPTY_PATH, pid=user) == "EEXIST"


def test_before_linux_6_10_linkat_by_descriptor_always_took_the_right_to_read_anything() -> None:
    it = Machine(kernel("linux-4.4"))
    it.do("mkdir", "/u", 0o777)
    it.do("chmod", "/u", 0o777)
    user = it.become(it.fork(), 1000)
    fd = it.do("open", "/u", O_TMPFILE | O_RDWR, 0o600, pid=user)
    assert it.do("linkat", fd, "", AT_FDCWD, "/u/a", AT_EMPTY_PATH, pid=user) == "ENOENT"


def test_a_handle_that_nobody_opens_exists_on_every_filesystem() -> None:
    it = Machine()
    fds = _opened(it)
    for fd in fds.values():
        assert it.do("name_to_handle_at", fd, "", AT_EMPTY_PATH) == "EOPNOTSUPP"
        kind, raw = it.data("name_to_handle_at", fd, "", AT_EMPTY_PATH | AT_HANDLE_FID)
        assert (kind, len(raw)) == (0x81, 12)


def test_a_connectable_handle_names_a_file_by_its_directory_and_so_by_a_path() -> None:
    it = Machine()
    it.do("open", "/f", O_CREAT | O_RDWR, 0o644)
    kind, _raw = it.data("name_to_handle_at", AT_FDCWD, "/f", AT_HANDLE_CONNECTABLE)
    assert kind & 0x10000
    for other in (AT_EMPTY_PATH, AT_HANDLE_FID, 0x100):
        flags = AT_HANDLE_CONNECTABLE | other
        assert it.do("name_to_handle_at", AT_FDCWD, "/f", flags) == "EINVAL"
    assert it.do("name_to_handle_at", AT_FDCWD, "/missing", AT_HANDLE_MNT_ID_UNIQUE) == "ENOENT"
    old = Machine(kernel("linux-4.4"))
    assert old.do("name_to_handle_at", AT_FDCWD, "/", AT_HANDLE_MNT_ID_UNIQUE) == "EINVAL"


def test_a_socket_and_an_event_counter_are_seen_below_proc_but_not_opened_again() -> None:
    it = Machine()
    it.do("mkdir", "/proc", 0o555)
    it.do("mount", "p", "/proc", "proc", 0, None)
    fds = _opened(it)
    for kind, fd in fds.items():
        path = f"/proc/self/fd/{fd}"
        assert it.data("stat", path)["mode"] == it.data("fstat", fd)["mode"]
        opened = it.do("open", path, O_RDWR)
        assert isinstance(opened, int) if kind == "pipe" else opened == "ENXIO"
    user = it.become(it.fork(), 1000)
    assert it.do("open", f"/proc/self/fd/{fds['eventfd']}", O_RDWR, pid=user) == "EACCES"


def test_a_memory_file_runs_although_it_is_open_for_writing() -> None:
    it = Machine()
    fd = it.do("memfd_create", "m", 0)
    it.do("write", fd, "#!/missing\n", 11)
    assert it.do("execveat", fd, "", ["x"], [], AT_EMPTY_PATH) == "ENOENT"
    it.do("open", "/f", O_CREAT | O_RDWR, 0o755)
    assert it.do("execveat", AT_FDCWD, "/f", ["x"], [], 0) == "ETXTBSY"


def test_what_has_no_position_but_lets_itself_be_moved_stays_at_0() -> None:
    it = Machine()
    for fd in (it.do("timerfd_create", 1, 0), it.do("epoll_create1", 0), it.do("eventfd2", 0, 0)):
        assert it.do("lseek", fd, 4096, 1) == 0
    assert it.do("lseek", it.do("socket", 1, 1, 0), 0, 1) == "ESPIPE"


def test_a_read_only_mount_refuses_before_ids_without_a_mapping_do() -> None:
    it = Machine()
    it.do("unshare", CLONE_NEWUSER)
    fd = it.do("open", "/", O_RDONLY)
    assert it.do("fchown", fd, 0, 0) == it.do("fchownat", fd, "", 0, 0, AT_EMPTY_PATH) == "EINVAL"
    it.mount_flags(it.task_mount(), MS_RDONLY)
    assert it.do("fchown", fd, 0, 0) == it.do("fchownat", fd, "", 0, 0, AT_EMPTY_PATH) == "EROFS"


def test_a_handle_is_not_looked_up_from_a_descriptor_that_only_names_a_place() -> None:
    it = Machine()
    fd = it.do("open", "/", O_PATH)
    assert it.do("open_by_handle_at", fd, (1, b"12345678"), O_RDONLY) == "EBADF"


def test_a_small_process_group_that_owns_a_file_reads_as_an_error() -> None:
    it = Machine()
    fd = it.do("open", "/", O_RDONLY)
    assert it.do("fcntl", fd, F_SETOWN, -1) == 0
    assert it.do("fcntl", fd, F_GETOWN, 0) == "EPERM"
    assert it.do("fcntl", fd, F_SETOWN, it.pid) == 0
    assert it.do("fcntl", fd, F_GETOWN, 0) == it.pid


def test_a_range_is_copied_within_one_filesystem_and_a_directory_is_refused_first() -> None:
    it = Machine()
    file, memory = it.do("open", "/f", O_CREAT | O_RDWR, 0o644), it.do("memfd_create", "m", 0)
    it.do("write", file, "abc", 3)
    directory, count = it.do("open", "/", O_RDONLY), it.do("eventfd2", 0, 0)
    assert it.do("copy_file_range", count, directory, 1, 0) == "EISDIR"
    assert it.do("copy_file_range", count, file, 1, 0) == "EINVAL"
    assert it.do("copy_file_range", file, memory, 1, 0) == "EXDEV"


def test_a_queue_is_a_file_of_its_own_filesystem() -> None:
    machine = Machine()
    queue = machine.do("mq_open", "q", O_CREAT | O_RDWR, 0o640, None)
    assert machine.data("fstat", queue)["size"] == 80
    assert machine.do("lseek", queue, 5, 0) == 5
    assert machine.data("read", queue, 6) == b":0    "
    assert machine.do("write", queue, b"x", 1) == "EINVAL"
    assert machine.do("ftruncate", queue, 1) == 0
    assert machine.do("lseek", queue, 0, 2) == 1
    assert machine.do("fsetxattr", queue, "user.a", b"x", 1, 0) == "EOPNOTSUPP"
    assert machine.do("mq_unlink", "q") == 0
    assert machine.data("fstat", queue)["nlink"] == 0


def test_secret_memory_has_an_owner_and_no_content_and_goes_with_its_descriptor() -> None:
    machine = Machine()
    held = machine.store.count(Inode)
    secret = machine.do("memfd_secret", 0)
    inodes_with_it = machine.store.count(Inode)
    assert machine.do("fchmod", secret, 0o644) == 0
    assert machine.data("fstat", secret)["mode"] == S_IFREG | 0o644
    assert machine.do("read", secret, 1) == "EINVAL"
    assert machine.do("close", secret) == 0
    assert inodes_with_it > machine.store.count(Inode) >= held


def test_a_userfaultfd_belongs_to_who_made_it() -> None:
    machine = Machine()
    machine.do("setresgid", 1000, 1000, 1000)
    found = machine.data("fstat", machine.do("userfaultfd", 0))
    assert (found["uid"], found["gid"], found["mode"]) == (0, 1000, 0o600)


def test_a_directory_that_is_computed_has_no_end() -> None:
    machine = Machine()
    tree.mkdirs(machine.store, 1, "/proc")
    assert machine.do("mount", "proc", "/proc", "proc", 0, None) == 0
    directory = machine.do("open", "/proc", O_RDONLY)
    assert [machine.do("lseek", directory, 5, whence) for whence in (0, 2, 3)] == [5, 5, "ENXIO"]


def test_an_inotify_that_may_not_wait_says_so() -> None:
    machine = Machine()
    assert machine.do("read", machine.do("inotify_init1", O_NONBLOCK), 64) == "EAGAIN"


def test_an_epoll_knows_requests_of_its_own_only_since_6_9() -> None:
    for machine, answer in ((Machine(kernel("linux-4.4")), "ENOTTY"), (Machine(), "EINVAL")):
        assert machine.do("ioctl", machine.do("epoll_create1", 0), 0xB703, 0) == answer

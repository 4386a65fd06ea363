"""Descriptors and what they share: dup(2), fcntl(2), flock(2), pipe(7), fifo(7), eventfd(2)."""

from simulator.machine.abi.call import Returned
from simulator.machine.abi.constants import (
    EFD_SEMAPHORE,
    F_ADD_SEALS,
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GET_SEALS,
    F_GETFD,
    F_GETFL,
    F_GETLK,
    F_GETPIPE_SZ,
    F_OFD_SETLK,
    F_SEAL_GROW,
    F_SEAL_WRITE,
    F_SETFD,
    F_SETFL,
    F_SETLK,
    F_SETLKW,
    F_SETPIPE_SZ,
    F_UNLCK,
    F_WRLCK,
    FIONREAD,
    LOCK_EX,
    LOCK_NB,
    LOCK_SH,
    LOCK_UN,
    MFD_ALLOW_SEALING,
    O_APPEND,
    O_CLOEXEC,
    O_CREAT,
    O_NONBLOCK,
    O_PATH,
    O_RDONLY,
    O_RDWR,
    O_WRONLY,
    RLIMIT_NOFILE,
    S_IFIFO,
    SIG_IGN,
    SIGPIPE,
)
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.vfs.fd import File
from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.kernel.vfs.pipe import Pipe
from tests.unit.machine.bare import Machine


def test_a_duplicate_shares_the_position_but_not_close_on_exec() -> None:
    it = Machine()
    fd = it.do("open", "/f", O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
    it.do("write", fd, "abcdef", 6)
    copy = it.do("dup", fd)
    assert it.do("lseek", copy, 2, 0) == 2
    assert it.data("read", fd, 2) == b"cd"
    assert (it.do("fcntl", fd, F_GETFD, 0), it.do("fcntl", copy, F_GETFD, 0)) == (1, 0)


def test_two_opens_of_a_file_have_positions_of_their_own() -> None:
    it = Machine()
    first = it.do("open", "/f", O_CREAT | O_RDWR, 0o644)
    second = it.do("open", "/f", O_RDONLY)
    it.do("write", first, "abc", 3)
    assert it.data("read", second, 8) == b"abc"


def test_the_lowest_free_descriptor_is_given() -> None:
    it = Machine()
    numbers = [it.do("open", "/", O_RDONLY) for _ in range(3)]
    it.do("close", numbers[1])
    assert it.do("open", "/", O_RDONLY) == numbers[1]
    assert it.do("fcntl", numbers[0], F_DUPFD, 10) == 10
    assert it.do("fcntl", numbers[0], F_DUPFD_CLOEXEC, 10) == 11
    assert it.do("fcntl", 11, F_GETFD) == 1


def test_dup2_of_a_descriptor_to_itself_only_checks_it() -> None:
    it = Machine()
    fd = it.do("open", "/", O_RDONLY)
    assert it.do("dup2", fd, fd) == fd
    assert it.do("dup2", 50, 50) == "EBADF"
    assert it.do("dup3", fd, fd, 0) == "EINVAL"


def test_rlimit_nofile_is_the_first_number_that_is_not_given() -> None:
    it = Machine()
    it.do("setrlimit", RLIMIT_NOFILE, (2, 2))
    assert [it.do("open", "/", O_RDONLY) for _ in range(3)] == [0, 1, "EMFILE"]
    assert it.do("dup2", 0, 2) == "EBADF"


def test_a_full_table_is_noticed_before_a_missing_name() -> None:
    it = Machine()
    it.do("setrlimit", RLIMIT_NOFILE, (0, 0))
    assert it.do("open", "/none", O_RDONLY) == "EMFILE"


def test_o_path_gives_a_place_and_nothing_to_read() -> None:
    it = Machine()
    it.do("mkdir", "/d", 0o755)
    fd = it.do("open", "/d", O_PATH)
    assert it.do("fstat", fd) == 0
    assert it.do("fchdir", fd) == 0
    assert it.do("getdents64", fd, 100) == "EBADF"
    assert it.do("fchmod", fd, 0o700) == "EBADF"
    assert it.do("fcntl", fd, F_GETFL) == O_PATH


def test_appending_goes_to_the_end_wherever_the_position_is() -> None:
    it = Machine()
    fd = it.do("open", "/f", O_CREAT | O_RDWR, 0o644)
    it.do("write", fd, "abc", 3)
    it.do("lseek", fd, 0, 0)
    it.do("fcntl", fd, F_SETFL, O_APPEND)
    it.do("write", fd, "d", 1)
    it.do("lseek", fd, 0, 0)
    assert it.data("read", fd, 9) == b"abcd"


def test_an_unlinked_file_lives_until_its_last_close() -> None:
    it = Machine()
    fd = it.do("open", "/f", O_CREAT | O_RDWR, 0o644)
    copy = it.do("dup", fd)
    it.do("write", fd, "still here", 10)
    at = next(file.at for file in it.store.all(File) if file.at is not None)
    it.do("unlink", "/f")
    it.do("close", fd)
    it.do("lseek", copy, 0, 0)
    assert it.data("read", copy, 20) == b"still here"
    assert it.data("fstat", copy)["nlink"] == 0
    it.do("close", copy)
    assert it.store.get(Inode, at.inode) is None


def test_reading_a_pipe_ends_when_the_last_writer_in_any_process_closed() -> None:
    it = Machine()
    r, w = it.data("pipe")
    child = it.fork()
    it.do("close", w)
    assert it.do("read", r, 10) == "Blocked"
    it.do("write", w, "hi", 2, pid=child)
    assert it.woken(it.pid) == 2
    assert it.do("read", r, 10) == "Blocked"
    it.do("close", w, pid=child)
    assert it.woken(it.pid) == 0


def test_exit_closes_what_only_the_dead_held() -> None:
    it = Machine()
    r, w = it.data("pipe")
    child = it.fork()
    it.do("close", w)
    assert it.do("read", r, 10) == "Blocked"
    it.raw("exit", 0, pid=child)
    assert it.woken(it.pid) == 0


def test_a_pipe_without_readers_kills_the_writer() -> None:
    it = Machine()
    r, w = it.data("pipe")
    child = it.fork()
    it.do("close", r)
    it.do("close", r, pid=child)
    assert it.do("write", w, "x", 1, pid=child) == "SIGPIPE"
    assert it.store.row(Task, child).state is TaskState.ZOMBIE


def test_ignoring_sigpipe_leaves_epipe() -> None:
    it = Machine()
    r, w = it.data("pipe")
    it.do("rt_sigaction", SIGPIPE, SIG_IGN)
    it.do("close", r)
    assert it.do("write", w, "x", 1) == "EPIPE"


def test_a_pipe_holds_64_kib_and_then_blocks() -> None:
    it = Machine()
    r, w = it.data("pipe2", O_NONBLOCK)
    assert it.do("write", w, "x", 65536) == 65536
    assert it.do("write", w, "x", 1) == "EAGAIN"
    assert it.data("ioctl", r, FIONREAD) == 65536
    it.do("read", r, 4096)
    assert it.do("write", w, "y", 4096) == 4096


def test_a_nonblocking_pipe_takes_what_fits_of_a_large_write() -> None:
    it = Machine()
    _, w = it.data("pipe2", O_NONBLOCK)
    assert it.do("write", w, "x", 70000) == 65536


def test_pipe_sizes_are_powers_of_two_of_pages() -> None:
    it = Machine()
    r, w = it.data("pipe")
    assert it.do("fcntl", r, F_GETPIPE_SZ) == 65536
    assert it.do("fcntl", w, F_SETPIPE_SZ, 5000) == 8192
    it.do("write", w, "x", 8192)
    assert it.do("fcntl", w, F_SETPIPE_SZ, 4096) == "EBUSY"


def test_a_pipe_has_no_position() -> None:
    it = Machine()
    r, w = it.data("pipe")
    assert it.do("lseek", r, 0, 0) == "ESPIPE"
    assert it.do("pread64", r, 1, 0) == "ESPIPE"
    assert it.do("pwrite64", r, "x", 1, 0) == "ESPIPE"
    assert it.do("read", w, 1) == "EBADF"
    assert it.do("write", r, "x", 1) == "EBADF"


def test_opening_a_fifo_waits_for_the_other_side() -> None:
    it = Machine()
    it.do("mknod", "/ff", S_IFIFO | 0o666, 0)
    child = it.fork()
    assert it.do("open", "/ff", O_RDONLY, pid=child) == "Blocked"
    w = it.do("open", "/ff", O_WRONLY)
    r = it.woken(child)
    assert (w, r) == (0, 0)
    it.do("write", w, "data", 4)
    assert it.data("read", r, 9, pid=child) == b"data"
    it.do("close", w)
    assert it.do("read", r, 9, pid=child) == 0


def test_a_fifo_that_nobody_has_open_leaves_no_pipe_behind() -> None:
    it = Machine()
    it.do("mknod", "/ff", S_IFIFO | 0o666, 0)
    fd = it.do("open", "/ff", O_RDWR)
    assert it.store.count(Pipe) == 1
    it.do("close", fd)
    assert it.store.count(Pipe) == 0


def test_record_locks_of_processes_meet_and_tell_who_holds_them() -> None:
    it = Machine()
    fd = it.do("open", "/f", O_CREAT | O_RDWR, 0o644)
    child = it.fork()
    assert it.do("fcntl", fd, F_SETLK, (F_WRLCK, 0, 10, 10)) == 0
    assert it.do("fcntl", fd, F_SETLK, (F_WRLCK, 0, 0, 15), pid=child) == "EAGAIN"
    assert it.do("fcntl", fd, F_SETLK, (F_WRLCK, 0, 0, 10), pid=child) == 0
    told = it.data("fcntl", fd, F_GETLK, (F_WRLCK, 0, 0, 0), pid=child)
    assert told == (F_WRLCK, 0, 10, 10, it.pid)


def test_closing_any_descriptor_of_the_file_drops_the_process_locks() -> None:
    it = Machine()
    fd = it.do("open", "/f", O_CREAT | O_RDWR, 0o644)
    child = it.fork()
    it.do("fcntl", fd, F_SETLK, (F_WRLCK, 0, 0, 0))
    it.do("close", it.do("open", "/f", O_RDONLY))
    assert it.do("fcntl", fd, F_SETLK, (F_WRLCK, 0, 0, 0), pid=child) == 0


def test_a_lock_is_split_by_unlocking_its_middle() -> None:
    it = Machine()
    fd = it.do("open", "/f", O_CREAT | O_RDWR, 0o644)
    child = it.fork()
    it.do("fcntl", fd, F_SETLK, (F_WRLCK, 0, 0, 30))
    it.do("fcntl", fd, F_SETLK, (F_UNLCK, 0, 10, 10))
    assert it.do("fcntl", fd, F_SETLK, (F_WRLCK, 0, 10, 10), pid=child) == 0
    assert it.do("fcntl", fd, F_SETLK, (F_WRLCK, 0, 9, 1), pid=child) == "EAGAIN"
    assert it.do("fcntl", fd, F_SETLK, (F_WRLCK, 0, 20, 1), pid=child) == "EAGAIN"


def test_waiting_for_a_lock_ends_when_it_is_released() -> None:
    it = Machine()
    fd = it.do("open", "/f", O_CREAT | O_RDWR, 0o644)
    child = it.fork()
    it.do("fcntl", fd, F_SETLK, (F_WRLCK, 0, 0, 1))
    assert it.do("fcntl", fd, F_SETLKW, (F_WRLCK, 0, 0, 1), pid=child) == "Blocked"
    it.do("fcntl", fd, F_SETLK, (F_UNLCK, 0, 0, 1))
    assert it.woken(child) == 0


def test_a_circle_of_waiting_lockers_is_refused() -> None:
    it = Machine()
    fd = it.do("open", "/f", O_CREAT | O_RDWR, 0o644)
    child = it.fork()
    it.do("fcntl", fd, F_SETLK, (F_WRLCK, 0, 0, 1))
    it.do("fcntl", fd, F_SETLK, (F_WRLCK, 0, 5, 1), pid=child)
    assert it.do("fcntl", fd, F_SETLKW, (F_WRLCK, 0, 0, 1), pid=child) == "Blocked"
    assert it.do("fcntl", fd, F_SETLKW, (F_WRLCK, 0, 5, 1)) == "EDEADLK"


def test_description_locks_meet_within_one_process() -> None:
    it = Machine()
    first = it.do("open", "/f", O_CREAT | O_RDWR, 0o644)
    second = it.do("open", "/f", O_RDWR)
    assert it.do("fcntl", first, F_OFD_SETLK, (F_WRLCK, 0, 0, 0)) == 0
    assert it.do("fcntl", second, F_OFD_SETLK, (F_WRLCK, 0, 0, 0)) == "EAGAIN"
    it.do("close", first)
    assert it.do("fcntl", second, F_OFD_SETLK, (F_WRLCK, 0, 0, 0)) == 0


def test_flock_is_shared_with_duplicates_and_children() -> None:
    it = Machine()
    fd = it.do("open", "/f", O_CREAT | O_RDWR, 0o644)
    other = it.do("open", "/f", O_RDWR)
    assert it.do("flock", fd, LOCK_EX) == 0
    assert it.do("flock", it.do("dup", fd), LOCK_EX | LOCK_NB) == 0
    assert it.do("flock", other, LOCK_SH | LOCK_NB) == "EAGAIN"
    assert it.do("flock", other, LOCK_SH) == "Blocked"
    child = it.fork()
    it.do("flock", fd, LOCK_UN, pid=child)
    assert it.woken(it.pid) == 0


def test_an_eventfd_adds_up_and_is_taken_at_once() -> None:
    it = Machine()
    fd = it.do("eventfd2", 3, 0)
    it.do("write", fd, (4).to_bytes(8, "little"), 8)
    assert it.data("read", fd, 8) == (7).to_bytes(8, "little")
    assert it.do("read", fd, 8) == "Blocked"


def test_a_semaphore_eventfd_is_taken_one_by_one() -> None:
    it = Machine()
    fd = it.do("eventfd2", 2, EFD_SEMAPHORE | O_NONBLOCK)
    assert it.data("read", fd, 8) == (1).to_bytes(8, "little")
    assert it.data("read", fd, 8) == (1).to_bytes(8, "little")
    assert it.do("read", fd, 8) == "EAGAIN"
    assert it.do("read", fd, 4) == "EINVAL"


def test_sealed_memory_files_refuse_what_the_seal_names() -> None:
    it = Machine()
    fd = it.do("memfd_create", "m", MFD_ALLOW_SEALING)
    it.do("write", fd, "abc", 3)
    assert it.do("fcntl", fd, F_ADD_SEALS, F_SEAL_GROW) == 0
    assert it.do("pwrite64", fd, "d", 1, 3) == "EPERM"
    assert it.do("pwrite64", fd, "X", 1, 0) == 1
    it.do("fcntl", fd, F_ADD_SEALS, F_SEAL_WRITE)
    assert it.do("pwrite64", fd, "Y", 1, 0) == "EPERM"
    assert it.do("fcntl", fd, F_GET_SEALS) == F_SEAL_GROW | F_SEAL_WRITE
    assert it.do("fcntl", it.do("memfd_create", "n", 0), F_ADD_SEALS, F_SEAL_GROW) == "EPERM"


def test_close_on_exec_is_per_descriptor() -> None:
    it = Machine()
    fd = it.do("open", "/", O_RDONLY)
    it.do("fcntl", fd, F_SETFD, 1)
    assert it.do("fcntl", fd, F_GETFD) == 1
    assert it.do("fcntl", it.do("dup", fd), F_GETFD) == 0


def test_a_write_larger_than_the_pipe_goes_on_as_it_is_read() -> None:
    it = Machine()
    r, w = it.data("pipe")
    child = it.fork()
    assert it.do("write", w, "x", 150_000, pid=child) == "Blocked"
    seen = 0
    for _ in range(3):
        seen += it.do("read", r, 65536)
    assert seen == 150_000
    assert it.kernel.woken[child] == Returned(150_000)

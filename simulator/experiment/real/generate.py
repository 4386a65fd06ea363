"""Programs of the probe language that nobody wrote: what the differential search draws from.

Each line is a call with arguments that are likely to matter to another line: a handful of paths,
descriptors, ids and flags. Whether a call succeeds is left to the kernels.
"""

from collections.abc import Callable

from hypothesis import strategies as st

Line = st.SearchStrategy[str]

_ACTORS = ("guest", "guest", "guest", "kid")
_PATHS = (
    "/t",
    "/t/a",
    "/t/a/b",
    "/t/f",
    "a",
    "a/b",
    "f",
    "..",
    ".",
    "/t/link",
    "/proc",
    "/missing",
)
_FDS = (0, 3, 4, 5, 6, 99)
_IDS = (0, 1000, 65534, -1)
_MODES = ("0o755", "0o700", "0o666", "0o000", "0o4755", "0o1777")
_OPEN = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_RDWR | O_CREAT", "O_CREAT | O_EXCL | O_WRONLY")
_OPEN_MORE = ("0", "O_DIRECTORY", "O_NOFOLLOW", "O_TRUNC", "O_APPEND", "O_PATH")
_CAPS = ("CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_SETUID", "CAP_KILL", "CAP_SYS_CHROOT", "CAP_MKNOD")
_SPACES = ("CLONE_NEWNS", "CLONE_NEWUTS", "CLONE_NEWIPC", "CLONE_NEWPID", "CLONE_NEWUSER")
_SIGNALS = ("0", "SIGTERM", "SIGSTOP", "SIGCONT", "SIGCHLD", "SIGUSR1")
_MOUNT = ("0", "MS_BIND", "MS_BIND | MS_REC", "MS_REMOUNT | MS_BIND | MS_RDONLY", "MS_PRIVATE")
_NODES = ("S_IFIFO | 0o600", "S_IFREG | 0o644", "S_IFCHR | 0o600")
_LIMITS = ("(8, 8)", "(64, 64)", "(9, 5)")
_KEYS = ("IPC_PRIVATE", "0x1234", "0x1235")


def _of(*options: object) -> st.SearchStrategy[str]:
    return st.sampled_from([str(option) for option in options])


def _path() -> Line:
    return st.sampled_from(_PATHS).map(lambda text: f'"{text}"')


def _call(name: str, *parts: Line) -> Line:
    return st.tuples(*parts).map(lambda args: f"{name}({', '.join(args)})")


def _files() -> list[Line]:
    path, fd, mode = _path(), _of(*_FDS), _of(*_MODES)
    flags = st.tuples(_of(*_OPEN), _of(*_OPEN_MORE)).map(" | ".join)
    return [
        _call("mkdir", path, mode),
        _call("open", path, flags, mode),
        _call("openat", st.one_of(fd, st.just("AT_FDCWD")), path, flags, mode),
        _call("read", fd, _of(0, 5, 64)),
        _call("write", fd, st.just('"xyz"'), _of(0, 1, 3)),
        _call("lseek", fd, _of(0, 2, -1), _of(0, 1, 2)),
        _call("close", fd),
        _call("dup2", fd, fd),
        _call("fcntl", fd, _of("F_GETFD", "F_GETFL", "F_DUPFD"), _of(0, 1)),
        _call("unlink", path),
        _call("rmdir", path),
        _call("rename", path, path),
        _call("link", path, path),
        _call("symlink", path, path),
        _call("chmod", path, mode),
        _call("chown", path, _of(*_IDS), _of(*_IDS)),
        _call("truncate", path, _of(0, 10, -1)),
        _call("access", path, _of(0, 1, 2, 4)),
        _call("stat", path),
        _call("readlink", path, _of(64)),
        _call("umask", _of("0o022", "0o077", "0")),
        _call(
            "mknod", path, _of("S_IFIFO | 0o600", "S_IFREG | 0o644", "S_IFCHR | 0o600"), _of(0, 259)
        ),
    ]


def _roots() -> list[Line]:
    path = _path()
    return [
        _call("chdir", path),
        _call("fchdir", _of(*_FDS)),
        _call("chroot", path),
        _call("getcwd", _of(0, 1, 256)),
        _call("pivot_root", path, path),
        _call("mount", path, path, _of('"tmpfs"', "None", '"proc"'), _of(*_MOUNT), _of("None")),
        _call("umount2", path, _of(0, "MNT_DETACH")),
        _call("unshare", _of(0, *_SPACES)),
        _call("setns", _of(*_FDS), _of(0, "CLONE_NEWUTS", "CLONE_NEWNS")),
        _call("sethostname", _of('"inside"', '""'), _of(0, 3, 6)),
    ]


def _identity() -> list[Line]:
    one = _of(*_IDS)
    some = st.lists(st.sampled_from(_CAPS), max_size=3, unique=True).map(
        lambda names: f"[{', '.join(names)}]"
    )
    return [
        _call("setuid", one),
        _call("setgid", one),
        _call("setresuid", one, one, one),
        _call("setresgid", one, one, one),
        _call("setreuid", one, one),
        _call("setgroups", _of(0, 1), _of("[]", "[1000]")),
        _call("getresuid"),
        _call("getgroups", _of(0, 32)),
        _call("capset", st.just("0"), some, some, some),
        _call("capget", st.just("0")),
        _call("prctl", _of("PR_SET_KEEPCAPS"), _of(0, 1, 2), *[st.just("0")] * 3),
        _call("prctl", _of("PR_SET_NO_NEW_PRIVS"), _of(0, 1), *[st.just("0")] * 3),
        _call("prctl", _of("PR_CAPBSET_DROP", "PR_CAPBSET_READ"), _of(*_CAPS), *[st.just("0")] * 3),
    ]


def _processes() -> list[Line]:
    who = _of("guest", "kid", 0, 99999)
    return [
        _call("kill", _of("kid", "guest", 99999), _of(*_SIGNALS)),
        _call("tgkill", _of("guest", "kid"), _of("guest", "kid"), _of(0, 99)),
        _call("setpgid", who, who),
        _call("getpgid", who),
        _call("setsid"),
        _call("getsid", who),
        _call("waitpid", _of("kid", 99999), _of("WNOHANG")),
        _call("rt_sigprocmask", _of("SIG_BLOCK", "SIG_UNBLOCK", 9), _of("[SIGTERM]", "[SIGUSR1]")),
        _call("setpriority", st.just("0"), who, _of(-5, 0, 5, 50)),
        _call("getpriority", st.just("0"), who),
        _call(
            "setrlimit", _of("RLIMIT_NOFILE", "RLIMIT_FSIZE"), _of("(8, 8)", "(64, 64)", "(9, 5)")
        ),
        _call("getrlimit", _of("RLIMIT_NOFILE", 99)),
    ]


def _talk() -> list[Line]:
    fd, key = _of(*_FDS), _of(*_KEYS)
    address = _of('"/t/s"', '"\\0name"', '("127.0.0.1", 8080)', '("127.0.0.1", 80)')
    return [
        _call(
            "socket", _of("AF_UNIX", "AF_INET", 99), _of("SOCK_STREAM", "SOCK_DGRAM"), st.just("0")
        ),
        _call("bind", fd, address),
        _call("listen", fd, _of(0, 5)),
        _call("connect", fd, address),
        _call("getsockname", fd),
        _call("shutdown", fd, _of(0, 1, 2, 9)),
        _call("pipe"),
        _call("eventfd2", _of(0, 1), _of(0)),
        _call(
            "shmget", key, _of(0, 4096), _of("0o600", "IPC_CREAT | 0o600", "IPC_CREAT | IPC_EXCL")
        ),
        _call("semget", key, _of(0, 1), _of("0o600", "IPC_CREAT | 0o600")),
        _call("msgget", key, _of("0o600", "IPC_CREAT | 0o600")),
    ]


SUBJECTS: dict[str, Callable[[], list[Line]]] = {
    "files": _files,
    "roots": _roots,
    "identity": _identity,
    "processes": _processes,
    "talk": _talk,
}
"""What a search can be limited to."""

BEGIN = ('guest.mkdir("/t", 0o777)', 'guest.chdir("/t")', "kid = guest.fork()")


def programs(subjects: tuple[str, ...], longest: int = 24) -> st.SearchStrategy[str]:
    """Texts of programs with lines of these subjects by a guest and its child."""
    calls = st.one_of(*(line for name in subjects for line in SUBJECTS[name]()))
    lines = st.tuples(st.sampled_from(_ACTORS), calls).map(".".join)
    return st.lists(lines, min_size=4, max_size=longest).map(
        lambda drawn: "\n".join((*BEGIN, *drawn)) + "\n"
    )

"""What kind of thing a return value is: numbers that only matter by identity have a class."""

from simulator.machine.abi.call import Value
from simulator.machine.abi.constants import (
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GETOWN,
    GETPID,
    KEYCTL_GET_KEYRING_ID,
    KEYCTL_JOIN_SESSION_KEYRING,
    KEYCTL_SEARCH,
)

_FD = frozenset(
    [
        "open",
        "openat",
        "openat2",
        "creat",
        "dup",
        "dup2",
        "dup3",
        "socket",
        "accept",
        "accept4",
        "eventfd",
        "eventfd2",
        "memfd_create",
        "epoll_create",
        "epoll_create1",
        "inotify_init",
        "inotify_init1",
        "fanotify_init",
        "pidfd_open",
        "pidfd_getfd",
        "open_tree",
        "fsopen",
        "fspick",
        "fsmount",
        "open_by_handle_at",
        "bpf",
        "perf_event_open",
        "io_uring_setup",
        "userfaultfd",
        "signalfd",
        "signalfd4",
        "timerfd_create",
        "memfd_secret",
        "landlock_create_ruleset",
        "mq_open",
    ]
)
_PID = frozenset(
    [
        "fork",
        "vfork",
        "clone",
        "clone3",
        "getpid",
        "getppid",
        "gettid",
        "waitpid",
        "wait4",
        "getsid",
        "getpgid",
        "getpgrp",
        "setsid",
        "set_tid_address",
    ]
)
_ID = frozenset(
    ["shmget", "semget", "msgget", "add_key", "request_key", "jail", "jail_set", "zone_create"]
)
_ADDR = frozenset(["shmat", "mmap", "mremap", "brk"])

FD_PAIRS = frozenset({"pipe", "pipe2", "socketpair", "recvmsg"})
"""Calls whose data is a pair of descriptors, or bytes and descriptors."""


def value_class(call: str, args: tuple[Value, ...]) -> str:
    """``fd``, ``pid``, ``id``, ``addr`` or ``number``: how ``call``'s value is compared."""
    second = args[1] if len(args) > 1 else None
    if call in _FD or (call == "fcntl" and second in (F_DUPFD, F_DUPFD_CLOEXEC)):
        return "fd"
    if call in _PID or (call == "fcntl" and second == F_GETOWN):
        return "pid"
    if call == "semctl" and len(args) > 2 and args[2] == GETPID:
        return "pid"
    keyrings = (KEYCTL_GET_KEYRING_ID, KEYCTL_JOIN_SESSION_KEYRING, KEYCTL_SEARCH)
    if call in _ID or (call == "keyctl" and args and args[0] in keyrings):
        return "id"
    return "addr" if call in _ADDR else "number"

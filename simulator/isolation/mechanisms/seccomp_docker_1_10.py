"""The first default profile of Docker, 1.10 in 2016, as its difference from that of 20.10.

Read from moby v1.10.0 ``daemon/execdriver/native/seccomp_default.go``: one list for every
container, whatever its capabilities. What is not named gets EPERM.
"""

from simulator.isolation.mechanisms import seccomp_docker as later
from simulator.machine.abi.constants import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
)
from simulator.machine.kernel.task import SeccompFilter, SeccompRule

_YOUNGER = """
adjtimex clock_adjtime clock_adjtime64 clock_getres_time64 clock_gettime64
clock_nanosleep_time64 close_range copy_file_range epoll_pwait2 faccessat2 futex_time64
futex_waitv io_pgetevents io_pgetevents_time64 io_uring_enter io_uring_register io_uring_setup
ipc landlock_add_rule landlock_create_ruleset landlock_restrict_self membarrier memfd_secret
mlock2 mq_timedreceive_time64 mq_timedsend_time64 openat2 pidfd_open pidfd_send_signal
ppoll_time64 preadv2 process_mrelease pselect6_time64 pwritev2 recvmmsg_time64 restart_syscall
rseq rt_sigtimedwait_time64 sched_rr_get_interval_time64 semtimedop_time64 sigprocmask
socketcall statx timer_gettime64 timer_settime64 timerfd_gettime64 timerfd_settime64
utimensat_time64
"""
_ADDED_LATER = frozenset(_YOUNGER.split())
"""Younger calls, and a few that were forgotten."""

_ALLOWED_TO_ALL = frozenset(
    ("chroot", "fanotify_init", "setdomainname", "sethostname", "syslog", "vhangup")
)
"""Since 1.12 they go with a capability."""

_NEW_NAMESPACES = (
    CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET
)

PROFILE = SeccompFilter(
    "docker-default",
    (later.ALLOWED | later.ONLY_IN_20_10 | _ALLOWED_TO_ALL) - _ADDED_LATER - {"clone"},
    (SeccompRule(frozenset({"clone"}), "ALLOW", 0, "masked_eq", _NEW_NAMESPACES, 0),),
)

"""Docker's default seccomp profile, as names and rules: what moby 20.10 and moby 28 let through.

Read from ``profiles/seccomp/default.json`` of moby v20.10.24 and v28.2.2 for x86-64. Anything that
is not named gets EPERM (``defaultErrnoRet``). Rules with a capability apply when the container
was given it; what a missing capability turns into ENOSYS is clone3(2), so that libc falls back to
clone(2), whose flags a filter can see.
"""

from typing import NamedTuple

from simulator.machine.abi.constants import AF_VSOCK


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ALLOWED = _words(
    """
    _llseek _newselect accept accept4 access adjtimex alarm arch_prctl bind brk capget
    capset chdir chmod chown chown32 clock_adjtime clock_adjtime64 clock_getres
    clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64
    close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1
    epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd
    eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64
    fallocate fanotify_mark fchdir fchmod fchmodat fchown fchown32 fchownat fcntl fcntl64
    fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64
    fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_time64 futex_waitv futimesat
    get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid getegid32
    geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid
    getpgrp getpid getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32
    getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getuid32
    getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel
    io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit ioctl
    ioprio_get ioprio_set ipc kill landlock_add_rule landlock_create_ruleset
    landlock_restrict_self lchown lchown32 lgetxattr link linkat listen listxattr llistxattr
    lremovexattr lseek lsetxattr lstat lstat64 madvise membarrier memfd_create memfd_secret
    mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 modify_ldt mprotect
    mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend
    mq_timedsend_time64 mq_unlink mremap msgctl msgget msgrcv msgsnd msync munlock
    munlockall munmap nanosleep newfstatat open openat openat2 pause pidfd_open
    pidfd_send_signal pipe pipe2 poll ppoll ppoll_time64 prctl pread64 preadv preadv2
    prlimit64 process_mrelease pselect6 pselect6_time64 pwrite64 pwritev pwritev2 read
    readahead readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg
    remap_file_pages removexattr rename renameat renameat2 restart_syscall rmdir rseq
    rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
    rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max
    sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
    sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr
    sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop
    semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto
    set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32
    setgid setgid32 setgroups setgroups32 setitimer setpgid setpriority setregid setregid32
    setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid
    setsockopt setuid setuid32 setxattr shmat shmctl shmdt shmget shutdown sigaltstack
    signalfd signalfd4 sigprocmask sigreturn socketcall socketpair splice stat stat64 statfs
    statfs64 statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time
    timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime
    timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime
    timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat
    utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev
    """
)
"""Allowed by both."""

ONLY_IN_20_10 = _words(
    """
    io_uring_enter io_uring_register io_uring_setup socket
    """
)
"""No longer allowed, or no longer without a condition: io_uring since 25.0, socket since 23.0."""

ONLY_IN_28 = _words(
    """
    cachestat fchmodat2 futex_requeue futex_wait futex_wake getxattrat listmount listxattrat
    map_shadow_stack mseal name_to_handle_at pkey_alloc pkey_free pkey_mprotect
    removexattrat riscv_hwprobe setxattrat statmount uretprobe
    """
)
"""Newer calls, and name_to_handle_at(2) since 24.0."""

ALLOWED_SINCE_LINUX_4_8 = frozenset({"ptrace"})
ALLOWED_SINCE_LINUX_4_8_IN_28 = frozenset({"ptrace", "process_vm_readv", "process_vm_writev"})
"""Before 4.8 a tracer could slip past the filter (``minKernel``)."""

NEW_NAMESPACES = 0x7E020000
"""Every CLONE_NEW* flag but CLONE_NEWTIME, which clone(2) can't take: 2114060288."""


class ByArgument(NamedTuple):
    """``call`` is allowed when ``op`` holds for that argument."""

    call: str
    argument: int
    op: str
    value: int
    mask: int = 0


PERSONALITIES = tuple(
    ByArgument("personality", 0, "eq", value) for value in (0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)
)
SOCKETS_IN_28 = (ByArgument("socket", 0, "ne", AF_VSOCK),)
CLONE_WITHOUT_NAMESPACES = ByArgument("clone", 0, "masked_eq", 0, NEW_NAMESPACES)

BY_CAPABILITY: dict[str, frozenset[str]] = {
    "CAP_DAC_READ_SEARCH": frozenset({"open_by_handle_at"}),
    "CAP_SYS_ADMIN": frozenset(
        [
            "bpf",
            "clone",
            "clone3",
            "fanotify_init",
            "fsconfig",
            "fsmount",
            "fsopen",
            "fspick",
            "lookup_dcookie",
            "mount",
            "mount_setattr",
            "move_mount",
            "name_to_handle_at",
            "open_tree",
            "perf_event_open",
            "quotactl",
            "quotactl_fd",
            "setdomainname",
            "sethostname",
            "setns",
            "syslog",
            "umount",
            "umount2",
            "unshare",
        ]
    ),
    "CAP_SYS_BOOT": frozenset({"reboot"}),
    "CAP_SYS_CHROOT": frozenset({"chroot"}),
    "CAP_SYS_MODULE": frozenset({"delete_module", "init_module", "finit_module"}),
    "CAP_SYS_PACCT": frozenset({"acct"}),
    "CAP_SYS_PTRACE": frozenset(
        [
            "kcmp",
            "pidfd_getfd",
            "process_madvise",
            "process_vm_readv",
            "process_vm_writev",
            "ptrace",
        ]
    ),
    "CAP_SYS_RAWIO": frozenset({"iopl", "ioperm"}),
    "CAP_SYS_TIME": frozenset({"settimeofday", "stime", "clock_settime"}),
    "CAP_SYS_TTY_CONFIG": frozenset({"vhangup"}),
    "CAP_SYS_NICE": frozenset({"get_mempolicy", "mbind", "set_mempolicy"}),
    "CAP_SYSLOG": frozenset({"syslog"}),
}
"""Allowed when the container has the capability, in both releases."""

BY_CAPABILITY_IN_28: dict[str, frozenset[str]] = {
    "CAP_SYS_ADMIN": frozenset({"lsm_get_self_attr", "lsm_list_modules", "lsm_set_self_attr"}),
    "CAP_SYS_NICE": frozenset({"set_mempolicy_home_node"}),
    "CAP_BPF": frozenset({"bpf"}),
    "CAP_PERFMON": frozenset({"perf_event_open"}),
}

"""systemd-nspawn's system call filter: an allow list that grows with the capabilities kept.

``nspawn-seccomp.c`` (systemd 252); the named sets are those of ``systemd-analyze syscall-filter``.
"""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, LaunchPlan
from simulator.isolation.mechanisms.seccomp import ABOUT as FILTER
from simulator.isolation.mechanisms.seccomp import kept, load
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.cred import names
from simulator.machine.kernel.task import SeccompFilter

_NAMES = """
accept accept4 access alarm arch_prctl bind brk cacheflush capget capset chdir chmod chown chroot
clock_getres clock_gettime clock_gettime64 clock_nanosleep clone clone3 close close_range connect
copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait
epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat
faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync
fgetxattr flistxattr flock fork fremovexattr fsconfig fsetxattr fsmount fsopen fspick fstat
fstatfs fsync ftruncate futex futex_waitv futimesat get_mempolicy get_robust_list get_thread_area
getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid
getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit getrusage getsid
getsockname getsockopt gettid gettimeofday getuid getxattr inotify_add_watch inotify_init
inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit
io_uring_enter io_uring_register io_uring_setup ioctl ioprio_get ioprio_set ipc kcmp kill lchown
lgetxattr link linkat listen listxattr llistxattr lremovexattr lseek lsetxattr lstat madvise mbind
membarrier memfd_create migrate_pages mincore mkdir mkdirat mknod mknodat mmap mmap2 mount
mount_setattr move_mount move_pages mprotect mq_getsetattr mq_notify mq_open mq_timedreceive
mq_timedsend mq_unlink mremap msgctl msgget msgrcv msgsnd msync munmap name_to_handle_at nanosleep
newfstatat nice open open_tree openat openat2 pause personality pidfd_open pidfd_send_signal pipe
pipe2 pivot_root poll ppoll prctl pread64 preadv preadv2 prlimit64 process_madvise
process_vm_readv process_vm_writev pselect6 pwrite64 pwritev pwritev2 read readahead readdir
readlink readlinkat readv recv recvfrom recvmmsg recvmsg remap_file_pages removexattr rename
renameat renameat2 restart_syscall riscv_flush_icache riscv_hwprobe rmdir rseq rt_sigaction
rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr
sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop send
sendfile sendmmsg sendmsg sendto set_mempolicy set_mempolicy_home_node set_robust_list
set_thread_area set_tid_address set_tls setdomainname setfsgid setfsuid setgid setgroups
sethostname setitimer setns setpgid setpriority setregid setresgid setresuid setreuid setrlimit
setsid setsockopt setuid setxattr shmat shmctl shmdt shmget shutdown sigaction sigaltstack signal
signalfd signalfd4 sigpending sigprocmask sigreturn sigsuspend socket socketcall socketpair splice
stat statfs statx swapcontext symlink symlinkat sync sync_file_range sync_file_range2 syncfs
sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64
timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime
timerfd_settime64 times tkill truncate ugetrlimit umask umount umount2 uname unlink unlinkat
unshare uretprobe userfaultfd utime utimensat utimes vfork vmsplice wait4 waitid waitpid write
writev
"""
ALLOWED = frozenset(_NAMES.split())
"""The sets @aio, @basic-io, @chown, @default, @file-system, @io-event, @ipc, @mount, @network-io,
@process, @resources, @setuid, @signal, @sync and @timer, and single calls beside them."""

_WITH = {
    "CAP_SYS_TIME": """
adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64 settimeofday
""",
    "CAP_SYS_MODULE": "delete_module finit_module init_module",
    "CAP_SYS_RAWIO": """
ioperm iopl pciconfig_iobase pciconfig_read pciconfig_write s390_pci_mmio_read s390_pci_mmio_write
""",
    "CAP_IPC_LOCK": "mlock mlock2 mlockall munlock munlockall",
    "CAP_SYS_PACCT": "acct",
    "CAP_SYS_PTRACE": "process_vm_readv process_vm_writev ptrace",
    "CAP_SYS_BOOT": "reboot",
    "CAP_SYSLOG": "syslog",
    "CAP_SYS_TTY_CONFIG": "vhangup",
}
BY_CAPABILITY = {name: frozenset(calls.split()) for name, calls in _WITH.items()}
"""Calls that are of no use without the capability."""

ABOUT = About(
    id=FILTER.id,
    title=FILTER.title,
    hides=frozenset({"keyring", "module", "swap", "file", "clock", "reboot"}),
    walls=FILTER.walls,
    cite="systemd-nspawn(1), --system-call-filter=",
)


@dataclass(frozen=True, slots=True)
class NspawnFilter:
    """``also`` are calls added by an option, ``never`` those that one took away."""

    also: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """What is allowed depends on the capabilities that stay."""
        profile = self.profile(kept(plan))
        load(plan, profile, N_("Calls that the filter does not name will fail with EPERM."))

    def profile(self, capabilities: int) -> SeccompFilter:
        """The filter for a container that keeps ``capabilities`` (a bit mask)."""
        more = (BY_CAPABILITY.get(name, frozenset()) for name in names(capabilities))
        allowed = ALLOWED.union(*more, self.also) - self.never
        return SeccompFilter("systemd-nspawn", allowed)

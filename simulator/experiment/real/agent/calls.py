"""The allow-list: every call that an actor makes, and how its arguments are encoded.

What is not here is refused before it reaches the kernel.
"""

import struct

from . import structs
from .encode import LETTERS
from .frame import Args, BadArgumentError, Frame, as_int, as_rows
from .messages import MESSAGES
from .numbers import NUMBERS
from .special import SPECIAL

_TABLE = """
open pii | openat ipii | openat2 ipo | creat pi | close i | read iR | write iD | pread64 iRi
pwrite64 iDi | lseek iii | dup i | dup2 ii | dup3 iii | flock ii | pipe 2 | pipe2 2i | eventfd i
eventfd2 ii | memfd_create pi | memfd_secret i | stat pS | lstat pS | fstat iS | newfstatat ipSi
statfs pF | fstatfs iF | access pi | faccessat ipi | faccessat2 ipii | chmod pi | fchmod ii
fchmodat ipi | chown pii | lchown pii | fchown iii | fchownat ipiii | truncate pi | ftruncate ii
fallocate iiii | link pp | linkat ipipi | symlink pp | symlinkat pip | readlink pT
readlinkat ipT | unlink p | unlinkat ipi | mkdir pi | mkdirat ipi | rmdir p | rename pp
renameat ipip | renameat2 ipipi | mknod pii | mknodat ipii | getdents64 iG | getcwd T | chdir p
fchdir i | chroot p | umask i | setxattr ppDi | lsetxattr ppDi | fsetxattr ipDi | getxattr ppR
lgetxattr ppR | fgetxattr ipR | listxattr pR | llistxattr pR | flistxattr iR | removexattr pp
lremovexattr pp | fremovexattr ip | utimensat ipNi | fsync i | fdatasync i | sendfile iiNi
copy_file_range iNiNii | mount pppip | umount2 pi | pivot_root pp | open_tree ipi
move_mount ipipi | fsopen pi | fsconfig iippi | fsmount iii | fspick ipi | mount_setattr ipim
open_by_handle_at ifi | name_to_handle_at ipEi | execve pvv | execveat ipvvi | exit i
exit_group i | wait4 iwiN | getpid | getppid | gettid | kill ii | tkill ii | tgkill iii
pidfd_open ii | pidfd_getfd iii | pidfd_send_signal iiii | rt_sigaction ih | rt_sigprocmask iMO8
rt_sigpending O8 | setsid | getsid i | setpgid ii | getpgid i | getpgrp | setpriority iii
getpriority ii | sched_setscheduler iis | sched_getscheduler i | sched_setparam is | sched_yield
ioprio_set iii | ioprio_get ii | kcmp iiiii | personality i | setrlimit il | getrlimit iL
prlimit64 iilL | getuid | geteuid | getgid | getegid | setuid i | setgid i | setreuid ii
setregid ii | setresuid iii | setresgid iii | getresuid 3 | getresgid 3 | setfsuid i
setfsgid i | setgroups ig | getgroups Y | unshare i | setns ii | sethostname D | setdomainname D
uname U | shmget iii | shmat iii | shmdt i | semget iii | msgget ii | socket iii
socketpair iii2 | bind ia | listen ii | accept in | accept4 ini | connect ia | sendto iDia
recvfrom iRiNN | shutdown ii | getsockname iA | getpeername iA | add_key ppDi | request_key pppi
adjtimex x | clock_adjtime ix | clock_settime it | clock_gettime i_ | gettimeofday _N
settimeofday tt | syslog iR | reboot iiii | swapon pi | swapoff p | acct p | delete_module pi
init_module Dp | finit_module ipi | kexec_load iiii | kexec_file_load z | bpf i0i
perf_event_open 0iiii | io_uring_setup i0 | userfaultfd i | fanotify_init ii | iopl i
ioperm iii | vhangup | clone3 z | inotify_init1 i | inotify_add_watch ipi | timerfd_create ii
epoll_create1 i | getrandom Ri | sysinfo _ | times _ | getrusage i_ | alarm i | pause
nanosleep tN | mmap iiiiii | mprotect iii | mlock ii | munlock ii | mlockall i | munlockall
mq_open piii | mq_unlink p
landlock_create_ruleset iii | landlock_restrict_self ii | quotactl_fd iiii | uselib p | ustat i_
sysfs ipp | lookup_dcookie iRN | nfsservctl z | modify_ldt i_i | move_pages iiiiii
mbind iiiiii | set_mempolicy iii | get_mempolicy iiiii | migrate_pages iiii
get_robust_list i__ | vserver z | _sysctl z | create_module z | query_module z
get_kernel_syms z | fanotify_mark iiiip | process_madvise iiiii | process_mrelease ii
syncfs i | capget ? | capset ? | sync
close_range iii | fchmodat2 ipii | munmap ii | brk i | sched_getparam iV
sched_get_priority_max i | sched_get_priority_min i | clock_nanosleep iitN
"""

SIGNATURES: dict[str, str] = {
    name: letters
    for row in _TABLE.replace("\n", "|").split("|")
    if row.strip()
    for name, _, letters in [row.strip().partition(" ")]
}
"""Letters of ``encode.LETTERS`` by the call's name."""

_CAPABILITY_VERSION_3 = 0x20080522

_SHAPED = SPECIAL | MESSAGES

UNPREPARED = ("clone", "fork", "vfork", "waitpid")
"""Known by name, carried out by ``loop``: they make or await an actor."""


def known(name: str) -> bool:
    """Whether an actor makes this call at all."""
    return name in SIGNATURES or name in _SHAPED or name in UNPREPARED


def encode(name: str, values: list[object]) -> tuple[int, Frame]:
    """The call's number and its C arguments; ``BadArgumentError`` when they can't be encoded."""
    frame, args = Frame(), Args(values)
    if name == "waitpid":
        return encode("wait4", values)
    if name in ("capget", "capset"):
        _capabilities(name, frame, args)
    elif name in _SHAPED:
        _SHAPED[name](frame, args)
    elif name in SIGNATURES:
        for letter in SIGNATURES[name]:
            LETTERS[letter](frame, args)
    else:
        raise BadArgumentError(f"{name} is not on the list of calls that an actor makes")
    return NUMBERS[name], frame


def _capabilities(name: str, frame: Frame, args: Args) -> None:
    header = frame.buffer(struct.pack("<Ii", _CAPABILITY_VERSION_3, as_int(args.take())))
    if name == "capget":
        frame.push(header, frame.room(24, structs.capabilities))
        return
    sets = [sum(1 << bit for bit in as_rows(args.take(())) or ()) for _ in range(3)]
    words = [mask >> shift & 0xFFFFFFFF for shift in (0, 32) for mask in sets]
    frame.push(header, frame.buffer(struct.pack("<6I", *words)))

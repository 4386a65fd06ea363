"""Which calls leave a sandbox as it was, so that it can be lent to the next probe.

A call that failed changed nothing. Of those that succeed, some only look (what they open, the agent
closes again), and some change nothing but their own process and what is looked at and put back
afterwards: mounts, names, files. Every other one is for a sandbox that nobody gets after it.
"""

import re

from simulator.experiment.probes.program import Program, Step, Text, names_in
from simulator.machine.abi.call import Call, Failed, Result, Returned, Silent
from simulator.machine.abi.constants import O_ACCMODE

_NAMES = """
access faccessat faccessat2 stat lstat fstat newfstatat statfs fstatfs read pread64 lseek readlink
readlinkat getdents64 getcwd getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr getpid
getppid gettid getsid getpgid getpgrp getpriority sched_getscheduler getrlimit getuid geteuid getgid
getegid getresuid getresgid getgroups capget uname sysinfo times getrusage clock_gettime
gettimeofday getrandom socket pipe pipe2 socketpair eventfd eventfd2 dup memfd_create close
name_to_handle_at kcmp getsockname getpeername pidfd_open process_vm_readv ioprio_get
"""
_LOOKING = frozenset(_NAMES.split())
_PASSING_NAMES = """
chdir fchdir chroot pivot_root umask setuid setgid setresuid setresgid setreuid setregid setgroups
setfsuid setfsgid capset personality bind connect listen accept accept4 sendto recvfrom sendmsg
recvmsg shutdown unshare setns mount umount2 fsopen fsconfig fsmount move_mount open_tree
mount_setattr mkdir mkdirat mknod mknodat creat open openat write pwrite64 unlink unlinkat rmdir
rename renameat renameat2 link linkat symlink symlinkat chmod fchmod fchmodat chown fchown lchown
fchownat truncate ftruncate flock fcntl timerfd_create userfaultfd fanotify_init inotify_init1
epoll_create1 sethostname setdomainname
"""
_PASSING = frozenset(_PASSING_NAMES.split())
"""What they change goes with their process, or a look at the sandbox shows it."""

_REFUSED_NAMES = """
reboot adjtimex clock_adjtime clock_settime settimeofday swapon swapoff acct syslog delete_module
init_module finit_module kexec_load quotactl iopl ioperm ioctl setxattr shmget shmat shmctl msgget
msgsnd msgrcv msgctl semget semop semctl mq_open mq_unlink open_by_handle_at perf_event_open bpf
setsockopt
"""
_REFUSED = frozenset(_REFUSED_NAMES.split())
"""Nothing about them depends on whether a process is the sandbox's first one."""

_PROCESS_NAMES = """
getpid getppid gettid getsid getpgid getpgrp kcmp pidfd_open process_vm_readv memfd_create
getpriority sched_getscheduler getrlimit ioprio_get times getrusage
"""
_OF_PROCESSES = frozenset(_PROCESS_NAMES.split())
_PROCESS = re.compile(r"/proc/\d|^/proc/?$|/dev/(tty|console|pts)")
_PIDS = {"GUEST_PID", "NEIGHBOUR_PID", "guest", "neighbour"}
_OUTSIDE = ("/proc", "/sys", "/dev/")
_OPENING = {"open": 1, "openat": 2}
_CREATING = 0o100 | 0o1000 | 0o20000000
"""O_CREAT, O_TRUNC, O_TMPFILE's own bit."""


def pure(call: Call, result: Result) -> bool:
    """Whether the sandbox and its host are as before the call, open descriptors apart."""
    if isinstance(result, (Failed, Silent)):
        return True
    if not isinstance(result, Returned):
        return False
    at = _OPENING.get(call.name)
    if at is not None and at < len(call.args):
        flags = call.args[at]
        return isinstance(flags, int) and not flags & (O_ACCMODE | _CREATING)
    if call.name == "kill" and call.args[1:] == (0,):
        return True
    return call.name in _LOOKING and not _own(call)


def _own(call: Call) -> bool:
    """Whether a close(2) could be of one of the first three descriptors."""
    return call.name == "close" and bool(call.args) and call.args[0] in (0, 1, 2)


def passing(call: Call, result: Result) -> bool:
    """Whether the call of a child of a sandbox's first process leaves nothing that is not seen."""
    if pure(call, result):
        return True
    at = {"open": 0, "creat": 0, "openat": 1}.get(call.name)
    if at is not None and not _of_files(_text(call, at)):
        return False
    if call.name == "mount" and call.args[2:3] not in ((None,), ("",), ("tmpfs",), ("proc",)):
        return False
    return isinstance(result, Returned) and call.name in _PASSING


def _text(call: Call, at: int) -> str:
    return str(call.args[at]) if at < len(call.args) else ""


def _of_files(path: str) -> bool:
    """Whether what is written there is in a file: not a setting, not a device, not who knows."""
    if path.startswith(("/dev/shm/", "/dev/null")):
        return True
    return path.startswith("/") and not any(name in path for name in _OUTSIDE)


def anywhere(program: Program) -> bool:
    """Whether a program can't tell the sandbox's first process from a child of it."""
    return all(_indifferent(step) for step in program.steps)


def _indifferent(step: Step) -> bool:
    names = {name for arg in step.args for name in names_in(arg)}
    texts = [step.text] if any(isinstance(arg, Text) for arg in step.args) else []
    texts += [word for word in re.findall(r'"([^"]*)"', step.text)]
    known = step.call in (_LOOKING | _PASSING | _REFUSED) - _OF_PROCESSES
    return known and not names & _PIDS and not any(_PROCESS.search(text) for text in texts)

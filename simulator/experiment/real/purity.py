"""Which calls leave a sandbox as it was, so that it can be lent to the next probe.

A call that failed changed nothing. Of those that succeed, only the ones listed here do not. What
they open, the agent closes again.
"""

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

"""Doors into the kernel's own code and memory: modules, kexec, BPF, perf, io_uring, I/O ports."""

from typing import Any

from simulator.machine.abi.constants import (
    BPF_MAP_CREATE,
    BPF_PROG_LOAD,
    CLOCK_BOOTTIME,
    CLOCK_BOOTTIME_ALARM,
    CLOCK_MONOTONIC,
    CLOCK_REALTIME,
    CLOCK_REALTIME_ALARM,
    O_ACCMODE,
    O_APPEND,
    O_CLOEXEC,
    O_DSYNC,
    O_LARGEFILE,
    O_NOATIME,
    O_NONBLOCK,
    O_RDONLY,
    O_RDWR,
    O_SYNC,
    TFD_CLOEXEC,
    TFD_NONBLOCK,
    UFFD_USER_MODE_ONLY,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import features, pids, sysctl
from simulator.machine.kernel.family import Release
from simulator.machine.kernel.fs.unnamed import Secure
from simulator.machine.kernel.modules import Module
from simulator.machine.kernel.resource import processors
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import anonymous, eventless
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.syscalls.registry import linux

ELF_HEADER = 64
"""The size in bytes of the header that a module's image begins with."""
KEXEC_SEGMENT_MAX = 16
KEXEC_FLAGS = 0x1F
KEXEC_ARCHITECTURES = (0, 62 << 16)
BPF_COMMANDS = range(38)
PERF_FLAGS = 0xF
PERF_FLAG_PID_CGROUP = 4
FAN_CLOEXEC, FAN_NONBLOCK = 1, 2
FAN_FID_BITS = 0x1E00
FAN_ADMIN_FLAGS = 0x4 | 0x8 | 0x10 | 0x20 | 0x40 | 0x80 | 0x100 | 0x2000
FAN_INIT_FLAGS = FAN_CLOEXEC | FAN_NONBLOCK | FAN_ADMIN_FLAGS | FAN_FID_BITS | 0x4000
FAN_EVENT_FLAGS = (
    O_ACCMODE | O_APPEND | O_NONBLOCK | O_SYNC | O_DSYNC | O_CLOEXEC | O_LARGEFILE | O_NOATIME
)
IO_RING_MAX = 32768
IO_PORTS = 65536
_TIMERS: dict[int, Release] = {
    CLOCK_REALTIME: (2, 6, 25),
    CLOCK_MONOTONIC: (2, 6, 25),
    CLOCK_BOOTTIME: (3, 15),
    CLOCK_REALTIME_ALARM: (3, 11),
    CLOCK_BOOTTIME_ALARM: (3, 11),
}
"""Clocks that a timer descriptor may run by, with their first release."""


@linux("delete_module")
def delete_module(trap: Trap, name: str, _flags: int = 0) -> int:
    """delete_module(2): EBUSY ENOENT EPERM."""
    _may_change_modules(trap)
    module = trap.store.get(Module, name)
    if module is None:
        trap.fail(Errno.ENOENT, N_("No module has this name."), "delete_module(2)")
    if module.users:
        trap.fail(Errno.EAGAIN, N_("Other modules depend on it."), "delete_module(2)")
    trap.store.drop(Module, name)
    return 0


@linux("init_module")
def init_module(trap: Trap, image: Any = None, size: int = 0, _parameters: Any = None) -> int:
    """init_module(2): ENOEXEC EPERM."""
    _may_change_modules(trap)
    content = image if isinstance(image, bytes) else str(image or "").encode()
    return _load(trap, content[:size])


@linux("finit_module", since=(3, 8))
def finit_module(trap: Trap, fd: int, _parameters: Any = None, flags: int = 0) -> int:
    """finit_module(2): EBADF EINVAL ENOEXEC EPERM."""
    _may_change_modules(trap)
    if flags & ~7:
        trap.fail(Errno.EINVAL, "", "init_module(2)")
    if not fds.readable(fds.get(trap, fd)):
        trap.fail(Errno.EBADF, N_("The descriptor is not open for reading."), "init_module(2)")
    return trap.fail(Errno.ENOEXEC, N_("This is no module of this kernel."), "init_module(2)")


def _may_change_modules(trap: Trap) -> None:
    features.need(trap, "modules")
    trap.need(Privilege.MODULE)
    if sysctl.number(trap.store, trap.family, "kernel.modules_disabled"):
        trap.deny(
            Errno.EPERM,
            "sysctl",
            N_("kernel.modules_disabled is set: nobody loads a module until the next boot."),
            "proc_sys_kernel(5)",
        )
    trap.authority("module", "kernel")


def _load(trap: Trap, image: bytes) -> int:
    if len(image) < ELF_HEADER or not image.startswith(b"\x7fELF"):
        trap.fail(Errno.ENOEXEC, N_("This is no module of this kernel."), "init_module(2)")
    raise NotModelled("a module that is really loaded")


@linux("kexec_load", since=(2, 6, 13))
def kexec_load(
    trap: Trap, _entry: int = 0, segments: int = 0, _list: Any = None, flags: int = 0
) -> int:
    """kexec_load(2): EINVAL EPERM. No segments: the image that waited is forgotten."""
    features.need(trap, "kexec")
    trap.need(Privilege.KEXEC)
    if sysctl.number(trap.store, trap.family, "kernel.kexec_load_disabled"):
        trap.deny(
            Errno.EPERM,
            "sysctl",
            N_("kernel.kexec_load_disabled is set until the next boot."),
            "proc_sys_kernel(5)",
        )
    trap.authority("reboot", "kexec")
    unknown = flags & 0xFFFF & ~KEXEC_FLAGS
    if unknown or segments > KEXEC_SEGMENT_MAX or flags & 0xFFFF0000 not in KEXEC_ARCHITECTURES:
        trap.fail(Errno.EINVAL, "", "kexec_load(2)")
    if segments:
        raise NotModelled("a kernel that is really loaded")
    return 0


@linux("kexec_file_load", since=(3, 17))
def kexec_file_load(
    trap: Trap, fd: int = -1, _initrd: int = -1, _size: int = 0, _line: Any = None, _flags: int = 0
) -> int:
    """kexec_file_load(2): EBADF EPERM."""
    features.need(trap, "kexec")
    trap.need(Privilege.KEXEC)
    fds.get(trap, fd)
    raise NotModelled("a kernel that is really loaded")


@linux("bpf", since=(3, 18))
def bpf(trap: Trap, command: int, _attributes: Any = None, _size: int = 0) -> int:
    """bpf(2) with empty attributes: E2BIG EINVAL EPERM."""
    features.need(trap, "bpf")
    if command not in (BPF_MAP_CREATE, BPF_PROG_LOAD):
        if command in BPF_COMMANDS:
            raise NotModelled("this command of bpf")
        trap.fail(Errno.EINVAL, N_("bpf has no such command."), "bpf(2)")
    if command == BPF_MAP_CREATE:
        trap.fail(Errno.EINVAL, N_("There is no such type of map."), "bpf(2)")
    if sysctl.number(trap.store, trap.family, "kernel.unprivileged_bpf_disabled"):
        trap.need(Privilege.BPF)
    if trap.has(Privilege.BPF):
        trap.authority("kernel", "bpf")
    return trap.fail(Errno.E2BIG, N_("A program has at least one instruction."), "bpf(2)")


@linux("perf_event_open", since=(2, 6, 31))
def perf_event_open(
    trap: Trap, _attributes: Any, pid: int, cpu: int, group: int, flags: int
) -> int:
    """perf_event_open(2) for the CPU's own counter: EACCES EBADF EINVAL ENOENT ESRCH."""
    features.need(trap, "perf")
    if flags & ~PERF_FLAGS:
        trap.fail(Errno.EINVAL, "", "perf_event_open(2)")
    if trap.has(Privilege.PERF):
        trap.authority("cpu", "perf")
    elif sysctl.number(trap.store, trap.family, "kernel.perf_event_paranoid") > 1:
        trap.deny(
            Errno.EACCES,
            "capability",
            N_("kernel.perf_event_paranoid lets only CAP_PERFMON measure the kernel."),
            "perf_event_open(2)",
        )
    if flags & PERF_FLAG_PID_CGROUP:
        if -1 in (pid, cpu):
            trap.fail(
                Errno.EINVAL, N_("A control group is measured on one CPU."), "perf_event_open(2)"
            )
        raise NotModelled("perf events of a control group")
    if group != -1 and fds.get(trap, group).kind != "perf":
        trap.fail(Errno.EBADF, N_("The group's leader is no perf event."), "perf_event_open(2)")
    if pid > 0:
        task = pids.need(trap, pid)
        trap.ask("may_trace", task)
        trap.touch("process", task.domain, "trace", pids.label(task))
    if not -1 <= cpu < processors.count(trap.store) or pid == cpu == -1:
        trap.fail(Errno.EINVAL, N_("Neither a process nor a CPU is named."), "perf_event_open(2)")
    if "pmu" not in trap.family.features:
        trap.fail(Errno.ENOENT, N_("This machine has no such counter."), "perf_event_open(2)")
    return anonymous.descriptor(trap, "perf", cloexec=False)


@linux("io_uring_setup", since=(5, 1))
def io_uring_setup(trap: Trap, entries: int, _parameters: Any = None) -> int:
    """io_uring_setup(2): EINVAL EPERM."""
    features.need(trap, "io_uring")
    disabled = sysctl.number(trap.store, trap.family, "kernel.io_uring_disabled")
    if disabled == 2 or (disabled == 1 and not trap.has(Privilege.MOUNT)):
        trap.deny(
            Errno.EPERM,
            "sysctl",
            N_("kernel.io_uring_disabled keeps io_uring from this process."),
            "proc_sys_kernel(5)",
        )
    if not 0 < entries <= IO_RING_MAX:
        trap.fail(Errno.EINVAL, N_("A ring has 1 to 32768 entries."), "io_uring_setup(2)")
    return anonymous.descriptor(trap, "io_uring")


@linux("userfaultfd", since=(4, 3))
def userfaultfd(trap: Trap, flags: int = 0) -> int:
    """userfaultfd(2): EINVAL EPERM."""
    features.need(trap, "userfaultfd")
    if trap.has(Privilege.PTRACE):
        trap.authority("kernel", "userfaultfd")
    elif not flags & UFFD_USER_MODE_ONLY and not sysctl.number(
        trap.store, trap.family, "vm.unprivileged_userfaultfd"
    ):
        trap.need(Privilege.PTRACE)
    if flags & ~(O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY):
        trap.fail(Errno.EINVAL, "", "userfaultfd(2)")
    access = O_RDONLY if trap.family.release >= (6, 1) else O_RDWR
    inode = Secure(id=trap.store.new_id(Secure), uid=trap.task.cred.fsuid, gid=trap.task.cred.fsgid)
    trap.store.put(inode)
    return anonymous.descriptor(
        trap,
        "userfaultfd",
        access | flags & O_NONBLOCK,
        cloexec=bool(flags & O_CLOEXEC),
        object=inode.id,
    )


@linux("fanotify_init", since=(2, 6, 37))
def fanotify_init(trap: Trap, flags: int, event_flags: int = 0) -> int:
    """fanotify_init(2): EINVAL EPERM. Without CAP_SYS_ADMIN only by file id, since Linux 5.13.

    ``event_flags`` are those of the descriptors that come with events: open(2).
    """
    features.need(trap, "fanotify")
    if trap.has(Privilege.FANOTIFY):
        trap.authority("kernel", "fanotify")
    elif flags & FAN_ADMIN_FLAGS or not flags & FAN_FID_BITS:
        trap.need(Privilege.FANOTIFY)
    if flags & ~FAN_INIT_FLAGS:
        trap.fail(Errno.EINVAL, N_("fanotify has no such flag."), "fanotify_init(2)")
    if event_flags & ~FAN_EVENT_FLAGS or event_flags & O_ACCMODE == O_ACCMODE:
        trap.fail(Errno.EINVAL, N_("No file of an event is opened like that."), "fanotify_init(2)")
    waiting = O_NONBLOCK if flags & FAN_NONBLOCK else 0
    return anonymous.descriptor(
        trap, eventless.FANOTIFY, O_RDWR | waiting, cloexec=bool(flags & FAN_CLOEXEC)
    )


@linux("fanotify_mark", since=(2, 6, 37))
def fanotify_mark(
    trap: Trap, fd: int, _flags: int = 0, _mask: int = 0, _at: int = 0, _path: Any = None
) -> int:
    """fanotify_mark(2): EBADF, EINVAL for another kind of descriptor."""
    features.need(trap, "fanotify")
    if fds.get(trap, fd).kind != eventless.FANOTIFY:
        trap.fail(Errno.EINVAL, N_("The descriptor is no fanotify group."), "fanotify_mark(2)")
    raise NotModelled("marks on files")


@linux("timerfd_create", since=(2, 6, 25))
def timerfd_create(trap: Trap, which: int, flags: int = 0) -> int:
    """timerfd_create(2): EINVAL EPERM. Two clocks wake a machine that sleeps, since Linux 3.11."""
    if flags & ~(TFD_CLOEXEC | TFD_NONBLOCK) or _TIMERS.get(which, (99,)) > trap.family.release:
        trap.fail(Errno.EINVAL, N_("No timer runs by this clock."), "timerfd_create(2)")
    if which in (CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM):
        trap.need(Privilege.WAKE_ALARM)
        trap.authority("machine", "wake alarm")
    return anonymous.descriptor(
        trap, eventless.TIMER, O_RDWR | flags & TFD_NONBLOCK, cloexec=bool(flags & TFD_CLOEXEC)
    )


@linux("iopl")
def iopl(trap: Trap, level: int) -> int:
    """iopl(2): EINVAL EPERM."""
    features.need(trap, "ioports")
    if not 0 <= level <= 3:
        trap.fail(Errno.EINVAL, N_("There are four levels."), "iopl(2)")
    if level:
        trap.need(Privilege.RAW_IO)
        trap.authority("device", "I/O ports")
    return 0


@linux("ioperm")
def ioperm(trap: Trap, first: int, count: int, on: int) -> int:
    """ioperm(2): EINVAL EPERM."""
    features.need(trap, "ioports")
    if not 0 <= first < first + count <= IO_PORTS:
        trap.fail(Errno.EINVAL, N_("There are no such ports."), "ioperm(2)")
    if on:
        trap.need(Privilege.RAW_IO)
        trap.authority("device", "I/O ports")
    return 0


@linux("landlock_create_ruleset", since=(5, 13))
def landlock_create_ruleset(trap: Trap, attributes: Any, size: int, flags: int) -> int:
    """landlock_create_ruleset(2): the interface's version; no ruleset is made."""
    if "landlock" not in trap.family.features:
        trap.fail(Errno.EOPNOTSUPP, N_("Landlock is off."), "landlock_create_ruleset(2)")
    if flags == 1 and not attributes and size == 0:
        return 7
    if flags:
        trap.fail(Errno.EINVAL, "", "landlock_create_ruleset(2)")
    if not attributes:
        trap.fail(Errno.EFAULT, N_("The ruleset is no memory of the process."), "landlock(7)")
    raise NotModelled("a Landlock ruleset")


@linux("landlock_restrict_self", since=(5, 13))
def landlock_restrict_self(trap: Trap, fd: int, flags: int = 0) -> int:
    """landlock_restrict_self(2): EBADF EBADFD EINVAL EPERM. No ruleset can be made (see above)."""
    if "landlock" not in trap.family.features:
        trap.fail(Errno.EOPNOTSUPP, N_("Landlock is off."), "landlock_restrict_self(2)")
    if not trap.task.no_new_privs:
        trap.need(Privilege.SECCOMP, trap.task.cred.user_ns)
    if flags & ~7:
        trap.fail(Errno.EINVAL, "", "landlock_restrict_self(2)")
    fds.get(trap, fd)
    trap.fail(Errno.EBADFD, N_("The descriptor is no ruleset."), "landlock_restrict_self(2)")


@linux("vserver", "_sysctl", "create_module", "query_module", "get_kernel_syms", "nfsservctl")
def removed(trap: Trap, _a: Any = 0, _b: Any = 0, _c: Any = 0, _d: Any = 0, _e: Any = 0) -> int:
    """Calls that kept their number and nothing else: ENOSYS for everybody."""
    return trap.fail(Errno.ENOSYS, N_("The kernel has given this call up."), "unimplemented(2)")

"""Finding a program and running it: PATH, applets of the same busybox, execve(2) and its errors.

Debian's busybox prefers its own applets: a name that is one is run without PATH, some (``ls``,
``ps``, ``id``) in the forked shell itself, the others through /proc/self/exe (ash.c, tryexec).
"""

from collections.abc import Awaitable, Callable

from simulator.machine.abi.constants import PR_SET_NAME, S_IFMT, S_IFREG
from simulator.machine.abi.errno import Errno
from simulator.machine.userland import registry
from simulator.machine.userland.process import SysError
from simulator.machine.userland.shell.state import DEFAULT_PATH, ExitShell, Shell

SELF = "/proc/self/exe"
_NOEXEC = (
    "awk blkdiscard blockdev brctl cal chgrp chmod chown chroot chvt cksum cp cpio crc32 cut date "
    "dd df dnsdomainname env expr fatattr find fold freeramdisk fstrim getopt groups head hexdump "
    "hostname id insmod ionice ip ipcalc ipcrm ipcs ipneigh linux32 linux64 ln losetup ls lsmod "
    "lsscsi md5sum mkfifo mknod mktemp modinfo modprobe mv nameif nice nohup partprobe paste ps "
    "renice resume rm rmmod seq sha1sum sha256sum sha3sum sha512sum shuf sort stat stty sulogin "
    "sysctl tac taskset tunctl umount unix2dos uptime vconfig w who xargs xxd yes "
    "adjtimex arch basename clear dirname free fsync hostid killall link logname mkdir nproc "
    "pivot_root printenv pwdx readlink realpath rmdir sync touch truncate tty unlink usleep which "
    "whoami"
)
NOEXEC = frozenset(_NOEXEC.split())
"""Applets that busybox runs in the forked shell, without execve(2) (include/applets.src.h)."""

RunText = Callable[[Shell, str], Awaitable[int]]
_MISSING = (Errno.ENOENT, Errno.ENOTDIR)
_NOT_FOUND = (*_MISSING, Errno.ELOOP, Errno.ENAMETOOLONG)


async def find(shell: Shell, name: str) -> str | None:
    """What to execute for ``name``: itself, or where PATH has it; None after saying there is none.

    The search is the parent's, before any fork (ash.c, find_command).
    """
    if "/" in name or is_applet(shell, name):
        return name
    worst = Errno.ENOENT
    for directory in path_of(shell):
        path = f"{directory}/{name}" if directory else name
        try:
            status = await shell.sys.stat(path)
        except SysError as error:
            if error.errno not in _MISSING:
                worst = error.errno
            continue
        worst = Errno.EACCES
        if status["mode"] & S_IFMT == S_IFREG:
            return path
    why = "not found" if worst in _MISSING else worst.message
    await shell.sys.err(f"{shell.name}: {name}: {why}\n")
    return None


def is_applet(shell: Shell, name: str) -> bool:
    """Whether ``name`` is a program of the shell's own busybox."""
    return shell.applets and registry.program(name) is not None


def path_of(shell: Shell) -> list[str]:
    """The directories of PATH."""
    return shell.variables.get("PATH", DEFAULT_PATH).split(":")


async def run_program(shell: Shell, target: str, argv: list[str], run_text: RunText) -> None:
    """Become the program; when that fails, say why and leave the status of it."""
    sys = shell.sys
    env = shell.environment()
    if is_applet(shell, target):
        main = registry.program(target)
        if target in NOEXEC and main is not None:
            await sys.succeeds("prctl", PR_SET_NAME, target[:15])
            sys.name, sys.env = target, env
            raise ExitShell(await registry.run(sys, main, argv))
        await _execute(shell, SELF, argv, env, run_text)
        error = Errno.ENOENT
        for directory in path_of(shell):
            error = await _execute(shell, f"{directory}/{target}", argv, env, run_text)
    else:
        error = await _execute(shell, target, argv, env, run_text)
    why = "not found" if error in _MISSING else error.message
    await sys.err(f"{shell.name}: {argv[0]}: {why}\n")
    raise ExitShell(127 if error in _NOT_FOUND else 126)


async def _execute(
    shell: Shell, path: str, argv: list[str], env: dict[str, str], run_text: RunText
) -> Errno:
    """execve(2); what has no format the kernel knows is run as a script."""
    try:
        await shell.sys.execve(path, argv, env)
    except SysError as error:
        if error.errno is not Errno.ENOEXEC:
            return error.errno
    text = (await shell.sys.slurp(path)).decode("utf-8", "surrogateescape")
    shell.name, shell.arguments = path, argv[1:]
    shell.functions.clear()
    raise ExitShell(await run_text(shell, text))


async def reap(shell: Shell, child: int) -> int:
    """Wait for ``child`` and say how a signal ended it; returns the status."""
    while True:
        try:
            reply = await shell.sys.call("wait4", child, 0)
        except SysError as error:
            if error.errno is not Errno.EINTR:
                raise
            continue
        status = reply.data if isinstance(reply.data, int) else 0
        if status & 0xFF != 0x7F:
            break
    await describe_end(shell, status)
    return 128 + (status & 0x7F) if status & 0x7F else status >> 8 & 0xFF


async def describe_end(shell: Shell, status: int) -> None:
    """Say which signal ended a child, as a shell without a terminal does."""
    signal = status & 0x7F
    if signal in _ENDS and signal != 0:
        dumped = " (core dumped)" if status & 0x80 else ""
        await shell.sys.err(f"{_ENDS[signal]}{dumped}\n")


_ENDS = {
    1: "Hangup",
    3: "Quit",
    4: "Illegal instruction",
    5: "Trace/breakpoint trap",
    6: "Aborted",
    7: "Bus error",
    8: "Floating point exception",
    9: "Killed",
    10: "User defined signal 1",
    11: "Segmentation fault",
    12: "User defined signal 2",
    14: "Alarm clock",
    15: "Terminated",
    24: "CPU time limit exceeded",
    25: "File size limit exceeded",
    31: "Bad system call",
}
"""strsignal(3), without SIGINT and SIGPIPE, of which ash says nothing."""

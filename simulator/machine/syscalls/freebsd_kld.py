"""The kernel's own parts and words: kldload(2), kldunload(2), kldstat(2), the message buffer."""

from collections.abc import Sequence

from simulator.machine.abi.call import Result, Returned
from simulator.machine.abi.constants import SYSLOG_ACTION_READ_ALL
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import features, log, prison, sysctl
from simulator.machine.kernel.modules import Module
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import path as paths
from simulator.machine.syscalls.registry import freebsd

LINKER_UNLOAD_FORCE = 1
KERNEL_FILE = Module(id="kernel", size=0x1D345A0)
"""The first file of every kernel is the kernel itself."""


@freebsd("kldload")
def kldload(trap: Trap, name: str) -> int:
    """kldload(2): EEXIST ENOEXEC ENOENT EPERM. The right before the name."""
    _need_modules(trap)
    if trap.store.get(Module, _base(name)) is not None:
        trap.fail(Errno.EEXIST, N_("The module is loaded already."), "kldload(2)")
    file = name if "." in name else f"{name}.ko"
    paths.walk(trap, name if "/" in name else f"/boot/kernel/{file}")
    raise NotModelled("a module that is really loaded")


@freebsd("kldunload")
def kldunload(trap: Trap, number: int) -> int:
    """kldunload(2): EBUSY ENOENT EPERM."""
    _need_modules(trap)
    loaded = _loaded(trap)
    if not 0 < number <= len(loaded):
        trap.fail(Errno.ENOENT, N_("No file of the kernel has this number."), "kldunload(2)")
    return _unload(trap, loaded[number - 1])


@freebsd("kldunloadf")
def kldunloadf(trap: Trap, number: int, flags: int = 0) -> int:
    """kldunloadf(2): EINVAL for a flag but LINKER_UNLOAD_FORCE, and those of kldunload(2)."""
    if flags not in (0, LINKER_UNLOAD_FORCE):
        trap.fail(Errno.EINVAL, N_("There is no such flag."), "kldunload(2)")
    return kldunload(trap, number)


@freebsd("delete_module", partial="kldfind(2) and kldunload(2) in one")
def delete_module(trap: Trap, name: str, _flags: int = 0) -> int:
    """kldunload(2) of the file called ``name``: EBUSY ENOENT EPERM."""
    _need_modules(trap)
    module = trap.store.get(Module, _base(name))
    if module is None:
        trap.fail(Errno.ENOENT, N_("No module has this name."), "kldfind(2)")
    return _unload(trap, module)


@freebsd("kldfind")
def kldfind(trap: Trap, name: str) -> int:
    """kldfind(2): ENOENT. A path is its last name, and ``.ko`` may be left out."""
    for number, module in enumerate(_loaded(trap), 1):
        if module.id == _base(name):
            trap.touch("module", module.domain, "name", name)
            return number
    return trap.fail(Errno.ENOENT, N_("No module has this name."), "kldfind(2)")


@freebsd("kldnext")
def kldnext(trap: Trap, number: int) -> int:
    """kldnext(2): the number after ``number``, 0 after the last. ENOENT."""
    count = len(_loaded(trap))
    if not 0 <= number <= count:
        trap.fail(Errno.ENOENT, N_("No file of the kernel has this number."), "kldnext(2)")
    return number + 1 if number < count else 0


@freebsd("kldstat")
def kldstat(trap: Trap, number: int) -> Result:
    """kldstat(2): ENOENT. The data is struct kld_file_stat; a prison is told too."""
    loaded = _loaded(trap)
    if not 0 < number <= len(loaded):
        trap.fail(Errno.ENOENT, N_("No file of the kernel has this number."), "kldstat(2)")
    module = loaded[number - 1]
    trap.touch("module", module.domain, "read", str(module.id))
    return Returned(0, {"name": str(module.id), "id": number, "size": module.size})


@freebsd("syslog", partial="only SYSLOG_ACTION_READ_ALL, which stands for kern.msgbuf")
def syslog(trap: Trap, action: int, size: int = 0) -> Result:
    """The message buffer, as the Linux emulation reads it (linux_syslog()). EINVAL EPERM."""
    if action != SYSLOG_ACTION_READ_ALL:
        trap.fail(Errno.EINVAL, N_("syslog has no such action."), "sys/compat/linux/linux_misc.c")
    content = message_buffer(trap)
    tail = content[-size:] if size else b""
    return Returned(len(tail), tail)


def message_buffer(trap: Trap) -> bytes:
    """sysctl_kern_msgbuf(): PRIV_MSGBUF in a prison, where it needs allow.read_msgbuf."""
    open_ = sysctl.number(trap.store, trap.family, "security.bsd.unprivileged_read_msgbuf")
    if prison.is_jailed(trap.task) or not open_:
        trap.need(Privilege.KERNEL_LOG)
    trap.touch("kernel-log", log.of(trap).domain, "read", "kern.msgbuf")
    trap.authority("kernel-log", "kern.msgbuf")
    return log.text(log.of(trap))


def _need_modules(trap: Trap) -> None:
    features.need(trap, "modules")
    if prison.securelevel(trap) > 0:
        trap.deny(
            Errno.EPERM,
            "securelevel",
            N_("Above securelevel 0 nothing is loaded into the kernel or taken out."),
            "security(7)",
        )
    trap.need(Privilege.MODULE)
    trap.authority("module", "kernel")


def _base(name: str) -> str:
    """linker_basename(), linker_find_file_by_name()."""
    return name.rpartition("/")[2].removesuffix(".ko")


def _loaded(trap: Trap) -> Sequence[Module]:
    return (KERNEL_FILE, *trap.store.all(Module))


def _unload(trap: Trap, module: Module) -> int:
    if module.users or module is KERNEL_FILE:
        trap.fail(Errno.EBUSY, N_("Other modules depend on it."), "kldunload(2)")
    trap.store.drop(Module, module.id)
    return 0

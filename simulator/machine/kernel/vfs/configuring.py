"""Configuring a filesystem by and by: fsconfig(2), fsmount(2), fspick(2). Source: fs/fsopen.c."""

from typing import TYPE_CHECKING, NoReturn

import msgspec

from simulator.machine.abi.constants import (
    AT_FDCWD,
    FSCONFIG_CMD_CREATE,
    FSCONFIG_CMD_CREATE_EXCL,
    FSCONFIG_CMD_RECONFIGURE,
    FSCONFIG_SET_BINARY,
    FSCONFIG_SET_FD,
    FSCONFIG_SET_FLAG,
    FSCONFIG_SET_PATH,
    FSCONFIG_SET_PATH_EMPTY,
    FSCONFIG_SET_STRING,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import MountId, NsId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.fs import options
from simulator.machine.kernel.trap import NotModelled
from simulator.machine.kernel.vfs import detached, mounting, new_mount, remounting
from simulator.machine.kernel.vfs.detached import FsContext
from simulator.machine.kernel.vfs.inode import Superblock
from simulator.machine.kernel.vfs.mount import Mount

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_COMMANDS = (FSCONFIG_CMD_CREATE, FSCONFIG_CMD_CREATE_EXCL, FSCONFIG_CMD_RECONFIGURE)


def _busy(trap: "Trap") -> NoReturn:
    trap.fail(Errno.EBUSY, N_("The filesystem is past this step."), "fsconfig(2)")


def _fits(command: int, key: str | None, value: str | None, aux: int) -> bool:
    """Which of key, value and aux a command takes."""
    match command:
        case _ if command in _COMMANDS:
            return not key and value is None and aux == 0
        case _ if command == FSCONFIG_SET_FLAG:
            return bool(key) and value is None and aux == 0
        case _ if command == FSCONFIG_SET_STRING:
            return bool(key) and value is not None and aux == 0
        case _ if command in (FSCONFIG_SET_PATH, FSCONFIG_SET_PATH_EMPTY):
            return bool(key) and value is not None and (aux == AT_FDCWD or aux >= 0)
        case _ if command == FSCONFIG_SET_FD:
            return bool(key) and value is None and aux >= 0
        case _:
            return bool(key) and value is not None and aux > 0


def configure(
    trap: "Trap", fd: int, command: int, key: str | None, value: str | None, aux: int
) -> None:
    """One step of the configuration behind ``fd``.

    Errors: EOPNOTSUPP for an unknown command; EINVAL; EBADF; EBUSY out of turn; EPERM; the
    filesystem's own.
    """
    if not FSCONFIG_SET_FLAG <= command <= FSCONFIG_CMD_CREATE_EXCL:
        trap.fail(Errno.EOPNOTSUPP, N_("There is no such command."), "fsconfig(2)")
    if not _fits(command, key, value, aux):
        trap.fail(Errno.EINVAL, N_("The command takes other arguments."), "fsconfig(2)")
    context = detached.context_of(trap, fd)
    if command in (FSCONFIG_SET_BINARY, FSCONFIG_SET_FD):
        raise NotModelled("options that are descriptors or binary data")
    if command == FSCONFIG_CMD_RECONFIGURE:
        _reconfigure(trap, context)
    elif command in _COMMANDS:
        _create(trap, context)
    else:
        assert key is not None
        _set(trap, context, key, value)


def _set(trap: "Trap", context: FsContext, key: str, value: str | None) -> None:
    if context.phase not in ("parameters", "reconfigure"):
        _busy(trap)
    if key == "source" and value is not None:
        if context.source is not None:
            trap.fail(Errno.EINVAL, N_("The source is given already."), "fsconfig(2)")
        trap.store.put(msgspec.structs.replace(context, source=value))
        return
    text, wish = options.own(key if value is None else f"{key}={value}")
    kind = trap.family.filesystems[context.fstype]
    if kind.check is not None and text:
        kind.check(trap, text)
    joined = ",".join(word for word in (context.options, text) if word)
    read_only = context.read_only if wish is None else wish
    trap.store.put(msgspec.structs.replace(context, options=joined, read_only=read_only))


def _create(trap: "Trap", context: FsContext) -> None:
    if context.phase != "parameters":
        _busy(trap)
    kind = trap.family.filesystems[context.fstype]
    sb = new_mount.superblock(
        trap, kind, context.source, context.options, read_only=bool(context.read_only)
    )
    trap.store.put(msgspec.structs.replace(context, phase="mount", sb=sb.id))


def _reconfigure(trap: "Trap", context: FsContext) -> None:
    if context.phase != "reconfigure":
        _busy(trap)
    assert context.sb is not None
    sb = trap.store.row(Superblock, context.sb)
    trap.need(Privilege.MOUNT, sb.owner)
    kind = trap.family.filesystems.get(context.fstype)
    if kind is not None and kind.reconfigure is not None and context.options:
        sb = kind.reconfigure(trap, sb, context.options)
        trap.store.put(sb)
    if context.read_only is not None:
        remounting.set_read_only(trap, sb, context.read_only)
    trap.store.put(msgspec.structs.replace(context, options="", read_only=None))


def picked(trap: "Trap", mount: Mount) -> FsContext:
    """A configuration that changes the filesystem of ``mount``."""
    sb = trap.store.row(Superblock, mount.sb)
    return FsContext(
        id=trap.store.new_id(FsContext), fstype=sb.fstype, phase="reconfigure", sb=sb.id
    )


def mount(trap: "Trap", fd: int, flags: int) -> tuple[NsId, MountId]:
    """A detached mount of what was configured behind ``fd``. EBADF, EINVAL, EPERM, EBUSY."""
    context = detached.context_of(trap, fd)
    if context.sb is None:
        trap.fail(Errno.EINVAL, N_("The filesystem has not been made yet."), "fsmount(2)")
    sb = trap.store.row(Superblock, context.sb)
    kind = trap.family.filesystems[sb.fstype]
    locked = new_mount.locked_flags(trap, kind, sb, flags)
    if context.phase != "mount":
        _busy(trap)
    trap.store.put(msgspec.structs.replace(context, phase="reconfigure", options=""))
    ns = detached.new_anonymous(trap)
    made = mounting.new_mount(trap, sb, flags, ns, context.source or "none", locked)
    return ns, made.id

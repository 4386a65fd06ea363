"""Pseudoterminals: ``/dev/ptmx`` gives a master, ``/dev/pts/N`` is its other end. pts(4), pty(7).

Which instance of devpts a master belongs to is told by the ``pts`` directory beside the node that
was opened, so a sandbox with its own devpts numbers its terminals from 0. Line editing and echo are
left out: bytes go through as they are. Source: drivers/tty/pty.c, fs/devpts/inode.c.
"""

from typing import TYPE_CHECKING, NoReturn, cast

import msgspec

from simulator.machine.abi.call import Result, Returned, Value
from simulator.machine.abi.constants import (
    FIONREAD,
    O_ACCMODE,
    O_NONBLOCK,
    O_RDONLY,
    O_WRONLY,
    S_IFCHR,
    SIGHUP,
    SIGWINCH,
    TCGETS,
    TIOCGWINSZ,
    TIOCSCTTY,
    TIOCSTI,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST, Domain, SuperblockId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import signal
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.fs import devices
from simulator.machine.kernel.fs.line_discipline import STANDARD, Mode, printed, typed
from simulator.machine.kernel.resource.charge import charge
from simulator.machine.kernel.task import At, Task, TaskState
from simulator.machine.kernel.trap import Sleep
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import tree
from simulator.machine.kernel.vfs.inode import Dentry, Inode, Superblock
from simulator.machine.kernel.vfs.mount import Mount, cross
from simulator.machine.state.store import Row, Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

TIOCGPTN = 0x80045430
TIOCSPTLCK = 0x40045431
TIOCSWINSZ = 0x5414
SLAVE_MAJOR = 136
MOST = 64
"""Terminals of one instance that the model gives."""
DEFAULT_MODE = 0o600


class Terminal(Row, frozen=True, kw_only=True):
    """A pseudoterminal; ``id`` is ``(superblock of its devpts, number)``.

    ``lines`` are typed and complete, ``editing`` is the line that is being typed. ``foreground`` is
    the process group that ^C is for, once a session has the terminal (TIOCSCTTY).
    """

    to_slave: bytes = b""
    lines: tuple[bytes, ...] = ()
    editing: bytes = b""
    mode: Mode = STANDARD
    foreground: int = 0
    session: int = 0
    size: tuple[int, int] = (0, 0)
    """Rows and columns."""
    to_master: bytes = b""
    locked: bool = True
    master: bool = True
    slaves: int = 0
    opened: bool = False
    """Whether a slave was ever opened: from then on, none left means hung up."""
    domain: Domain = HOST


def _open_master(trap: "Trap", file: fds.File, inode: Inode) -> fds.File:
    """ptmx_open(): a new terminal, and its node in devpts. ENODEV, ENOSPC."""
    sb = _instance(trap, file, inode)
    root = sb.root
    assert isinstance(root, int)
    number = 0
    while trap.store.get(Dentry, (root, str(number))) is not None:
        number += 1
    if number >= MOST:
        trap.fail(Errno.ENOSPC, N_("All terminals are taken."), "pts(4)")
    charge(trap, "terminal")
    made = tree.make(
        trap.store,
        root,
        str(number),
        S_IFCHR | _mode(sb),
        uid=trap.task.cred.fsuid,
        gid=trap.task.cred.fsgid,
        rdev=devices.device_number(SLAVE_MAJOR, number),
        domain=trap.task.domain,
    )
    if trap.family.traits.terminals_are_tagged:
        tag = trap.store.row(Context, trap.task.context).number + 1
        trap.store.put(msgspec.structs.replace(made, tag=tag))
    trap.store.put(Terminal(id=(sb.id, number), domain=trap.task.domain))
    return msgspec.structs.replace(file, kind="pty", object=("master", sb.id, number))


def _instance(trap: "Trap", file: fds.File, inode: Inode) -> Superblock:
    """devpts_acquire(): the node's own filesystem, or the one mounted at ``pts`` beside it."""
    sb = trap.store.get(Superblock, inode.sb)
    if sb is not None and sb.fstype != "devpts" and file.at is not None and file.name is not None:
        beside = inodes.lookup(trap, file.name[0], "pts")
        if beside is not None:
            at = cross(trap, At(file.at.mount, beside))
            sb = trap.store.row(Superblock, trap.store.row(Mount, at.mount).sb)
    if sb is None or sb.fstype != "devpts":
        trap.fail(Errno.ENODEV, N_("No devpts is mounted beside this node."), "pts(4)")
    return sb


def shown(trap: "Trap", directory: Inode, names: tuple[str, ...]) -> tuple[str, ...]:
    """devpts_filter(): in devpts a context lists the terminals that bear its tag."""
    sb = trap.store.get(Superblock, directory.sb)
    if sb is None or sb.fstype != "devpts":
        return names
    rows = {name: inodes.lookup(trap, directory.id, name) for name in names}
    return tuple(
        name
        for name, row in rows.items()
        if row is None or trap.allowed("may_pass", inodes.load(trap, row), 0)
    )


def _mode(sb: Superblock) -> int:
    for word in sb.options.split(","):
        key, _, value = word.partition("=")
        if key == "mode" and value:
            return int(value, 8)
    return DEFAULT_MODE


def _open_slave(trap: "Trap", file: fds.File, inode: Inode) -> fds.File:
    """pty_open(): EIO while locked, without a master, or outside devpts."""
    row = trap.store.get(Terminal, (inode.sb, inode.rdev & 0xFF))
    if row is None or row.locked or not row.master:
        _hung_up(trap)
    trap.store.put(msgspec.structs.replace(row, slaves=row.slaves + 1, opened=True))
    name = f"/dev/pts/{row.id[1]}"
    access = file.flags & O_ACCMODE
    if access != O_WRONLY:
        trap.touch("device", row.domain, "read", name)
    if access != O_RDONLY:
        trap.touch("device", row.domain, "write", name)
    return msgspec.structs.replace(file, kind="pty", object=("slave", *row.id))


def _find(store: Store, file: fds.File) -> tuple[Terminal | None, bool]:
    """The terminal and whether ``file`` is its master."""
    side, sb, number = _key(file)
    return store.get(Terminal, (sb, number)), side == "master"


def _key(file: fds.File) -> tuple[str, SuperblockId, int]:
    return cast("tuple[str, SuperblockId, int]", file.object)


def _read(trap: "Trap", file: fds.File, count: int) -> bytes:
    row, master = _find(trap.store, file)
    if row is None:
        _hung_up(trap)
    if not master and row.lines:
        return _line(trap, row, count)
    waiting = row.to_master if master else row.to_slave
    if not waiting:
        if not master and not row.master:
            return b""
        if master and row.opened and not row.slaves:
            _hung_up(trap)
        if file.flags & O_NONBLOCK:
            trap.fail(Errno.EAGAIN, N_("The terminal has nothing to read."), "read(2)")
        raise Sleep("tty: input", {(Terminal, row.id)})
    rest = waiting[count:]
    after = {"to_master": rest} if master else {"to_slave": rest}
    trap.store.put(msgspec.structs.replace(row, **after))
    return waiting[:count]


def _write(trap: "Trap", file: fds.File, data: bytes) -> int:
    row, master = _find(trap.store, file)
    if row is None or not (master or row.master):
        _hung_up(trap)
    if master:
        _type(trap, row, data)
    else:
        shown_bytes = printed(row.mode, data)
        trap.store.put(msgspec.structs.replace(row, to_master=row.to_master + shown_bytes))
    return len(data)


def _line(trap: "Trap", row: Terminal, count: int) -> bytes:
    """A read(2) in canonical mode gives one line at most; an empty one is the end of input."""
    first = row.lines[0]
    rest = (first[count:],) if len(first) > count else ()
    trap.store.put(msgspec.structs.replace(row, lines=(*rest, *row.lines[1:])))
    return first[:count]


def _type(trap: "Trap", row: Terminal, keys: bytes) -> None:
    """Keys arrive: they are edited, echoed, or become signals for the foreground."""
    done = typed(row.mode, row.editing, keys)
    trap.store.put(
        msgspec.structs.replace(
            row,
            editing=done.editing,
            lines=row.lines + done.lines,
            to_slave=row.to_slave + done.raw,
            to_master=row.to_master + done.echo,
        )
    )
    for number in done.signals:
        _signal(trap.store, row, number)


def _signal(store: Store, row: Terminal, number: int) -> None:
    if not row.foreground:
        return
    keyboard = store.get(Task, 1)  # whose signal an init may ignore, unlike the kernel's own
    for task in store.all(Task):
        if task.pgid == row.foreground and task.state is not TaskState.ZOMBIE:
            signal.send(store, task.id, number, keyboard)


def _release(store: Store, file: fds.File) -> None:
    """The master's last close hangs the terminal up and takes its node away."""
    row, master = _find(store, file)
    if row is None:
        return
    if master:
        row = msgspec.structs.replace(row, master=False)
        root = store.row(Superblock, row.id[0]).root
        dentry = store.get(Dentry, (root, str(row.id[1])))
        if dentry is not None and isinstance(root, int):
            tree.unlink(store, root, str(row.id[1]))
    else:
        row = msgspec.structs.replace(row, slaves=row.slaves - 1)
    if master and row.session:
        for task in store.all(Task):
            if task.id == row.session and task.state is not TaskState.ZOMBIE:
                signal.send(store, task.id, SIGHUP)
    if row.master or row.slaves:
        store.put(row)
    else:
        store.drop(Terminal, row.id)


def _ioctl(trap: "Trap", file: fds.File, request: int, argument: Value) -> Result | int:
    row, master = _find(trap.store, file)
    if row is None:
        _hung_up(trap)
    if request == TCGETS:
        return 0
    if request == TIOCGWINSZ:
        return Returned(0, row.size)
    if request == TIOCSWINSZ:
        return _resize(trap, row, argument)
    if request == TIOCSCTTY and not master:
        return _take(trap, row)
    if request == FIONREAD:
        waiting = row.to_master if master else b"".join(row.lines) + row.to_slave
        return Returned(0, len(waiting))
    if request == TIOCGPTN and master:
        return Returned(0, row.id[1])
    if request == TIOCSPTLCK and master:
        if not isinstance(argument, bytes):
            trap.fail(Errno.EFAULT, N_("The flag is no memory of the process."), "ioctl_tty(2)")
        trap.store.put(msgspec.structs.replace(row, locked=any(argument[:4])))
        return 0
    if request != TIOCSTI:
        trap.fail(Errno.ENOTTY, N_("A terminal has no such request."), "ioctl_tty(2)")
    trap.need(Privilege.TTY_INJECT)
    key = argument.encode() if isinstance(argument, str) else argument
    key = key[:1] if isinstance(key, bytes) else b""
    trap.touch("device", row.domain, "write", f"/dev/pts/{row.id[1]}")
    _type(trap, row, key)
    return 0


def _resize(trap: "Trap", row: Terminal, argument: Value) -> int:
    """A window of another size tells the foreground so."""
    if not isinstance(argument, (tuple, list)) or len(argument) != 2:
        trap.fail(Errno.EFAULT, N_("A window has rows and columns."), "ioctl_tty(2)")
    rows, columns = argument
    if not isinstance(rows, int) or not isinstance(columns, int):
        trap.fail(Errno.EFAULT, N_("A window has rows and columns."), "ioctl_tty(2)")
    if (rows, columns) != row.size:
        trap.store.put(msgspec.structs.replace(row, size=(rows, columns)))
        _signal(trap.store, row, SIGWINCH)
    return 0


def _take(trap: "Trap", row: Terminal) -> int:
    """tiocsctty(): a session leader's, unless another session has it. EPERM."""
    task = trap.task
    if task.sid != task.id or (row.session and row.session != task.sid):
        trap.fail(Errno.EPERM, N_("Only a session leader takes a terminal."), "ioctl_tty(2)")
    changed = msgspec.structs.replace(row, session=task.sid, foreground=task.pgid)
    trap.store.put(changed)
    return 0


def _hung_up(trap: "Trap") -> NoReturn:
    trap.fail(Errno.EIO, N_("The terminal's other end is not there."), "pts(4)")


fds.register("pty", fds.FileOps(_read, _write, _release, _ioctl, mode=0o020620))
devices.register(
    S_IFCHR,
    5,
    2,
    devices.Driver(name="/dev/ptmx", read=_read, write=_write, open=_open_master),
)
for _number in range(MOST):
    devices.register(
        S_IFCHR,
        SLAVE_MAJOR,
        _number,
        devices.Driver(name=f"/dev/pts/{_number}", read=_read, write=_write, open=_open_slave),
    )

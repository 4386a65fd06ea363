"""Running another program in a task's place: what execve(2) finds, keeps and replaces.

Source: execve(2), fs/exec.c, fs/binfmt_script.c. Who the task is afterwards is ``exec_cred``'s.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from simulator.machine.abi.constants import (
    ADDR_NO_RANDOMIZE,
    MS_NOEXEC,
    S_IFMT,
    S_IFREG,
    SIG_DFL,
    SIG_IGN,
    SIGCHLD,
    SIGTRAP,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import FilesId, InodeId
from simulator.machine.kernel import exec_cred, signal
from simulator.machine.kernel.cred import Credentials
from simulator.machine.kernel.fs.registry import virtual
from simulator.machine.kernel.resource import mapping
from simulator.machine.kernel.task import BY_FILES, At, Task
from simulator.machine.kernel.vfs import fd, path, permission
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.kernel.vfs.mount import Mount

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

MAGIC_ELF = b"\x7fELF"
MAX_ARG_STRLEN = 131_072
"""The longest single argument, in bytes (execve(2))."""
MAX_INTERPRETERS = 5
"""How often ``#!`` may lead to another script."""
SCRIPT_LINE = 256
"""How much of the first line of a script is looked at, in bytes (BINPRM_BUF_SIZE)."""


class Image(NamedTuple):
    """A program found: the file that will run and the arguments it will see."""

    at: At
    inode: Inode
    argv: tuple[str, ...]
    name: tuple[InodeId, str] | None = None
    """The directory and the name by which it was found."""


def execute(
    trap: "Trap",
    name: str,
    argv: Sequence[str],
    env: Sequence[str],
    *,
    start: At | None = None,
    at: At | None = None,
    follow: bool = True,
) -> Image:
    """Replace the caller's program; the new one is in the task's ``exe``, ``argv`` and ``env``.

    ``at`` is the file itself when a descriptor named it (execveat(2)). Errors: E2BIG, EACCES,
    ELOOP, ENOENT, ENOEXEC, ENOTDIR, ETXTBSY, EPERM (file capabilities that cannot be had).
    """
    if any(len(word.encode("utf-8", "surrogateescape")) >= MAX_ARG_STRLEN for word in argv):
        trap.fail(Errno.E2BIG, "", "execve(2)")
    place, found = (at, None) if at else _find(trap, name, start, follow=follow)
    image = _interpreted(trap, name, place, tuple(argv) or ("",), found)
    cred, secure = exec_cred.transform(trap, image.at, image.inode)
    _replace(trap, name, image, env, secure=secure, cred=cred)
    return image


def _find(
    trap: "Trap", name: str, start: At | None = None, *, follow: bool = True
) -> tuple[At, tuple[InodeId, str] | None]:
    """The program's place and its name there; a magic link keeps the name of what runs now."""
    found = path.find(trap, name, start, follow=follow)
    if found.at is None:
        trap.fail(Errno.ENOENT, N_("Nothing has this name here."), "path_resolution(7)")
    if found.at == trap.task.exe:
        return found.at, trap.task.exe_name
    return found.at, (found.parent.inode, found.name) if found.name else None


def _interpreted(
    trap: "Trap",
    name: str,
    at: At,
    argv: tuple[str, ...],
    found: tuple[InodeId, str] | None = None,
) -> Image:
    """Follow ``#!`` lines to the binary that runs in the end."""
    depth = 0
    while True:
        if depth > MAX_INTERPRETERS:
            trap.fail(Errno.ELOOP, N_("Scripts lead to scripts too many times."), "execve(2)")
        depth += 1
        inode = _runnable(trap, at)
        head = content(trap, inode)[:SCRIPT_LINE]
        if head.startswith(MAGIC_ELF):
            _built_for(trap, head)
            return Image(at, inode, argv, found)
        if not head.startswith(b"#!"):
            trap.fail(
                Errno.ENOEXEC, N_("The file is neither a binary nor a #! script."), "execve(2)"
            )
        line = head[2:].split(b"\n", 1)[0].decode("utf-8", "surrogateescape").strip(" \t")
        if not line:
            trap.fail(Errno.ENOEXEC, N_("The #! line names no interpreter."), "execve(2)")
        interpreter, _, argument = line.partition(" ")
        options = (argument.strip(" \t"),) if argument.strip(" \t") else ()
        argv = (interpreter, *options, name, *argv[1:])
        name = interpreter
        at, found = _find(trap, interpreter)


def _built_for(trap: "Trap", head: bytes) -> None:
    """ENOEXEC for a binary of another machine; one that says nothing is for any (e_machine)."""
    _, marked, machine = head.partition(b"\n")[0].partition(b" for ")
    if marked and machine.decode("ascii", "replace") != trap.family.machine:
        trap.fail(
            Errno.ENOEXEC,
            N_("The binary is for another kind of processor."),
            "binfmt_elf.c elf_check_arch()",
        )


def content(trap: "Trap", inode: Inode) -> bytes:
    """The bytes of a program file, stored or computed."""
    if isinstance(inode.id, int):
        return inode.content
    return virtual(inode.id).read(trap, inode.id)


def _runnable(trap: "Trap", at: At) -> Inode:
    inode = inodes.load(trap, at.inode)
    if inode.mode & S_IFMT != S_IFREG:
        trap.fail(Errno.EACCES, N_("Only a regular file can be run."), "execve(2)")
    if trap.store.row(Mount, at.mount).flags & MS_NOEXEC:
        trap.deny(
            Errno.EACCES,
            "noexec-mount",
            N_("The file lies on a filesystem mounted noexec."),
            "mount(2)",
        )
    permission.need(trap, inode, permission.EXEC)
    if any(fd.keeps_from_running(file) for file in trap.store.rows_by(fd.OPEN_FILES, inode.id)):
        trap.fail(Errno.ETXTBSY, N_("The file is open for writing."), "execve(2)")
    return inode


def _replace(
    trap: "Trap",
    name: str,
    image: Image,
    env: Sequence[str],
    *,
    secure: bool,
    cred: Credentials,
) -> None:
    task = trap.task
    readable = permission.may(trap, image.inode, permission.READ)
    kept = {signo: SIG_IGN for signo, action in task.handlers.items() if action == SIG_IGN}
    trap.update(
        argv=image.argv,
        env=tuple((key, value) for key, _, value in (word.partition("=") for word in env)),
        comm=name.rpartition("/")[2][:15],
        exe=image.at,
        exe_name=image.name,
        cred=cred,
        handlers=kept,
        dumpable=readable and not exec_cred.restricts_dump(task.cred, cred),
        mm_user_ns=cred.user_ns,
        death_signal=0 if secure else task.death_signal,
        personality=task.personality & ~ADDR_NO_RANDOMIZE if secure else task.personality,
        exit_signal=SIGCHLD,
        executed=True,
        process_keyring=None,
        thread_keyring=None,
        memory=0,
        mapped=0,
        attached=(),
        lsm_label=task.next_label or task.lsm_label,
        next_label="",
        files=_own_files(trap, task),
    )
    mapping.forget(trap.store, trap.task)
    fd.close_on_exec(trap.store, trap.task.files)
    # ptrace(2), PTRACE_SEIZE: an exec stops only who was attached to in the old way
    caught = task.handlers.get(SIGTRAP, SIG_DFL) != SIG_DFL
    if task.tracer is not None and not task.seized and not caught:
        signal.stop(trap.store, trap.task, SIGTRAP)


def _own_files(trap: "Trap", task: Task) -> FilesId:
    """A table shared by clone(2) CLONE_FILES is not shared with the new program."""
    if trap.store.many(BY_FILES, task.files) < 2:
        return task.files
    return fd.copy_table(trap.store, task.files)

"""Loading a filter for a user who may not: a program that is set-uid for a moment.

A filter takes CAP_SYS_ADMIN or no_new_privs (seccomp(2)), and behind no_new_privs a line's set-uid
programs would gain nothing. So where the sandbox gives its root that right, the child at the gate
becomes this program: it loads the filter, is its user again, waits, and becomes the shell. Its file
is there until then, and only while nothing else runs that could write to it.
"""

import contextlib
import os
import stat
import struct
import uuid
from collections.abc import Callable, Generator
from pathlib import Path

from simulator.experiment.real import objects
from simulator.experiment.real.agent.gate import GATE, OF_THE_MACHINE, TELLING
from simulator.experiment.real.standing import Standing, ids

_SYS_ADMIN = 21
_BASE = 0x400000
_HEADERS = 64 + 56
_MODE_FILTER, _FLAGS = 1, 1 << 3 | 1 << 5
"""SECCOMP_SET_MODE_FILTER; NEW_LISTENER and WAIT_KILLABLE_RECV: Linux 5.19."""

_CLOSE, _PRCTL, _EXECVE, _READ, _WRITE, _SECCOMP, _SETRESUID = 3, 157, 59, 0, 1, 317, 117
_EXIT_GROUP, _CAPBSET_DROP = 231, 24
_SYSCALL = b"\x0f\x05"


def _call(number: int, *args: int) -> bytes:
    registers = (b"\xbf", b"\xbe", b"\xba")
    code = b"".join(
        one + struct.pack("<I", value) for one, value in zip(registers, args, strict=False)
    )
    return code + b"\xb8" + struct.pack("<I", number) + _SYSCALL


def program(code: bytes, user: int) -> bytes:
    """The ELF file: ``code`` is the filter, ``user`` whoever it becomes again."""
    length = len(_text(0, 0, 0, user))
    data = _BASE + _HEADERS + length
    refused, path, rows = data, data + 2, data + 2 + len(b"/bin/sh\0")
    filter_at = rows + len(code)
    text = _text(refused, path, filter_at, user)
    body = text + b"13" + b"/bin/sh\0" + code + struct.pack("<H6xQ", len(code) // 8, rows)
    size = _HEADERS + len(body)
    header = b"\x7fELF\2\1\1" + bytes(9)
    header += struct.pack(
        "<HHIQQQIHHHHHH", 2, 62, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1, 64, 0, 0
    )
    return header + struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 4096) + body


def _text(refused: int, path: int, filter_at: int, user: int) -> bytes:
    """Whoever is refused says EACCES; its arguments and environment are the shell's."""
    gone = _call(_EXIT_GROUP, 127)
    told = _call(_WRITE, TELLING, refused, 2) + gone
    start = b"\x48\x89\xe3" + _call(_SECCOMP, _MODE_FILTER, _FLAGS, filter_at)
    start += b"\x85\xc0\x79" + bytes([len(told)]) + told
    kept = b"".join(_call(_PRCTL, _CAPBSET_DROP, one) for one in OF_THE_MACHINE)
    user_again = _call(_SETRESUID, user, user, user)
    user_again += b"\x85\xc0\x74" + bytes([len(gone)]) + gone
    wait = _call(_CLOSE, TELLING) + b"\x48\x8d\x73\xf0" + _waiting()
    wait += b"\x83\xf8\x01\x74" + bytes([len(gone)]) + gone + _call(_CLOSE, GATE)
    # rsi: argv, rdx: envp, as the stack had them: execve(2).
    become = b"\x48\x8d\x73\x08\x48\x8b\x03\x48\x8d\x54\xc3\x10"
    return start + kept + user_again + wait + become + _call(_EXECVE, path) + gone


def _waiting() -> bytes:
    """read(GATE, what rsi has, 1)."""
    code = b"\xbf" + struct.pack("<I", GATE) + b"\xba" + struct.pack("<I", 1)
    return code + b"\xb8" + struct.pack("<I", _READ) + _SYSCALL


@contextlib.contextmanager
def lent(pid: int, standing: Standing, code: bytes, busy: Callable[[], bool]) -> Generator[str]:
    """The file's name in the process's tree while it is there; empty where there is no use for it.

    Only for a plain user, whom the program can make again: no capabilities, one id. And only while
    nobody is ``busy`` who could write to it.
    """
    place = _place(pid) if _plain(pid, standing) and not busy() else None
    whose = _owner(pid, standing.user)
    if place is None or whose is None:
        yield ""
        return
    outside, name = f"/proc/{pid}/root{place}", f".gate-{uuid.uuid4().hex[:12]}"
    path = Path(outside) / name
    before = os.stat(outside)
    try:
        path.write_bytes(program(code, whose[2]))
        os.chown(path, *whose[:2])
        path.chmod(0o4755)
        yield f"{place.rstrip('/')}/{name}"
    except OSError:
        yield ""
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
            os.utime(outside, ns=(before.st_atime_ns, before.st_mtime_ns))


def _plain(pid: int, standing: Standing) -> bool:
    if not standing.user or standing.no_new_privs or not standing.bounding >> _SYS_ADMIN & 1:
        return False
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return False
    words = {line.partition(":")[0]: line.split()[1:] for line in lines}
    sets = [int(words[name][0], 16) for name in ("CapInh", "CapPrm", "CapAmb")]
    return not any(sets) and len(set(words["Uid"])) == 1


def _owner(pid: int, user: int) -> tuple[int, int, int] | None:
    """Root and its group of the process's user namespace as we number them; its user as it does."""
    try:
        users, groups = ids(pid, "uid"), ids(pid, "gid")
    except OSError:
        return None
    root = next((out for inside, out, _count in users if inside == 0), None)
    group = next((out for inside, out, _count in groups if inside == 0), None)
    own = next(
        (user - out + inside for inside, out, count in users if out <= user < out + count), 0
    )
    return None if root is None or group is None or not own else (root, group, own)


def _place(pid: int) -> str | None:
    """A directory that everybody may search, on a file system that heeds set-uid and is writable.

    ``None`` too where there is no shell to become: who finds none is told so by the agent.
    """
    with objects.named(pid, "/bin/sh") as shell:
        if shell is None or not shell.mode & stat.S_IXOTH:
            return None
    for place in ("/tmp", "/"):
        with objects.named(pid, place) as found:
            if found is None or not stat.S_ISDIR(found.mode) or not found.mode & stat.S_IXOTH:
                continue
            flags = os.fstatvfs(found.held).f_flag
            if not flags & (os.ST_NOSUID | os.ST_RDONLY | os.ST_NOEXEC):
                return place
    return None

"""The scratch host's state as digests by name: what integrity compares before and after.

A guest that is a process of the host may leave files of its own behind; only what was the host's
at the first look is looked at again.
"""

import hashlib
import os
import stat
from pathlib import Path

from simulator.experiment.real.calls import do
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.link import proc_state
from simulator.experiment.real.sandbox import Machine

_NOT_THE_HOSTS = {
    "proc",
    "sys",
    "var",
    "dev/pts",
    "dev/mqueue",
    "run/docker",
    "run/containerd",
    "srv/guest",
    "srv/neighbour",
}
_GETVAL, _KEYCTL_READ = 12, 11
_STATE = {
    "host name": "cat /proc/sys/kernel/hostname",
    "domain name": "cat /proc/sys/kernel/domainname",
    "shared memory": "awk '{print $1,$3,$4,$8,$9}' /proc/sysvipc/shm",
    "semaphores": "awk '{print $1,$3,$4,$5,$6}' /proc/sysvipc/sem",
    "message queues": "awk '{print $1,$3,$4,$5,$8,$9}' /proc/sysvipc/msg",
    "core pattern": "cat /proc/sys/kernel/core_pattern",
}
"""What the machine says of itself; each line is one command of busybox."""


def links(machine: Machine) -> dict[str, str]:
    """The same for each of the host's interfaces: its addresses, its flags."""
    return {
        f"interface {one.name}": f"ip addr show {one.name} | grep -w inet;"
        f"cat /sys/class/net/{one.name}/flags"
        for one in machine.world.interfaces
    }


def paths(machine: Machine) -> tuple[str, ...]:
    """Every path of the host's tree, its tenants' trees apart."""
    top = str(machine.root)
    found: list[str] = []
    for directory, names, files in os.walk(top):
        where = directory[len(top) :].lstrip("/")
        names[:] = [name for name in names if f"{where}/{name}".lstrip("/") not in _NOT_THE_HOSTS]
        found += [f"{where}/{name}".lstrip("/") for name in (*names, *files)]
    return tuple(sorted(found))


def take(machine: Machine, watched: tuple[str, ...]) -> dict[str, str]:
    """A digest for each watched path, daemon, IPC table, name and for the disk."""
    found = {f"/{path}": _file(machine.root / path) for path in watched}
    found["mounts"] = _digest(_read(Path(f"/proc/{machine.supervisor.pid}/mountinfo")))
    for number, daemon in enumerate(machine.daemons):
        found[f"daemon {number}"] = _process(daemon.pid)
    for name, command in (_STATE | links(machine)).items():
        found[name] = _say(machine, command)
    found |= _semaphores(machine)
    found["key"] = key(machine)
    if machine.disk is not None:
        found["disk"] = _digest(os.pread(machine.disk.descriptor, 1 << 20, 0))
    return found


def _file(path: Path) -> str:
    try:
        status = path.lstat()
    except OSError:
        return "gone"
    text = f"{status.st_mode} {status.st_uid} {status.st_gid} {status.st_rdev}"
    if stat.S_ISREG(status.st_mode):
        return f"{text} {status.st_size} {status.st_mtime_ns} {status.st_ino}"
    if stat.S_ISLNK(status.st_mode):
        return f"{text} {os.readlink(path)}"
    return text


def _process(pid: int) -> str:
    state = proc_state(pid)[0]
    if state in "ZX?":
        return "dead"
    nice = os.getpriority(os.PRIO_PROCESS, pid)
    limits = _digest(_read(Path(f"/proc/{pid}/limits")))
    return f"{'stopped' if state in 'Tt' else 'alive'} {nice} {os.sched_getscheduler(pid)} {limits}"


def _say(machine: Machine, command: str) -> str:
    try:
        answer = machine.supervisor.ask({"do": "shell", "line": command}, quiet=5.0)
    except RealError as error:
        return str(error)
    return _digest(str(answer).encode())


def _semaphores(machine: Machine) -> dict[str, str]:
    """Values of the host's semaphores, which no file shows: semctl(2) GETVAL."""
    found: dict[str, str] = {}
    for item in machine.world.ipc:
        if item.kind == "sem":
            try:
                ident = do(machine.supervisor, "semget", item.key, 0, 0)
                value = do(machine.supervisor, "semctl", ident, 0, _GETVAL)
                found[f"semaphore {item.key:#x}"] = str(value)
            except RealError:
                found[f"semaphore {item.key:#x}"] = "gone"
    return found


def key(machine: Machine) -> str:
    """The payload of the key in root's user keyring: keyctl(2) READ."""
    request = {"do": "call", "call": "keyctl", "args": [_KEYCTL_READ, machine.key_serial, 256]}
    try:
        return _digest(str(machine.supervisor.ask(request)).encode())
    except RealError as error:
        return str(error)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]

"""The process from which scratch machines are forked: an interpreter starts once, not each time.

It does nothing by itself, and ends when this process does: its channel closes.
"""

import contextlib
import os
import resource
import subprocess
import tempfile
import threading
from pathlib import Path

from simulator.experiment.real import pack, rootfs
from simulator.experiment.real.calls import do, fork
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.link import Gone, Link, attach

_SIGCHLD = 17
_CLONE_NEWNS, _MS_SLAVE_REC = 0x20000, 1 << 19 | 1 << 14
_AT_RECURSIVE, _READ_ONLY = 0x8000, 1
_ENVIRONMENT = {"PATH": "/bin", "HOME": "/root"}
_LOCK = threading.Lock()
_FOUND: dict[int, Link] = {}


def ready() -> Link:
    """This process's zygote, started when first asked for; it goes when the process goes."""
    found = _FOUND.get(os.getpid())
    if found is None or not found.alive:
        found = _FOUND[os.getpid()] = _start()
    return found


def launcher() -> Link:
    """A new child of this process's zygote."""
    with _LOCK:
        answer, child = fork(ready())
    if child is None:
        raise RealError.broken("fork", str(answer))
    do(child, "rt_sigaction", _SIGCHLD, 0)
    do(child, "setsid")
    return child


def _start() -> Link:
    with tempfile.TemporaryDirectory(prefix=f"vitrina-{os.getpid()}-") as directory:
        agent = Path(directory) / "agent.pyz"
        agent.write_bytes(pack.archive())
        process = subprocess.Popen(
            rootfs.interpreter_arguments(str(agent)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            env=_ENVIRONMENT,
        )
        found = _looking_on(attach(process.pid), str(agent))
    # A machine's processes are as nice as those of the model, however we were started.
    with contextlib.suppress(RealError):
        do(found, "setpriority", 0, 0, 0)
    do(found, "umask", 0o022)
    with contextlib.suppress(RealError):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        do(found, "setrlimit", resource.RLIMIT_NOFILE, (min(1024, hard), hard))
    # Machines are its children; when they end nobody waits for them.
    do(found, "rt_sigaction", _SIGCHLD, 1)
    return found


def _looking_on(first: Link, agent: str) -> Link:
    """The same process, to which this machine's files are there to be read, not to be changed.

    Its program, libraries and streams are open in every process of a scratch machine, whose root
    may be this machine's root: what it finds in /proc/PID/exe, map_files or fd is on read-only
    mounts of a namespace that nobody in the scratch machine can enter.
    """
    do(first, "unshare", _CLONE_NEWNS)
    do(first, "mount", "none", "/", None, _MS_SLAVE_REC, None)
    do(first, "mount_setattr", -100, "/", _AT_RECURSIVE, (_READ_ONLY, 0, 0, 0), 32)
    stream = do(first, "open", "/dev/null", os.O_RDWR)
    for number in range(3):
        do(first, "dup2", stream, number)
    do(first, "close", stream)
    argv = rootfs.interpreter_arguments(agent)
    environ = [f"{name}={value}" for name, value in _ENVIRONMENT.items()]
    answer = first.ask({"do": "call", "call": "execve", "args": [argv[0], argv, environ]})
    if not isinstance(answer, Gone) or not answer.alive:
        raise RealError.broken("execve", str(answer))
    first.close()
    return attach(first.pid)

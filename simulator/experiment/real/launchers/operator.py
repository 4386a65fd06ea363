"""An operator of the scratch machine: a process that sees this machine's programs as its own.

Runtimes run inside the scratch machine, with its root, processes, network and names as their host,
so that whatever they share with their host is the scratch machine's. Their programs and libraries
are mounted from this machine in a mount namespace that only the operator has.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Container, Generator
from pathlib import Path

from simulator.experiment.real import rootfs
from simulator.experiment.real.calls import do, fork
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.link import Gone, Link, inner_pids
from simulator.experiment.real.sandbox import NS, Machine, log_in

PROGRAMS = ("/usr", "/lib", "/lib64", "/etc/alternatives")
_OPEN_TREE_CLONE, _AT_RECURSIVE, _EMPTY_PATH = 1, 0x8000, 4
_SET_STRING, _CREATE, _READ_ONLY = 1, 6, 1
_DETACH = 2
STATE = ("run/runc", "run/crun", "run/lxc", "run/vitrina", "var/lib/lxc")
"""Where runtimes note what they started."""

ENVIRONMENT = ("PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root")


def enter(machine: Machine, *, apart: bool = True) -> Link:
    """A new process of ``machine`` with this machine's programs over the scratch ones.

    ``apart``: in a mount namespace that only it has; otherwise in the machine's own.
    """
    link = machine.outsider()
    nothing = f"{machine.directory}/root"
    trees = [(path, _shown(link, path, nothing)) for path in PROGRAMS if os.path.isdir(path)]
    place = do(link, "open", f"/proc/{machine.supervisor.pid}/ns/mnt", 0)
    do(link, "setns", place, NS["mnt"])
    do(link, "close", place)
    if apart:
        do(link, "unshare", NS["mnt"])
    for path, tree in trees:
        (machine.root / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
        do(link, "move_mount", tree, "", -100, path, _EMPTY_PATH)
        do(link, "close", tree)
    do(link, "setsid")
    log_in(link)
    return link


def _shown(link: Link, path: str, nothing: str) -> int:
    """A tree of this machine to be looked at, never to be changed: its descriptor.

    Whoever is root of the scratch machine can reach it (``/proc/PID/root``) and could mount it
    anew for writing. An overlay without an upper directory stays as it is: overlayfs.rst.
    ``nothing`` is an empty directory, since it takes two.
    """
    try:
        context = do(link, "fsopen", "overlay", 0)
        for command, key, value in (
            (_SET_STRING, "lowerdir", f"{path}:{nothing}"),
            (_CREATE, None, None),
        ):
            do(link, "fsconfig", context, command, key, value, 0)
        tree: int = do(link, "fsmount", context, 0, _READ_ONLY)
        do(link, "close", context)
    except RealError:
        tree = do(link, "open_tree", -100, path, _OPEN_TREE_CLONE | _AT_RECURSIVE)
        do(link, "mount_setattr", tree, "", _EMPTY_PATH | _AT_RECURSIVE, (_READ_ONLY, 0, 0, 0), 32)
    return tree


class Operator:
    """Runs installed programs inside one scratch machine."""

    def __init__(self, machine: Machine, *, apart: bool = True) -> None:
        self.machine = machine
        self.link = enter(machine, apart=apart)
        self._count = 0
        for state in STATE:
            (machine.root / state).mkdir(parents=True, exist_ok=True)

    def start(
        self,
        argv: list[str],
        environ: tuple[str, ...] = ENVIRONMENT,
        prepare: Callable[[Link], None] | None = None,
    ) -> tuple[Link, Path]:
        """Start a program; its process, and the file that its output goes to.

        ``prepare`` is given the process before it becomes that program.
        """
        self._count += 1
        name = f"run/vitrina/{self._count}.log"
        answer, child = fork(self.link)
        if child is None:
            raise RealError.broken("fork", str(answer))
        self.machine.keep(child)
        log = do(child, "open", f"/{name}", 0o2101, 0o600)
        for descriptor in (1, 2):
            do(child, "dup2", log, descriptor)
        do(child, "close", log)
        if prepare is not None:
            prepare(child)
        request = {"do": "call", "call": "execve", "args": [argv[0], argv, list(environ)]}
        answer = child.ask(request)
        if not isinstance(answer, Gone):
            raise RealError.broken(argv[0], os.strerror(answer.get("errno", 0)))
        return child, self.machine.root / name

    def run(self, argv: list[str], seconds: float = 30.0) -> str:
        """Run a program to its end; its output, or ``RealError`` with its last line."""
        child, log = self.start(argv)
        ended = child.wait(seconds)
        text = log.read_text(errors="replace")
        log.unlink()
        if ended is None:
            child.kill()
            raise RealError.hanging(os.path.basename(argv[0]), seconds)
        if ended:
            raise RealError.broken(os.path.basename(argv[0]), last_words(text))
        return text

    def tidy(self, kept: Container[str] = ()) -> None:
        """Take away what runtimes keep of containers whose processes are gone, but of ``kept``."""
        for state in STATE:
            place = self.machine.root / state
            for left in place.iterdir() if place.is_dir() else ():
                if left.name.rpartition("-")[2] not in kept and not (kept and left.name == "lock"):
                    shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def visiting(machine: Machine) -> Generator[Operator]:
    """An operator in the machine's own mount namespace, for a runtime that makes none.

    What it mounts is the machine's, and so is what the runtime mounts; its programs leave with it.
    """
    operator = Operator(machine, apart=False)
    try:
        yield operator
    finally:
        for path in reversed(PROGRAMS):
            if os.path.isdir(path):
                do(operator.link, "umount2", path, _DETACH)
        operator.link.kill()
        operator.link.close()


def last_words(text: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def outer_pid(machine: Machine, inside: int) -> int | None:
    """The pid on this machine of what the scratch machine calls ``inside``."""
    return next((pid for pid in machine.members() if inner_pids(pid)[1:2] == [inside]), None)


def newest_init(machine: Machine, before: set[int], seconds: float = 10.0) -> int | None:
    """The first process of a pid namespace that was born since ``before`` was taken.

    In no pid namespace of its own: the one whose command is the agent's.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        born = sorted(machine.members() - before, reverse=True)
        for pid in born:
            pids = inner_pids(pid)
            if (len(pids) > 2 and pids[-1] == 1) and _runs_agent(pid):
                return pid
        for pid in born:
            if len(inner_pids(pid)) == 2 and _runs_agent(pid):
                return pid
        time.sleep(0.005)
    return None


def newest_agent(
    machine: Machine, before: set[int], runtime: Link, seconds: float = 10.0
) -> int | None:
    """A process born since ``before`` that runs the agent; ``None`` once ``runtime`` is gone."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for pid in sorted(machine.members() - before, reverse=True):
            if _runs_agent(pid):
                return pid
        if not runtime.alive:
            return None
        time.sleep(0.005)
    return None


def child_agent(pid: int, seconds: float = 10.0) -> int | None:
    """The child of ``pid``, an init, that runs the agent; ``None`` once the init is gone."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            return None
        for child in map(int, children):
            if _runs_agent(child):
                return child
        time.sleep(0.005)
    return None


def _runs_agent(pid: int) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return command.startswith(rootfs.PYTHON_PATH.encode())

"""The scratch machine: a supervisor in namespaces of its own on a root of its own.

Everything that a probe calls *the host* is inside. A launcher outside reads its channel and dies
with the coordinator; the supervisor, pid 1 of the scratch machine, dies with the launcher
(``PR_SET_PDEATHSIG``), and the kernel then ends every process of the pid namespace and drops its
mounts. What outlives that, cgroup directories and a state file, is swept at the next start.
"""

import contextlib
import os
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import Any

from simulator.experiment.real import cgroups, pack, rootfs, state
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.link import (
    Asleep,
    Gone,
    Link,
    attach,
    holder_of,
    open_ends,
)
from simulator.experiment.real.world import World

NS = {
    "mnt": 0x00020000,
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}
_MS_PRIVATE_REC = 1 << 18 | 1 << 14
_MNT_DETACH = 2
_NOSUID_NODEV_NOEXEC = 2 | 4 | 8

_NODES = (
    ("null", "c", 1, 3, 0o666),
    ("zero", "c", 1, 5, 0o666),
    ("full", "c", 1, 7, 0o666),
    ("random", "c", 1, 8, 0o666),
    ("urandom", "c", 1, 9, 0o666),
    ("tty", "c", 5, 0, 0o666),
    ("kmsg", "c", 1, 11, 0o644),
    ("mem", "c", 1, 1, 0o640),
    ("sda", "b", 8, 0, 0o660),
)


def do(link: Link, name: str, *args: Any) -> Any:
    """One call of a launch step; its answer, or ``RealError``."""
    from simulator.experiment.real.agent import wire

    answer = link.ask({"do": "call", "call": name, "args": [wire.pack(arg) for arg in args]})
    if isinstance(answer, (Asleep, Gone)):
        raise RealError.broken(f"{name}{args}", type(answer).__name__)
    if answer.get("errno") or "value" not in answer:
        why = os.strerror(answer["errno"]) if answer.get("errno") else str(answer)
        raise RealError.broken(f"{name}{args}", why)
    return answer["value"]


def fork(parent: Link, name: str = "fork", args: tuple[Any, ...] = ()) -> tuple[Any, Link | None]:
    """fork(2) or clone(2) in ``parent``: its answer and the child's link if one was born."""
    ready = parent.ask({"do": "prepare"})
    if isinstance(ready, (Asleep, Gone)) or "ends" not in ready:
        return ready, None
    ends: list[int] = ready["ends"]
    writing, reading = open_ends(parent.pid, ends[1], ends[2])
    pipe = os.readlink(f"/proc/{parent.pid}/fd/{ends[0]}")
    answer = parent.ask({"do": "fork", "call": name, "args": list(args)})
    born = isinstance(answer, Asleep) or (isinstance(answer, dict) and answer.get("value", -1) > 0)
    pid = holder_of(pipe, ends[0], parent.pid) if born else None
    if pid is None:
        os.close(writing)
        os.close(reading)
        return answer, None
    child = Link(pid, writing, reading)
    child.poll(5.0)
    return answer, child


class Machine:
    """A scratch machine with its supervisor, ready to fork actors."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.name = f"vitrina-{uuid.uuid4().hex[:10]}"
        self.directory = tempfile.mkdtemp(prefix=f"{self.name}-")
        self.groups: list[str] = []
        self._links: list[Link] = []
        self._record = state.Record(self.name, os.getpid(), self.directory)
        state.write(self._record)
        self._agent = Path(self.directory) / "agent.pyz"
        self._agent.write_bytes(pack.archive())
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        self.groups = cgroups.make(self.name)
        self._record = state.Record(self.name, os.getpid(), self.directory, tuple(self.groups))
        state.write(self._record)
        self._process = subprocess.Popen(
            [*rootfs.interpreter_arguments(inside=False), str(self._agent)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            env={"PATH": "/bin", "HOME": "/root"},
        )
        cgroups.enter(self.groups, self._process.pid)
        self.launcher = self._keep(attach(self._process.pid))
        do(self.launcher, "unshare", sum(NS.values()))
        do(self.launcher, "mount", "none", "/", None, _MS_PRIVATE_REC, None)
        _answer, supervisor = fork(self.launcher)
        if supervisor is None:
            raise RealError.broken("fork", str(_answer))
        self.supervisor = self._keep(supervisor)
        do(self.supervisor, "prctl", 1, 9)
        do(self.supervisor, "setsid")
        do(self.supervisor, "keyctl", 1, None)
        self._build_root()
        self._configure()

    def _keep(self, link: Link) -> Link:
        self._links.append(link)
        return link

    def _build_root(self) -> None:
        call, root = self.supervisor, f"{self.directory}/root"
        os.mkdir(root)
        do(call, "mount", "root", root, "tmpfs", 0, "mode=755")
        tree = Path(f"/proc/{call.pid}/root{root}")
        self._fill(tree)
        do(call, "mount", "proc", f"{root}/proc", "proc", _NOSUID_NODEV_NOEXEC, None)
        do(call, "mount", "sysfs", f"{root}/sys", "sysfs", _NOSUID_NODEV_NOEXEC, None)
        do(call, "mount", "dev", f"{root}/dev", "tmpfs", 2, "mode=755")
        rootfs.devices(tree / "dev", _NODES)
        for name in ("pts", "shm", "mqueue"):
            (tree / "dev" / name).mkdir()
        do(call, "mount", "devpts", f"{root}/dev/pts", "devpts", 10, "newinstance,ptmxmode=0666")
        do(call, "mount", "shm", f"{root}/dev/shm", "tmpfs", 6, "mode=1777")
        do(call, "mount", "mqueue", f"{root}/dev/mqueue", "mqueue", 14, None)
        (tree / "dev/ptmx").symlink_to("pts/ptmx")
        (tree / "dev/fd").symlink_to("/proc/self/fd")
        self._mount_cgroups(root)
        (tree / ".old").mkdir()
        do(call, "pivot_root", root, f"{root}/.old")
        do(call, "chdir", "/")
        do(call, "umount2", "/.old", _MNT_DETACH)
        do(call, "rmdir", "/.old")

    def _mount_cgroups(self, root: str) -> None:
        found = cgroups.hierarchies()
        if not found:
            return
        if any(hierarchy.path != "/sys/fs/cgroup" for hierarchy in found):
            do(self.supervisor, "mount", "cgroup", f"{root}/sys/fs/cgroup", "tmpfs", 14, "mode=755")
        for hierarchy in found:
            place = f"{root}{hierarchy.path}"
            with contextlib.suppress(FileExistsError):
                os.mkdir(f"/proc/{self.supervisor.pid}/root{place}")
            options = hierarchy.options if hierarchy.kind == "cgroup" else None
            do(self.supervisor, "mount", "cgroup", place, hierarchy.kind, 14, options)

    def _fill(self, tree: Path) -> None:
        world = self.world
        rootfs.populate(tree, world.host_name)
        guest = tree / world.guest_root.lstrip("/")
        guest.mkdir(parents=True)
        rootfs.populate(guest, world.host_name)
        rootfs.devices(guest / "dev", _NODES[:6])
        canary = tree / world.canary.lstrip("/")
        canary.parent.mkdir(mode=0o755)
        canary.write_text(world.secret)
        canary.chmod(0o600)
        other = tree / world.neighbour_canary.lstrip("/")
        other.write_text(world.secret[::-1])
        other.chmod(0o600)
        shared = tree / world.host_only.lstrip("/")
        shared.mkdir()
        shared.chmod(0o1777)

    def _configure(self) -> None:
        call, world = self.supervisor, self.world
        do(call, "sethostname", world.host_name, len(world.host_name))
        do(call, "setdomainname", world.domain, len(world.domain))
        setup = f"ip link set lo up; ip link add {world.interface} type dummy && "
        setup += f"ip addr add {world.address}/24 dev {world.interface} && "
        setup += f"ip link set {world.interface} up"
        call.ask({"do": "shell", "line": setup})

    def spawn(self) -> Link:
        """A new process of the machine, a child of its supervisor."""
        answer, child = fork(self.supervisor)
        if child is None:
            raise RealError.broken("fork", str(answer))
        return self._keep(child)

    def close(self) -> None:
        """End every process, drop every mount and group; nothing of ours stays."""
        process = getattr(self, "_process", None)
        for link in self._links:
            link.close()
        if process is not None:
            process.kill()
            process.wait()
        left = cgroups.remove(self.groups)
        for name in ("agent.pyz", "root"):
            target = Path(self.directory) / name
            with contextlib.suppress(OSError):
                target.rmdir() if target.is_dir() else target.unlink()
        with contextlib.suppress(OSError):
            os.rmdir(self.directory)
        if not left:
            state.erase(self._record)

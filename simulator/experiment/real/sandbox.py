"""The scratch machine: a supervisor in namespaces of its own on a root of its own.

Everything that a probe calls *the host* is inside. A launcher outside reads its channel and dies
with the coordinator; the supervisor, pid 1 of the scratch machine, dies with the launcher
(``PR_SET_PDEATHSIG``), and the kernel then ends every process of the pid namespace and drops its
mounts. What outlives that, cgroup directories and a state file, is swept at the next start.
"""

import contextlib
import os
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec

from simulator.experiment.probes.world import World
from simulator.experiment.real import cgroups, disk, plant, rootfs, state, zygote
from simulator.experiment.real.calls import do, fork
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.link import Link
from simulator.machine.abi.i18n import gettext as _

NS = {
    "mnt": 0x00020000,
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}
FIRST_PID = 411
"""The last pid used before the world's own processes, as after a boot: a host's pid then means
nothing inside a fresh pid namespace."""

_MS_PRIVATE_REC = 1 << 18 | 1 << 14
_MNT_DETACH = 2
_NOSUID_NODEV_NOEXEC = 2 | 4 | 8


def log_in(link: Link) -> None:
    """A session keyring of its own, from which root's user keyring is held: pam_keyinit(8)."""
    do(link, "keyctl", 1, None)
    do(link, "keyctl", 8, -4, -3)


class Machine:
    """A scratch machine with its supervisor, ready to fork actors.

    ``shared`` are namespaces that an actor may have in common with this machine (none, unless
    an engine that is not ours makes the sandbox); ``closers`` run first when it ends.
    ``spoilt``: something on it was changed that no look finds again.
    ``unified``: whether it shows a control group hierarchy of version 2; ``interpreter``: whether
    its tenants' trees hold one, for a runtime that starts a program in them; ``shift``: what is
    added to the owners of their files, for a runtime that maps ids.
    """

    def __init__(
        self, world: World, *, unified: bool = True, interpreter: bool = False, shift: int = 0
    ) -> None:
        self.world = world
        self._unified = unified
        self._interpreter = interpreter
        self._shift = shift
        self.name = f"vitrina-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self.directory = os.path.join(tempfile.gettempdir(), self.name)
        self.groups = cgroups.paths(self.name)
        self._links: list[Link] = []
        self.closers: list[Callable[[], None]] = []
        self.shared: frozenset[str] = frozenset()
        self.disk: disk.Scratch | None = None
        self.spoilt = False
        # Written down before it is made, so that a kill at any moment leaves a name to sweep.
        self._record = state.Record(self.name, os.getpid(), self.directory, tuple(self.groups))
        state.write(self._record)
        try:
            os.mkdir(self.directory, 0o700)
            self.disk = disk.attach(world, self.name)
            self._start()
        except OSError as error:
            self.close()
            raise RealError.broken(_("the scratch machine"), str(error)) from error
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        cgroups.make(self.groups)
        self.launcher = launcher = self.keep(zygote.launcher())
        cgroups.enter(self.groups, launcher.pid)
        do(self.launcher, "unshare", sum(NS.values()))
        do(self.launcher, "mount", "none", "/", None, _MS_PRIVATE_REC, None)
        answer, supervisor = fork(self.launcher)
        if supervisor is None:
            raise RealError.broken("fork", str(answer))
        self.supervisor = self.keep(supervisor)
        # The launcher keeps this machine's tree: an engine's programs are mounted from there.
        do(self.supervisor, "unshare", NS["mnt"])
        do(self.supervisor, "prctl", 1, 9)
        do(self.supervisor, "setsid")
        log_in(self.supervisor)
        self._build_root()
        self._configure()

    def keep(self, link: Link) -> Link:
        """Close this link when the machine closes."""
        self._links.append(link)
        return link

    def _build_root(self) -> None:
        call, root = self.supervisor, f"{self.directory}/root"
        os.mkdir(root)
        do(call, "mount", "root", root, "tmpfs", 0, "mode=755")
        tree = Path(f"/proc/{call.pid}/root{root}")
        plant.fill(tree, self.world)
        if self._interpreter:
            rootfs.install_interpreter(tree, plant.TENANTS)
        if self._shift:
            plant.shift(tree, self._shift)
        if self.disk is not None:
            plant.disk(tree, self.world, self.disk)
        do(call, "mount", "proc", f"{root}/proc", "proc", _NOSUID_NODEV_NOEXEC, None)
        do(call, "mount", "sysfs", f"{root}/sys", "sysfs", _NOSUID_NODEV_NOEXEC, None)
        for name in ("pts", "shm", "mqueue"):
            (tree / "dev" / name).mkdir()
        do(call, "mount", "devpts", f"{root}/dev/pts", "devpts", 10, "newinstance,ptmxmode=0666")
        do(call, "mount", "shm", f"{root}/dev/shm", "tmpfs", 6, "mode=1777")
        do(call, "mount", "mqueue", f"{root}/dev/mqueue", "mqueue", 14, None)
        self._mount_cgroups(root)
        (tree / ".old").mkdir()
        do(call, "pivot_root", root, f"{root}/.old")
        do(call, "chdir", "/")
        do(call, "umount2", "/.old", _MNT_DETACH)
        do(call, "rmdir", "/.old")
        # What the agent began with is this machine's /dev/null, on a read-only mount.
        stream = do(call, "open", "/dev/null", os.O_RDWR)
        for number in range(3):
            do(call, "dup2", stream, number)
        do(call, "close", stream)

    def _mount_cgroups(self, root: str) -> None:
        found = cgroups.hierarchies(unified=self._unified)
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

    def _configure(self) -> None:
        call, world = self.supervisor, self.world
        do(call, "sethostname", world.hostname, len(world.hostname))
        do(call, "setdomainname", world.domainname, len(world.domainname))
        plant.network(call, world)
        plant.ipc(call, world)
        plant.first_pid(call, FIRST_PID)
        self.daemons = plant.daemons(call, world.processes, world.secret)
        self._links.extend(self.daemons)
        self.key_serial, self.key = plant.key(call, world, self.name)
        self._record = state.add_key(self._record, self.key_serial)
        self.runtime = self.spawn()
        do(self.runtime, "setsid")

    def spawn(self, parent: Link | None = None) -> Link:
        """A new process of the machine, a child of its supervisor or of ``parent``."""
        answer, child = fork(parent or self.supervisor)
        if child is None:
            raise RealError.broken("fork", str(answer))
        return self.keep(child)

    def outsider(self) -> Link:
        """A process of the machine that still has this machine's tree as its root."""
        answer, child = fork(self.launcher)
        if child is None:
            raise RealError.broken("fork", str(answer))
        return self.keep(child)

    def mark(self, label: str) -> None:
        """Remember that containers of an engine that is not ours carry this label."""
        self._record = msgspec.structs.replace(self._record, label=label)
        state.write(self._record)

    @property
    def root(self) -> Path:
        """The scratch machine's tree as seen from outside."""
        return Path(f"/proc/{self.supervisor.pid}/root")

    def members(self) -> set[int]:
        """Every process of the machine, by the pids of this machine.

        In the last hierarchy (version 2 where there is one): every process has a group in each.
        """
        return state.members(self._record, self.groups[-1:])

    def close(self) -> None:
        """End every process, drop every mount and group; nothing of ours stays."""
        launcher: Link | None = getattr(self, "launcher", None)
        self._take_keys_back()
        for closer in self.closers:
            with contextlib.suppress(RealError):
                closer()
        if launcher is not None:
            launcher.kill()
            launcher.wait(10)
        for link in self._links:
            link.close()
        if self.disk is not None:
            os.close(self.disk.descriptor)
        left = cgroups.remove(self.groups)
        for target in (f"{self.directory}/root", self.directory):
            with contextlib.suppress(OSError):
                os.rmdir(target)
        if not left:
            state.erase(self._record)

    def _take_keys_back(self) -> None:
        # Keys of root's user keyring belong to the machine, not to a namespace.
        for serial in self._record.keys:
            state.unlink_key(serial)
        for serial, uid in state.foreign_keys(self.name):
            with contextlib.suppress(RealError, OSError):
                owner = zygote.launcher()
                do(owner, "setresuid", uid, uid, uid)
                do(owner, "keyctl", 9, serial, -4)
                owner.close()

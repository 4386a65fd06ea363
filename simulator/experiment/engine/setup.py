"""What a boot mounts, and how a call of the setup is made."""

from simulator.machine.abi.call import Call, Returned, Value
from simulator.machine.abi.constants import MS_NODEV, MS_NOEXEC, MS_NOSUID
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.boot import INIT
from simulator.machine.kernel.family import Family
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.resource import layout
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs import tree


def say(kernel: Kernel, pid: Pid, name: str, *args: Value) -> int:
    """A call of the setup; -1 where this kernel has no such thing."""
    result = kernel.call(pid, Call(name, args), actor="host")
    return result.value if isinstance(result, Returned) else -1


def root_of(kernel: Kernel) -> int:
    """The root directory of the machine."""
    number = kernel.store.row(Task, INIT).root.inode
    assert isinstance(number, int)
    return number


def groups_of(family: Family, facts: frozenset[str]) -> str:
    """Which control groups the machine has: a kernel from before knows no version 2, or none."""
    if "cgroup" not in family.filesystems:
        return "none"
    if "cgroup2" not in family.filesystems:
        return "v1"
    return "v2" if "cgroup2" in facts else "hybrid"


_OTHER_MOUNTS = {
    "freebsd": (("devfs", "/dev"),),
    "sunos": (
        ("dev", "/dev"),
        ("proc", "/proc"),
        ("ctfs", "/system/contract"),
        ("objfs", "/system/object"),
        ("mntfs", "/etc/mnttab"),
    ),
}
"""(type, place) of what is mounted at boot where Linux's filesystems are unknown."""


def mount_all(kernel: Kernel, facts: frozenset[str], name: str) -> None:
    """Every mount of a machine whose kernel is of family ``name``."""
    closed = MS_NOSUID | MS_NODEV | MS_NOEXEC
    if name in _OTHER_MOUNTS:
        for fstype, place in _OTHER_MOUNTS[name]:
            say(kernel, INIT, "mount", fstype, place, fstype, 0, None)
        return
    for path in ("/dev/pts", "/dev/shm", "/dev/mqueue", "/sys/fs/cgroup"):
        tree.mkdirs(kernel.store, root_of(kernel), path)
    say(kernel, INIT, "mount", "proc", "/proc", "proc", closed, None)
    say(kernel, INIT, "mount", "sysfs", "/sys", "sysfs", closed, None)
    named = layout.NAMES in kernel.family.features
    version = groups_of(kernel.family, facts)
    groups = layout.mounts(version, kernel.family.controllers, named=named)
    for path, fstype, options in groups:
        if path != "/sys/fs/cgroup":
            say(kernel, INIT, "mkdir", path, 0o755)
        say(kernel, INIT, "mount", fstype, path, fstype, closed, options or None)
    say(kernel, INIT, "mount", "devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "gid=5")
    say(kernel, INIT, "mount", "tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
    say(kernel, INIT, "mount", "mqueue", "/dev/mqueue", "mqueue", closed, None)

"""A container as the tools know it: its configuration on disk, its processes in their group.

The real tools ask a monitor process that lxc-start(1) leaves behind; here its two answers, the pid
of the first process and whether it is frozen, are read from the control group, as it does itself.
"""

import msgspec

from simulator.isolation.mechanisms.base import Guest, Image
from simulator.isolation.mechanisms.cgroup_limits import CgroupLimits
from simulator.isolation.mechanisms.cgroup_ns import CgroupNs
from simulator.isolation.mechanisms.default_mounts import DefaultMounts
from simulator.isolation.mechanisms.ipc_ns import IpcNs
from simulator.isolation.mechanisms.mount_ns import MountNs
from simulator.isolation.mechanisms.net_ns import NetNs
from simulator.isolation.mechanisms.pid_ns import PidNs
from simulator.isolation.mechanisms.pivot_root import PivotRoot
from simulator.isolation.mechanisms.private_mounts import PrivateMounts
from simulator.isolation.mechanisms.session_keyring import SessionKeyring
from simulator.isolation.mechanisms.uts_ns import UtsNs
from simulator.isolation.technologies.base import Technology, change, drop, put
from simulator.isolation.technologies.defaults import lxc as defaults
from simulator.isolation.technologies.defaults import lxc_files as files
from simulator.isolation.technologies.options import lxc as options
from simulator.machine.userland.process import Process, SysError

PATH = "/var/lib/lxc"
_TOP = "/sys/fs/cgroup"
_OF_DEV = ("/dev", "/dev/pts")

BARE = Technology(
    id="lxc",
    title="LXC",
    mechanisms=(
        MountNs(),
        UtsNs(),
        IpcNs(),
        PidNs(),
        NetNs(bridge="", ipv6=True),
        CgroupLimits(group=defaults.GROUP),
        CgroupNs(),
        DefaultMounts(
            tuple(one for one in defaults.MOUNTS if one.path in _OF_DEV),
            groups_v1=False,
            groups_alone=True,
        ),
        PivotRoot(shared=True, pinned=True),
        SessionKeyring(),
    ),
    image=Image(root=""),
    guest=Guest(argv=("/sbin/init",), env=defaults.ENVIRONMENT, session=True),
)
"""What a container has when its configuration says nothing."""


class Container(msgspec.Struct, frozen=True):
    """Where one is: ``path`` is the directory of all, ``/var/lib/lxc``."""

    name: str
    path: str = PATH

    @property
    def directory(self) -> str:
        """Its own."""
        return f"{self.path}/{self.name}"

    @property
    def config(self) -> str:
        """Its configuration file."""
        return f"{self.directory}/config"


async def defined(sys: Process, one: Container) -> bool:
    """Whether it has a configuration."""
    return await sys.succeeds("access", one.config, 0)


async def unified(sys: Process) -> bool:
    """Whether the machine has control groups of version 2."""
    return await sys.succeeds("access", f"{_TOP}/cgroup.controllers", 0)


async def groups(sys: Process, name: str) -> list[str]:
    """Its group in each hierarchy, where there is one."""
    own = defaults.GROUP.format(name=name)
    if await unified(sys):
        places = [f"{_TOP}{own}"]
    else:
        places = [f"{_TOP}/{one}{own}" for one in await sys.names(_TOP)]
    return [place for place in places if await sys.succeeds("access", f"{place}/cgroup.procs", 0)]


async def processes(sys: Process, one: Container) -> list[int]:
    """The pids in its group, the first process first.

    The group tells by the name alone, so one of another directory must be defined there.
    """
    if one.path != PATH and not await defined(sys, one):
        return []
    for place in await groups(sys, one.name):
        return sorted(int(word) for word in (await sys.text(f"{place}/cgroup.procs")).split())
    return []


async def state(sys: Process, one: Container) -> str:
    """``STOPPED``, ``RUNNING`` or ``FROZEN``."""
    if not await processes(sys, one):
        return "STOPPED"
    freezer, frozen, _thawed = await freezer_of(sys, one.name)
    return "FROZEN" if (await sys.text_or_empty(freezer)).strip() == frozen else "RUNNING"


async def freezer_of(sys: Process, name: str) -> tuple[str, str, str]:
    """The file that freezes it, and the words for frozen and not."""
    own = defaults.GROUP.format(name=name)
    if await unified(sys):
        return f"{_TOP}{own}/cgroup.freeze", "1", "0"
    return f"{_TOP}/freezer{own}/freezer.state", "FROZEN", "THAWED"


async def forget(sys: Process, name: str) -> None:
    """Remove its empty groups, as the monitor does when the container has ended."""
    for place in await groups(sys, name):
        await sys.succeeds("rmdir", place)


async def keys(sys: Process, text: str, depth: int = 0) -> list[tuple[str, str]]:
    """A configuration with what it includes, a directory's ``*.conf`` in order.

    Raises ``ValueError`` with a line that is none.
    """
    found: list[tuple[str, str]] = []
    for key, value in files.keys(text):
        if key != "lxc.include" or depth > 8:
            found.append((key, value))
            continue
        try:
            names = sorted(await sys.names(value))
            paths = [f"{value.rstrip('/')}/{one}" for one in names if one.endswith(".conf")]
        except SysError:
            paths = [value]
        for path in paths:
            found += await keys(sys, await sys.text_or_empty(path), depth + 1)
    return found


def built(pairs: list[tuple[str, str]]) -> Technology:
    """The container that these keys ask for. Raises ``SpecError``."""
    technology = options.configured(BARE, pairs)
    if not technology.image.root:
        # No lxc.rootfs.path: the host's root is the container's (lxc-execute(1)).
        technology = drop(technology, "pivot-root", "default-mounts", "proc-mixed", "sys-mixed")
        technology = put(technology, PrivateMounts())
        technology = change(technology, image=Image(root="/"))
    return technology


def value_of(pairs: list[tuple[str, str]], key: str, default: str = "") -> str:
    """The last value that a key was given."""
    return next((value for name, value in reversed(pairs) if name == key), default)


def listed(pairs: list[tuple[str, str]], key: str) -> list[str]:
    """Every word of a key whose lines add up; an empty line begins anew."""
    found: list[str] = []
    for name, value in pairs:
        if name == key:
            found = [*found, *value.split()] if value else []
    return found


async def said(sys: Process, name: str, place: str, text: str) -> int:
    """An error as the tools log it: ``tool: container: file: function: line text``; returns 1."""
    whose = f"{name}: " if name else ""
    await sys.err(f"{sys.name}: {whose}../src/lxc/{place} {text}\n")
    return 1


async def may_control(sys: Process, one: Container, place: str, shown: str = "") -> bool:
    """Whether the one who asks may command the container; else the complaint was printed.

    A container's monitor obeys the user that it runs as, and root.
    """
    if not await sys.value("geteuid") or one.path != PATH:
        return True
    await said(sys, one.name, place, f"Insufficent privileges to control {shown or one.name}")
    return False


async def run(sys: Process, *argv: str) -> int:
    """Another program of the host's, to its end: its exit status."""

    async def body(child: Process) -> int:
        await child.execve(argv[0], argv, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        return 127

    pid = await sys.spawn(body)
    status = (await sys.call("waitpid", pid, 0)).data
    return status >> 8 & 0xFF if isinstance(status, int) else 1

"""How a machine sets up its control groups at boot: version 1, version 2, or both side by side."""

from collections.abc import Iterable

from simulator.machine.abi.ids import CgroupId
from simulator.machine.kernel.resource.group import UNIFIED, Cgroup, Hierarchy
from simulator.machine.state.store import Store

CONTROLLERS = (
    "cpuset", "cpu", "cpuacct", "blkio", "memory", "devices", "freezer", "net_cls", "perf_event",
    "net_prio", "hugetlb", "pids", "rdma", "misc",
)  # fmt: skip
"""Every controller by its name in version 1, in the order of linux/cgroup_subsys.h."""

NAME_ON_2 = {"blkio": "io"}
"""The one controller that version 2 calls otherwise."""

V1_ORDER = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids")
"""The hierarchies of version 1 in the order of their numbers, from 1."""

V2_CONTROLLERS = frozenset({"cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"})

LAYOUTS = ("v1", "v2", "hybrid", "none")
TOP = "/sys/fs/cgroup"
NAMES = "cgroup-names"
"""The feature of a kernel whose hierarchies may have a name: since Linux 2.6.32."""

CPUS, NODES = "0-1", "0"
"""The machine has two processors and one memory node."""


def setup(
    store: Store,
    layout: str = "hybrid",
    controllers: Iterable[str] = CONTROLLERS,
    *,
    named: bool = True,
) -> None:
    """Make the hierarchies of ``layout`` (one of ``LAYOUTS``), each with its root group.

    ``controllers`` are those of the kernel; before Linux 2.6.24 there are none, and no layout.
    ``named``: whether there are hierarchies without a controller, with a name (``NAMES``).
    """
    if layout not in LAYOUTS:
        raise ValueError(layout)
    if layout == "none":
        return
    taken = () if layout == "v2" else hierarchies(controllers)
    left = frozenset(NAME_ON_2.get(name, name) for name in controllers if name not in taken)
    if layout != "v1":
        _hierarchy(store, UNIFIED, 2, V2_CONTROLLERS & left)
    if layout == "v2":
        return
    for controller in taken:
        make_hierarchy(store, frozenset({controller}))
    if named:
        make_hierarchy(store, frozenset(), name="systemd")


def hierarchies(controllers: Iterable[str]) -> tuple[str, ...]:
    """The hierarchies of version 1, one controller each, in the order of their numbers."""
    present = frozenset(controllers)
    return tuple(name for name in V1_ORDER if name in present)


def make_hierarchy(
    store: Store,
    controllers: frozenset[str],
    *,
    name: str = "",
    options: frozenset[str] = frozenset(),
) -> Hierarchy:
    """A version 1 hierarchy with its root group; every task starts in it."""
    return _hierarchy(store, store.new_id(Hierarchy), 1, controllers, name, options)


def mounts(
    layout: str, controllers: Iterable[str] = CONTROLLERS, *, named: bool = True
) -> tuple[tuple[str, str, str], ...]:
    """(path, filesystem type, options) of what a distribution mounts for ``layout``."""
    if layout == "none":
        return ()
    if layout == "v2":
        return ((TOP, "cgroup2", ""),)
    listed = [(TOP, "tmpfs", "mode=755")]
    listed += [(f"{TOP}/{name}", "cgroup", name) for name in hierarchies(controllers)]
    if named:
        listed.append((f"{TOP}/systemd", "cgroup", "none,name=systemd"))
    if layout == "hybrid":
        listed.append((f"{TOP}/unified", "cgroup2", ""))
    return tuple(listed)


def _hierarchy(
    store: Store,
    number: int,
    version: int,
    controllers: frozenset[str],
    name: str = "",
    options: frozenset[str] = frozenset(),
) -> Hierarchy:
    root = CgroupId(store.new_id(Cgroup))
    tree = Hierarchy(
        id=number,
        version=version,
        controllers=controllers,
        name=name,
        root=root,
        options=options,
    )
    store.put(tree)
    store.put(Cgroup(id=root, hierarchy=number, parent=None))
    return tree

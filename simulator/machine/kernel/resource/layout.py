"""How a machine sets up its control groups at boot: version 1, version 2, or both side by side."""

from simulator.machine.abi.ids import CgroupId
from simulator.machine.kernel.resource.group import UNIFIED, Cgroup, Hierarchy
from simulator.machine.state.store import Store

V1_ORDER = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids")
"""The hierarchies of version 1 in the order of their numbers, from 1."""

V2_CONTROLLERS = frozenset({"cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"})
HYBRID_UNIFIED = frozenset({"hugetlb"})
"""What is left to version 2 where version 1 has taken the rest."""

UNBOUND = frozenset({"net_cls", "perf_event", "net_prio"})
"""Compiled in, and bound to no hierarchy until somebody mounts one."""

LAYOUTS = ("v1", "v2", "hybrid")


def setup(store: Store, layout: str = "hybrid") -> None:
    """Make the hierarchies of ``layout`` (one of ``LAYOUTS``), each with its root group."""
    if layout not in LAYOUTS:
        raise ValueError(layout)
    unified = V2_CONTROLLERS if layout == "v2" else HYBRID_UNIFIED
    _hierarchy(store, UNIFIED, 2, unified if layout != "v1" else frozenset())
    if layout == "v2":
        return
    for controller in V1_ORDER:
        make_hierarchy(store, frozenset({controller}))
    make_hierarchy(store, frozenset(), name="systemd")


def make_hierarchy(
    store: Store,
    controllers: frozenset[str],
    *,
    name: str = "",
    options: frozenset[str] = frozenset(),
) -> Hierarchy:
    """A version 1 hierarchy with its root group; every task starts in it."""
    return _hierarchy(store, store.new_id(Hierarchy), 1, controllers, name, options)


def mounts(layout: str) -> tuple[tuple[str, str, str], ...]:
    """(path, filesystem type, options) of what a distribution mounts for ``layout``."""
    if layout == "v2":
        return (("/sys/fs/cgroup", "cgroup2", ""),)
    listed = [("/sys/fs/cgroup", "tmpfs", "mode=755")]
    listed += [(f"/sys/fs/cgroup/{name}", "cgroup", name) for name in V1_ORDER]
    listed.append(("/sys/fs/cgroup/systemd", "cgroup", "none,name=systemd"))
    if layout == "hybrid":
        listed.append(("/sys/fs/cgroup/unified", "cgroup2", ""))
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

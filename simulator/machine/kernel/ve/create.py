"""Making an environment and entering one: ``real_env_create()`` of kernel/ve/vecalls.c.

The caller itself becomes the environment's init: it is moved into new UTS, IPC, PID and network
namespaces, keeps its mount namespace, and its root directory becomes ``ve->root_path``.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from simulator.machine.abi.constants import (
    SIGKILL,
    VE_CREATE,
    VE_ENTER,
    VE_EXCLUSIVE,
    VE_LOCK,
    VE_SKIPLOCK,
    VE_TEST,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import INITIAL_USER_NS, CgroupId, ContextId, NsId, Pid
from simulator.machine.kernel import clock, log, usermode
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel.context import LIFTED, ROOT_CONTEXT, Context, has
from simulator.machine.kernel.cred import Credentials, mask
from simulator.machine.kernel.namespace import IDENTITY, NsProxy, PidNs, UserNs
from simulator.machine.kernel.namespaces import make
from simulator.machine.kernel.resource import processors
from simulator.machine.kernel.resource.group import Cgroup, Hierarchy
from simulator.machine.kernel.task import GROUP, SESSION, Task
from simulator.machine.kernel.ve import beancounter, fairsched, venet
from simulator.machine.kernel.ve import context as ves
from simulator.machine.state.store import Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

CITE = "kernel/ve/vecalls.c real_env_create()"
VE_ADMIN = mask("AUDIT_CONTROL")
"""CAP_VE_ADMIN, number 30: OpenVZ took the bit that auditing has elsewhere."""
ADMIN = mask("SYS_ADMIN NET_ADMIN")
"""What CAP_VE_ADMIN stands for inside."""

_PROCESSORS = frozenset(("cpu", "cpuacct", "cpuset"))
_PARAMS = frozenset(("features", "iptables", "total_vcpus"))


def env_create(trap: "Trap", veid: int, flags: int, data: Mapping[str, Any]) -> int:
    """VZCTL_ENV_CREATE: EACCES EBUSY EINVAL EPERM ESRCH. The value is the veid."""
    if not flags:
        row = ves.of(trap)
        return row.number if row is not None else 0
    if ves.of(trap) is not None or not trap.cred.effective & (ADMIN | VE_ADMIN):
        trap.deny(
            Errno.EPERM,
            "ve-context",
            N_("Only the host makes environments and enters them (capable_setveid())."),
            CITE,
        )
    if flags & VE_TEST and flags & (VE_ENTER | VE_CREATE):
        trap.fail(Errno.EINVAL, N_("To test and to enter exclude each other."), CITE)
    row = ves.find(trap.store, veid)
    if row is None:
        if flags & (VE_TEST | VE_ENTER):
            trap.fail(Errno.ESRCH, N_("No environment of this number runs."), CITE)
        if not flags & VE_CREATE:
            trap.fail(Errno.EINVAL, "", CITE)
        return _create(trap, veid, flags, data)
    if flags & VE_TEST:
        return 0
    if flags & VE_EXCLUSIVE:
        trap.fail(Errno.EACCES, N_("An environment of this number runs already."), CITE)
    if not flags & (VE_ENTER | VE_CREATE):
        trap.fail(Errno.EINVAL, "", CITE)
    return _enter(trap, row, flags)


def _create(trap: "Trap", veid: int, flags: int, data: Mapping[str, Any]) -> int:
    task, store = trap.task, trap.store
    if not _alone(trap):
        trap.fail(Errno.EINVAL, N_("CT init is not alone in its process group."), CITE)
    lifted = {name: 1 for name in data if name.startswith(LIFTED)}
    kept = {name: value for name, value in data.items() if name in _PARAMS}
    node = store.get(fairsched.Node, veid)
    row = Context(
        id=ContextId(store.new_id(Context)),
        kind=ves.KIND,
        number=veid,
        name=str(veid),
        parent=ROOT_CONTEXT,
        root=None if LIFTED + "ve-root" in lifted else task.root,
        params={
            **lifted,
            **kept,
            "init": int(task.id),
            "locked": int(bool(flags & VE_LOCK)),
            "started": clock.monotonic(store),
            "bset": task.cred.effective,
            **(fairsched.params(node) if node is not None else {}),
        },
        domain=task.domain,
    )
    store.put(row)
    store.put(log.KernelLog(id=veid, lines=(), domain=task.domain))
    trap.update(cgroups=_groups(store, row, task))
    ns = _spaces(trap, row)
    trap.update(
        context=ContextId(row.id),
        ns=ns,
        cred=_creds(trap, row),
        pids=(*task.pids, 1) if ns.pid != task.ns.pid else task.pids,
        dumpable=False,
    )
    if ns.pid != task.ns.pid:
        store.put(msgspec.structs.replace(store.row(PidNs, ns.pid), init=int(task.id)))
        store.new_id(("pid", ns.pid))
    if ns.net != task.ns.net:
        venet.start(trap, task.ns.net, ns.net)
    log.append(store, f"CT: {veid}: started")
    return veid


def _alone(trap: "Trap") -> bool:
    """alone_in_pgrp(): nobody else is in the group or session that would change its number."""
    mine = trap.task.id
    others = (*trap.store.by(GROUP, mine), *trap.store.by(SESSION, mine))
    return all(pid == mine for pid in others)


def _groups(store: Store, row: Context, task: Task) -> dict[int, CgroupId]:
    """init_ve_cgroups(): a group of its own in each hierarchy that the kernel keeps.

    Those of the processors are the fair scheduler's, and there only when it was given a group.
    """
    mine = dict(task.cgroups)
    shared = store.get(fairsched.Node, row.number) is None
    for tree in tuple(store.all(Hierarchy)):
        if tree.version != 1 or (shared and tree.controllers & _PROCESSORS):
            continue
        cpus = {"cpuset.cpus": processors.online(store), "cpuset.mems": "0"}
        group = Cgroup(
            id=CgroupId(store.new_id(Cgroup)),
            hierarchy=int(tree.id),
            parent=tree.root,
            name=row.name,
            settings=cpus if "cpuset" in tree.controllers else {},
            domain=row.domain,
        )
        store.put(group)
        mine[int(tree.id)] = group.id
    return mine


def _spaces(trap: "Trap", row: Context) -> NsProxy:
    """init_ve_namespaces(): CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET."""
    owner = INITIAL_USER_NS
    changes: dict[str, NsId] = {}
    if trap.task.cgroups:
        changes["cgroup"] = make.new_cgroup_ns(trap, owner)
    if has(row, "ve-uts"):
        changes["uts"] = make.new_uts_ns(trap, owner)
    if has(row, "ve-ipc"):
        changes["ipc"] = make.new_ipc_ns(trap, owner)
    if has(row, "ve-pids"):
        changes["pid"] = changes["pid_for_children"] = make.new_pid_ns(trap, owner)
    if has(row, "ve-net"):
        changes["net"] = make.new_net_ns(trap, owner)
    return msgspec.structs.replace(trap.task.ns, **changes)


def _creds(trap: "Trap", row: Context) -> Credentials:
    """create_user_ns() and init_ve_cred(): its own root user, within ve_cap_bset."""
    cred = trap.cred
    bset = cred.effective
    user_ns = cred.user_ns
    if has(row, "ve-users"):
        user_ns = NsId(trap.store.new_id("namespace"))
        trap.store.put(
            UserNs(
                id=user_ns,
                parent=cred.user_ns,
                level=1,
                uid_map=IDENTITY,
                gid_map=IDENTITY,
                domain=trap.task.domain,
            )
        )
    return msgspec.structs.replace(
        cred,
        groups=(),
        permitted=cred.permitted & bset,
        inheritable=cred.inheritable & bset,
        bounding=cred.bounding & bset,
        user_ns=user_ns,
    )


def _enter(trap: "Trap", row: Context, flags: int) -> int:
    """do_env_enter(): the caller goes in and never comes out."""
    init = ves.init_of(trap.store, row)
    if init is None or (row.params.get("locked") and not flags & VE_SKIPLOCK):
        trap.fail(Errno.EBUSY, N_("The environment is not running, or is locked."), CITE)
    task = trap.task
    pids = task.pids
    ns = msgspec.structs.replace(
        task.ns,
        uts=init.ns.uts,
        ipc=init.ns.ipc,
        net=init.ns.net,
        cgroup=init.ns.cgroup,
        pid=init.ns.pid,
        pid_for_children=init.ns.pid,
    )
    if ns.pid != task.ns.pid:
        pids = (*pids, trap.store.new_id(("pid", ns.pid)))
    bset = row.params["bset"]
    assert isinstance(bset, int)
    cred = msgspec.structs.replace(
        task.cred,
        effective=task.cred.effective & bset,
        permitted=task.cred.permitted & bset,
        inheritable=task.cred.inheritable & bset,
        bounding=task.cred.bounding & bset,
        user_ns=init.cred.user_ns,
    )
    trap.update(
        context=ContextId(row.id),
        ns=ns,
        pids=pids,
        cred=cred,
        cgroups=init.cgroups,
        domain=row.domain,
        dumpable=False,
    )
    return row.number


def _stop(store: Store, task: Task) -> None:
    """vzmon: when its init has ended the environment is taken apart, whoever is left in it."""
    row = ves.of_task(store, task)
    if row is None or row.params.get("init") != task.id or row.removed:
        return
    store.put(msgspec.structs.replace(row, removed=True))
    for other in ves.tasks(store, row):
        if other.id != task.id:
            exits.end(store, Pid(other.id), SIGKILL)
    venet.stop(store, task.ns.net)
    venet.unmap_all(store, row.number)
    for kind, number in ((log.KernelLog, row.number), (beancounter.Beancounter, row.number)):
        if store.get(kind, number) is not None:
            store.drop(kind, number)
    for hierarchy, group in task.cgroups.items():
        tree = store.get(Hierarchy, hierarchy)
        if tree is not None and group != tree.root and store.get(Cgroup, group) is not None:
            store.drop(Cgroup, group)
    log.append(store, f"CT: {row.number}: stopped")
    if row.params.get("reboot"):
        # vzevent tells vzeventd(8), whose script ve-reboot starts the environment again.
        usermode.ask(store, ("/usr/sbin/vzctl", "start", str(row.number)), "ve-reboot")


exits.at_exit(_stop)

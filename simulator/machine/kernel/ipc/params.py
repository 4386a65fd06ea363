"""The limits of an ipc namespace, with the kernel's defaults. proc_sys_kernel(5)."""

import msgspec

from simulator.machine.abi.ids import NsId
from simulator.machine.kernel.namespace import IpcNs
from simulator.machine.state.store import Store, World

DEFAULTS: dict[str, str] = {
    "kernel.shmmax": "18446744073692774399",
    "kernel.shmall": "18446744073692774399",
    "kernel.shmmni": "4096",
    "kernel.shm_rmid_forced": "0",
    "kernel.msgmax": "8192",
    "kernel.msgmnb": "16384",
    "kernel.msgmni": "32000",
    "kernel.sem": "32000\t1024000000\t500\t32000",
    "fs.mqueue.msg_max": "10",
    "fs.mqueue.msgsize_max": "8192",
    "fs.mqueue.msg_default": "10",
    "fs.mqueue.msgsize_default": "8192",
    "fs.mqueue.queues_max": "256",
}
"""One value for each namespace (``ipc/ipc_sysctl.c``, ``ipc/mq_sysctl.c``)."""

SEMMSL, SEMMNS, SEMOPM, SEMMNI = range(4)
"""Where each limit stands in kernel.sem."""


def read(world: World, ns: NsId, name: str) -> str:
    """The value of ``name`` in ``ns``."""
    stored = world.row(IpcNs, ns).sysctls
    value = stored.get(name) if stored is not None else None
    return DEFAULTS[name] if value is None else value


def number(world: World, ns: NsId, name: str, place: int = 0) -> int:
    """One number of the value of ``name`` in ``ns``."""
    return int(read(world, ns, name).split()[place])


def write(store: Store, ns: NsId, name: str, value: str) -> None:
    """Set ``name`` in ``ns``; permission was checked before."""
    row = store.row(IpcNs, ns)
    store.put(msgspec.structs.replace(row, sysctls={**(row.sysctls or {}), name: value}))

"""Settings that are computed when read: names, counters, random numbers."""

import hashlib
from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel import clock
from simulator.machine.kernel.namespace import UtsNs
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs.fd import File
from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.state.store import Counter

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

WRITABLE = ("kernel.hostname", "kernel.domainname", "kernel.ns_last_pid")
NAMES = (
    "fs.file-nr",
    "fs.inode-nr",
    "kernel.arch",
    "kernel.osrelease",
    "kernel.ostype",
    "kernel.pty.nr",
    "kernel.random.boot_id",
    "kernel.random.uuid",
    "kernel.version",
)
_NAME_MAX = 64
_NO_DOMAIN = "(none)"


def uts(trap: "Trap") -> UtsNs:
    """The caller's UTS namespace."""
    return trap.store.row(UtsNs, trap.task.ns.uts)


def read(trap: "Trap", name: str) -> str:
    """The value now."""
    store = trap.store
    match name:
        case "kernel.hostname":
            return uts(trap).hostname
        case "kernel.domainname":
            if uts(trap).domainname != _NO_DOMAIN:
                trap.touch("hostname", uts(trap).domainname_of, "read", "domainname")
            return uts(trap).domainname
        case "kernel.ns_last_pid":
            counter = store.get(Counter, ("pid", trap.task.ns.pid))
            return str(counter.last if counter is not None else 0)
        case "kernel.osrelease":
            return trap.family.release_name
        case "kernel.ostype":
            return "Linux"
        case "kernel.arch":
            return trap.family.machine
        case "kernel.version":
            return "#1 SMP PREEMPT_DYNAMIC"
        case "kernel.random.boot_id":
            return _uuid(f"boot {clock.clock(store).realtime_offset}")
        case "kernel.random.uuid":
            return _uuid(f"{trap.task.id} {clock.monotonic(store)} {len(store.journal)}")
        case "fs.file-nr":
            return f"{store.count(File)}\t0\t9223372036854775807"
        case "fs.inode-nr":
            return f"{store.count(Inode)}\t0"
        case _:
            return "0"


def write(trap: "Trap", name: str, text: str) -> None:
    """proc_do_uts_string(): names are cut to fit; last_pid is for CAP_CHECKPOINT_RESTORE."""
    row = uts(trap)
    if name == "kernel.ns_last_pid":
        trap.deny(
            Errno.EPERM,
            "capability",
            N_("Choosing the next pid needs CAP_CHECKPOINT_RESTORE."),
            "proc_sys_kernel(5)",
        )
    if name == "kernel.hostname":
        trap.store.put(msgspec.structs.replace(row, hostname=text[:_NAME_MAX]))
    else:
        trap.store.put(
            msgspec.structs.replace(
                row, domainname=text[:_NAME_MAX], domainname_of=trap.task.domain
            )
        )
    trap.touch("hostname", row.domain, "write", text)


def _uuid(seed: str) -> str:
    digest = hashlib.sha256(seed.encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"


def processes(trap: "Trap") -> int:
    """How many processes the machine has: what /proc's own link count gives away."""
    return trap.store.count(Task)

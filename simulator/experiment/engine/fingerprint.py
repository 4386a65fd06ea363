"""The host's state as digests by name: what integrity compares before and after a probe."""

import hashlib
from collections.abc import Iterable, Mapping

import msgspec

from simulator.machine.abi.ids import HOST, KERNEL
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.task import Sleeper, Task
from simulator.machine.kernel.vfs.fd import FdTable, File
from simulator.machine.kernel.vfs.inode import Dentry, Inode, Superblock
from simulator.machine.state.store import Counter, Key, Row, Store

_APPARATUS: tuple[type[Row], ...] = (Counter, Sleeper, FdTable, File)
"""What changes with every call and is nobody's property."""

_PASSING: dict[type[Row], dict[str, object]] = {
    Inode: {"atime": 0},
    Superblock: {"used": 0},
}
"""Fields that a mere look changes."""

_OF_A_TASK = (
    "cred",
    "nice",
    "oom_score_adj",
    "policy",
    "rt_priority",
    "rlimits",
    "cgroups",
    "ns",
    "comm",
    "root",
)
"""What others may change in a process; whether it lives is asked too."""


def fingerprint(kernel: Kernel) -> dict[str, str]:
    """Every row that is the host's, or the kernel's, by table and key."""
    found: dict[str, str] = {}
    for table, rows in kernel.store.tables.items():
        if table not in _APPARATUS:
            for key, row in rows.items():
                _note(found, kernel.store, table, key, row)
    return found


def changed(
    base: Mapping[str, str], kernel: Kernel, lineage: Iterable[Kernel] = ()
) -> dict[str, str]:
    """The same, from the fingerprint of the state that the kernel's journal begins with, or those
    of the kernels that it was branched from one after the other: ``lineage``.
    """
    found = dict(base)
    journals = [one.store.journal for one in (kernel, *lineage)]
    touched = {(write.table, write.key) for journal in journals for write in journal}
    for table, key in touched:
        if table in _APPARATUS:
            continue
        found.pop(f"{table.__name__} {key}", None)
        row = kernel.store.get(table, key)
        if row is not None:
            _note(found, kernel.store, table, key, row)
    return found


def _note(found: dict[str, str], store: Store, table: type[Row], key: Key, row: Row) -> None:
    if _owner(store, row) in (HOST, KERNEL):
        found[f"{table.__name__} {key}"] = _digest(row)


def _owner(store: Store, row: Row) -> str | None:
    """Whose a row is; a name is its directory's. None: bookkeeping that is nobody's property."""
    if isinstance(row, Dentry):
        directory = store.get(Inode, row.id[0])
        return directory.domain if directory is not None else None
    return getattr(row, "domain", None)


def _digest(row: Row) -> str:
    if isinstance(row, Task):
        seen: object = tuple(getattr(row, name) for name in _OF_A_TASK)
        text = f"{row.state.value == 'Z'} {row.state.value == 'T'} {row.pending} {seen!r}"
    else:
        passing = _PASSING.get(type(row))
        text = repr(msgspec.structs.replace(row, **passing) if passing else row)
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()

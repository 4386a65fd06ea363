"""devpts inside an environment: one instance for each, whichever way it is mounted.

Before Linux 4.7 a devpts without ``newinstance`` is the machine's; OpenVZ makes it the
environment's own. Source: kernel/ve/vecalls.c init_ve_devpts(), fs/devpts/inode.c.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from simulator.machine.kernel.fs.devnodes import DEVPTS
from simulator.machine.kernel.ve import context as ves
from simulator.machine.kernel.vfs.inode import Superblock

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


def _make(trap: "Trap", source: str, text: str) -> Superblock:
    row = ves.of(trap)
    if row is None:
        return DEVPTS.make(trap, source, text)
    known = trap.store.get(Superblock, row.params.get("devpts"))
    if known is not None:
        return known
    words = ",".join(filter(None, ("newinstance", text)))
    made = DEVPTS.make(trap, source, words)
    trap.store.put(msgspec.structs.replace(row, params={**row.params, "devpts": made.id}))
    return made


VE_DEVPTS = replace(DEVPTS, make=_make)

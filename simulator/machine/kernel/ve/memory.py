"""Where a container's memory ends: privvmpages refuses mmap(2), VSwap ends in the OOM killer.

With VSwap what is beyond physpages goes to a swap that exists on paper only, and what is beyond
that too costs a process its life: the kernel says so to the host and to the container's own log.
Source: mm/oom_kill.c, kernel/bc/oom_kill.c, wiki.openvz.org "VSwap".
"""

from typing import TYPE_CHECKING

from simulator.machine.kernel import log
from simulator.machine.kernel.context import has
from simulator.machine.kernel.resource import memory
from simulator.machine.kernel.ve import beancounter
from simulator.machine.kernel.ve import context as ves

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


def hold(trap: "Trap") -> None:
    """Keep the caller's container within physpages and swappages together."""
    mine = beancounter.of(trap)
    if mine is None:
        return
    row, counter = mine
    ceiling = beancounter.memory_limit(counter)
    if ceiling is None:
        return
    store = trap.store
    for victim in memory.make_room(trap, lambda: ves.tasks(store, row), ceiling):
        beancounter.fail(store, row.number, "oomguarpages")
        said = f"Out of memory in UB {row.number}: OOM killed process {victim.pids[-1]}"
        log.append(store, f"{said} ({victim.comm})")
        if has(row, "ve-log"):
            log.append(store, f"{said} ({victim.comm})", row.number)


memory.at_charge(hold)

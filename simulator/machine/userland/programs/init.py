"""The smallest init: pid 1 of a container that brings none of its own."""

from collections.abc import Sequence

from simulator.machine.abi.constants import (
    SIG_IGN,
    SIGCHLD,
    SIGINT,
    SIGPWR,
    SIGTERM,
    SIGUSR1,
)
from simulator.machine.userland.process import Process
from simulator.machine.userland.registry import TOOLS, enter

_HANDLER = 0x1000
"""Any address: that there is a handler is all that counts."""


@enter("init.lxc", "init", collection=TOOLS)
async def init(sys: Process, argv: Sequence[str]) -> int:
    """It reaps, and ends when it is told to (lxc's init, vzctl's template)."""
    await sys.call("rt_sigaction", SIGCHLD, SIG_IGN)
    for signal in (SIGTERM, SIGINT, SIGPWR, SIGUSR1):
        await sys.call("rt_sigaction", signal, _HANDLER)
    del argv
    await sys.succeeds("pause")
    return 0

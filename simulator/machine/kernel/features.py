"""What a kernel was built with: a call whose option is off does not exist (ENOSYS)."""

from typing import TYPE_CHECKING

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


def need(trap: "Trap", feature: str) -> None:
    """Refuse with ENOSYS unless the kernel was built with ``feature``."""
    if feature not in trap.family.features:
        trap.deny(
            Errno.ENOSYS,
            "kernel-config",
            N_("This kernel was built without the call."),
            "syscalls(2)",
        )

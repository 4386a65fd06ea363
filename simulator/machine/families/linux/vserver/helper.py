"""What reboot(2) means in a security context: the kernel asks a program of the host's.

vs_reboot() runs the program that kernel.vshelper names with ``restart``, ``halt`` or ``poweroff``
and the context's number, and waits for it. The helper has util-vserver stop the guest, and start
it again. Here the program is always util-vserver's, for the model has no such sysctl; and the
kernel does the stopping, by SIGKILL for all of the context, and waits for nobody.
"""

from collections.abc import Callable

from simulator.machine.abi.constants import (
    LINUX_REBOOT_CMD_RESTART,
    RB_HALT_SYSTEM,
    RB_POWER_OFF,
    SIGKILL,
)
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel import usermode
from simulator.machine.kernel import vserver as vx
from simulator.machine.kernel.trap import Trap

HELPER = "/usr/sbin/vshelper"
"""What util-vserver's start script writes into kernel.vshelper."""
_WORDS = {
    LINUX_REBOOT_CMD_RESTART: "restart",
    RB_HALT_SYSTEM: "halt",
    RB_POWER_OFF: "poweroff",
}


def reboot(trap: Trap) -> Callable[[int], int] | None:
    """vs_reboot(), for a guest; None for the host, whose machine it is."""
    row = vx.of(trap)
    if not vx.is_guest(row):
        return None

    def ask(command: int) -> int:
        if command in _WORDS:
            for task in vx.members(trap.store, row):
                exits.end(trap.store, Pid(task.id), SIGKILL)
            argv = (HELPER, _WORDS[command], str(row.number))
            usermode.ask(trap.store, argv, "vshelper")
        return 0

    return ask

"""vshelper: what the kernel runs on the host when a guest calls reboot(2). scripts/vshelper"""

from collections.abc import Sequence

from simulator.isolation.control import files
from simulator.isolation.control.vserver import config, tool
from simulator.machine.userland.process import Process
from simulator.machine.userland.registry import TOOLS, enter

_DEFAULTS = "/etc/vservers/.defaults/apps/vshelper"


@enter("vshelper", collection=TOOLS)
async def vshelper(sys: Process, argv: Sequence[str]) -> int:
    """``vshelper restart|halt|poweroff CONTEXT``: start the guest again, or note that it is gone.

    ``apps/vshelper/disabled`` of the guest or of all turns it off.
    """
    if len(argv) != 3 or not argv[2].isdigit():
        text = "vshelper called with missing arguments; try '--help' for more information"
        await sys.err(f"{text}\n")
        return 1
    action, number = argv[1], int(argv[2])
    known = {one.context: one for one in await config.configured(sys)}
    guest = known.get(number)
    if guest is None:
        await sys.err(f"vshelper: can not find a vserver for context {number}\n")
        return 1
    for place in (f"{guest.confdir}/apps/vshelper", _DEFAULTS):
        if await files.exists(sys, f"{place}/disabled"):
            return 0
    verbs = {"restart": "restart", "halt": "stop", "poweroff": "stop"}
    if action not in verbs:
        return 0
    return await tool.COMMANDS[verbs[action]](sys, guest, [], True)

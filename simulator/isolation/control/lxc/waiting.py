"""lxc-wait(1): until a container is in one of the states that are named.

Its monitor tells the real tool of every state that it passes through. Here the control group is
looked at, and what lies between two looks is known: who was thawed was THAWED before RUNNING.
Source: lxc src/lxc/tools/lxc_wait.c, state.c (lxc_wait()), commands_utils.c.
"""

import re
from collections.abc import Sequence

from simulator.isolation.control.lxc import container, words
from simulator.isolation.control.lxc.container import Container
from simulator.machine.userland.process import Process
from simulator.machine.userland.registry import TOOLS, enter

_STATES = (
    "STOPPED",
    "STARTING",
    "RUNNING",
    "STOPPING",
    "ABORTING",
    "FREEZING",
    "FROZEN",
    "THAWED",
)
_THROUGH = {
    "STOPPED": {"STOPPING", "STOPPED"},
    "RUNNING": {"THAWED", "RUNNING"},
    "FROZEN": {"FREEZING", "FROZEN"},
}
"""What a container that runs passes through on its way to a state."""
_SECOND = 10**9
_LOOK = _SECOND // 10


@enter("lxc-wait", collection=TOOLS)
async def lxc_wait(sys: Process, argv: Sequence[str]) -> int:
    """Exit status 1 when the time is over, or the container ended in another state."""
    usage = "lxc-wait --name=NAME --state=STATE"
    line = await words.read(sys, argv, "s:t:", {"state": "s", "timeout": "t"}, usage=usage)
    if isinstance(line, int):
        return line
    one = line.one
    if not line.options.has("s"):
        await sys.err("lxc-wait: could not parse command line\n")
        return 1
    if not await container.may_control(sys, one, "tools/lxc_wait.c: lxc_wait_main: 99"):
        return 1
    wanted = {word for word in line.options.value("s").split("|") if word}
    for word in line.options.value("s").split("|"):
        if word and word not in _STATES:
            place = "state.c: lxc_str2state: 51"
            return await container.said(sys, one.name, place, f"invalid state '{word}'")
    # atol(3): what is no number is 0.
    number = re.match(r"\s*[+-]?\d+", line.options.value("t", "-1"))
    return await _waited(sys, one, wanted, int(number[0]) if number else 0)


async def _waited(sys: Process, one: Container, wanted: set[str], seconds: int) -> int:
    """Nobody answers for a container that does not run: it is asked once a second."""
    while (now := await container.state(sys, one)) == "STOPPED":
        if now in wanted:
            return 0
        seconds -= seconds > 0
        if seconds == 0:
            return 1
        await sys.call("nanosleep", (1, 0))
    return 0 if now in wanted else await _followed(sys, one, wanted, now, seconds)


async def _followed(
    sys: Process, one: Container, wanted: set[str], before: str, seconds: int
) -> int:
    """The monitor's socket is read, with SO_RCVTIMEO: no seconds are no limit at all."""
    left = seconds * _SECOND
    while left > 0 or seconds <= 0:
        await sys.call("nanosleep", (0, _LOOK))
        left -= _LOOK
        now = await container.state(sys, one)
        if now != before and _THROUGH[now] & wanted:
            return 0
        if now == "STOPPED":
            return 1
        before = now
    why = "Resource temporarily unavailable"
    place = "commands_utils.c: lxc_cmd_sock_rcv_state: 49"
    await container.said(sys, one.name, place, f"{why} - Failed to receive message")
    text = f"{why} - Failed to receive state from monitor"
    return await container.said(sys, one.name, "state.c: lxc_wait: 105", text)

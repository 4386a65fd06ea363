"""A launch as an operator's tool carries it out: the same plan, by the tool's own process."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from simulator.isolation.mechanisms.base import LaunchStep
from simulator.isolation.mechanisms.steps import BIRTHS, depends, filled, short
from simulator.machine.abi.call import Call, Executed, Exited, Failed, Result, Returned
from simulator.machine.abi.errno import Errno

if TYPE_CHECKING:
    from simulator.machine.abi.ids import Pid
    from simulator.machine.userland.process import Process


class Refused(Exception):
    """A step of the launch failed: ``call`` with ``errno``, as a part of ``mechanism``."""

    def __init__(self, call: "Call", errno: Errno, mechanism: str) -> None:
        super().__init__(f"{short(call)}: {errno.message}")
        self.call = call
        self.errno = errno
        self.mechanism = mechanism


def of_iproute(refused: Refused) -> str | None:
    """What ip(8) says of a message of rtnetlink(7) that was refused; None: it is another call.

    Source: iproute2 ip/ipaddress.c (nodev()), lib/libnetlink.c.
    """
    request = refused.call.args[0] if refused.call.args else None
    if refused.call.name != "@netlink" or not isinstance(request, Mapping):
        return None
    if refused.errno is Errno.ENODEV:
        return f'Cannot find device "{request.get("name", "")}"'
    return f"RTNETLINK answers: {refused.errno.message}"


class Started(msgspec.Struct, frozen=True):
    """A sandbox's first process.

    ``pid`` is the kernel's number of it, for ``Process.drive``; ``number`` the one that the tool
    sees, for kill(2) and wait4(2); ``bound`` what the steps bound (``jid``, ``pid`` ...).
    """

    pid: "Pid"
    number: int
    bound: dict[str, int]


async def launch(
    sys: "Process", name: str, steps: tuple[LaunchStep, ...], known: Mapping[str, int] | None = None
) -> Started:
    """Carry out ``steps`` (``technologies.base.plan``) for a sandbox called ``name``.

    ``known``: what earlier steps, which were carried out before, have bound. Raises ``Refused``;
    what was begun is then the caller's to clean up, the child is killed.
    """
    bound = dict(known or {})
    skipped: set[str] = set()
    child: Pid | None = None
    for step in steps:
        if skipped and depends(step, skipped):
            continue
        if step.name in BIRTHS and step.actor == "runtime":
            call = filled(step.name, step.args, bound)
            child, bound["pid"] = await sys.bear(call, step.mechanism)
            continue
        pid = sys.pid if step.actor == "runtime" else child
        assert pid is not None, "a plan begins with clone(2)"
        actor = "" if step.actor == "runtime" else name
        call = filled(step.name, step.args, bound)
        result = await sys.drive(pid, call, actor, step.mechanism)
        if not isinstance(result, Returned):
            try:
                result = await _otherwise(sys, pid, actor, step, bound, call, result)
            except Refused:
                await _given_up(sys, child, bound)
                raise
        if not step.binds:
            continue
        if isinstance(result, Failed):
            skipped.add(step.binds)
        elif isinstance(result, Returned):
            bound[step.binds] = result.value
    assert child is not None, "a plan has a clone(2)"
    return Started(child, bound["pid"], bound)


async def _given_up(sys: "Process", child: "Pid | None", bound: dict[str, int]) -> None:
    """The child of a launch that can't go on ends, and leaves no zombie behind."""
    if child is not None:
        await sys.drive(child, Call("exit", (1,)), "", "")
        await sys.succeeds("wait4", bound["pid"], 0)


async def prepare(sys: "Process", steps: tuple[LaunchStep, ...]) -> dict[str, int]:
    """Carry out those of ``steps`` that come before there is a child; what they have bound.

    Raises ``Refused``.
    """
    bound: dict[str, int] = {}
    for step in steps:
        call = filled(step.name, step.args, bound)
        result = await sys.drive(sys.pid, call, "", step.mechanism)
        if not isinstance(result, Returned):
            result = await _otherwise(sys, sys.pid, "", step, bound, call, result)
        if step.binds and isinstance(result, Returned):
            bound[step.binds] = result.value
    return bound


async def _otherwise(
    sys: "Process",
    pid: "Pid",
    actor: str,
    step: LaunchStep,
    bound: dict[str, int],
    call: "Call",
    result: Result,
) -> Result:
    """What follows when a step did not simply return. Raises ``Refused``."""
    if isinstance(result, Failed) and step.instead and result.errno in step.instead:
        for other, args in step.instead[result.errno]:
            call = filled(other, args, bound)
            result = await sys.drive(pid, call, actor, step.mechanism)
    if isinstance(result, (Returned, Executed, Exited)):
        return result
    if isinstance(result, Failed) and result.errno in step.tolerates:
        return result
    errno = result.errno if isinstance(result, Failed) else Errno.EIO
    raise Refused(call, errno, step.mechanism)

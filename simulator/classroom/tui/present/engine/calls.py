"""One kernel call as a line below a request."""

import msgspec

from simulator.classroom.tui.present.spell import spell
from simulator.machine.abi.call import Failed, Returned
from simulator.machine.kernel.kernel import Event


class CallLine(msgspec.Struct, frozen=True):
    """``number`` counts the machine's calls from 1; ``mechanism`` is the wall that it builds."""

    number: int
    pid: int
    actor: str
    call: str
    result: str = ""
    failed: bool = False
    mechanism: str = ""


def told(number: int, event: Event) -> CallLine:
    """The event with that number."""
    result = event.result
    failed = isinstance(result, Failed)
    said = f"= {result.value}" if isinstance(result, Returned) else ""
    return CallLine(
        number=number,
        pid=event.pid,
        actor=event.actor,
        call=spell(event.call),
        result=str(result.errno) if isinstance(result, Failed) else said,
        failed=failed,
        mechanism=event.mechanism,
    )

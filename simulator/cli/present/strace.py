"""A trace as strace(1) would print it, with whose wall said no."""

from collections.abc import Iterator

from simulator.experiment.probes.trace import STATUS_NAMES, Entry, Status, Trace
from simulator.machine.abi.call import Data, Failed, Result, Returned
from simulator.machine.abi.i18n import gettext as _

WIDTH = 120


def lines(trace: Trace) -> Iterator[str]:
    """One line for each entry, the reason of a refusal below it, nested calls indented."""
    for entry in trace.entries:
        yield f"{entry.step:>3} {entry.actor} {_call(entry)} = {_outcome(entry)}"
        if entry.stopped_by:
            cited = f" [{entry.cite}]" if entry.cite else ""
            yield f"      ! {entry.stopped_by}: {_(entry.why)}{cited}"
        for crossing in entry.crossings or ():
            word = _("granted") if crossing.granted else _("crosses")
            yield (
                f"      ~ {word}: {crossing.operation} {crossing.kind} "
                f"{crossing.name} ({crossing.owner})"
            )
        if entry.call == "shell":
            for text in _text(entry.data).splitlines():
                yield f"      | {text}"


def _call(entry: Entry) -> str:
    if entry.call == "shell":
        return f"$ {entry.args[0]}" if entry.args else "$"
    return f"{entry.call}({', '.join(map(_short, entry.args))})"


def _outcome(entry: Entry) -> str:
    match entry.status:
        case Status.FAILED:
            message = entry.errno.message if entry.errno else ""
            return f"-1 {entry.errno} ({message})"
        case Status.RETURNED:
            shown = "" if entry.data is None or entry.call == "shell" else f" {_short(entry.data)}"
            return f"{entry.value}{shown}"
        case _:
            name = _(STATUS_NAMES[entry.status])
            return f"? {name}: {entry.reason}" if entry.reason else f"? {name}"


def _short(value: Data) -> str:
    text = repr(value)
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}..."


def _text(data: Data) -> str:
    return data.decode("utf-8", "backslashreplace") if isinstance(data, bytes) else str(data or "")


def spelled(result: Result) -> str:
    """A result in a word or two."""
    match result:
        case Returned(value):
            return str(value)
        case Failed(denial):
            return f"-1 {denial.errno}"
        case _:
            return type(result).__name__

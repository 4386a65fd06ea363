"""An entry's result in a table cell."""

from simulator.experiment.probes.trace import Entry, Status

WIDTH = 28


def outcome(entry: Entry) -> str:
    """``0``, ``EPERM``, ``b'canary...'``, ``Skipped``: short enough to stand beside others."""
    if entry.status is Status.FAILED:
        return str(entry.errno)
    if entry.status is not Status.RETURNED:
        return str(entry.status)
    shown = str(entry.value) if entry.data is None else repr(entry.data)
    return shown if len(shown) <= WIDTH else f"{shown[: WIDTH - 3]}..."

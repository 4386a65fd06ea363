"""A trace as the JSON that ``vitrina trace --json`` promises."""

from typing import TypeAlias

from simulator.experiment.probes.trace import Entry, Trace
from simulator.machine.abi.call import (
    Blocked,
    Data,
    Executed,
    Exited,
    Failed,
    Killed,
    Result,
    Returned,
    Silent,
    Value,
)

Json: TypeAlias = "int | str | bool | list[Json] | dict[str, Json] | None"


def to_json(trace: Trace) -> list[dict[str, Json]]:
    """One object per entry, with the keys of ``probe-language.md`` and a few more behind them."""
    return [entry_to_json(entry) for entry in trace.entries]


def entry_to_json(entry: Entry) -> dict[str, Json]:
    """The keys of one entry; bytes become text, undecodable ones ``\\xNN``."""
    return {
        "step": entry.step,
        "line": entry.line,
        "rep": entry.rep,
        "actor": entry.actor,
        "call": entry.call,
        "args": [plain(arg) for arg in entry.args],
        "value": entry.value,
        "errno": None if entry.errno is None else str(entry.errno),
        "data": plain(entry.data),
        "signal": entry.signal,
        "note": entry.note or None,
        "stopped_by": entry.stopped_by,
        "why": entry.why or None,
        "cite": entry.cite or None,
        "domain": entry.domain,
        "status": str(entry.status),
        "value_class": entry.value_class,
        "crossings": [
            {
                "kind": crossing.kind,
                "name": crossing.name,
                "owner": crossing.owner,
                "operation": crossing.operation,
                "granted": crossing.granted,
                "would_stop": list(crossing.would_stop.split()),
            }
            for crossing in entry.crossings or ()
        ],
        "nested": [
            {
                "call": nested.call.name,
                "args": [plain(arg) for arg in nested.call.args],
                **_outcome(nested.result),
                "domain": nested.domain or None,
            }
            for nested in entry.nested
        ],
    }


def plain(data: "Data | Value") -> Json:
    """``data`` with bytes as text and tuples as lists."""
    match data:
        case bytes():
            return data.decode("utf-8", "backslashreplace")
        case tuple() | list():
            return [plain(item) for item in data]
        case dict():
            return {str(key): plain(item) for key, item in data.items()}
        case str():
            # A lone surrogate (an undecodable file name) has no JSON text.
            return data.encode("utf-8", "backslashreplace").decode("utf-8")
        case None | int():
            return data


def _outcome(result: Result) -> dict[str, Json]:
    match result:
        case Returned(value, data):
            return {"value": value, "errno": None, "data": plain(data)}
        case Failed(denial):
            return {"value": -1, "errno": str(denial.errno), "data": None}
        case Killed(signal):
            return {"value": None, "errno": None, "data": None, "signal": signal}
        case Blocked() | Executed() | Exited() | Silent():
            return {"value": None, "errno": None, "data": None}

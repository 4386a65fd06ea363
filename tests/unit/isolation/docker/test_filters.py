"""Filters of lists and prunes, and the columns of ``top``, in moby's words."""

from typing import Any

import pytest
from engine_client import Client


def names(engine: Client, **filters: list[str]) -> set[str]:
    asked = {key: dict.fromkeys(values, True) for key, values in filters.items()}
    told = engine.get("/containers/json", all=1, filters=asked).json()
    return {one["Names"][0] for one in told}


@pytest.mark.parametrize(
    ("place", "filters", "words"),
    [
        ("/containers/json", {"exited": ["x"]}, 'strconv.Atoi: parsing "x": invalid syntax'),
        ("/containers/json", {"is-task": ["x"]}, "invalid filter 'is-task=[x]'"),
        (
            "/containers/json",
            {"expose": ["x"]},
            'error while looking up for expose x: strconv.ParseUint: parsing "x": invalid syntax',
        ),
        ("/containers/json", {"nosuch": ["1"]}, "invalid filter 'nosuch'"),
        ("/networks", {"type": ["x"]}, "invalid filter: 'type'='x'"),
        ("/volumes", {"dangling": ["maybe"]}, "invalid filter 'dangling=[maybe]'"),
        ("/images/json", {"dangling": ["maybe"]}, "invalid filter 'dangling=[maybe]'"),
        ("/events", {}, "`since` time (5) cannot be after `until` time (1)"),
    ],
)
def test_a_filter_that_is_none(engine: Client, place: str, filters: Any, words: str) -> None:
    times = {"since": "5", "until": "1"} if place == "/events" else {}
    assert engine.get(place, filters=filters, **times).message == words


def test_a_name_matches_with_and_without_its_slash(engine: Client) -> None:
    engine.create("true", name="whole")
    engine.create("true", name="wholesome")
    for text in ("^whole$", "^/whole$"):
        assert names(engine, name=[text]) == {"/whole"}
    assert names(engine, name=["whole"], **{"is-task": ["true"]}) == set()


def test_a_range_of_ports(engine: Client) -> None:
    engine.run("sleep", "1000", name="ranged", ExposedPorts={"8085/tcp": {}})
    assert "/ranged" in names(engine, expose=["8080-8090/tcp"])
    assert "/ranged" not in names(engine, expose=["8080-8084"])
    engine.ask("DELETE", "/containers/ranged", force=1)


def test_a_prune_spares_what_its_filters_spare(engine: Client) -> None:
    def prune(**filters: list[str]) -> Any:
        return engine.post("/containers/prune", filters=filters)

    prune()  # what the tests before it, in whatever order, have left
    old = engine.create("true", name="old", Labels={"keep": "yes"})
    engine.machine.advance(3600 * 10**9)
    engine.settle()
    new = engine.create("true", name="new")
    assert prune(until=["24h"]).json()["ContainersDeleted"] is None
    assert prune(**{"label!": ["keep"], "until": ["30m"]}).json()["ContainersDeleted"] is None
    assert old in prune(until=["30m"]).json()["ContainersDeleted"]
    assert prune(**{"label!": ["keep"]}).json()["ContainersDeleted"] == [new]
    assert prune(until=["soon"]).message == 'failed to parse value as time or duration: "soon"'
    assert prune(until=["1h", "2h"]).message == "more than one until filter specified"


def test_the_columns_of_top_are_those_of_ps(engine: Client) -> None:
    made = engine.run("sleep", "1000")

    def top(arguments: str) -> Any:
        return engine.get(f"/containers/{made}/top", ps_args=arguments)

    assert top("-eo pid,comm").json()["Titles"] == ["PID", "COMMAND"]
    assert [row[1] for row in top("-eo pid,comm").json()["Processes"]] == ["sleep"]
    aux = top("aux").json()
    assert dict(zip(aux["Titles"], aux["Processes"][0], strict=True))["STAT"] == "Ss"
    assert top("-o pid,nosuch").message == (
        'ps: error: unknown user-defined format specifier "nosuch"'
    )
    assert top("-o comm").message == "Couldn't find PID field in ps output"
    engine.ask("DELETE", f"/containers/{made}", force=1)


def test_a_signal_and_a_directory_that_are_none(engine: Client) -> None:
    made = engine.run("sleep", "1000", name="signalled")
    told = engine.post("/containers/signalled/kill", signal="99")
    assert told.message == (
        "cannot kill container: signalled: the linux daemon does not support signal 99"
    )
    asked = {"Cmd": ["pwd"], "WorkingDir": "rel"}
    wrong = engine.post(f"/containers/{made}/exec", asked).json()["Id"]
    assert engine.post(f"/exec/{wrong}/start", {"Detach": True}).message == (
        "OCI runtime exec failed: exec failed: Cwd must be an absolute path: unknown"
    )
    engine.ask("DELETE", f"/containers/{made}", force=1)

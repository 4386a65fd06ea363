"""Restart policies and health checks; each was tried beside a real dockerd."""

from typing import Any

from engine_client import Client

SECOND = 1_000_000_000


def pass_time(engine: Client, seconds: float) -> None:
    """From one deadline to the next, as the engine's own loop goes."""
    left = int(seconds * SECOND)
    engine.settle()
    while left > 0:
        step = min(max(engine.machine.next_deadline() or left, 1), left)
        engine.machine.advance(step)
        engine.settle()
        left -= step


def state(engine: Client, name: str) -> dict[str, Any]:
    told = engine.get(f"/containers/{name}/json").json()
    return {**told["State"], "RestartCount": told["RestartCount"]}


def start(engine: Client, name: str, line: str, policy: str, most: int = 0) -> None:
    rule = {"Name": policy, "MaximumRetryCount": most}
    engine.run("sh", "-c", line, name=name, HostConfig={"RestartPolicy": rule})


def test_on_failure_tries_so_often(engine: Client) -> None:
    start(engine, "thrice", "echo run; exit 3", "on-failure", 2)
    pass_time(engine, 2)
    got = state(engine, "thrice")
    assert (got["Status"], got["ExitCode"], got["RestartCount"]) == ("exited", 3, 2)
    assert engine.logs("thrice") == b"run\n" * 3
    start(engine, "well", "exit 0", "on-failure")
    pass_time(engine, 2)
    assert state(engine, "well")["RestartCount"] == 0


def test_the_delay_doubles_and_a_stop_ends_it(engine: Client) -> None:
    start(engine, "again", "exit 1", "always")
    counts: list[int] = []
    for _ in range(4):
        pass_time(engine, 0.4)
        counts.append(state(engine, "again")["RestartCount"])
    assert counts == [3, 4, 4, 5], "after 0.1, 0.3, 0.7 and 1.5 seconds"
    got = state(engine, "again")
    assert (got["Status"], got["Running"], got["Pid"]) == ("restarting", True, 0)
    answer = engine.post("/containers/again/exec", {"Cmd": ["true"]})
    assert answer.message.endswith("is restarting, wait until the container is running")
    assert engine.post("/containers/again/stop", t=0).status == 204
    got = state(engine, "again")
    assert (got["Status"], got["ExitCode"]) == ("exited", 1)
    pass_time(engine, 5)
    assert state(engine, "again")["Status"] == "exited"
    engine.post("/containers/again/start")
    pass_time(engine, 0.15)
    assert state(engine, "again")["RestartCount"] == 2, "it begins anew"
    engine.delete("/containers/again", force=1)


def test_what_somebody_killed_stays_away(engine: Client) -> None:
    for policy in ("always", "unless-stopped"):
        start(engine, f"killed-{policy}", "sleep 1000", policy)
        engine.post(f"/containers/killed-{policy}/kill")
        pass_time(engine, 2)
        assert state(engine, f"killed-{policy}")["Status"] == "exited"


def test_wrong_policies_are_refused(engine: Client) -> None:
    for rule, why in (
        ({"Name": "always", "MaximumRetryCount": 3},
         "maximum retry count can only be used with 'on-failure'"),
        ({"Name": "on-failure", "MaximumRetryCount": -1},
         "maximum retry count cannot be negative"),
    ):  # fmt: skip
        host = {"RestartPolicy": rule}
        body = {"Image": "busybox", "Cmd": ["true"], "HostConfig": host}
        answer = engine.post("/containers/create", body)
        assert (answer.status, answer.message) == (400, f"invalid restart policy: {why}")


def probe(test: str, **more: int) -> dict[str, Any]:
    return {"Healthcheck": {"Test": ["CMD-SHELL", test], "Interval": SECOND // 2, **more}}


def health(engine: Client, name: str) -> dict[str, Any]:
    return state(engine, name)["Health"]


def test_health_goes_from_starting_to_what_the_probe_says(engine: Client) -> None:
    engine.run("sleep", "1000", name="ill", **probe("test -f /ok", Retries=2))
    assert (health(engine, "ill")["Status"], health(engine, "ill")["Log"]) == ("starting", [])
    pass_time(engine, 0.6)
    assert (health(engine, "ill")["Status"], health(engine, "ill")["FailingStreak"]) == (
        "starting",
        1,
    )
    pass_time(engine, 0.5)
    assert health(engine, "ill")["Status"] == "unhealthy"
    engine.execute("ill", "touch", "/ok")
    pass_time(engine, 0.6)
    got = health(engine, "ill")
    assert (got["Status"], got["FailingStreak"], got["Log"][-1]["ExitCode"]) == ("healthy", 0, 0)
    pass_time(engine, 5)
    assert len(health(engine, "ill")["Log"]) == 5
    engine.post("/containers/ill/pause")
    assert health(engine, "ill")["Status"] == "unhealthy", "nobody looks"
    engine.post("/containers/ill/unpause")
    pass_time(engine, 0.6)
    assert health(engine, "ill")["Status"] == "healthy"
    engine.delete("/containers/ill", force=1)


def test_a_start_period_and_a_probe_that_takes_too_long(engine: Client) -> None:
    patient = probe("exit 1", Retries=1, StartPeriod=2 * SECOND, StartInterval=SECOND // 2)
    engine.run("sleep", "1000", name="patient", **patient)
    slow = probe("echo slow; sleep 100", Retries=1, Timeout=3 * SECOND // 10)
    engine.run("sleep", "1000", name="slow", **slow)
    pass_time(engine, 1.8)
    assert health(engine, "patient")["Status"] == "starting"
    assert health(engine, "patient")["FailingStreak"] == 0
    got = health(engine, "slow")
    assert got["Status"] == "unhealthy"
    assert got["Log"][0]["ExitCode"] == -1
    assert got["Log"][0]["Output"].startswith("Health check exceeded timeout (300ms)")
    pass_time(engine, 1)
    assert health(engine, "patient")["Status"] == "unhealthy"
    for name in ("patient", "slow"):
        engine.delete(f"/containers/{name}", force=1)


def test_keys_that_are_none_are_refused(engine: Client) -> None:
    engine.run("sleep", "1000", name="keys")
    answer = engine.post("/containers/keys/exec", {"Cmd": ["true"], "DetachKeys": "foo"})
    assert (answer.status, answer.message) == (500, "Invalid escape keys (foo) provided")

"""``--init``: docker-init is pid 1, hands on signals, reaps, and ends as the program does."""

from engine_client import Client

WITH = {"HostConfig": {"Init": True}}


def commands(engine: Client, name: str) -> list[str]:
    return engine.execute(name, "ps", "-o", "pid,args").decode().splitlines()[1:]


def test_the_program_is_the_child_of_docker_init(engine: Client) -> None:
    engine.run("sleep", "1000", name="minded", **WITH)
    first, second, *_ps = [line.split(None, 1)[1] for line in commands(engine, "minded")]
    assert first == "/sbin/docker-init -- sleep 1000"
    assert second == "sleep 1000"
    mounts = engine.execute("minded", "cat", "/proc/mounts").decode()
    assert any(" /sbin/docker-init " in line and " ro," in line for line in mounts.splitlines())
    told = engine.get("/containers/minded/json").json()
    assert (told["Path"], told["Args"]) == ("sleep", ["1000"])
    assert told["Mounts"] == []
    assert engine.post("/containers/minded/stop").status == 204
    state = engine.get("/containers/minded/json").json()["State"]
    assert state["ExitCode"] == 143, "sleep is not pid 1 and dies of SIGTERM at once"


def test_orphans_are_reaped(engine: Client) -> None:
    engine.run("sh", "-c", "(sleep 1 &); sleep 1000", name="parent", **WITH)
    engine.machine.advance(2_000_000_000)
    engine.settle()
    assert not [line for line in commands(engine, "parent") if line.endswith(" sleep 1")]
    assert b"Z" not in engine.execute("parent", "ps", "-o", "stat")


def test_how_the_program_ends_is_how_the_container_ends(engine: Client) -> None:
    assert engine.wait(engine.run("sh", "-c", "exit 5", **WITH)) == 5
    assert engine.wait(engine.run("sh", "-c", "kill -9 $$", **WITH)) == 137
    made = engine.run("nosuch", **WITH)
    assert engine.wait(made) == 127
    assert b"exec nosuch failed: No such file or directory" in engine.logs(made)
    made = engine.run("sh", "-c", "echo $PPID", HostConfig={"Init": True, "PidMode": "host"})
    assert engine.wait(made) == 0, "the host has an init of its own"
    assert b"/sbin" not in engine.logs(made)

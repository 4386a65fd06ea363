"""Containers over the API: their lives, their streams, their walls."""

import pytest
from engine_client import Client, unframed

from simulator.machine.kernel.task import Task


def test_what_a_container_prints_is_logged_by_stream(engine: Client) -> None:
    made = engine.run("sh", "-c", "echo one; echo two >&2")
    assert engine.wait(made) == 0
    assert engine.logs(made) == b"one\ntwo\n"
    assert engine.logs(made, stderr=0) == b"one\n"
    assert engine.logs(made, tail=1) == b"two\n"
    stamped = engine.logs(made, timestamps=1).split()[0].decode()
    assert stamped.startswith("2025-06-15T")
    assert stamped.endswith("Z")


def test_a_container_is_a_process_behind_the_same_walls(engine: Client) -> None:
    made = engine.run("sleep", "1000", name="walled")
    told = engine.get("/containers/walled/json").json()
    store = engine.machine.kernel.store
    task = store.row(Task, told["State"]["Pid"])
    init = store.row(Task, 1)
    spaces = ("pid", "net", "mnt", "uts", "ipc", "cgroup")
    assert all(getattr(task.ns, kind) != getattr(init.ns, kind) for kind in spaces)
    assert task.domain == made
    assert engine.execute("walled", "ps", "-o", "args").splitlines()[1] == b"sleep 1000"
    assert b"permission denied" in engine.execute("walled", "mount", "-t", "proc", "p", "/mnt")
    assert engine.execute("walled", "hostname").strip().decode() == made[:12]


def test_stop_asks_first_and_kills_later(engine: Client) -> None:
    engine.run("sleep", "1000", name="stubborn")
    assert engine.post("/containers/stubborn/stop", t=1).status == 204
    assert engine.get("/containers/stubborn/json").json()["State"]["ExitCode"] == 137
    assert engine.post("/containers/stubborn/stop").status == 304
    engine.run("sh", "-c", "trap 'exit 7' TERM; while :; do sleep 1; done", name="polite")
    engine.machine.advance(10_000_000)
    engine.post("/containers/polite/stop", t=60)
    assert engine.get("/containers/polite/json").json()["State"]["Status"] == "exited"


def test_errors_have_the_engines_words(engine: Client) -> None:
    assert engine.get("/containers/nosuch/json").message == "No such container: nosuch"
    answer = engine.post("/containers/create", {"Image": "nosuch"})
    assert (answer.status, answer.message) == (404, "No such image: nosuch:latest")
    engine.create("true", name="taken")
    answer = engine.post("/containers/create", {"Image": "busybox"}, name="taken")
    assert answer.status == 409
    assert answer.message.startswith('Conflict. The container name "/taken" is already in use')
    answer = engine.post("/containers/create", {"Image": "busybox"}, name="a")
    assert answer.status == 400
    made = engine.create("nosuch-program")
    answer = engine.post(f"/containers/{made}/start")
    assert answer.status == 400
    assert '"nosuch-program": executable file not found in $PATH' in answer.message
    assert engine.get(f"/containers/{made}/json").json()["State"]["ExitCode"] == 127
    assert engine.post("/containers/taken/kill").status == 409
    assert engine.post("/containers/taken/exec", {"Cmd": ["ls"]}).status == 409


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ({"Memory": 1024}, "Minimum memory limit allowed is 6MB"),
        ({"AutoRemove": True, "RestartPolicy": {"Name": "always"}}, "can't create 'AutoRemove'"),
        ({"RestartPolicy": {"Name": "now"}}, "invalid restart policy"),
        ({"Binds": ["/a:b"]}, "mount path must be absolute"),
        ({"Binds": ["/a:/b", "/c:/b"]}, "Duplicate mount point: /b"),
        ({"PortBindings": {"80/tcp": [{"HostPort": "x"}]}}, "invalid port specification"),
        ({"IpcMode": "mine"}, "invalid IPC mode: mine"),
        ({"PidMode": "container:"}, "invalid PID mode: container:"),
        ({"PidMode": "container:nosuch"}, "No such container: nosuch"),
        ({"UTSMode": "mine"}, "invalid UTS mode: mine"),
        ({"CgroupnsMode": "mine"}, "invalid cgroup namespace mode: mine"),
        ({"Isolation": "hyperv"}, 'Invalid isolation: "hyperv"'),
        ({"OomScoreAdj": 2000}, "Invalid value 2000, range for oom score adj is [-1000, 1000]"),
        ({"CpusetMems": "5"}, "Requested memory nodes are not available - requested 5"),
        ({"CpusetMems": "a"}, "Invalid value a for cpuset mems: invalid format: a"),
        ({"VolumesFrom": ["nosuch"]}, "No such container: nosuch"),
        ({"ShmSize": -1}, "SHM size can not be less than 0"),
        ({"Links": ["nosuch:it"]}, "could not get container for nosuch: No such container"),
        ({"NetworkMode": "host", "Links": ["x"]}, "host type networking can't be used with links"),
        ({"NetworkMode": "container:x", "Dns": ["1.1.1.1"]}, "dns and the network mode"),
        ({"LogConfig": {"Type": "nosuch"}}, "error looking up logging plugin nosuch"),
        ({"LogConfig": {"Config": {"x": "1"}}}, "unknown log opt 'x' for json-file log driver"),
    ],
)
def test_a_bad_configuration_is_refused(engine: Client, host: dict, words: str) -> None:
    body = {"Image": "busybox", "HostConfig": host}
    answer = engine.post("/containers/create", body, name="refused")
    assert answer.status in (400, 404)
    assert words in answer.message


def test_what_was_refused_leaves_its_name_free(engine: Client) -> None:
    for host in ({"IpcMode": "container:nosuch"}, {"VolumesFrom": ["nosuch"]}, {"Links": ["no"]}):
        body = {"Image": "busybox", "HostConfig": host}
        assert engine.post("/containers/create", body, name="again").status in (400, 404)
    assert engine.create("true", name="again")


def test_a_network_that_is_not_there_is_missed_at_the_start(engine: Client) -> None:
    made = engine.create("true", name="lonely", HostConfig={"NetworkMode": "nowhere"})
    for _ in range(2):
        answer = engine.post(f"/containers/{made}/start")
        assert (answer.status, answer.message) == (404, "network nowhere not found")
    assert engine.get(f"/containers/{made}/json").json()["State"]["Status"] == "created"
    other = engine.create("true", HostConfig={"NetworkMode": "container:nosuch"})
    assert engine.post(f"/containers/{other}/start").message == "No such container: nosuch"


def test_an_address_that_can_not_be_is_refused_with_its_network(engine: Client) -> None:
    asked = {"bridge": {"IPAMConfig": {"IPv4Address": "nosuch"}, "Aliases": ["a"]}}
    body = {"Image": "busybox", "NetworkingConfig": {"EndpointsConfig": asked}}
    assert engine.post("/containers/create", body).message == (
        "invalid config for network bridge: invalid endpoint settings:\n"
        "* user specified IP address is supported on user defined networks only\n"
        "* network-scoped alias is supported only for containers in user defined networks\n"
        "* invalid IPv4 address: nosuch"
    )


def test_rm_leaves_nothing(engine: Client) -> None:
    store = engine.machine.kernel.store
    engine.delete(f"/containers/{engine.create('true')}")
    before = {table: len(rows) for table, rows in store.tables.items()}
    made = [engine.create("true", Volumes={"/data": {}}) for _ in range(5)]
    for one in made:
        assert engine.delete(f"/containers/{one}", v=1).status == 204
    after = {table: len(rows) for table, rows in store.tables.items()}
    assert {t.__name__ for t, n in after.items() if n > before.get(t, 0)} <= {"Cached"}


def test_pause_freezes(engine: Client) -> None:
    engine.run("sleep", "1000", name="frozen")
    assert engine.post("/containers/frozen/pause").status == 204
    assert engine.get("/containers/frozen/json").json()["State"]["Status"] == "paused"
    assert engine.post("/containers/frozen/exec", {"Cmd": ["ls"]}).status == 409
    assert engine.post("/containers/frozen/unpause").status == 204
    assert engine.execute("frozen", "echo", "thawed") == b"thawed\n"


def test_a_restart_policy_brings_it_back(engine: Client) -> None:
    policy = {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2}}
    made = engine.run("sh", "-c", "echo again; exit 3", HostConfig=policy)
    for _ in range(20):
        engine.machine.advance(1_000_000_000)
    told = engine.get(f"/containers/{made}/json").json()
    assert (told["RestartCount"], told["State"]["Status"]) == (2, "exited")
    assert engine.logs(made) == b"again\n" * 3


def test_a_health_check_is_an_exec_from_time_to_time(engine: Client) -> None:
    check = {"Test": ["CMD-SHELL", "test -e /well"], "Interval": 1_000_000_000, "Retries": 2}
    engine.run("sleep", "1000", name="patient", Healthcheck=check)
    health = engine.get("/containers/patient/json").json()["State"]["Health"]
    assert health["Status"] == "starting"
    for _ in range(4):
        engine.machine.advance(1_000_000_000)
    told = engine.get("/containers/patient/json").json()["State"]["Health"]
    assert told["Status"] == "unhealthy"
    engine.execute("patient", "touch", "/well")
    for _ in range(2):
        engine.machine.advance(1_000_000_000)
    told = engine.get("/containers/patient/json").json()["State"]["Health"]
    assert told["Status"] == "healthy"


def test_files_go_in_and_out(engine: Client) -> None:
    engine.run("sleep", "1000", name="files")
    engine.execute("files", "sh", "-c", "mkdir /d; echo in > /d/f; rm /etc/group")
    answer = engine.get("/containers/files/archive", path="/d")
    assert answer.status == 200
    assert b"in\n" in answer.body
    put = engine.ask("PUT", "/containers/files/archive", raw=answer.body, path="/tmp")
    assert put.status == 200
    assert engine.execute("files", "cat", "/tmp/d/f") == b"in\n"
    told = {one["Path"]: one["Kind"] for one in engine.get("/containers/files/changes").json()}
    assert told["/d/f"] == 1
    assert told["/etc"] == 0
    assert told["/etc/group"] == 2
    missing = engine.get("/containers/files/archive", path="/nowhere")
    assert missing.message == "Could not find the file /nowhere in container files"


def test_a_client_that_goes_in_the_middle_harms_nothing(engine: Client) -> None:
    engine.run("sh", "-c", "while :; do echo tick; sleep 1; done", name="ticker")
    head = "POST /v1.47/containers/ticker/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\n"
    head += "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"
    fd = engine.send(head.encode())
    assert b"101 UPGRADED" in engine.receive(fd)
    engine.machine.call("close", fd)
    fd = engine.send(b"GET /v1.47/events HTTP/1.1\r\nHost: x\r\n\r\n")
    engine.settle()
    engine.machine.call("close", fd)
    workers = len(engine.machine.land.programs)
    engine.machine.advance(3_000_000_000)
    engine.settle()
    assert len(engine.machine.land.programs) <= workers
    assert unframed(engine.get("/containers/ticker/logs", stdout=1).body).startswith(b"tick\n")
    assert engine.delete("/containers/ticker", force=1).status == 204


def test_namespaces_may_be_shared(engine: Client) -> None:
    engine.run("sleep", "1000", name="owner")
    other = engine.run("sleep", "1000", HostConfig={"NetworkMode": "container:owner"})
    store = engine.machine.kernel.store
    pids = [engine.get(f"/containers/{n}/json").json()["State"]["Pid"] for n in ("owner", other)]
    one, two = (store.row(Task, pid) for pid in pids)
    assert one.ns.net == two.ns.net
    assert one.ns.pid != two.ns.pid


def test_limits_are_the_groups(engine: Client) -> None:
    host = {"Memory": 64 << 20, "PidsLimit": 20}
    engine.run("sleep", "1000", name="limited", HostConfig=host)
    paths = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/pids.max")
    assert engine.execute("limited", "cat", *paths) == b"67108864\n20\n"
    assert engine.post("/containers/limited/update", {"Memory": 128 << 20}).status == 200
    assert engine.execute("limited", "cat", paths[0]) == b"134217728\n"


def test_a_user_by_number_is_in_range(engine: Client) -> None:
    for user in ("-1", "2147483648", "5:2147483648"):
        made = engine.create("true", User=user)
        answer = engine.post(f"/containers/{made}/start")
        assert answer.message == "uids and gids must be in range 0-2147483647"
    made = engine.run("id", User="5:6:7")
    engine.wait(made)
    assert engine.logs(made) == b"uid=5 gid=6 groups=6\n"

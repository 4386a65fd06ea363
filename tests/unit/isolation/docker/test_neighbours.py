"""What a container has of another: links, its IPC, ports and networks that are shared out."""

from engine_client import Client


def said(engine: Client, *cmd: str, **config: object) -> str:
    made = engine.run(*cmd, **config)
    engine.wait(made)
    return engine.logs(made).decode()


def test_a_link_brings_addresses_and_ports_as_variables(engine: Client) -> None:
    ports = {"5432/tcp": {}, "8000/tcp": {}, "8001/tcp": {}, "8002/tcp": {}}
    engine.run("sleep", "1000", name="linked", ExposedPorts=ports, Env=["MODE=fast"])
    ours = {"HostConfig": {"Links": ["linked:my-db"]}, "Env": ["MY_DB_ENV_MODE=own"]}
    made = engine.run("env", name="linking", **ours)
    engine.wait(made)
    told = dict(line.split("=", 1) for line in engine.logs(made).decode().splitlines())
    other = engine.get("/containers/linked/json").json()["NetworkSettings"]["IPAddress"]
    assert told["MY_DB_PORT"] == f"tcp://{other}:5432"
    assert told["MY_DB_PORT_5432_TCP_ADDR"] == other
    assert told["MY_DB_PORT_8000_TCP_START"] == f"tcp://{other}:8000"
    assert told["MY_DB_PORT_8000_TCP_PORT_END"] == "8002"
    assert told["MY_DB_NAME"] == "/linking/my-db"
    assert told["MY_DB_ENV_MODE"] == "own"
    engine.ask("DELETE", "/containers/linked", force=1)


def test_a_domain_is_in_hosts_and_not_in_the_hostname(engine: Client) -> None:
    line = "hostname; cat /etc/hostname; grep mine /etc/hosts | cut -f2; domainname"
    told = said(engine, "sh", "-c", line, Hostname="mine", Domainname="example.org")
    assert told.splitlines() == ["mine", "mine", "mine.example.org mine", "example.org"]


def test_only_a_shareable_ipc_namespace_is_shared(engine: Client) -> None:
    for mode, expected in (("private", 400), ("shareable", 204)):
        engine.run("sleep", "1000", name=mode, HostConfig={"IpcMode": mode})
        made = engine.create("true", HostConfig={"IpcMode": f"container:{mode}"})
        answer = engine.post(f"/containers/{made}/start")
        assert answer.status == expected, answer
        if expected == 400:
            assert "non-shareable IPC (hint: use IpcMode:shareable for the donor" in answer.message
        engine.ask("DELETE", f"/containers/{mode}", force=1)


def test_a_range_of_host_ports_gives_the_first_that_is_free(engine: Client) -> None:
    wanted = {"PortBindings": {"90/tcp": [{"HostPort": "18095-18096"}]}}
    for number, port in enumerate(("18095", "18096")):
        engine.run("sleep", "1000", name=f"port-{number}", HostConfig=wanted)
        told = engine.get(f"/containers/port-{number}/json").json()
        assert told["NetworkSettings"]["Ports"]["90/tcp"][0]["HostPort"] == port
    made = engine.create("true", HostConfig=wanted)
    assert "port is already allocated" in engine.post(f"/containers/{made}/start").message
    for number in range(2):
        engine.ask("DELETE", f"/containers/port-{number}", force=1)
    for text in ("2-1", "99999", "1-99999", "-"):
        host = {"PortBindings": {"90/tcp": [{"HostPort": text}]}}
        answer = engine.post("/containers/create", {"Image": "busybox", "HostConfig": host})
        assert answer.message == f'invalid port specification: "{text}"'


def test_networks_that_do_not_go_together(engine: Client) -> None:
    engine.post("/networks/create", {"Name": "pooled"})
    made = engine.run("sleep", "1000", name="several")
    body = {"Container": made}
    assert engine.post("/networks/none/connect", body).message.startswith(
        "container cannot be connected to multiple networks with one of the networks in private"
    )
    body["EndpointConfig"] = {"IPAMConfig": {"IPv4Address": "172.18.0.77"}}  # type: ignore[assignment]
    assert engine.post("/networks/pooled/connect", body).message == (
        "user specified IP address is supported only when connecting to networks with user"
        " configured subnets"
    )
    swarm = engine.post("/networks/create", {"Name": "x", "Scope": "swarm"})
    assert (swarm.status, swarm.message) == (
        403,
        "cannot create a swarm scoped network when swarm is not active",
    )
    engine.ask("DELETE", "/containers/several", force=1)


def test_a_commit_of_no_change_adds_no_layer(engine: Client) -> None:
    engine.create("true", name="same")
    made = engine.post("/commit", {}, container="same", repo="same").json()["Id"]
    below, above = (engine.get(f"/images/{name}/json").json() for name in ("busybox", made))
    assert above["RootFS"] == below["RootFS"]
    gone = engine.ask("DELETE", "/images/same").json()
    assert [next(iter(one)) for one in gone] == ["Untagged", "Deleted"]


def test_a_place_with_a_slash_is_a_directory(engine: Client) -> None:
    engine.create("true", name="slashed")
    for path, status in (("/etc/passwd", 200), ("/etc/passwd/", 500), ("/etc/", 200)):
        assert engine.ask("HEAD", "/containers/slashed/archive", path=path).status == status

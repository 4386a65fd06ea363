"""Networks and volumes over the API."""

from engine_client import Client


def test_containers_of_a_network_reach_each_other(engine: Client) -> None:
    made = engine.post("/networks/create", {"Name": "ours"})
    assert made.status == 201
    on = {"HostConfig": {"NetworkMode": "ours"}}
    engine.run("sleep", "1000", name="left", **on)
    engine.run("sleep", "1000", name="right", **on)
    told = engine.get("/networks/ours").json()
    assert {one["Name"] for one in told["Containers"].values()} == {"left", "right"}
    answer = engine.delete("/networks/ours")
    assert answer.status == 403
    assert "has active endpoints" in answer.message
    for name in ("left", "right"):
        engine.delete(f"/containers/{name}", force=1)
    assert engine.delete("/networks/ours").status == 204
    assert engine.get("/networks/ours").message == "network ours not found"


def test_a_running_container_gets_and_loses_a_network(engine: Client) -> None:
    engine.post(
        "/networks/create", {"Name": "late", "IPAM": {"Config": [{"Subnet": "10.9.0.0/16"}]}}
    )
    engine.run("sleep", "1000", name="joiner")
    assert engine.post("/networks/late/connect", {"Container": "joiner"}).status == 200
    assert b"10.9.0.2" in engine.execute("joiner", "ip", "addr")
    assert engine.post("/networks/late/connect", {"Container": "joiner"}).status == 403
    assert engine.post("/networks/late/disconnect", {"Container": "joiner"}).status == 200
    assert b"10.9.0.2" not in engine.execute("joiner", "ip", "addr")


def test_predefined_networks_stay(engine: Client) -> None:
    assert engine.delete("/networks/bridge").status == 403
    assert engine.post("/networks/create", {"Name": "host"}).status == 403
    assert engine.post("/networks/create", {"Name": "odd", "Driver": "x"}).status == 404


def test_a_published_port_is_taken(engine: Client) -> None:
    host = {"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}}
    engine.run("sleep", "1000", name="first", HostConfig=host)
    told = engine.get("/containers/json").json()
    ports = next(one["Ports"] for one in told if one["Names"] == ["/first"])
    assert {(p["PrivatePort"], p["PublicPort"]) for p in ports} == {(80, 8080)}
    second = engine.create("sleep", "1000", HostConfig=host)
    answer = engine.post(f"/containers/{second}/start")
    assert answer.status == 500
    assert "port is already allocated" in answer.message


def test_volumes_outlive_containers(engine: Client) -> None:
    bind = {"Binds": ["kept:/data"]}
    engine.wait(engine.run("sh", "-c", "echo hello > /data/f", HostConfig=bind))
    made = engine.run("cat", "/data/f", HostConfig=bind)
    assert engine.wait(made) == 0
    assert engine.logs(made) == b"hello\n"
    answer = engine.delete("/volumes/kept")
    assert answer.status == 409
    assert "volume is in use" in answer.message
    engine.post("/containers/prune")
    assert engine.delete("/volumes/kept").status == 204


def test_an_anonymous_volume_goes_with_rm_v(engine: Client) -> None:
    before = len(engine.get("/volumes").json()["Volumes"])
    made = engine.create("true", Volumes={"/etc": {}})
    assert len(engine.get("/volumes").json()["Volumes"]) == before + 1
    mounted = engine.get(f"/containers/{made}/json").json()["Mounts"][0]
    assert mounted["Destination"] == "/etc"
    engine.delete(f"/containers/{made}", v=1)
    assert len(engine.get("/volumes").json()["Volumes"]) == before


def test_a_bind_mount_shows_the_hosts_files(engine: Client) -> None:
    host = {"Binds": ["/srv/shared:/mnt:ro"]}
    made = engine.run("touch", "/mnt/x", HostConfig=host)
    assert engine.wait(made) == 1
    assert b"Read-only file system" in engine.logs(made)


def test_a_part_of_a_volume_is_mounted(engine: Client) -> None:
    whole = {"Type": "volume", "Source": "parts", "Target": "/v"}
    made = engine.run("sh", "-c", "mkdir -p /v/a/b; echo in > /v/a/b/f; ln -s /etc /v/out",
                      HostConfig={"Mounts": [whole]})  # fmt: skip
    engine.wait(made)

    def of(path: str) -> dict[str, object]:
        return {"Mounts": [{**whole, "VolumeOptions": {"Subpath": path}}]}

    part = engine.run("ls", "/v", HostConfig=of("a/b"))
    engine.wait(part)
    assert engine.logs(part) == b"f\n"
    told = engine.get(f"/containers/{part}/json").json()["Mounts"][0]
    assert told["Source"] == "/var/lib/docker/volumes/parts/_data"
    missing = engine.create("ls", HostConfig=of("none"))
    assert engine.post(f"/containers/{missing}/start").message.startswith(
        "cannot access path /var/lib/docker/volumes/parts/_data/none: lstat"
    )
    escaping = engine.create("ls", HostConfig=of("out"))
    assert engine.post(f"/containers/{escaping}/start").message.startswith(
        "path concatenation escapes the base directory, base: /var/lib/docker/volumes/parts/_data"
    )
    for path in ("/etc", "../x", "a/../../x"):
        body = {"Image": "busybox", "HostConfig": of(path)}
        assert engine.post("/containers/create", body).message.endswith(
            "subpath must be a relative path within the volume"
        )

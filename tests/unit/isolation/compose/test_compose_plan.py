"""What Compose decides to do, and the requests that it makes."""

from typing import Any

import pytest
from test_compose_files import HEAD, load

from simulator.isolation.control.docker.compose import plan, request
from simulator.isolation.control.docker.compose.errors import ComposeError
from simulator.isolation.control.docker.compose.plan import Options, Seen, World
from simulator.isolation.control.docker.compose.project import digest

STACK = """
services:
  web:
    image: web
    depends_on:
      db: {condition: service_healthy}
      job: {condition: service_completed_successfully}
    volumes: [data:/data]
  db: {image: db, networks: [back, default]}
  job: {image: db}
networks: {back: {internal: true}}
volumes: {data: }
"""


def told(actions: list[plan.Action]) -> list[str]:
    return [f"{one.verb} {one.name or one.key}" for one in actions]


def seen(project: Any, service: str, number: int = 1, **changes: Any) -> Seen:
    made = Seen(
        id=f"id-{service}-{number}", name=f"app-{service}-{number}", service=service,
        number=number, state="running", hash=digest(project.services[service]), image="i",
    )  # fmt: skip
    return made._replace(**changes)


def test_everything_in_order() -> None:
    assert told(plan.up(load(STACK), World(), Options())) == [
        "network app_back", "network app_default", "volume app_data", "pull db", "pull web",
        "create app-db-1", "create app-job-1", "create app-web-1",
        "start app-db-1", "start app-job-1", "healthy db", "completed job", "start app-web-1",
    ]  # fmt: skip


def test_what_is_there_stays_and_what_changed_is_made_anew() -> None:
    project = load(STACK)
    world = World(
        (seen(project, "db"), seen(project, "job", state="exited"), seen(project, "web")),
        frozenset({"app_back", "app_default"}), frozenset({"app_data"}), {"db": "i", "web": "i"},
    )  # fmt: skip
    again = plan.up(project, world, Options())
    assert told(again) == ["running app-db-1", "running app-web-1", "start app-job-1"]
    changed = load(STACK.replace("image: web", "image: web\n    user: other"))
    assert "recreate app-web-1" in told(plan.up(changed, world, Options()))
    assert "recreate app-db-1" not in told(plan.up(changed, world, Options()))
    assert "recreate app-web-1" not in told(plan.up(changed, world, Options(keep=True)))
    newer = world._replace(images={"db": "i", "web": "new"})
    assert "recreate app-web-1" in told(plan.up(project, newer, Options()))


def test_scaling_up_and_down() -> None:
    project = load(HEAD)
    many = plan.up(project, World(images={"x": "i"}), Options(scales={"web": 3}))
    assert [t for t in told(many) if t.startswith("create")] == [
        "create app-web-1", "create app-web-2", "create app-web-3"
    ]  # fmt: skip
    world = World(tuple(seen(project, "web", n) for n in (1, 3)), images={"x": "i"})
    fewer = told(plan.up(project, world, Options(scales={"web": 1})))
    assert "remove app-web-3" in fewer
    gap = told(plan.up(project, world, Options(scales={"web": 3})))
    assert "create app-web-2" in gap
    named = load(HEAD + "    container_name: only\n")
    with pytest.raises(ComposeError, match="unique name"):
        plan.up(named, World(images={"x": "i"}), Options(scales={"web": 2}))


def test_down_takes_away_what_up_made() -> None:
    project = load(STACK)
    stray = seen(project, "db")._replace(name="app-old-1", service="old")
    world = World(
        (seen(project, "db"), seen(project, "web"), stray),
        frozenset({"app_default", "bridge"}), frozenset({"app_data"}),
    )  # fmt: skip
    assert told(plan.down(project, world)) == [
        "stop app-web-1", "remove app-web-1", "stop app-db-1", "remove app-db-1",
        "no-network app_default",
    ]  # fmt: skip
    assert "no-volume app_data" in told(plan.down(project, world, volumes=True))
    assert "remove app-old-1" in told(plan.down(project, world, remove_orphans=True))
    assert [one.name for one in plan.orphans(project, world)] == ["app-old-1"]


def test_what_is_external_is_neither_made_nor_removed() -> None:
    text = HEAD + (
        "    networks: [out]\n    volumes: [kept:/k]\n"
        "networks: {out: {external: true}}\nvolumes: {kept: {external: true, name: real}}\n"
    )
    project = load(text)
    with pytest.raises(ComposeError, match="network out declared as external"):
        plan.up(project, World(), Options())
    world = World(networks=frozenset({"out"}), volumes=frozenset({"real"}), images={"x": "i"})
    assert told(plan.up(project, world, Options())) == ["create app-web-1", "start app-web-1"]
    assert plan.down(project, world, volumes=True) == []


def test_images_are_built_pulled_or_there() -> None:
    built = load("services:\n  web:\n    build: .\n")
    assert "build app-web" in told(plan.up(built, World(), Options()))
    there = World(images={"app-web": "i"})
    assert "build app-web" not in told(plan.up(built, there, Options()))
    assert "build app-web" in told(plan.up(built, there, Options(build=True)))
    never = load(HEAD + "    pull_policy: never\n")
    with pytest.raises(ComposeError, match="No such image: x"):
        plan.up(never, World(), Options())


def test_a_service_as_a_request() -> None:
    text = (
        HEAD
        + """
    command: run it
    environment: {A: "1"}
    ports: ["127.0.0.1:8080:80"]
    restart: on-failure:3
    cap_drop: [ALL]
    read_only: true
    tmpfs: /run:size=1m
    healthcheck: {test: [CMD, ok], interval: 2s, retries: 4}
    networks: {default: {aliases: [www], ipv4_address: 10.1.0.9}}
    volumes: [data:/d:ro, ./s:/s, /anon, {type: tmpfs, target: /t, tmpfs: {size: 1m}}]
    deploy: {resources: {limits: {cpus: "0.5", memory: 64M, pids: 9}}}
networks: {default: {ipam: {config: [{subnet: 10.1.0.0/16}]}}}
volumes: {data: }
"""
    )
    project = load(text)
    body = request.body(project, "web", 1, {})
    host = body["HostConfig"]
    assert body["Cmd"] == ["run", "it"]
    assert body["Env"] == ["A=1"]
    assert body["Volumes"] == {"/anon": {}}
    assert body["Healthcheck"]["Interval"] == 2_000_000_000
    assert body["Labels"]["com.docker.compose.service"] == "web"
    assert host["PortBindings"] == {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert host["Binds"] == ["app_data:/d:ro", "/srv/app/s:/s:rw"]
    assert host["Tmpfs"] == {"/run": "size=1m"}
    assert host["Mounts"][0]["TmpfsOptions"] == {"SizeBytes": 1 << 20}
    assert (host["NanoCpus"], host["Memory"], host["PidsLimit"]) == (500_000_000, 64 << 20, 9)
    assert (host["CapDrop"], host["ReadonlyRootfs"]) == (["ALL"], True)
    endpoint = body["NetworkingConfig"]["EndpointsConfig"]["app_default"]
    assert endpoint["Aliases"] == ["app-web-1", "web", "www"]
    assert endpoint["IPAMConfig"] == {"IPv4Address": "10.1.0.9"}
    assert request.network(project, "default")["IPAM"]["Config"] == [{"Subnet": "10.1.0.0/16"}]

"""docker compose typed on the simulated host: from a file to containers, and away again."""

from collections.abc import Callable

import msgspec
import pytest

from simulator.experiment.engine.executor import open_session
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec

Shell = Callable[[str], str]
FILE = """
services:
  web:
    image: busybox
    command: sh -c 'getent hosts db; exec sleep 1000'
    stop_grace_period: 1s
    environment: ["V=${V:-1}"]
    depends_on:
      store: {condition: service_healthy}
      job: {condition: service_completed_successfully}
    volumes: [data:/data]
    secrets: [key]
  store:
    image: busybox
    command: sleep 1000
    stop_grace_period: 1s
    healthcheck: {test: "true", interval: 1s}
    networks: {default: {aliases: [db]}}
  job: {image: busybox, command: "sh -c 'exit ${CODE:-0}'"}
volumes: {data: }
secrets: {key: {environment: SECRET}}
x-kept: {of: file}
"""


@pytest.fixture
def host() -> Shell:
    world = msgspec.structs.replace(load_world(), services=("docker",))
    session = open_session(world, parse_spec("docker"))

    def type_line(line: str) -> str:
        return session.shell("host", f"cd /srv/app; export SECRET=hush; {line}").data.decode()

    session.shell("host", f"mkdir /srv/app; cat > /srv/app/compose.yaml <<'EOF'\n{FILE}EOF\n")
    return type_line


def test_up_down_and_what_lies_between(host: Shell) -> None:
    lines = host("docker compose up -d").splitlines()
    assert lines[0] == " Network app_default  Creating"
    assert lines.index(" Container app-store-1  Healthy") < lines.index(
        " Container app-web-1  Starting"
    )
    assert " Container app-job-1  Exited" in lines
    names = host("docker compose ps --format '{{.Service}} {{.State}}'")
    assert names == "store running\nweb running\n"
    told = [
        msgspec.json.decode(one) for one in host("docker compose ps --format json").splitlines()
    ]
    assert [one["Health"] for one in told] == ["healthy", ""]
    assert told[1] | {"ID": "", "Labels": "", "CreatedAt": ""} == {
        "Command": '"sh -c \'getent hosts…"', "CreatedAt": "", "ExitCode": 0, "Health": "",
        "ID": "",
        "Image": "busybox", "Labels": "", "LocalVolumes": "1", "Mounts": "app_data",
        "Name": "app-web-1", "Names": "app-web-1", "Networks": "app_default", "Ports": "",
        "Project": "app", "Publishers": [], "RunningFor": told[1]["RunningFor"], "Service": "web",
        "Size": "0B", "State": "running", "Status": told[1]["Status"],
    }  # fmt: skip
    assert host("docker compose ps --format 'table {{.Service}}\t{{.Health}}' store").split() == [
        "SERVICE", "HEALTH", "store", "healthy",
    ]  # fmt: skip
    assert host("docker compose top store").splitlines()[0].startswith("SERVICE   #")
    assert host("docker compose exec nope true 2>&1") == 'service "nope" is not running\n'
    assert host("docker compose config").endswith("x-kept:\n  of: file\n")
    assert host("docker compose logs web").endswith("db\n")
    assert host("docker compose exec web cat /run/secrets/key") == "hush"
    assert "1 packets received" in host("docker compose exec web ping -c 1 store")

    before = host("docker ps -q --filter name=app-web")
    assert " Container app-web-1  Running" in host("docker compose up -d").splitlines()
    assert host("docker ps -q --filter name=app-web") == before
    host("docker compose exec web touch /data/kept")
    assert " Container app-web-1  Recreated" in host("V=2 docker compose up -d").splitlines()
    assert host("docker ps -q --filter name=app-web") not in ("", before)
    assert host("docker compose exec web ls /data") == "kept\n"  # the volume outlived it

    host("docker compose scale store=2")
    assert host("docker compose ps -q store | wc -l").strip() == "2"
    assert host("docker compose exec web getent hosts store | wc -l").strip() == "2"
    gone = host("docker compose down -v")
    assert " Volume app_data  Removed" in gone.splitlines()
    assert host("docker ps -aq; docker volume ls -q") == ""
    assert "app_default" not in host("docker network ls")


def test_a_dependency_that_fails_stops_the_others(host: Shell) -> None:
    told = host("CODE=3 docker compose up -d; echo $?")
    assert told.endswith('service "job" didn\'t complete successfully: exit 3\n1\n')
    assert host("docker compose ps -a --format '{{.Name}} {{.State}}' web") == "app-web-1 created\n"


def test_run_is_a_container_more_for_one_command(host: Shell) -> None:
    assert host("docker compose run --rm --no-deps store echo one").endswith("one\n")
    assert host("docker compose run --rm --no-deps store sh -c 'exit 5'; echo $?").endswith("5\n")
    assert host("docker ps -aq") == ""


def test_mistakes(host: Shell) -> None:
    assert "no such service: nosuch" in host("docker compose up nosuch")
    assert host("docker compose exec web true; echo $?") == 'service "web" is not running\n1\n'
    assert host("docker compose -f no.yaml ps; echo $?").endswith("no such file or directory\n14\n")
    assert host("docker compose frob; echo $?").endswith("\n16\n")
    assert host("cd /; docker compose ps") == "no configuration file provided: not found\n"

"""The rarer commands of docker compose v2.32.4, typed on the simulated host."""

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
    command: sleep 1000
    stop_grace_period: 1s
    ports: ["${PORT:-8080}:80"]
    environment: {MODE: "${MODE:?needed}"}
    develop: {watch: [{action: sync, path: ./src, target: /code}]}
  job:
    image: busybox
    command: sh -c 'sleep 3; exit 3'
    profiles: [batch]
"""


@pytest.fixture
def host() -> Shell:
    world = msgspec.structs.replace(load_world(), services=("docker",))
    session = open_session(world, parse_spec("docker"))

    def type_line(line: str) -> str:
        return session.shell("host", f"cd /srv/app; {line}").data.decode()

    session.shell(
        "host", f"mkdir -p /srv/app/src; cat > /srv/app/compose.yaml <<'EOF'\n{FILE}EOF\n"
    )
    type_line("echo MODE=x > .env")
    return type_line


def test_config_in_all_its_forms(host: Shell) -> None:
    written = host("docker compose config --no-interpolate")
    assert "      MODE: ${MODE:?needed}\n" in written
    assert "      - ${PORT:-8080}:80\n" in written
    assert host("docker compose config --variables").splitlines() == [
        "NAME      REQUIRED   DEFAULT VALUE   ALTERNATE VALUE",
        "MODE      true                       ",
        "PORT      false      8080            ",
    ]
    assert host("docker compose config --services") == "web\n"
    assert host("docker compose config --images") == "busybox\n"
    assert host("docker compose config --profiles") == "batch\n"
    assert host("docker compose config --hash web") == host("docker compose config --hash '*'")
    told = msgspec.json.decode(host("docker compose config --format json"))
    assert told["services"]["web"]["environment"] == {"MODE": "x"}
    assert told["services"]["web"]["develop"]["watch"][0]["path"] == "/srv/app/src"
    assert host("docker compose config --format xml") == 'unsupported format "xml"\n'
    assert host("docker compose config -o out.yaml; head -1 out.yaml") == "name: app\n"


def test_cp_goes_both_ways(host: Shell) -> None:
    host("docker compose up -d; echo hello > note")
    assert host("docker compose cp note web:/tmp/there").splitlines() == [
        " app-web-1 copy note to app-web-1:/tmp/there Copying",
        " app-web-1 copy note to app-web-1:/tmp/there Copied",
    ]
    host("docker compose cp note web:/tmp")
    assert host("docker compose exec web cat /tmp/there /tmp/note") == "hello\nhello\n"
    host("docker compose cp web:/tmp/there back; mkdir d; docker compose cp web:/tmp/there d")
    assert host("cat back d/there") == "hello\nhello\n"
    assert host("docker compose cp web:/tmp/note - 2>/dev/null | tar t") == "note\n"
    assert host("docker compose cp web:a web:b") == "copying between services is not supported\n"
    assert host("docker compose cp a b") == "unknown copy direction\n"
    assert host("docker compose cp nope:/x .") == 'no container found for service "nope"\n'


def test_events_and_statistics(host: Shell) -> None:
    host("docker compose up -d")
    told = host("docker compose events --since 1h --until 0s").splitlines()
    assert [line.split()[3] for line in told if line] == ["create", "start"]
    assert told[0].endswith("(image=busybox, name=app-web-1, vitrina.simulated=true)")
    line = host("docker compose events --json --since 1h --until 0s").splitlines()[-1]
    one = msgspec.json.decode(line)
    assert (one["action"], one["service"], one["type"]) == ("start", "web", "container")
    titles, row = host("docker compose stats --no-stream").splitlines()
    assert titles.startswith("CONTAINER ID   NAME        CPU %")
    assert "app-web-1" in row
    assert host("docker compose stats --no-stream --format '{{.Name}} {{.PIDs}}'") == (
        "app-web-1 1\n"
    )


def test_wait_and_exit_codes(host: Shell) -> None:
    host("docker compose --profile batch up -d")
    told = host("docker compose wait job; echo $?")
    assert told.endswith('" exited with status code 3\n3\n')
    assert host("docker compose wait nope") == "no such service: nope\n"
    told = host("docker compose --profile batch up --exit-code-from job job; echo $?")
    assert told.splitlines()[-5:] == [
        "job-1 exited with code 3",
        "Aborting on container exit...",
        " Container app-job-1  Stopping",
        " Container app-job-1  Stopped",
        "3",
    ]
    assert host("docker compose up -d --abort-on-container-exit").startswith(
        "--detach cannot be combined with --abort-on-container-exit"
    )


def test_watch_carries_changes_over(host: Shell) -> None:
    host("docker compose watch web > log 2>&1 & sleep 3; echo one > src/a; sleep 3")
    assert host("docker compose exec web cat /code/a") == "one\n"
    host("rm src/a; sleep 3")
    assert host("tail -n 3 log").splitlines() == [
        "        ⦿ Watch enabled",
        '        ⦿ Syncing service "web" after 1 changes were detected',
        '        ⦿ Syncing service "web" after 1 changes were detected',
    ]
    assert host("docker compose exec web ls /code") == ""


def test_lists_can_be_filtered_and_formatted(host: Shell) -> None:
    host("docker compose --profile batch up -d; sleep 5")
    assert host("docker compose ps --status exited --format '{{.Name}}'") == "app-job-1\n"
    assert host("docker compose ps --filter status=running --format '{{.Name}}'") == "app-web-1\n"
    assert host("docker compose ps --filter name=x") == "unknown filter name\n"
    assert host("docker compose ls -a --format json") == (
        '[{"Name":"app","Status":"exited(1), running(1)","ConfigFiles":"/srv/app/compose.yaml"}]\n'
    )
    assert host("docker compose ls -q --filter name=zzz") == ""
    images = msgspec.json.decode(host("docker compose images --format json"))
    assert [one["Repository"] for one in images] == ["busybox", "busybox"]
    assert host("docker compose images -q").count("\n") == 1
    assert host("docker compose version --format json") == '{"version":"v2.32.4"}\n'


def test_one_more_container_for_a_command(host: Shell) -> None:
    name = host("docker compose run -d -l a=b -p 9999:80 web").split()[-1]
    assert name.startswith("app-web-run-")
    assert "9999->80/tcp" in host(f"docker port {name}; docker ps").replace("0.0.0.0:", "")
    assert host(f"docker inspect -f '{{{{.Config.Labels.a}}}}' {name}") == "b\n"


def test_what_is_not_there_says_so(host: Shell) -> None:
    assert host("docker compose push; echo $?") == "docker compose push: not simulated\n1\n"
    assert host("docker compose cp --help").startswith("Usage:  docker compose cp [OPTIONS]\n")


@pytest.mark.parametrize("since", ["10 minutes", "yesterday", "1x"])
def test_a_time_that_is_none(host: Shell, since: str) -> None:
    told = f'failed to parse value as time or duration: "{since}"\n'
    assert host(f"docker events --since '{since}'") == told

"""The simulated docker command, typed on the simulated host, against the simulated dockerd."""

from collections.abc import Callable

import msgspec
import pytest

from simulator.experiment.engine.executor import open_session
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.control.docker.client.tables import template
from simulator.isolation.control.docker.client.wire import ClientError
from simulator.isolation.technologies.registry import parse_spec

Shell = Callable[[str], str]


@pytest.fixture
def host() -> Shell:
    world = msgspec.structs.replace(load_world(), services=("docker",))
    session = open_session(world, parse_spec("docker"))

    def type_line(line: str) -> str:
        done = session.shell("host", line)
        return done.data.decode()

    type_line("docker pull -q busybox")
    return type_line


def test_run_prints_and_exits_as_the_program(host: Shell) -> None:
    assert host("docker run --rm busybox echo hi") == "hi\n"
    assert host("docker run --rm busybox sh -c 'exit 3'; echo $?") == "3\n"
    assert host("echo typed | docker run -i --rm busybox cat") == "typed\n"
    told = host("docker run --rm busybox nosuch; echo $?")
    assert 'exec: "nosuch": executable file not found in $PATH' in told
    assert told.endswith("\n127\n")
    assert host("ps -o comm | grep -c docker$") == "0\n"


def test_a_container_from_birth_to_removal(host: Shell) -> None:
    assert len(host("docker run -d --name web busybox sleep 1000").strip()) == 64
    assert (
        host("docker ps -f name=web --format '{{.Names}} {{.Image}} {{.State}}'")
        == "web busybox running\n"
    )
    assert host("docker exec -e X=y -w /tmp web sh -c 'echo $X; pwd'") == "y\n/tmp\n"
    assert host("docker exec web touch /new; docker diff web") == "A /new\n"
    assert host("docker inspect -f '{{json .Config.Cmd}}' web") == '["sleep","1000"]\n'
    assert "cannot remove container" in host("docker rm web")
    assert host("docker stop -t 1 web; docker wait web; docker rm web") == "web\n137\nweb\n"
    assert host("docker ps -aq") == ""


def test_tables_are_the_clients(host: Shell) -> None:
    titles = host("docker images").splitlines()[0].split()
    assert titles == ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "SIZE"]
    names = {line.split()[1] for line in host("docker network ls").splitlines()[1:]}
    assert names == {"bridge", "host", "none"}


def test_access_to_the_socket_is_root_on_the_host(host: Shell) -> None:
    mounted = "docker run --rm -v /:/host busybox cat /host/srv/canary/secret"
    assert host(mounted) == "canary-quartz-lantern-meadow-owl"
    refused = host("su user -c 'docker ps'")
    assert "permission denied while trying to connect to the Docker daemon socket" in refused


def test_mistakes_are_told_in_the_clients_words(host: Shell) -> None:
    assert host("docker frob 2>&1").startswith("docker: unknown command: docker frob")
    assert host("docker run --frob busybox; echo $?").startswith("unknown flag: --frob\n")
    assert host("docker logs nosuch") == ("Error response from daemon: No such container: nosuch\n")
    unreachable = host("docker -H unix:///nowhere.sock ps")
    assert unreachable.startswith("Cannot connect to the Docker daemon at unix:///nowhere.sock.")


def test_rights_added_to_none_are_those_rights(host: Shell) -> None:
    line = "docker run --rm {} busybox grep CapEff /proc/self/status"
    assert host(line.format("--cap-add CHOWN --cap-drop ALL")).split()[1] == "0" * 15 + "1"
    assert host(line.format("--cap-add ALL --cap-drop CHOWN")).split()[1] == "000001fffffffffe"


def test_a_platform_is_asked_for_and_its_programs_do_not_run_here(host: Shell) -> None:
    asked = host("docker run --rm --platform linux/arm64 alpine uname -m; echo $?")
    assert "exec format error" in asked
    assert asked.endswith("\n255\n")
    refused = host("docker run --rm --platform linux/arm64 busybox true")
    assert "was found but its platform (linux/amd64) does not match" in refused


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("{{.Name}} {{.State.Running}} {{.None}}", "/web true <no value>"),
        ("{{json .Ports}}", '{"80/tcp":[{"HostPort":"8080"}],"81/tcp":null}'),
        ("{{range $p, $c := .Ports}}{{$p}}{{with $c}}={{(index . 0).HostPort}}{{end}};{{end}}",
         "80/tcp=8080;81/tcp;"),
        ("{{range .Cmd}}<{{.}}>{{else}}nothing{{end}}", "<a><b c>"),
        ("{{range .Empty}}x{{else}}nothing{{end}}", "nothing"),
        ('{{join .Cmd ","}} {{index .Labels "a.b"}} {{len .Cmd}} {{.Cmd}} {{.Labels}}',
         "a,b c x 2 [a b c] map[a.b:x]"),
        ("{{if eq .Code 0}}ok{{else if gt .Code 100}}killed{{else}}bad{{end}}", "killed"),
        ("{{if and .State.Running (not .Empty)}}up{{end}}", "up"),
        ('{{.Name | printf "%-6s|" | upper}}{{slice .Name 1 3}}', "/WEB  |we"),
        ("a {{- /* nothing */ -}} b{{println .Code}}", "ab137\n"),
        ('{{$n := .Name}}{{range split "x-y" "-"}}{{$n}}{{.}} {{end}}', "/webx /weby "),
        ("json", '{"Name":'),
    ],
)  # fmt: skip
def test_templates_are_gos(form: str, told: str) -> None:
    value = {
        "Name": "/web", "State": {"Running": True}, "None": None, "Code": 137, "Empty": [],
        "Cmd": ["a", "b c"], "Labels": {"a.b": "x"},
        "Ports": {"80/tcp": [{"HostPort": "8080"}], "81/tcp": None},
    }  # fmt: skip
    assert template(form, value)[: len(told)] == told


@pytest.mark.parametrize("form", ["{{.Nosuch}}", "{{range .Cmd}}", "{{frob .}}", "{{", "{{end}}"])
def test_wrong_templates_are_refused(form: str) -> None:
    with pytest.raises(ClientError, match="template"):
        template(form, {"Cmd": []})


def test_what_things_take_and_what_a_prune_gives_back(host: Shell) -> None:
    host("docker run -d --name busy busybox sh -c 'while :; do :; done'")
    host("docker run -d --name web busybox sleep 1000")
    rows = host("docker stats --no-stream --format '{{.Name}} {{.CPUPerc}} {{.PIDs}}'").splitlines()
    assert rows[0].startswith("web 0.00% 1")
    assert 90 < float(rows[1].split()[1].rstrip("%")) <= 101
    used = host("docker stats --no-stream --format '{{.MemUsage}}' web")
    assert used.partition(" / ")[0] not in ("0B", "")
    # A container without limits has none for the swap either, so both are to be given
    assert "update the memoryswap at the same time" in host("docker update --memory 64m web 2>&1")
    grown = "docker update --memory 64m --memory-swap 128m --restart always web"
    assert host(grown) == "web\n"
    assert host("docker inspect -f '{{.HostConfig.Memory}}' web") == "67108864\n"
    assert host("docker rm -f busy") == "busy\n"
    table = host("docker system df")
    assert table.splitlines()[0].split() == ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"]
    assert "Images          1         1" in table
    host("docker create --name over busybox")
    gone = host("docker container prune -f")
    assert gone.startswith("Deleted Containers:\n")
    assert gone.endswith("\nTotal reclaimed space: 0B\n")
    names = host("docker ps -f name=web --format 'table {{.Names}}\\t{{.State}}'")
    assert names == "NAMES     STATE\nweb       running\n"


def test_a_registry_of_ones_own_and_a_published_udp_port(host: Shell) -> None:
    """The session's own sandbox has an address of the bridge: nobody else may get it."""
    host("docker run -d -p 5000:5000 --name reg registry:2")
    host("docker tag busybox localhost:5000/mine:1")
    pushed = host("docker push localhost:5000/mine:1; echo $?")
    assert "\n1: digest: sha256:" in pushed
    assert pushed.endswith("\n0\n")
    host("docker rmi localhost:5000/mine:1")
    assert host("docker pull -q localhost:5000/mine:1") == "localhost:5000/mine:1\n"
    sent, received = host("docker stats --no-stream --format '{{.NetIO}}' reg").split(" / ")
    assert "0B" not in (sent, received.strip())
    host("docker run -d -p 5353:53/udp --name names busybox sleep 1000")
    assert ":14E9 00000000:0000" in host("cat /proc/net/udp")


def test_the_sandbox_of_the_session_is_one_of_dockers(host: Shell) -> None:
    assert host("docker ps -q") == ""  # a lesson counts what the student made
    world = msgspec.structs.replace(load_world(), services=("docker",), announced=True)
    session = open_session(world, parse_spec("docker"))
    listed = session.shell("host", "docker ps --format '{{.Names}} {{.State}}'").data.decode()
    assert "guest running" in listed.splitlines()
    assert host("docker exec guest cat /proc/1/comm") == "sh\n"
    assert host("docker kill guest") == "guest\n"
    assert host("docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' guest") == "exited 137\n"


def test_docker_proxy_says_what_it_wants(host: Shell) -> None:
    told = host("docker-proxy -bogus; echo $?").splitlines()
    assert told[:2] == ["flag provided but not defined: -bogus", "Usage of docker-proxy:"]
    assert told[-1] == "2"
    assert host("docker-proxy; echo $?") == "1\n"
    assert host("docker-proxy -proto foo; echo $?") == "unsupported protocol foo\n1\n"


def test_a_mount_option_is_read_as_the_clients(host: Shell) -> None:
    why = 'docker: invalid argument "{0}" for "--mount" flag: {1}'
    for text, told in (
        ("type=bind,dst=/x,what=1", "unexpected key 'what' in 'what=1'"),
        ("dst", "invalid field 'dst' must be a key=value pair"),
        ("type=bind,src=/x", "target is required"),
        ("type=tmpfs,dst=/x,bind-propagation=shared",
         "cannot mix 'bind-*' options with mount type 'tmpfs'"),
        ("type=bind,src=/srv,dst=/x,bind-recursive=readonly",
         "option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction"),
    ):  # fmt: skip
        out = host(f"docker run --rm --mount {text} busybox true; echo $?").splitlines()
        assert (out[0], out[-1]) == (why.format(text, told), "125")

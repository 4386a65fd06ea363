"""What the simulated docker prints for ``--format`` and for mistakes, as the real one's 28.2 does.

Each line was compared with the real client on the same engine, but for its version and words of
27.5 (``template parsing error`` before what a list's template lacks).
"""

import pytest
from engine_client import Client

HOST = {"NetworkMode": "host", "Privileged": True, "Binds": ["/:/host"]}


def typed(engine: Client, line: str) -> str:
    quoted = line.replace("'", "'\\''")
    return engine.execute("op", "chroot", "/host", "sh", "-c", f"sh -c '{quoted}' 2>&1").decode()


@pytest.fixture(scope="module")
def desk(engine: Client) -> Client:
    engine.run("sleep", "100000", name="op", HostConfig=HOST)
    ports = {"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}, "Binds": ["vol:/data"]}
    labels = {"x": "y", "com.z": "w"}
    engine.run("sleep", "100000", name="web", HostConfig=ports, Labels=labels)
    return engine


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ('{{.Names | upper}} {{join (split .Ports ",") "-"}} {{.Label "x"}}',
         "WEB 0.0.0.0:8080->80/tcp- [::]:8080->80/tcp y"),
        ('{{range $i, $p := split .Ports ","}}{{$i}}={{$p}};{{end}}',
         "0=0.0.0.0:8080->80/tcp;1= [::]:8080->80/tcp;"),
        ("{{.LocalVolumes}} {{.Mounts}} {{.Networks}} {{.Size}}",
         "1 vol bridge 0B (virtual 4.27MB)"),
        ('{{index (split .Image "s") 0}} {{printf "%-5s|%6s" .Names .State}} {{title .State}}',
         "bu web  |running Running"),
        ("{{pad .Names 2 3}}{{truncate .Names 2}}", "  web   we"),
        ("{{.Nope}}", 'template parsing error: template: :1:2: executing "" at <.Nope>: can\'t'
         " evaluate field Nope in type *formatter.ContainerContext"),
        ("{{nope .}}", 'template parsing error: template: :1: function "nope" not defined'),
        ("{{", "template parsing error: template: :1: unclosed action"),
    ],
)  # fmt: skip
def test_a_template_of_a_list(desk: Client, template: str, told: str) -> None:
    assert typed(desk, f"docker ps --filter name=web --format '{template}'") == f"{told}\n"


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{{range $k, $v := .NetworkSettings.Networks}}{{$k}}{{end}}", "bridge"),
        ('{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}', "8080"),
        ('{{index .Config.Labels "x"}}{{index .Config.Labels "none"}}', "y"),
        ("{{.Config.Volumes}} {{.HostConfig.CapAdd}} {{.State.Running}}", "map[] [] true"),
        ('{{if eq .State.Running true}}up{{else}}down{{end}} {{print "a" 1 2 "b"}} {{print 1 2}}',
         "up a1 2b 1 2"),
        ('{{printf "%q %v %05.1f %x %t %d" .Name .State.Running 3.14159 255 true "s"}}',
         '"/web" true 003.1 ff true %!d(string=s)'),
        ('{{html "<a>"}} {{urlquery "a b"}} {{slice .Name 1}} {{len .Mounts}}',
         "&lt;a&gt; a+b web 1"),
        ("{{range .Mounts}}{{.Type}}{{break}}x{{end}}{{json .Config.Labels.x}}", 'volume"y"'),
        ("{{.NoSuch}}", '\ntemplate parsing error: template: :1:2: executing "" at <.NoSuch>: map'
         ' has no entry for key "NoSuch"'),
        ("{{.State.NoSuch}}", '\ntemplate parsing error: template: :1:8: executing "" at'
         ' <.State.NoSuch>: map has no entry for key "NoSuch"'),
        ("{{break}}", "template parsing error: template: :1: {{break}} outside {{range}}"),
    ],
)  # fmt: skip
def test_a_template_of_an_object(desk: Client, template: str, told: str) -> None:
    assert typed(desk, f"docker inspect -f '{template}' web") == f"{told}\n"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("ps --format raw --filter name=web", "container_id: "),
        ("network ls --format '{{.Name}} {{.Internal}} {{.IPv6}}'", "bridge false false\n"),
        ("volume ls --format '{{.Name}} {{.Mountpoint}}'",
         "vol /var/lib/docker/volumes/vol/_data\n"),
        ("images --digests --format '{{.Repository}} {{.Digest}}'", "busybox sha256:"),
        ("port web 80", "0.0.0.0:8080\n[::]:8080\n"),
        ("port web 81", "Error: No public port '81' published for web\n"),
        ("inspect nosuch", "[]\nError: No such object: nosuch\n"),
        ("volume inspect nosuch", "[]\nError response from daemon: get nosuch: no such volume\n"),
        ("ps extra", "docker: 'docker ps' accepts no arguments\n\nUsage:  docker ps [OPTIONS]\n\n"
         "Run 'docker ps --help' for more information\n"),
        ("run", "docker: 'docker run' requires at least 1 argument\n\nUsage:  docker run [OPTIONS]"
         " IMAGE [COMMAND] [ARG...]\n\n"),
        ("run --nope x", "unknown flag: --nope\n\nUsage:  docker run [OPTIONS] IMAGE"),
        ("rename nosuch y", "Error response from daemon: No such container: nosuch\n"
         "Error: failed to rename container named nosuch\n"),
        ("update web", "you must provide one or more flags when using this command\n"),
        ("load -i /nosuch", "open /nosuch: no such file or directory\n"),
        ("container frob", "docker: unknown command: docker container frob\n"),
        ("service ls", "Error response from daemon: This node is not a swarm manager."),
        ("buildx ls", "docker buildx: not simulated\n"),
        ("volume", "Usage:  docker volume COMMAND\n"),
        ("run --help", "Usage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]\n"),
        ("history -H=false busybox", "IMAGE          CREATED AT"),
        ("search --limit 1 --format '{{.Name}}' red", "redis\n"),
        ("logs --since nothing web", 'invalid value for "since": failed to parse value as time or'
         ' duration: "nothing"\n'),
        ("top web", "UID                 PID                 PPID                C"),
    ],
)  # fmt: skip
def test_lists_objects_and_mistakes(desk: Client, line: str, told: str) -> None:
    said = typed(desk, f"docker {line}")
    assert said.startswith(told), said


def test_information_is_complete(desk: Client) -> None:
    told = typed(desk, "docker info")
    for line in (
        "Client:",
        "  Backing Filesystem: extfs",
        " Swarm: inactive",
        "   Profile: builtin",
    ):
        assert f"{line}\n" in told
    assert " Built:             Wed Jan 22" in typed(desk, "docker version")

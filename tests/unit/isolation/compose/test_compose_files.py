"""Reading Compose files: interpolation, the schema, merging, long forms, order."""

import asyncio
from typing import Any

import pytest

from simulator.isolation.control.docker.compose import interpolate, normal
from simulator.isolation.control.docker.compose.errors import ComposeError
from simulator.isolation.control.docker.compose.loading import Loader, parse
from simulator.isolation.control.docker.compose.printing import printed
from simulator.isolation.control.docker.compose.project import Project, digest

HEAD = "services:\n  web:\n    image: x\n"


def load(
    *texts: str,
    env: dict[str, str] | None = None,
    more: dict[str, str] | None = None,
    warnings: list[str] | None = None,
    **options: Any,
) -> Project:
    names = [f"/srv/app/{number}.yaml" for number in range(len(texts))]
    files = dict(zip(names, texts, strict=True)) | (more or {})

    async def read(path: str) -> str | None:
        return files.get(path)

    told: list[str] = [] if warnings is None else warnings
    return asyncio.run(Loader(read, env or {}, told.append).project(names, "/srv/app", **options))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A", "1"), ("${A}", "1"), ("$$A", "$A"), ("a${A}b", "a1b"), ("${B:-d}", "d"),
        ("${E:-d}", "d"), ("${E-d}", ""), ("${B-d}", "d"), ("${A:+r}", "r"), ("${E:+r}", ""),
        ("${E+r}", "r"), ("${B:-${A}}", "1"), ("${B:-x${C:-y}}", "xy"), ("${A:?no}", "1"),
    ],
)  # fmt: skip
def test_variables(text: str, expected: str) -> None:
    assert interpolate.text(text, {"A": "1", "E": ""}, lambda _text: None) == expected


def test_an_env_file() -> None:
    text = "# c\nexport A=1\nB='$A'\nC=\"x $A\\n\"\nD = y # why\nE\n"
    found = interpolate.env_file(text, {}, lambda _text: None)
    assert found == {"A": "1", "B": "$A", "C": "x 1\n", "D": "y", "E": None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + "    prots: []\n", "services.web additional properties 'prots' not allowed"),
        (HEAD + "    ports: 80\n", "services.web.ports must be a list"),
        ("services: []\n", "services must be a mapping"),
        (HEAD + "servcies: {}\n", "additional properties 'servcies' not allowed"),
        ("- a\n", "top-level object must be a mapping"),
        (HEAD + "    x: [\n", "yaml: line"),
        (HEAD + "    image: y\n", "yaml: line"),
        ("services:\n  web: {}\n", "has neither an image nor a build context specified"),
        (HEAD + "    depends_on: [db]\n", 'service "web" depends on undefined service "db"'),
        (HEAD + "    volumes: [data:/d]\n", 'service "web" refers to undefined volume data'),
        (HEAD + "    networks: [back]\n", 'service "web" refers to undefined network back'),
        (HEAD + "    secrets: [key]\n", 'service "web" refers to undefined secret key'),
        (HEAD + "    ports: ['a:b']\n", "invalid containerPort: a:b"),
        (HEAD + "    hostname: ${H:?say}\n", "required variable H is missing a value: say"),
        (HEAD + "    hostname: ${\n", "invalid interpolation format for services.web.hostname"),
        (HEAD + "    depends_on: [web]\n", "dependency cycle detected: web -> web"),
        (HEAD + "    network_mode: host\n    networks: [default]\n", "mutually exclusive"),
    ],
)
def test_a_mistake_is_one_line_that_says_where(text: str, expected: str) -> None:
    with pytest.raises(ComposeError) as caught:
        load(text)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_variable_that_is_not_set_is_warned_about_once() -> None:
    told: list[str] = []
    found = load(HEAD + "    hostname: a$H\n    user: u$H\n", warnings=told)
    assert found.services["web"]["hostname"] == "a"
    assert told == ['The "H" variable is not set. Defaulting to a blank string.']


def test_short_forms_become_long() -> None:
    assert normal.port("127.0.0.1:80-81:90-91/udp", "web") == [
        {"mode": "ingress", "target": 90 + n, "protocol": "udp", "host_ip": "127.0.0.1",
         "published": str(80 + n)} for n in (0, 1)
    ]  # fmt: skip
    mount = normal.volume("./a:/b:ro", "/srv")
    assert (mount["type"], mount["source"], mount["read_only"]) == ("bind", "/srv/a", True)
    assert normal.volume("/b", "/srv") == {"type": "volume", "target": "/b", "volume": {}}
    assert normal.nanoseconds("1m30s") == 90_000_000_000
    assert normal.size("64m") == 64 << 20


def test_a_second_file_is_laid_over_the_first() -> None:
    below = HEAD + (
        "    command: [a, b]\n    ports: ['80:80']\n    environment: {A: '1', B: '2'}\n"
        "    labels: [x=1]\n    volumes: [/one, d:/two]\nvolumes: {d: {}}\n"
    )
    above = (
        "services:\n  web:\n    command: c\n    ports: ['81:81']\n    environment: [B=3]\n"
        "    labels: !reset []\n    volumes: ['./h:/two']\n"
    )
    web = load(below, above).services["web"]
    assert web["command"] == ["c"]
    assert [one["published"] for one in web["ports"]] == ["80", "81"]
    assert web["environment"] == {"A": "1", "B": "3"}
    assert "labels" not in web
    assert [one["type"] for one in web["volumes"]] == ["volume", "bind"]


def test_extends_includes_and_extensions() -> None:
    base = "services:\n  base:\n    image: y\n    environment: {A: '1'}\n    user: u\n"
    text = (
        "include: [other/c.yaml]\nx-e: &e\n  restart: always\nservices:\n  web:\n    <<: *e\n"
        "    extends: {file: base.yaml, service: base}\n    environment: {B: '2'}\n"
    )
    more = {"/srv/app/base.yaml": base, "/srv/app/other/c.yaml": "services: {db: {build: .}}\n"}
    found = load(text, more=more)
    web = found.services["web"]
    assert (web["image"], web["user"], web["restart"]) == ("y", "u", "always")
    assert web["environment"] == {"A": "1", "B": "2"}
    assert found.services["db"]["build"]["context"] == "/srv/app/other"


def test_dot_env_and_env_files() -> None:
    more = {"/srv/app/.env": "TAG=7\nA=dot\n", "/srv/app/web.env": "A=file\nC=$TAG\n"}
    text = "services:\n  web:\n    image: x:$TAG\n    env_file: web.env\n    environment: [B, Z]\n"
    web = load(text, more=more, env={"B": "shell"}).services["web"]
    assert web["image"] == "x:7"
    assert web["environment"] == {"A": "file", "C": "7", "B": "shell"}
    with pytest.raises(ComposeError, match=r"env file /srv/app/web.env not found"):
        load(text)


def test_profiles_and_names() -> None:
    text = HEAD + "  tool:\n    image: y\n    profiles: [debug]\n"
    assert list(load(text).services) == ["web"]
    assert set(load(text, profiles=("debug",)).services) == {"web", "tool"}
    assert set(load(text, wanted=("tool",)).services) == {"web", "tool"}
    assert load(text).name == "app"
    assert load("name: own\n" + text).name == "own"
    assert load("name: own\n" + text, name="given").name == "given"
    with pytest.raises(ComposeError, match="invalid project name"):
        load(text, name="No")


def test_order_follows_dependencies() -> None:
    text = (
        "services:\n  a: {image: x, depends_on: [b, c]}\n  b: {image: x, depends_on: [d]}\n"
        "  c: {image: x}\n  d: {image: x, network_mode: 'service:c'}\n  z: {image: x}\n"
    )
    found = load(text)
    assert found.order() == ["c", "d", "b", "a", "z"]
    assert found.order(["b"]) == ["c", "d", "b"]
    assert found.order(["b"], alone=True) == ["b"]
    with pytest.raises(ComposeError, match="no such service: q"):
        found.order(["q"])


def test_a_hash_is_of_what_matters() -> None:
    one = load(HEAD + "    deploy: {replicas: 1}\n").services["web"]
    many = load(HEAD + "    deploy: {replicas: 3}\n").services["web"]
    other = load(HEAD + "    user: u\n").services["web"]
    assert digest(one) == digest(many) != digest(other)


def test_what_config_prints_can_be_read_again() -> None:
    found = load(HEAD + "    ports: ['80:80']\n    environment: {A: 'yes', B: '1'}\n")
    tree = {"name": found.name, "services": found.services, "networks": found.networks}
    again = load(printed(tree))
    assert again.services == found.services
    assert parse("a: yes\nb: 010\n", "f") == {"a": "yes", "b": 10}


def test_what_is_printed_is_as_compose_2_prints_it() -> None:
    """Recorded of docker compose 2.40 for the same file."""
    found = load(
        HEAD
        + '    restart: "no"\n    command: ["sh", "-c", "echo $$A\\nsleep 1"]\n    mem_limit: 64m\n'
        + "    ports: ['80:80']\n    cpus: 0.5\n    secrets: [pw]\n    healthcheck:\n"
        + '      test: ["CMD", "true"]\n      interval: 5s\n      retries: 5\n'
        + "secrets:\n  pw:\n    file: /pw.txt\n"
    )
    service = found.services[next(iter(found.services))]
    text = printed({"name": "p", "services": {"s": service}, "secrets": found.secrets})
    assert text.startswith("name: p\nservices:\n  s:\n")
    for part in (
        '    restart: "no"\n',
        "    command:\n      - sh\n      - -c\n      - |-\n        echo $$A\n        sleep 1\n",
        '    mem_limit: "67108864"\n',
        '      - mode: ingress\n        target: 80\n        published: "80"\n        protocol: tcp',
        '      test:\n        - CMD\n        - "true"\n      interval: 5s\n      retries: 5\n',
        "      - source: pw\n        target: /run/secrets/pw\n",
        "secrets:\n  pw:\n    name: p_pw\n    file: /pw.txt\n",
    ):
        assert part in text, text
    assert text.index("cpus: 0.5") < text.index("command:")

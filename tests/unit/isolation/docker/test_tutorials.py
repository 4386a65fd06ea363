"""Tutorials of Docker's manual, typed on the simulated host: workshop, Compose, volumes."""

from collections.abc import Callable

import msgspec
import pytest

from simulator.experiment.engine.executor import open_session
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec

Shell = Callable[[str], str]
DOCKERFILE = """\
# syntax=docker/dockerfile:1

FROM node:24-alpine
WORKDIR /app
COPY . .
RUN npm install --omit=dev
CMD ["node", "src/index.js"]
EXPOSE 3000
"""
QUICKSTART = {
    "app.py": """\
import time

import redis
from flask import Flask

app = Flask(__name__)
cache = redis.Redis(host='redis', port=6379)

def get_hit_count():
    retries = 5
    while True:
        try:
            return cache.incr('hits')
        except redis.exceptions.ConnectionError as exc:
            if retries == 0:
                raise exc
            retries -= 1
            time.sleep(0.5)

@app.route('/')
def hello():
    count = get_hit_count()
    return 'Hello World! I have been seen {} times.\\n'.format(count)
""",
    "requirements.txt": "flask\nredis\n",
    "Dockerfile": """\
# syntax=docker/dockerfile:1
FROM python:3.10-alpine
WORKDIR /code
ENV FLASK_APP=app.py
ENV FLASK_RUN_HOST=0.0.0.0
RUN apk add --no-cache gcc musl-dev linux-headers
COPY requirements.txt requirements.txt
RUN pip install -r requirements.txt
EXPOSE 5000
COPY . .
CMD ["flask", "run", "--debug"]
""",
    "compose.yaml": """\
services:
  web:
    build: .
    ports:
      - "8000:5000"
  redis:
    image: "redis:alpine"
""",
}


@pytest.fixture
def host() -> Shell:
    world = msgspec.structs.replace(load_world(), services=("docker",))
    session = open_session(world, parse_spec("docker"))
    place = "/srv"

    def type_line(line: str) -> str:
        nonlocal place
        if line.startswith("cd "):
            place = line.removeprefix("cd ")
        return session.shell("host", f"cd {place}; {line}").data.decode()

    return type_line


def write(host: Shell, name: str, text: str) -> None:
    host(f"cat > {name} <<'END'\n{text}END\n")


def test_the_workshop_s_application(host: Shell) -> None:
    told = host("git clone https://github.com/docker/getting-started-app.git")
    assert told == "Cloning into 'getting-started-app'...\n"
    host("cd /srv/getting-started-app")
    write(host, "Dockerfile", DOCKERFILE)
    assert host("docker build -t getting-started .").endswith(
        "Successfully tagged getting-started:latest\n"
    )
    host("docker run -d -p 127.0.0.1:3000:3000 getting-started")
    assert "127.0.0.1:3000->3000/tcp" in host("docker ps")
    assert host("docker logs $(docker ps -q)").splitlines() == [
        "node: src/index.js: not simulated: this node runs no programs; a stand-in listens on port"
        " 3000 in its place",
        "Listening on port 3000",
    ]
    assert "No items yet" in host("curl -s localhost:3000/js/app.js")
    host("sed -i 's/No items yet/You have no todo items yet/' src/static/js/app.js")
    assert "Using cache" in host("docker build -t getting-started .")
    told = host("docker run -dp 127.0.0.1:3000:3000 getting-started")
    assert "Bind for 127.0.0.1:3000 failed: port is already allocated" in told
    host("docker rm -f $(docker ps -q); docker run -dp 127.0.0.1:3000:3000 getting-started")
    assert "You have no todo items yet" in host("curl -s localhost:3000/js/app.js")
    assert "not simulated" in host("git clone https://github.com/some/other")


def test_a_development_container_sees_what_is_changed(host: Shell) -> None:
    host("git clone https://github.com/docker/getting-started-app.git")
    host("cd /srv/getting-started-app")
    command = 'sh -c "npm install && npm run dev"'
    mount = '--mount type=bind,src="$(pwd)",target=/app'
    host(f"docker run -dp 3000:3000 -w /app {mount} node:lts-alpine {command}")

    assert "[nodemon] starting `node src/index.js`\n" in host("docker logs $(docker ps -q)")
    host("sed -i s/No/Still\\ no/ src/static/js/app.js")
    assert "Still no items yet" in host("curl -s localhost:3000/js/app.js")


def test_the_workshop_s_database(host: Shell) -> None:
    host("docker network create todo-app")
    host("docker run -d --name db --network todo-app --network-alias mysql -v todo:/var/lib/mysql"
         " -e MYSQL_ROOT_PASSWORD=secret -e MYSQL_DATABASE=todos mysql:8.0")  # fmt: skip
    assert "ready for connections. Version: '8.0.40'" in host("docker logs db 2>&1")
    asked = host("printf 'secret\\nSHOW DATABASES;\\n' | docker exec -i db mysql -u root -p")
    assert asked.split()[-5:] == [
        "information_schema", "mysql", "performance_schema", "sys", "todos",
    ]  # fmt: skip
    boxed = host("docker exec -t db mysql -uroot -psecret -e 'SHOW DATABASES'")
    assert "| todos              |" in boxed
    dig = host("docker run --rm --network todo-app nicolaka/netshoot dig mysql")
    assert "\nmysql.                 \t600\tIN\tA\t172.18.0.2\n" in dig


def test_the_quickstart_of_compose(host: Shell) -> None:
    host("mkdir /srv/composetest")
    host("cd /srv/composetest")
    for name, text in QUICKSTART.items():
        write(host, name, text)
    assert " Container composetest-web-1  Started\n" in host("docker compose up -d")
    for count in (1, 2):
        told = f"Hello World! I have been seen {count} times.\n"
        assert host("curl -s http://localhost:8000/") == told
    logs = host("docker compose logs web")
    assert "flask: app.py: not simulated: this flask runs no programs" in logs
    assert "web-1  |  * Running on all addresses (0.0.0.0)\n" in logs
    host("docker compose stop redis")
    assert host("curl -s http://localhost:8000/") == "Internal Server Error\n"


def test_volumes_are_packed_and_unpacked(host: Shell) -> None:
    host("docker run -v /dbdata --name dbstore ubuntu /bin/bash -c 'echo kept > /dbdata/file'")
    host("docker run --rm --volumes-from dbstore -v $(pwd):/backup ubuntu tar cvf"
         " /backup/backup.tar /dbdata")  # fmt: skip
    host("docker run -v /dbdata --name dbstore2 ubuntu /bin/bash")
    host("docker run --rm --volumes-from dbstore2 -v $(pwd):/backup ubuntu bash -c"
         ' "cd /dbdata && tar xvf /backup/backup.tar --strip 1"')  # fmt: skip
    assert host("docker run --rm --volumes-from dbstore2 ubuntu cat /dbdata/file") == "kept\n"


def test_a_first_container_and_what_it_says_of_the_pull(host: Shell) -> None:
    told = host("docker run -d -p 8080:80 docker/welcome-to-docker 2>&1").splitlines()
    assert told[:2] == [
        "Unable to find image 'docker/welcome-to-docker:latest' locally",
        "latest: Pulling from docker/welcome-to-docker",
    ]
    assert "Congratulations!!!" in host("wget -qO- localhost:8080")


def test_the_host_network_shares_its_ports(host: Shell) -> None:
    host("docker run --rm -d --network host --name my_nginx nginx")
    assert "Welcome to nginx!" in host("curl -s http://localhost:80/")
    assert "nginx" in host("sudo netstat -tulpn | grep :80")
    assert host("docker container stop my_nginx") == "my_nginx\n"


def test_users_of_a_dockerfile(host: Shell) -> None:
    host("mkdir /srv/users")
    host("cd /srv/users")
    for base, made in (
        ("alpine", "addgroup -S app \\&\\& adduser -S -G app app"),
        ("debian", "groupadd -r app \\&\\& useradd -r -m -g app app"),
    ):
        text = f"FROM {base}\nRUN {made}\nUSER app\nWORKDIR /home/app\nRUN id > me\n"
        write(host, "Dockerfile", text.replace("\\&", "&"))
        assert host("docker build -q -t users .").startswith("sha256:")
        told = host("docker run --rm users sh -c 'cat me; ls -ld .'").splitlines()
        assert told[0] == "uid=100(app) gid=100(app) groups=100(app)"
        assert told[1].split()[2:4] == ["app", "app"]
    assert host("docker run --rm alpine adduser root") == "adduser: user 'root' in use\n"
    assert host("docker run --rm debian useradd root; echo $?").endswith("already exists\n9\n")

"""docker build, login, push and search as programs of the simulated host."""

from collections.abc import Callable

import msgspec
import pytest

from simulator.experiment.engine.executor import open_session
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec

Shell = Callable[[str], str]
MAKE = r"""mkdir -p /root/site; cd /root/site
printf 'FROM alpine\nARG WHO=nobody\nCOPY . /all/\n' > Dockerfile
printf 'RUN echo $WHO > /who\nCMD ["cat", "/who"]\n' >> Dockerfile
echo kept > kept; echo hidden > hidden; echo hidden > .dockerignore"""


@pytest.fixture(scope="module")
def host() -> Shell:
    world = msgspec.structs.replace(load_world(), services=("docker",))
    session = open_session(world, parse_spec("docker"))
    return lambda line: session.shell("host", line).data.decode()


def test_build_on_the_simulated_host(host: Shell) -> None:
    host(MAKE)
    told = host("cd /root/site; docker build -t site:1 -t site:2 --build-arg WHO=me . ; echo $?")
    assert told.startswith("Sending build context to Docker daemon  ")
    assert "Step 5/5" in told
    assert told.endswith("Successfully tagged site:1\nSuccessfully tagged site:2\n0\n")
    assert host("docker run --rm site:2") == "me\n"
    assert host("docker run --rm site:1 ls /all") == "Dockerfile\nkept\n"
    assert host("docker build --build-arg WHO=me /root/site").count("Using cache") == 4
    told = host("printf 'FROM alpine\\nRUN exit 9\\n' | docker build - ; echo $?")
    assert "returned a non-zero code: 9" in told
    assert told.endswith("\n9\n")
    assert "no such file or directory" in host("docker build /tmp")
    assert 'path "/nowhere" not found' in host("docker build /nowhere")
    told = host("cd /; echo FROM alpine > Dockerfile; docker build . ; rm Dockerfile")
    assert told.startswith("error checking context: read ./proc/1/")  # some are only written


def test_login_push_pull_search(host: Shell) -> None:
    host("docker pull -q alpine; docker tag alpine student/mine:1")
    assert "denied: requested access" in host("docker push student/mine:1")
    assert "unauthorized" in host("docker login -u student -p wrong")
    assert "Login Succeeded" in host("echo student | docker login -u student --password-stdin")
    assert "https://index.docker.io/v1/" in host("cat /root/.docker/config.json")
    assert "1: digest: sha256:" in host("docker push student/mine:1")
    host("docker rmi student/mine:1")
    assert "Downloaded newer image for student/mine:1" in host("docker pull student/mine:1")
    assert "Removing login credentials" in host("docker logout")
    assert "denied" in host("docker push student/mine:1")
    assert host("docker search redis").splitlines()[1].split()[0] == "redis"

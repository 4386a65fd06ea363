"""The same script of the real docker command against a real private dockerd and against ours.

Ids, times, names made up and sizes are masked; what is compared is the exit status and every line.
"""

import os
import re
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest

from simulator.experiment.real import dockerd, rootfs
from simulator.experiment.real.sandbox import Machine
from simulator.experiment.scenarios.load import load_world
from tests.real.conftest import requires

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("leak_check")]

BOX = "vitrina:box"
APPLETS = ("sh", "echo", "cat", "ls", "sleep", "true", "false", "touch", "rm", "mkdir", "id", "ps",
           "env", "pwd", "hostname", "head", "wc", "grep", "kill", "test")  # fmt: skip

SCRIPT = f"""
images -q {BOX}
run --rm {BOX} echo hi
run --rm {BOX} sh -c 'echo out; echo err >&2; exit 3'
run --rm {BOX} nosuch
run --rm -w /some/where -e A=1 {BOX} sh -c 'pwd; echo $A; echo $HOME'
run --rm -u 1234:55 {BOX} id -u
run --rm --hostname box {BOX} hostname
run --rm --read-only {BOX} touch /x
run --rm --network none {BOX} cat /proc/net/dev
run --rm -v kept:/data {BOX} sh -c 'echo hello > /data/f'
run --rm -v kept:/data:ro {BOX} cat /data/f
volume ls -q
volume rm kept
volume rm kept
create --name made {BOX} sh -c 'echo one; echo two'
ps -a --format '{{{{.Names}}}} {{{{.State}}}} {{{{.Status}}}}'
start -a made
logs made
logs --tail 1 made
ps -a --format '{{{{.Names}}}} {{{{.State}}}}'
inspect -f '{{{{.State.ExitCode}}}} {{{{.Config.Cmd}}}} {{{{.HostConfig.NetworkMode}}}}' made
rename made other
diff other
rm other
rm other
run -d --name long {BOX} sleep 1000
exec long echo in
exec -e X=y -w /tmp long sh -c 'echo $X; pwd'
exec long nosuch
exec long sh -c 'echo changed > /etc/new; rm /bin/wc'
diff long
top long -o pid,args
pause long
ps --format '{{{{.Names}}}} {{{{.State}}}}'
exec long true
unpause long
rm long
commit -m why long vitrina:made
run --rm vitrina:made cat /etc/new
rmi vitrina:made
stop -t 0 long
inspect -f '{{{{.State.Status}}}} {{{{.State.ExitCode}}}}' long
start long
kill long
wait long
rm -f long
network create ours
network create ours
run -d --name onnet --network ours {BOX} sleep 1000
inspect -f '{{{{range .NetworkSettings.Networks}}}}{{{{.IPPrefixLen}}}}{{{{end}}}}' onnet
network inspect -f '{{{{.Driver}}}} {{{{.Internal}}}} {{{{len .Containers}}}}' ours
network rm ours
network disconnect ours onnet
network rm ours
rm -f onnet
run -d --name 'bad name' {BOX} true
run --rm --memory 1k {BOX} true
run --rm --cap-drop ALL {BOX} touch /ok
run --rm --tmpfs /t {BOX} sh -c 'echo x > /t/y; cat /t/y'
tag {BOX} a/b:1
rmi a/b:1
rmi nosuch
history -q nosuch
logs nosuch
cp nosuch:/x -
"""

MASKS = (
    (r"\b(sha256:)?[0-9a-f]{64}\b", "<id>"),
    (r"\b[0-9a-f]{12}\b", "<short>"),
    (r"\b\d+ (seconds?|minutes?) ago\b|Less than a second ago|About a minute ago", "<ago>"),
    (r"\bNetworkMode default\b|\] default$", "] bridge"),
    (r".*unable to start container process: ", "<oci> "),
    (r"^docker: Error response from daemon: ", "Error response from daemon: "),
    (r"(?m)^ *\d+ +", "<pid> "),
    (r"\s+Run 'docker \w+ --help' for more information", ""),
    (r"\.$|: unknown\.?$", ""),
)

KNOWN = {
    "rm long": "20.10 says the same in other words",
    "exec long nosuch": "20.10 has 126 for every exec that fails; 27 tells 127 from 126",
}
"""Commands that the engine of this machine, 20.10, answers otherwise than 27 does, and why."""


def masked(text: str) -> str:
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    return text.strip()


def box() -> bytes:
    """The smallest image in which the script's commands work, as a tar."""
    program = rootfs.busybox()
    assert program is not None
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in ("bin", "etc", "tmp", "proc", "dev"):
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(info)
        content = program.read_bytes()
        info = tarfile.TarInfo("bin/busybox")
        info.size, info.mode = len(content), 0o755
        archive.addfile(info, BytesIO(content))
        for name in APPLETS:
            info = tarfile.TarInfo(f"bin/{name}")
            info.type, info.linkname, info.mode = tarfile.LNKTYPE, "bin/busybox", 0o755
            archive.addfile(info)
        passwd = b"root:x:0:0:root:/root:/bin/sh\n"
        info = tarfile.TarInfo("etc/passwd")
        info.size = len(passwd)
        archive.addfile(info, BytesIO(passwd))
    return out.getvalue()


def docker(host: str, line: str, stdin: bytes | None = None) -> tuple[int, str, str]:
    import shlex

    done = subprocess.run(
        ["docker", *shlex.split(line)],
        input=stdin,
        capture_output=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "DOCKER_HOST": host},
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def told(host: str) -> list[tuple[str, int, str, str]]:
    found: list[tuple[str, int, str, str]] = []
    for line in SCRIPT.strip().splitlines():
        code, out, err = docker(host, line)
        found.append((line, code, masked(out), masked(err)))
    return found


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "ours.sock"
    words = [sys.executable, "-m", "simulator.cli", "engine", "--socket", str(path)]
    with subprocess.Popen(words, stderr=subprocess.PIPE) as server:
        assert server.stderr is not None
        for line in server.stderr:
            if b"DOCKER_HOST" in line:
                break
        host = f"unix://{path}"
        docker(host, "pull -q busybox")
        docker(host, f"tag busybox {BOX}")
        docker(host, "rmi busybox")
        yield host
        server.terminate()


@pytest.fixture
def real() -> Iterator[Callable[[], str]]:
    machines: list[Machine] = []

    def start() -> str:
        machine = Machine(load_world(), unified=True)
        machines.append(machine)
        dockerd.Engine(machine)
        host = f"unix://{machine.root}/run/docker.sock"
        code, _out, err = docker(host, f"import -c 'ENV PATH=/bin' - {BOX}", box())
        assert code == 0, err
        return host

    yield start
    for machine in machines:
        machine.close()


def test_both_engines_answer_alike(ours: str, real: Callable[[], str]) -> None:
    requires("docker")
    begun = time.monotonic()
    expected = told(real())
    got = told(ours)
    differing = [
        f"{line}\n  real: {a}\n  ours: {b}"
        for (line, *a), (_line, *b) in zip(expected, got, strict=True)
        if a != b and line not in KNOWN
    ]
    assert not differing, "\n".join(differing) + f"\n({time.monotonic() - begun:.0f} s)"

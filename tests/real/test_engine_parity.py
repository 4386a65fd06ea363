"""The same script of the real docker command against a real private dockerd and against ours.

Ids, times and sizes are masked; what is compared is the exit status and every line. The commands
are in ``engine_script.txt``.
"""

import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest

from simulator.experiment.real import dockerd, rootfs
from simulator.experiment.real.sandbox import Machine
from simulator.experiment.scenarios.load import load_world
from tests.real.conftest import requires
from tests.real.engine_script import BOX, KNOWN, Client, told

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("leak_check")]

APPLETS = ("sh", "echo", "cat", "ls", "sleep", "true", "false", "touch", "rm", "mkdir", "id", "ps",
           "env", "pwd", "hostname", "head", "wc", "grep", "kill", "test")  # fmt: skip
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def box() -> bytes:
    """The smallest image in which the script's commands work, as a tar."""
    program = rootfs.busybox()
    assert program is not None
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in ("bin", "etc", "tmp", "proc", "dev", "root"):
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
        for name, text in (
            ("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n"),
            ("etc/group", b"root:x:0:\n"),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, BytesIO(text))
    return out.getvalue()


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
        client = Client(host, tmp_path / "ready")
        for command in ("pull -q busybox", f"tag busybox {BOX}", "rmi busybox"):
            client.docker("docker", *command.split())
        yield host
        server.terminate()


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Callable[[], str]]:
    machines: list[Machine] = []

    def start() -> str:
        machine = Machine(load_world(), unified=True)
        machines.append(machine)
        dockerd.Engine(machine)
        host = f"unix://{machine.root}/run/docker.sock"
        client = Client(host, tmp_path / "imported")
        words = ["docker", "import", "-c", f"ENV PATH={PATH}", "-c", 'CMD ["sh"]']
        words += ["-c", "LABEL vitrina.simulated=true", "-", BOX]
        code, _out, err = client.docker(*words, stdin=box())
        assert code == 0, err
        client.docker("docker", "rmi", dockerd.IMAGE)
        return host

    yield start
    for machine in machines:
        machine.close()


def test_both_engines_answer_alike(ours: str, real: Callable[[], str], tmp_path: Path) -> None:
    requires("docker")
    begun = time.monotonic()
    with ThreadPoolExecutor(1) as beside:
        later = beside.submit(told, ours, tmp_path / "ours")
        expected = told(real(), tmp_path / "real")
        got = later.result()
    differing = [
        f"{line}\n  real: {a}\n  ours: {b}"
        for (line, *a), (_line, *b) in zip(expected, got, strict=True)
        if a != b and line not in KNOWN
    ]
    assert not differing, "\n".join(differing) + f"\n({time.monotonic() - begun:.0f} s)"

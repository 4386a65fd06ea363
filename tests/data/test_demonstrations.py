"""The demonstrations of Docker: each line does what it is there to show."""

import pytest

from simulator.classroom.lessons.shell import demonstrated
from simulator.experiment.scenarios.load import load_all, load_demonstrations

pytestmark = pytest.mark.xdist_group("demonstrations")  # the lessons' footnotes name their runs
IDS = [one.id for one in load_demonstrations()]
SHOWS = {
    "docker.anywhere": {1: "alpine", 3: "Alpine Linux", 6: "x86_64"},
    "docker.build-cache": {5: "Collecting flask", 9: "requirements.txt\n ---> Using cache"},
    "docker.commit": {2: "sha256:", 4: "ours"},
    "docker.compose": {
        3: "store\nweb",
        4: "app-store-1  Healthy",
        6: "nginx",
        7: "OK",
        8: "app-web-1  Running",
        10: "app_data",
    },
    "docker.compose-health": {1: "app-store-1 is unhealthy", 3: "created", 9: "app_data"},
    "docker.compose-order": {3: "complete successfully: exit 1", 4: "app-1 created", 6: "begins"},
    "docker.compose-scale": {3: "172.18.0.5", 7: "already allocated"},
    "docker.copy-up": {2: "C /etc/os-release", 4: "D /etc/passwd", 5: "passwd"},
    "docker.dies": {3: "", 4: "A /note", 6: "volume"},
    "docker.entrypoint": {4: "hello you", 9: "hello\n"},
    "docker.exec": {2: "67108864", 3: "sleep 1000", 5: "web"},
    "docker.exit-codes": {8: "137", 11: "143"},
    "docker.hardening": {2: "not permitted", 10: "sda", 11: "000001ffffffffff"},
    "docker.host-arm": {3: "aarch64", 6: "exec format error"},
    "docker.host-minimal": {2: "no such device"},
    "docker.host-old": {3: "5.15.0"},
    "docker.host-tree": {1: "canary-quartz", 2: "Read-only file system", 4: "mark"},
    "docker.host-x86": {3: "x86_64", 6: "exec format error"},
    "docker.layers": {1: "Already exists", 6: "A /only-here"},
    "docker.life": {4: "is running", 9: "exited"},
    "docker.limits": {4: "1024", 5: "temporarily unavailable"},
    "docker.logs": {4: "out", 5: '"stream":"stderr"'},
    "docker.mounts": {3: "v2", 5: "app", 6: "index.html", 8: "does not exist"},
    "docker.names": {2: "1 packets received", 3: "bad address"},
    "docker.network-modes": {7: "nginx", 8: "nginx"},
    "docker.pid-host": {1: "1 root     ps", 2: "/sbin/init", 4: "enp3s0"},
    "docker.pid-one": {9: "/bare 137\n/web 0\n/shell 137\n/exec 0"},
    "docker.port": {1: "80/tcp -> 0.0.0.0:8080", 4: "nginx"},
    "docker.port-twice": {1: "already allocated", 3: "127.0.0.1:9090"},
    "docker.privileged": {1: "permission denied", 2: "000001ffffffffff"},
    "docker.propagation": {
        2: "is not a shared mount",
        8: "",
        9: "file",
        11: "mine /pool/own",
        12: "rprivate\nrslave\nrshared",
    },
    "docker.restart": {3: "2 exited 3", 6: "Exited (137)"},
    "docker.rules": {
        4: "--dport 8080 -j DNAT --to-destination 172.17.0.2:80",
        5: "-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
        6: "-o docker0 -j DROP",
        7: "nobody answers",
        9: "nginx",
        11: "-N DOCKER",
    },
    "docker.run": {1: "hello", 3: "exited 0"},
    "docker.secret-layer": {4: "diff/token", 7: "TOKEN=hunter2", 11: "notes"},
    "docker.socket": {4: "Permission denied", 6: "canary-quartz", 8: "was-here"},
    "docker.tags": {5: "still here", 6: "Deleted: ", 9: "manifest unknown"},
}
"""What each says at some of its lines, counted from 0."""


def test_there_are_ten_at_least_and_no_matrix_has_them():
    assert len(IDS) >= 10
    assert not set(IDS) & {one.id for one in load_all()}


@pytest.mark.parametrize("name", IDS)
def test_it_shows_what_it_says(name):
    told = demonstrated(name)
    assert not [one for one in told if one.note.startswith("Silent")]
    for line, words in SHOWS.get(name, {}).items():
        assert words in told[line].output, (line, told[line].output)

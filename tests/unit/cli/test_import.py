"""``vitrina import``: real configurations become SPECs that say what they could not carry over."""

import json
import tomllib
from pathlib import Path

import pytest

from simulator.cli import main
from simulator.isolation.imports.base import ImportFault
from simulator.isolation.imports.detect import imported
from simulator.isolation.technologies.registry import parse_spec

SAMPLES = Path(__file__).parents[2] / "data" / "imports"

SPECS = {
    "web.json": "docker --cap-add SYS_ADMIN --cap-add SYS_PTRACE --pid=host --cgroupns=host"
    " --network=host --security-opt seccomp=unconfined -v /:/host:ro --cpus=0.5"
    " --ulimit nofile=1024:1024",
    "config.json": "runc linux.namespaces=mount,uts,ipc,pid,network",
    "lxc.conf": "lxc lxc.apparmor.profile=unconfined lxc.uts.name=c1 lxc.cap.drop="
    " lxc.cgroup2.memory.max=512M 'lxc.mount.auto=proc:rw sys:rw'",
    "jail.conf": "jail allow.raw_sockets host.hostname=www.example.org"
    " 'ip4.addr=em0|192.0.2.20/24' allow.sysvipc enforce_statfs=1",
    "zone.cfg": "zone create -b limitpriv=default,sys_time net:address=192.0.2.30/24"
    " net:physical=bge0 capped-memory:physical=512m",
    "101.conf": "openvz --ipdel all --kmemsize 14372700:14790164 --numproc 240:240"
    " --ipadd 192.0.2.40 --hostname ct101.example.org --capability NET_ADMIN:on"
    " --capability SYS_TIME:on --features nfs:on --devnodes net/tun:rw",
}


BARE = (
    "process.noNewPrivileges=false root.readonly=false process.rlimits= linux.maskedPaths="
    " linux.readonlyPaths="
)
"""What a config.json says by leaving it out."""


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main.run(["--lang", "en", *words])
    done = capsys.readouterr()
    return status, done.out, done.err


@pytest.mark.parametrize("name", SPECS)
def test_a_real_configuration_becomes_its_products_options(name: str) -> None:
    read = imported((SAMPLES / name).read_bytes())
    assert read.spec == SPECS[name]
    parse_spec(read.spec)


@pytest.mark.parametrize(
    ("name", "item"),
    [
        ("web.json", "Devices /dev/fuse"),
        ("web.json", "SecurityOpt label=disable"),
        ("web.json", "Binds data:/var/lib/data"),
        ("lxc.conf", "lxc.rootfs.path"),
        ("jail.conf", "mount.fstab = /etc/fstab.www"),
        ("zone.cfg", "zonepath=/zones/web"),
        ("101.conf", "IPTABLES=ipt_REJECT ipt_tos"),
    ],
)
def test_what_is_left_out_is_said(name: str, item: str) -> None:
    left = dict(imported((SAMPLES / name).read_bytes()).left)
    assert left[item]


def test_the_file_is_taken_wherever_a_spec_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "imported.toml"
    status, _out, err = call(capsys, "import", str(SAMPLES / "web.json"), "-o", str(saved))
    assert status == 0
    assert "not carried over: Devices /dev/fuse" in err
    assert tomllib.loads(saved.read_text())["spec"] == SPECS["web.json"]
    status, out, _err = call(
        capsys, "run", "processes.list", "--on", str(saved), "--on", "docker", "--json"
    )
    assert [row["outcome"] for row in json.loads(out)] == ["GRANTED", "HOLDS"]


def test_each_leak_names_the_switches_that_close_it(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("--scenario", "kernel.swap", "--scenario", "network.interface")
    path = str(SAMPLES / "web.json")
    status, out, _err = call(capsys, "import", path, "--leaks", "--json", *asked)
    assert status == 0
    doors = {row["probe"]: row["closed_by"] for row in json.loads(out)["leaks"]}
    assert "without --cap-add SYS_ADMIN" in doors["kernel.swap"]
    assert "without --network=host" in doors["network.interface"]
    assert "without --pid=host" not in doors["network.interface"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"{",
        b"[" * 100_000,
        b"[]",
        b"hello\n",
        b'{"ociVersion": 7}x',
        b"lxc.include\nlxc.uts.name = x\n",
        b"www { path",
        b"www { path = $nowhere; }",
        b'<?xml version="1.0"?><!DOCTYPE z [<!ENTITY a "b">]><zone name="&a;"/>',
        b"<zone",
    ],
)
def test_a_hostile_file_is_one_clear_line(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "strange"
    path.write_bytes(content)
    status, out, err = call(capsys, "import", str(path))
    assert status == 2
    assert not out
    assert err.startswith("vitrina: ")
    assert len(err.splitlines()) == 1
    assert str(path) in err


@pytest.mark.parametrize(
    ("content", "spec"),
    [
        (
            b'[{"HostConfig": {"CapAdd": 3, "Binds": [1, null], "Memory": "x", "PidMode": []}}]',
            "docker",
        ),
        (
            b'{"ociVersion": "1.0", "process": [], "linux": {"namespaces": [3, {"type": 4}]}}',
            f"runc {BARE}",
        ),
        (
            b'{"ociVersion": "1.0", "linux": {"namespaces": [{"type": "mount"}]}, "mounts": 1}',
            f"runc linux.namespaces=mount {BARE}",
        ),
        (b"lxc.cap.drop = \x1b[31m\nlxc.nothing.such = 1\n", "lxc"),
    ],
)
def test_values_of_the_wrong_shape_count_as_absent(content: bytes, spec: str) -> None:
    assert imported(content).spec == spec
    assert parse_spec(spec)


def test_several_containers_ask_for_a_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "two.json"
    path.write_text(json.dumps([{"Name": f"/{one}", "HostConfig": {}} for one in "ab"]))
    status, _out, err = call(capsys, "import", str(path))
    assert status == 2
    assert "--name" in err
    status, out, _err = call(capsys, "import", str(path), "--name", "b")
    assert status == 0
    assert tomllib.loads(out)["name"] == "b"


@pytest.mark.parametrize("content", ["spec = 3", "spec = ", "name = 'x'", "spec = 'nonesuch'"])
def test_a_saved_spec_that_is_none_is_one_clear_line(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(content)
    status, _out, err = call(capsys, "plan", str(path))
    assert status == 2
    assert len(err.splitlines()) == 1


def test_a_jail_whose_name_is_quoted_is_read_and_what_it_includes_is_told() -> None:
    text = b'.include "/etc/jail.conf.d/*.conf";\n"my-jail" {\n  persist; securelevel = 2;\n}\n'
    read = imported(text)
    assert (read.product, read.name) == ("jail.conf", "my-jail")
    assert "securelevel=2" in read.spec
    assert dict(read.left)[".include /etc/jail.conf.d/*.conf"] == "another file, which is not read"


@pytest.mark.parametrize("text", [b"* { persist; }", b'[{"HostConfig": []}]'])
def test_a_file_without_a_container_says_so(text: bytes) -> None:
    with pytest.raises(ImportFault, match=r"^there is no container in it$"):
        imported(text)


def test_an_attribute_that_libzonecfg_leaves_empty_is_none() -> None:
    text = b'<zone name="z" ip-type="exclusive"><network physical="vnic0" address=""/></zone>'
    read = imported(text)
    assert "net:physical=vnic0" in read.spec
    assert not read.left


def test_a_command_of_jail_conf_that_adds_rules_is_a_limit() -> None:
    text = b"""www { path = /j;
    exec.prestart = "rctl -a jail:$name:maxproc:deny=30 j:www:nthr:deny=1k";
    exec.created = "rctl -a jail:$name:nosuch:deny=1"; exec.start = "rctl -a j:x:nthr:deny=1"; }"""
    read = imported(text)
    assert read.spec == "jail jail:www:maxproc:deny=30 j:www:nthr:deny=1k"
    left = dict(read.left)
    assert left["exec.created = rctl -a jail:www:nosuch:deny=1"] == "Invalid argument"
    assert left["exec.start = rctl -a j:x:nthr:deny=1"] == "no wall depends on it"


def test_the_template_that_create_means_may_be_named() -> None:
    assert imported(b"create -t SUNWdefault\nset zonepath=/z\n").spec == "zone"
    assert imported(b"create -t SUNWblank\nset zonepath=/z\n").spec == "zone create -b"


@pytest.mark.parametrize(
    ("process", "linux", "item"),
    [
        ({"user": {"additionalGids": [10]}}, {}, "process.user.additionalGids"),
        ({"oomScoreAdj": 100}, {}, "process.oomScoreAdj"),
        ({}, {"uidMappings": [{"containerID": 0}]}, "linux.uidMappings"),
        ({}, {"resources": {"devices": [{"allow": True}]}}, "linux.resources.devices"),
        ({}, {"resources": {"memory": {"swap": 5}}}, "linux.resources.memory.swap"),
    ],
)
def test_what_the_specification_of_oci_has_besides_is_told(
    process: dict[str, object], linux: dict[str, object], item: str
) -> None:
    config = {"ociVersion": "1.0.2", "process": process, "linux": linux}
    assert item in dict(imported(json.dumps(config).encode()).left)


def test_usual_lines_of_oci_are_no_loss() -> None:
    resources = {"devices": [{"allow": False, "access": "rwm"}], "memory": {"swap": -1}}
    config = {"ociVersion": "1.0.2", "linux": {"resources": resources}}
    left = dict(imported(json.dumps(config).encode()).left)
    assert not [item for item in left if item.startswith("linux.resources")]

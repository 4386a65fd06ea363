"""What a container is handed: volumes that are mounts, devices, tmpfs, and walls as asked."""

import json

import pytest
from engine_client import Client

PROFILE = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "syscalls": [
        {"names": ["chmod", "fchmodat"], "action": "SCMP_ACT_ERRNO"},
        {"name": "mkdir", "action": "SCMP_ACT_ERRNO", "errnoRet": 13},
        {"names": ["symlink"], "action": "SCMP_ACT_ERRNO", "includes": {"caps": ["CAP_MKNOD"]}},
        {
            "names": ["kill"],
            "action": "SCMP_ACT_ERRNO",
            "args": [{"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}],
        },
    ],
}


def said(engine: Client, line: str, **host: object) -> str:
    made = engine.run("sh", "-c", line, HostConfig={"NetworkMode": "none", **host})
    engine.wait(made)
    return engine.logs(made).decode()


def refused(engine: Client, **host: object) -> str:
    body = {"Image": "busybox", "Cmd": ["true"], "HostConfig": {"NetworkMode": "none", **host}}
    answer = engine.post("/containers/create", body)
    if answer.status == 201:
        answer = engine.post(f"/containers/{answer.json()['Id']}/start")
    assert answer.status >= 400, answer
    return answer.message


def test_a_volume_may_be_a_tmpfs_as_long_as_something_has_it(engine: Client) -> None:
    options = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m,noexec"}
    engine.post("/volumes/create", {"Name": "fast", "DriverOpts": options})
    told = said(engine, "grep ' /x ' /proc/mounts; echo kept > /x/f", Binds=["fast:/x"])
    assert told == "tmpfs /x tmpfs rw,noexec,relatime,size=1024k 0 0\n"
    assert said(engine, "ls /x", Binds=["fast:/x"]) == ""
    holder = engine.run(
        "sh", "-c", "echo here > /x/f; sleep 100", HostConfig={"Binds": ["fast:/x"]}
    )
    assert said(engine, "cat /x/f", Binds=["fast:/x"]) == "here\n"
    assert said(engine, "cat /x/f", Binds=["fast:/x"]) == "here\n"
    engine.ask("DELETE", f"/containers/{holder}", force=1)


def test_a_volume_may_be_a_directory_of_the_host(engine: Client) -> None:
    said(engine, "echo one > /there/f", Binds=["/srv/shared:/there"])
    options = {"type": "none", "o": "bind", "device": "/srv/shared"}
    engine.post("/volumes/create", {"Name": "shared", "DriverOpts": options})
    assert said(engine, "cat /x/f; echo two > /x/f", Binds=["shared:/x"]) == "one\n"
    assert said(engine, "cat /there/f", Binds=["/srv/shared:/there"]) == "two\n"
    for made in engine.get("/containers/json", all=1).json():
        engine.ask("DELETE", f"/containers/{made['Id']}", force=1)
    assert engine.ask("DELETE", "/volumes/shared").status == 204
    assert said(engine, "cat /there/f", Binds=["/srv/shared:/there"]) == "two\n"


def test_a_volume_that_can_not_be_mounted_says_why(engine: Client) -> None:
    engine.post("/volumes/create", {"Name": "bad", "DriverOpts": {"type": "no", "device": "x"}})
    assert refused(engine, Binds=["bad:/x"]) == (
        "error while mounting volume '/var/lib/docker/volumes/bad/_data': failed to mount local"
        " volume: mount x:/var/lib/docker/volumes/bad/_data: no such device"
    )
    answer = engine.post("/volumes/create", {"Name": "bad2", "DriverOpts": {"o": "size=1m"}})
    assert answer.message == 'create bad2: missing required option: "device"'


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ("rw,exec,size=64k", "rw,nosuid,nodev,relatime,size=64k"),
        ("size=1m,mode=700", "rw,nosuid,nodev,noexec,relatime,size=1024k,mode=700"),
        ("ro", "ro,nosuid,nodev,noexec,relatime"),
    ],
)
def test_words_of_a_tmpfs(engine: Client, options: str, shown: str) -> None:
    assert f"tmpfs /t tmpfs {shown} 0 0" in said(
        engine, "grep ' /t ' /proc/mounts", Tmpfs={"/t": options}
    )


def test_a_tmpfs_has_no_other_words(engine: Client) -> None:
    assert refused(engine, Tmpfs={"/t": "foo=bar"}) == 'invalid tmpfs option ["foo" "bar"]'
    assert "data=size=abc: invalid argument" in refused(engine, Tmpfs={"/t": "size=abc"})


def test_any_device_of_the_host_can_be_handed_in(engine: Client) -> None:
    null = {"PathOnHost": "/dev/null", "PathInContainer": "/dev/deep/mine"}
    told = said(engine, "ls -l /dev/deep/mine; echo x > /dev/deep/mine", Devices=[null])
    assert told.startswith("crw-rw-rw-")
    disk = {"PathOnHost": "/dev/sda", "PathInContainer": "/dev/sda", "CgroupPermissions": "r"}
    line = "head -c 1 /dev/sda | wc -c; echo x > /dev/sda"
    assert said(engine, line, Devices=[disk]).startswith("1\nsh: can't create /dev/sda")
    begun = "error gathering device information while adding custom device"
    missing = {"PathOnHost": "/dev/nosuch", "PathInContainer": "/dev/nosuch"}
    assert refused(engine, Devices=[missing]) == f'{begun} "/dev/nosuch": no such file or directory'
    plain = {"PathOnHost": "/etc/passwd", "PathInContainer": "/dev/x"}
    assert refused(engine, Devices=[plain]) == f'{begun} "/etc/passwd": not a device node'


def test_a_device_rule_opens_what_a_container_makes(engine: Client) -> None:
    line = "mknod /disk b 8 0; head -c 1 /disk 2>&1 | wc -c"
    assert said(engine, line) != "1\n"
    assert said(engine, line, DeviceCgroupRules=["b 8:* r"]) == "1\n"
    assert refused(engine, DeviceCgroupRules=["b 8"]) == (
        "invalid device cgroup rule format: 'b 8'"
    )


def test_masked_and_read_only_paths_are_those_that_are_asked_for(engine: Client) -> None:
    line = "grep -c ' /proc/' /proc/mounts"
    assert int(said(engine, line)) > 5
    assert said(engine, line, MaskedPaths=[], ReadonlyPaths=[]) == "0\n"
    assert said(engine, line, MaskedPaths=["/proc/version"], ReadonlyPaths=[]) == "1\n"


def test_a_seccomp_profile_of_ones_own(engine: Client) -> None:
    line = "chmod 700 /etc; mkdir /x; kill -USR1 1; kill -0 1; echo $?; ln -s a /b"
    option = [f"seccomp={json.dumps(PROFILE)}"]
    assert said(engine, line, SecurityOpt=option).splitlines() == [
        "chmod: /etc: Operation not permitted",
        "mkdir: can't create directory '/x': Permission denied",
        "sh: can't kill pid 1: Operation not permitted",
        "0",
        "ln: /b: Operation not permitted",
    ]
    assert "ln:" not in said(engine, line, SecurityOpt=option, CapDrop=["MKNOD"])
    assert said(engine, "mkdir /x", SecurityOpt=["seccomp={}"]) == ""


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("nosuch", 'invalid --security-opt 1: "nosuch"'),
        ("nosuch=x", 'invalid --security-opt 2: "nosuch=x"'),
        ("no-new-privileges:maybe", 'invalid --security-opt 2: "no-new-privileges:maybe"'),
        ('seccomp={"defaultAction":"x"}', "string x is not a valid action for seccomp: unknown"),
        ("seccomp={", "Decoding seccomp profile failed: "),
    ],
)
def test_security_options_are_refused_in_the_daemons_words(
    engine: Client, option: str, words: str
) -> None:
    assert words in refused(engine, SecurityOpt=[option])


def test_a_disk_whose_speed_is_limited_is_looked_for_at_the_start(engine: Client) -> None:
    limits = [{"Path": "/dev/nosuch", "Rate": 1 << 20}]
    told = "stat /dev/nosuch: no such file or directory"
    assert refused(engine, BlkioDeviceReadBps=limits) == told
    limits[0]["Path"] = "/dev/null"
    assert "no such device" in refused(engine, BlkioDeviceReadBps=limits)
    limits[0]["Path"] = "/dev/sda"
    assert said(engine, "echo well", BlkioDeviceReadBps=limits) == "well\n"


def test_what_the_machine_does_not_have_is_refused(engine: Client) -> None:
    gpu = [{"Driver": "", "Count": -1, "Capabilities": [["gpu"]]}]
    assert refused(engine, DeviceRequests=gpu) == (
        'could not select device driver "" with capabilities: [[gpu]]'
    )
    assert refused(engine, StorageOpt={"size": "1G"}) == (
        "--storage-opt is supported only for overlay over xfs with 'pquota' mount option"
    )
    forward = {"net.ipv4.ip_forward": "1"}
    assert 'sysctl "net.ipv4.ip_forward" not allowed in host network namespace' in refused(
        engine, NetworkMode="host", Sysctls=forward
    )


def test_without_ipc_there_is_no_shared_memory(engine: Client) -> None:
    assert said(engine, "grep -c /dev/shm /proc/mounts", IpcMode="none") == "0\n"
    assert said(engine, "grep -c /dev/shm /proc/mounts") == "1\n"


def test_a_working_directory_that_is_a_file(engine: Client) -> None:
    made = engine.create("pwd", WorkingDir="/etc/passwd")
    answer = engine.post(f"/containers/{made}/start")
    assert answer.message == "Cannot mkdir: /etc/passwd is not a directory"

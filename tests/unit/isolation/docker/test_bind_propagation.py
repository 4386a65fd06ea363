"""Bind propagation: the words, what moby refuses, and the kernel's mounts on both sides."""

import pytest
from engine_client import Client

from simulator.machine.abi.call import Returned
from simulator.machine.abi.constants import MS_BIND, MS_SHARED

OPEN = {"CapAdd": ["SYS_ADMIN"], "SecurityOpt": ["apparmor=unconfined", "seccomp=unconfined"]}


def on_host(engine: Client, name: str, *args: object) -> None:
    assert isinstance(engine.machine.call(name, *args), Returned), (name, args)


@pytest.fixture
def shared(engine: Client):
    """A mount of the host that is shared, with a directory for either side."""
    for path in ("/pool", "/pool/outside", "/pool/inside"):
        engine.machine.call("mkdir", path, 0o755)
    on_host(engine, "mount", "/pool", "/pool", "", MS_BIND, None)
    on_host(engine, "mount", "", "/pool", "", MS_SHARED, None)
    yield
    for path in ("/pool/outside", "/pool/inside", "/pool"):
        engine.machine.call("umount2", path, 2)


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize(
    ("word", "flows_in", "flows_out"),
    [("rshared", True, True), ("rslave", True, False), ("", False, False),
     ("shared", True, True), ("slave", True, False), ("private", False, False)],
)  # fmt: skip
def test_a_later_mount_appears_on_the_other_side(
    engine: Client, word: str, flows_in: bool, flows_out: bool
) -> None:
    text = f"/pool:/pool:{word}" if word else "/pool:/pool"
    name = f"with-{word or 'nothing'}"
    engine.run("sleep", "1000", name=name, HostConfig={"Binds": [text], **OPEN})
    on_host(engine, "mount", "t", "/pool/outside", "tmpfs", 0, None)
    inside = engine.execute(name, "cat", "/proc/mounts").decode()
    assert (" /pool/outside " in inside) is flows_in
    assert engine.execute(name, "mount", "-t", "tmpfs", "t", "/pool/inside") == b""
    outside = engine.machine.call("open", "/proc/1/mounts", 0)
    seen = engine.machine.call("read", outside.value, 65536).data.decode()
    engine.machine.call("close", outside.value)
    assert (" /pool/inside " in seen) is flows_out
    engine.delete(f"/containers/{name}", force=1)


def test_what_is_not_shared_cannot_be_shared_on(engine: Client) -> None:
    for word, what in (("rshared", "shared"), ("slave", "shared or slave")):
        made = engine.create("true", HostConfig={"Binds": [f"/srv:/srv:{word}"]})
        answer = engine.post(f"/containers/{made}/start")
        assert (answer.status, answer.message) == (
            500,
            f"path /srv is mounted on / but it is not a {what} mount",
        )


@pytest.mark.parametrize(
    ("bind", "message"),
    [
        ("/a:/b:bogus", "invalid mode: bogus"),
        ("/a:/b:rshared,rslave", "invalid mode: rshared,rslave"),
        ("/a:/b:ro,rw", "invalid mode: ro,rw"),
        ("/b:rshared", "invalid volume specification: '/b:rshared'"),
        ("v:/b:rshared", "field BindOptions must not be specified"),
        ("/:/b:private", 'must use either propagation mode "rslave" or "rshared"'),
    ],
)
def test_moby_refuses(engine: Client, bind: str, message: str) -> None:
    body = {"Image": "busybox", "Cmd": ["true"], "HostConfig": {"Binds": [bind]}}
    answer = engine.post("/containers/create", body)
    assert answer.status == 400
    assert message in answer.message


def test_inspect_shows_it(engine: Client) -> None:
    mount = {"Type": "bind", "Source": "/srv", "Target": "/z"}
    mounts = [{**mount, "BindOptions": {"Propagation": "rslave"}}]
    binds = ["/srv:/a:ro,slave", "/:/b", "/srv:/c"]
    made = engine.create("true", HostConfig={"Binds": binds, "Mounts": mounts})
    told = engine.get(f"/containers/{made}/json").json()
    shown = {one["Destination"]: (one["Mode"], one["Propagation"]) for one in told["Mounts"]}
    assert shown == {
        "/a": ("ro,slave", "slave"), "/b": ("", "rslave"), "/c": ("", "rprivate"),
        "/z": ("", "rslave"),
    }  # fmt: skip
    mounts[0]["BindOptions"]["Propagation"] = "sideways"
    body = {"Image": "busybox", "Cmd": ["true"], "HostConfig": {"Mounts": mounts}}
    answer = engine.post("/containers/create", body)
    assert answer.message == (
        'invalid mount config for type "bind": invalid propagation mode: sideways'
    )


def test_a_volume_takes_what_the_image_has_and_dockers_files_stay(engine: Client) -> None:
    def read(name: str, *words: str, **host: object) -> str:
        made = engine.run(*words, name=name, HostConfig=host)
        engine.wait(made)
        return engine.logs(made).decode()

    told = read("fills", "sh", "-c", "hostname; cat /etc/hostname; cat /etc/passwd",
                Binds=["etc:/etc"])  # fmt: skip
    first, second, *rest = told.splitlines()
    assert first == second
    assert rest[0].startswith("root:x:0:0:")
    listed = read("looks", "ls", "/x", Binds=["etc:/x"])
    assert "passwd" in listed.split()
    assert "passwd" not in read("left", "ls", "/etc", Binds=["empty:/etc:nocopy"]).split()
    volume = {"Type": "volume", "Source": "none", "Target": "/etc"}
    mounts = [{**volume, "VolumeOptions": {"NoCopy": True}}]
    assert "passwd" not in read("also", "ls", "/etc", Mounts=mounts).split()
    body = {"Image": "busybox", "Cmd": ["true"], "HostConfig": {"Binds": ["file:/etc/passwd"]}}
    answer = engine.post("/containers/create", body)
    assert answer.status == 500
    assert answer.message.endswith("/merged/etc/passwd is not directory")


def test_mounts_are_made_from_the_root_downwards(engine: Client) -> None:
    host = {"Binds": ["deep:/x/y/z", "/srv:/x/y"], "Tmpfs": {"/x": ""}}
    made = engine.run("cat", "/proc/mounts", HostConfig=host)
    engine.wait(made)
    lines = engine.logs(made).decode().splitlines()
    places = [line.split()[1] for line in lines]
    assert [one for one in places if one.startswith("/x")] == ["/x", "/x/y", "/x/y/z"]

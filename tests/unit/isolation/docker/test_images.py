"""Images over the API: pull, tag, commit, save, load, import, remove."""

import io
import json
import tarfile

from engine_client import Client


def test_a_pull_tells_how_it_goes(engine: Client) -> None:
    answer = engine.post("/images/create", fromImage="busybox", tag="latest")
    lines = [json.loads(line) for line in answer.body.splitlines()]
    assert lines[0]["status"] == "Pulling from library/busybox"
    assert lines[-1]["status"] == "Status: Image is up to date for busybox:latest"
    answer = engine.post("/images/create", fromImage="nosuch", tag="latest")
    assert answer.status == 404
    assert "pull access denied for nosuch" in answer.message


def test_an_image_is_found_by_any_of_its_names(engine: Client) -> None:
    told = engine.get("/images/busybox/json").json()
    for name in (told["Id"], told["Id"][7:19], "busybox:latest", "docker.io/library/busybox"):
        assert engine.get(f"/images/{name}/json").json()["Id"] == told["Id"]
    assert engine.post("/images/busybox/tag", repo="mine/box", tag="2").status == 201
    assert "mine/box:2" in engine.get("/images/busybox/json").json()["RepoTags"]
    assert engine.delete("/images/mine/box:2").json() == [{"Untagged": "mine/box:2"}]
    assert engine.post("/images/busybox/tag", repo="UPPER").status == 400


def test_commit_save_load_and_remove(engine: Client) -> None:
    made = engine.run("sh", "-c", "echo kept > /kept; rm /etc/group")
    engine.wait(made)
    answer = engine.post("/commit", {}, container=made, repo="made", tag="1")
    assert answer.status == 201
    ident = answer.json()["Id"]
    saved = engine.get("/images/made:1/get").body
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
        assert "manifest.json" in archive.getnames()
    engine.delete("/images/made:1")
    assert engine.get("/images/made:1/json").status == 404
    loaded = engine.ask("POST", "/images/load", raw=saved)
    assert json.loads(loaded.body.splitlines()[0])["stream"] == "Loaded image: made:1\n"
    assert engine.get("/images/made:1/json").json()["Id"] == ident
    other = engine.run("sh", "-c", "cat /kept; ls /etc", image="made:1")
    engine.wait(other)
    assert engine.logs(other) == b"kept\nhostname\nhosts\nmtab\npasswd\nresolv.conf\nshadow\n"
    answer = engine.delete("/images/made:1")
    assert answer.status == 409
    assert "must force" in answer.message


def test_import_makes_an_image_of_one_layer(engine: Client) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("hello")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"hi\n"))
    answer = engine.ask(
        "POST", "/images/create", raw=out.getvalue(),
        fromSrc="-", repo="flat", tag="1", changes="CMD /hello",
    )  # fmt: skip
    assert answer.status == 200
    told = engine.get("/images/flat:1/json").json()
    assert told["Config"]["Cmd"] == ["/bin/sh", "-c", "/hello"]
    assert len(told["RootFS"]["Layers"]) == 1


def test_a_pushed_image_can_be_pulled(engine: Client) -> None:
    engine.post("/images/busybox/tag", repo="registry.example/box", tag="1")
    answer = engine.post("/images/registry.example/box/push", tag="1")
    assert b"Pushed" in answer.body
    engine.delete("/images/registry.example/box:1")
    answer = engine.post("/images/create", fromImage="registry.example/box", tag="1")
    assert b"Already exists" in answer.body


def test_history_and_list(engine: Client) -> None:
    steps = engine.get("/images/busybox/history").json()
    assert steps[-1]["CreatedBy"] == "ADD rootfs for BusyBox"
    listed = engine.get("/images/json", filters={"reference": ["busy*"]}).json()
    assert [one["RepoTags"] for one in listed] == [["busybox:latest"]]
    assert engine.get("/images/json", filters={"nonsense": ["x"]}).status == 400


def test_every_unused_image_goes_at_once() -> None:
    alone = Client()
    alone.pull()
    alone.pull("alpine")
    alone.post("/images/busybox/tag", repo="other", tag="1")
    used = alone.run("true", image="alpine")
    alone.wait(used)
    told = alone.post("/images/prune", filters={"dangling": ["false"]})
    assert told.status == 200, told.body
    gone = [one["Untagged"] for one in told.json()["ImagesDeleted"] if "Untagged" in one]
    assert {"busybox:latest", "other:1"} <= set(gone)
    assert [one["RepoTags"] for one in alone.get("/images/json").json()] == [["alpine:latest"]]

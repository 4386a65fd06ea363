"""Images: listed, named, made, moved, removed."""

import io
import json
import tarfile
from typing import Any

from tests.unit.experiment.engine_api.sdk_calls.inside import archive
from tests.unit.experiment.engine_api.sdk_calls.suite import BOX, Sdk


def _tags(s: Sdk, **more: Any) -> list[str]:
    return sorted(tag for image in s.client.images.list(**more) for tag in image.tags)


def _made(s: Sdk) -> Any:
    one = s.run(["sh", "-c", "echo new > /etc/new"], detach=True, name="made")
    one.wait(timeout=20)
    image = one.commit(
        "made",
        tag="1",
        author="me",
        message="why",
        changes='ENV X=y\nCMD ["cat", "/etc/new"]\nLABEL a=b',
    )
    return image.tags, image.labels, image.attrs["Author"], image.attrs["Comment"]


def _saved(s: Sdk) -> Any:
    data = s.keep("saved", b"".join(s.client.images.get("made:1").save(named="made:1")))
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        told = tar.extractfile("manifest.json")
        assert told is not None
        manifest = json.loads(told.read())
    return [(one["RepoTags"], len(one["Layers"])) for one in manifest]


def _lines(text: str) -> list[str]:
    """The words of a stream of JSON messages, without progress."""
    told = [json.loads(line) for line in text.splitlines() if line.strip()]
    return [one.get("error") or one.get("status", "") for one in told]


CALLS: tuple[tuple[str, Any], ...] = (
    ("list", _tags),
    ("list by name", lambda s: _tags(s, name="vitrina")),
    ("list by reference", lambda s: _tags(s, filters={"reference": "vitr*:b*"})),
    ("list dangling", lambda s: _tags(s, filters={"dangling": True})),
    ("list by a bad filter", lambda s: _tags(s, filters={"nosuch": "1"})),
    ("get", lambda s: s.client.images.get(BOX).tags),
    ("get by a short id", lambda s: s.client.images.get(
        s.client.images.get(BOX).id[7:20]).tags),
    ("get nothing", lambda s: s.client.images.get("nosuch")),
    ("get a bad name", lambda s: s.client.images.get("Bad Name")),
    ("attrs", lambda s: {key: s.client.images.get(BOX).attrs[key]
                         for key in ("Os", "Architecture", "RepoTags", "Parent")}),
    ("tag", lambda s: (s.client.images.get(BOX).tag("a/b", tag="1"), _tags(s, name="a/b"))),
    ("tag badly", lambda s: s.client.images.get(BOX).tag("A/B")),
    ("tag nothing", lambda s: s.api.tag("nosuch", "a/b")),
    ("tag once more", lambda s: (s.client.images.get(BOX).tag("a/b", tag="2"),
                                 _tags(s, name="a/b"))),
    ("remove a name", lambda s: (s.client.images.remove("a/b:1"), _tags(s, name="a/b"))),
    ("remove a name again", lambda s: s.client.images.remove("a/b:1")),
    ("remove the other name", lambda s: s.api.remove_image("a/b:2")),
    ("remove nothing", lambda s: s.client.images.remove("nosuch")),
    ("commit", _made),
    ("run what was committed", lambda s: s.client.containers.run("made:1", remove=True)),
    ("history of what was committed", lambda s: [
        (one["Comment"], one["Tags"]) for one in s.client.images.get("made:1").history()][:1]),
    ("configuration of what was committed", lambda s: [
        s.client.images.get("made:1").attrs["Config"][key] for key in ("Cmd", "Env", "Labels")]),
    ("commit of nobody", lambda s: s.api.commit("nosuch")),
    ("commit to a bad name", lambda s: s.one("made").commit("BAD")),
    ("history of nothing", lambda s: s.api.history("nosuch")),
    ("remove an image that is used", lambda s: (
        s.client.containers.create("made:1", "true", name="user") and None,
        s.client.images.remove("made:1"))),
    ("remove it by its id", lambda s: s.client.images.remove(s.client.images.get("made:1").id)),
    ("save", _saved),
    ("save nothing", lambda s: s.api.get_image("nosuch")),
    ("remove it by force", lambda s: (
        [s.one(name).remove(force=True) for name in ("user", "made")],
        s.client.images.remove("made:1", force=True), _tags(s, name="made"))),
    ("load", lambda s: [image.tags for image in s.client.images.load(s.kept["saved"])]),
    ("run what was loaded", lambda s: s.client.containers.run("made:1", remove=True)),
    ("load what is no archive", lambda s: s.client.images.load(b"nonsense" * 100)),
    ("import", lambda s: _lines(s.api.import_image_from_data(
        archive(a=b"a"), repository="imported", tag="1"))),
    ("what was imported", lambda s: (
        s.client.images.get("imported:1").attrs["Comment"],
        s.client.images.get("imported:1").attrs["Config"]["Cmd"])),
    ("run without a command", lambda s: s.client.containers.run("imported:1")),
    ("import what is no archive", lambda s: _lines(s.api.import_image_from_data(
        b"nonsense" * 100, repository="imported", tag="2"))),
    ("prune", lambda s: s.client.images.prune(filters={"dangling": True})),
    ("prune by a bad filter", lambda s: s.client.images.prune(filters={"nosuch": "1"})),
    ("build", lambda s: (
        s.client.images.build(fileobj=io.BytesIO(
            f"FROM {BOX}\nENV A=b\nRUN echo $A > /built\nCMD cat /built\n".encode()),
            tag="built:1", rm=True)[0].tags,
        s.client.containers.run("built:1", remove=True))),
    ("build's steps", lambda s: [
        line["stream"].strip() for line in s.client.images.build(fileobj=io.BytesIO(
            f"FROM {BOX}\nENV A=b\n".encode()), rm=True)[1] if "stream" in line]),
    ("build that fails", lambda s: s.client.images.build(
        fileobj=io.BytesIO(f"FROM {BOX}\nRUN exit 4\n".encode()), rm=True)),
    ("build of no instruction", lambda s: s.client.images.build(
        fileobj=io.BytesIO(f"FROM {BOX}\nNOSUCH x\n".encode()), rm=True)),
    ("build of nothing", lambda s: s.client.images.build(fileobj=io.BytesIO(b""), rm=True)),
    ("build without FROM", lambda s: s.client.images.build(
        fileobj=io.BytesIO(b"RUN true\n"), rm=True)),
    ("build with labels", lambda s: {key: value for key, value in s.client.images.build(
        fileobj=io.BytesIO(f"FROM {BOX}\nARG W\nENV W=$W\n".encode()), rm=True,
        labels={"l": "1"}, buildargs={"W": "w"})[0].attrs["Config"].items()
        if key in ("Labels", "Env")}),
    ("remove all", lambda s: [s.client.images.remove(name, force=True) and None
                              for name in ("made:1", "imported:1", "built:1")]),
    ("names that are left", lambda s: [tag for tag in _tags(s) if "imp" in tag or "ade" in tag]),
)  # fmt: skip

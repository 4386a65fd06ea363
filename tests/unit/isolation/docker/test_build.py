"""The classic builder over the API: steps, cache, stages, every instruction, errors."""

import io
import json
import tarfile
from typing import Any, NamedTuple

import pytest
from engine_client import Answer, Client

HELP = (
    "Refer to https://docs.docker.com/go/buildkit/ to learn how to build images with BuildKit"
    " enabled"
)


class Built(NamedTuple):
    answer: Answer
    lines: list[dict[str, Any]]

    @property
    def text(self) -> str:
        return "".join(line.get("stream", "") for line in self.lines)

    @property
    def error(self) -> str:
        return self.lines[-1].get("error", "")

    @property
    def id(self) -> str:
        return [line["aux"]["ID"] for line in self.lines if "aux" in line][-1]


def tar(files: dict[str, str | bytes], modes: dict[str, int] | None = None) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), (modes or {}).get(name, 0o644)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def build(engine: Client, text: str, /, files: Any = None, **query: Any) -> Built:
    context = tar({"Dockerfile": text, **(files or {})})
    answer = engine.ask("POST", "/build", raw=context, **query)
    lines = [json.loads(line) for line in answer.body.splitlines()]
    return Built(answer, lines)


def run(engine: Client, image: str, *cmd: str) -> str:
    body = {"Image": image, **({"Cmd": list(cmd)} if cmd else {})}
    made = engine.post("/containers/create", body).json()["Id"]
    answer = engine.post(f"/containers/{made}/start")
    assert answer.status == 204, answer.body
    engine.wait(made)
    return engine.logs(made).decode()


def config(engine: Client, image: str) -> dict[str, Any]:
    return engine.get(f"/images/{image}/json").json()["Config"]


def test_a_build_says_what_the_daemon_says(engine: Client) -> None:
    built = build(
        engine, "FROM busybox\nRUN echo hi > /hi\nCOPY a /b\nCMD [\"cat\", \"/hi\"]\n",
        {"a": "A\n"}, t="said:1", rm=1,
    )  # fmt: skip
    said = built.text.splitlines()
    assert said[0] == "Step 1/4 : FROM busybox"
    assert said[2] == "Step 2/4 : RUN echo hi > /hi"
    assert said[3].startswith(" ---> Running in ")
    assert said[4].startswith(" ---> Removed intermediate container ")
    assert said[-2:] == [f"Successfully built {built.id[7:19]}", "Successfully tagged said:1"]
    assert run(engine, "said:1") == "hi\n"
    assert run(engine, "said:1", "cat", "/b") == "A\n"
    assert engine.get("/containers/json", all=1).json() is not None


def test_one_changed_line_rebuilds_only_what_follows(engine: Client) -> None:
    text = "FROM busybox\nRUN echo one > /1\nCOPY data /data\nRUN cat /data > /2\n"
    first = build(engine, text, {"data": "x"})
    again = build(engine, text, {"data": "x"})
    assert again.id == first.id
    assert again.text.count("Using cache") == 3
    changed = build(engine, text, {"data": "y"})
    assert changed.text.count("Using cache") == 1
    assert changed.id != first.id
    other = build(engine, text.replace("cat /data", "wc /data"), {"data": "x"})
    assert other.text.count("Using cache") == 2
    never = build(engine, text, {"data": "x"}, nocache=1)
    assert "Using cache" not in never.text


def test_the_cache_looks_at_content_and_mode_not_at_times(engine: Client) -> None:
    text = "FROM busybox\nCOPY f /f\n"
    for mtime, mode, cached in ((1, 0o644, False), (2, 0o644, True), (3, 0o755, False)):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as archive:
            for name, data in (("Dockerfile", text), ("f", "timeless")):
                info = tarfile.TarInfo(name)
                info.size, info.mtime, info.mode = len(data), mtime, mode
                archive.addfile(info, io.BytesIO(data.encode()))
        answer = engine.ask("POST", "/build", raw=out.getvalue())
        assert (b"Using cache" in answer.body) is cached


def test_stages_and_copy_from(engine: Client) -> None:
    text = """ARG BASE=busybox
FROM ${BASE} AS make
RUN mkdir -p /out/deep && echo made > /out/deep/file && ln -s deep /out/link
FROM scratch AS empty
COPY --from=make /out /only
FROM busybox AS last
COPY --from=make /out/link/file /file
COPY --from=0 /out/ /tree/
COPY --from=empty /only/deep /again
COPY --from=busybox /etc/passwd /copied
"""
    built = build(engine, text, t="staged:1")
    assert not built.error, built.text
    shown = run(engine, "staged:1", "cat", "/file", "/tree/deep/file", "/again/file")
    assert shown == "made\n" * 3
    assert run(engine, "staged:1", "ls", "/copied") == "/copied\n"
    target = build(engine, text, t="staged:make", target="make")
    assert "Step 3/3" in target.text
    assert run(engine, "staged:make", "cat", "/out/deep/file") == "made\n"
    assert build(engine, text, target="none").answer.message == (
        'target stage "none" could not be found'
    )


def test_every_configuring_instruction(engine: Client) -> None:
    text = r"""# escape=`
FROM busybox
MAINTAINER me <me@example.org>
ENV A=1 B="two words" C='$A'
ENV D ${A}-${B:-x}-${NONE:-default}-${A:+set}
LABEL one="1" `
      # a comment in between

      two=2
EXPOSE 80 53/udp 8000-8001
WORKDIR /srv
WORKDIR $A/sub
USER nobody
VOLUME ["/data", "/more"]
STOPSIGNAL SIGINT
SHELL ["/bin/sh", "-e", "-c"]
HEALTHCHECK --interval=5s --timeout=1m30s --retries=2 CMD test -e /ok
ENTRYPOINT ["echo"]
CMD one two
ONBUILD RUN echo triggered
"""
    built = build(engine, text, t="full:1", labels=json.dumps({"added": "yes"}))
    assert not built.error, built.text
    got = config(engine, "full:1")
    assert got["Env"][1:] == ["A=1", "B=two words", "C=$A", "D=1-two words-default-set"]
    wanted = {"vitrina.simulated": "true", "one": "1", "two": "2", "added": "yes"}
    assert got["Labels"] == wanted
    assert set(got["ExposedPorts"]) == {"80/tcp", "53/udp", "8000/tcp", "8001/tcp"}
    assert got["WorkingDir"] == "/srv/1/sub"
    assert got["User"] == "nobody"
    assert set(got["Volumes"]) == {"/data", "/more"}
    assert got["StopSignal"] == "SIGINT"
    assert got["Healthcheck"]["Test"] == ["CMD-SHELL", "test -e /ok"]
    assert got["Healthcheck"]["Timeout"] == 90 * 10**9
    assert got["Entrypoint"] == ["echo"]
    assert got["Cmd"] == ["/bin/sh", "-e", "-c", "one two"]
    assert got["OnBuild"] == ["RUN echo triggered"]
    assert engine.get("/images/full:1/json").json()["Author"] == "me <me@example.org>"
    child = build(engine, "FROM full:1\nUSER root\nRUN true\n")
    assert "# Executing 1 build trigger\n" in child.text
    assert "triggered\n" in child.text
    assert not config(engine, child.id).get("OnBuild")


def test_build_arguments(engine: Client) -> None:
    text = "ARG TAG=none\nFROM busybox\nARG TAG\nARG WHO=me\nRUN echo $TAG $WHO > /said\n"
    built = build(engine, text, buildargs=json.dumps({"WHO": "you", "EXTRA": "1"}), t="args:1")
    assert "[Warning] One or more build-args [EXTRA] were not consumed" in built.text
    assert run(engine, "args:1", "cat", "/said") == "none you\n"
    assert not any(pair.startswith("WHO=") for pair in config(engine, "args:1")["Env"])
    steps = engine.get("/images/args:1/history").json()
    assert steps[0]["CreatedBy"] == "|2 TAG=none WHO=you /bin/sh -c echo $TAG $WHO > /said"
    other = build(engine, text, buildargs=json.dumps({"WHO": "they"}))
    assert other.text.count("Using cache") == 2


def test_copy_knows_files_directories_and_patterns(engine: Client) -> None:
    files = {"a.txt": "a", "b.txt": "b", "d/c": "c", "d/e/f": "f", "tool.sh": "#!/bin/sh\n"}
    text = """FROM busybox
WORKDIR /w
COPY *.txt texts/
COPY d /d
COPY d/e .
COPY --chown=33:44 a.txt b.txt /owned/
COPY ["tool.sh", "/bin/tool"]
COPY a.txt /etc
"""
    built = build(engine, text, files, t="copied:1")
    assert not built.error, built.text
    script = "ls /w/texts /d /d/e /w/f /etc/a.txt /bin/tool; stat -c %u:%g /owned/a.txt"
    shown = run(engine, "copied:1", "sh", "-c", script)
    assert "/w/f" in shown
    assert "/etc/a.txt" in shown
    assert shown.endswith("33:44\n")


def test_add_unpacks_archives(engine: Client) -> None:
    inner = tar({"in/file": "from the archive\n"})
    built = build(engine, "FROM busybox\nADD inner.tar /un\nCOPY inner.tar /un/\n",
                  {"inner.tar": inner}, t="added:1")  # fmt: skip
    assert not built.error, built.text
    shown = run(engine, "added:1", "sh", "-c", "cat /un/in/file; ls /un")
    assert shown == "from the archive\nin\ninner.tar\n"
    failed = build(engine, "FROM busybox\nADD http://example.org/x /x\n")
    assert failed.error.startswith('ADD failed: Get "http://example.org/x": dial tcp')


def test_a_failing_run_ends_the_build(engine: Client) -> None:
    before = len(engine.get("/containers/json", all=1).json())
    built = build(engine, "FROM busybox\nRUN echo out; echo err >&2; exit 7\n", forcerm=1)
    assert built.error == (
        "The command '/bin/sh -c echo out; echo err >&2; exit 7' returned a non-zero code: 7"
    )
    assert built.lines[-1]["errorDetail"]["code"] == 7
    assert "out\n" in built.text
    assert "\x1b[91merr\n\x1b[0m" in built.text
    assert len(engine.get("/containers/json", all=1).json()) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FROM busybox\nFOO bar\n", "dockerfile parse error on line 2: unknown instruction: FOO"),
        ("RUN true\n", "no build stage in current context"),
        ("FROM a b\n", "FROM requires either one or three arguments"),
        ("FROM busybox\nENV a\n", "line 2: ENV must have two arguments"),
        ("FROM busybox\nCOPY a\n", "COPY requires at least two arguments, but only one was"),
        ("FROM busybox\nRUN <<EOF\necho\nEOF\n", "the heredoc syntax of RUN requires BuildKit"),
        ("FROM busybox\nSHELL sh -c\n", "SHELL requires the arguments to be in JSON form"),
        ("FROM busybox\nONBUILD FROM x\n", "FROM isn't allowed as an ONBUILD trigger"),
        ("FROM busybox\nHEALTHCHECK FOO\n", 'line 2: Unknown type "FOO" in HEALTHCHECK'),
        ("FROM busybox\nHEALTHCHECK --interval=x CMD a\n", 'time: invalid duration "x"'),
        ("FROM busybox\nUSER\n", "USER requires exactly one argument"),
        (" \n", "the Dockerfile (Dockerfile) cannot be empty"),
        ("# only a comment\n", "file with no instructions"),
    ],
)
def test_mistakes_are_told_before_anything_is_done(engine: Client, text: str, message: str) -> None:
    answer = build(engine, text).answer
    assert answer.status == 400
    assert message in answer.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("COPY none /x", "COPY failed: file not found in build context or excluded by"
         " .dockerignore: stat none: file does not exist"),
        ("COPY *.none /x", "COPY failed: no source files were specified"),
        ("COPY ../x /x", "COPY failed: forbidden path outside the build context: ../x ()"),
        ("COPY Dockerfile other /x", "When using COPY with more than one source file, the"
         " destination must be a directory and end with a /"),
        ("COPY --chown=nobody-here other /x", "unable to convert uid/gid chown string to host"
         " mapping: can't find uid for user nobody-here: no such user: nobody-here"),
        ("COPY --chown=0:nothing other /x", "unable to convert uid/gid chown string to host"
         " mapping: can't find gid for group nothing: no such group: nothing"),
        ("COPY --from=0 other /x", "invalid from flag value 0: refers to current build block"),
        ("COPY --from=5 other /x", "invalid from flag value 5: index out of bounds"),
        ("COPY --from=nosuch other /x", "invalid from flag value nosuch: pull access denied for"
         " nosuch, repository does not exist or may require 'docker login': denied: requested"
         " access to the resource is denied"),
        ("EXPOSE 99999", "invalid containerPort: 99999"),
        ("COPY --chmod=1 other /x", f"the --chmod option requires BuildKit. {HELP}"),
        ("RUN --mount=type=cache,target=/c true", f"the --mount option requires BuildKit. {HELP}"),
        ("ENV A=${B?}", "B: not allowed to be empty"),
    ],
)  # fmt: skip
def test_mistakes_of_a_step_are_told_in_the_stream(engine: Client, text: str, message: str) -> None:
    assert build(engine, f"FROM busybox\n{text}\n", {"other": "x"}).error == message


def test_other_requests(engine: Client) -> None:
    assert engine.ask("POST", "/build", raw=tar({"x": "y"})).message == (
        "Cannot locate specified Dockerfile: Dockerfile"
    )
    answer = build(engine, "FROM nosuch-image\n")
    assert "pull access denied for nosuch-image" in answer.error
    quiet = build(engine, "FROM busybox\nRUN echo loud\n", q=1)
    assert len(quiet.lines) == 1
    assert quiet.lines[0]["stream"].startswith("sha256:")
    named = build(engine, "FROM none", {"sub/File": "FROM busybox\nCMD x\n"}, dockerfile="sub/File")
    assert "Step 2/2 : CMD x" in named.text
    assert build(engine, "FROM busybox", buildargs="[1]").answer.status == 400
    assert build(engine, "FROM busybox", t="UPPER").answer.status == 400


def test_dockerignore_hides_the_dockerfile(engine: Client) -> None:
    built = build(engine, "FROM busybox\nCOPY . /all/\n",
                  {".dockerignore": "Dockerfile\n", "kept": "k"}, t="hidden:1")  # fmt: skip
    assert not built.error
    assert run(engine, "hidden:1", "ls", "-A", "/all") == ".dockerignore\nkept\n"


def test_a_build_whose_client_is_gone_is_cancelled(engine: Client) -> None:
    """What its step runs is killed and removed, and no further step is begun."""
    before = [one["Id"] for one in engine.get("/containers/json", all=1).json()]
    context = tar({"Dockerfile": "FROM busybox\nRUN echo first; sleep 3\nRUN echo then > /then"})
    head = f"POST /build?rm=1&t=gone:1 HTTP/1.1\r\nHost: x\r\nContent-Length: {len(context)}\r\n"
    fd = engine.send(head.encode() + b"Content-Type: application/x-tar\r\n\r\n" + context)
    said = b""
    while b"first" not in said:
        said += engine.receive(fd)
    assert len(engine.get("/containers/json", all=1).json()) == len(before) + 1
    engine.machine.call("close", fd)
    engine.settle()
    for _ in range(2):
        assert [one["Id"] for one in engine.get("/containers/json", all=1).json()] == before
        engine.machine.advance(10_000_000_000)
        engine.settle()
    assert engine.get("/images/gone:1/json").status == 404


def test_the_last_block_of_a_context_may_be_cut_off_behind_its_content(engine: Client) -> None:
    """As ``docker build -f`` sends it when the Dockerfile is outside of the context."""
    whole = tar({"a": "A\n", "Dockerfile": "FROM busybox\nCOPY a /a\nRUN cat /a"})
    end = whole.index(b"RUN cat /a") + len(b"RUN cat /a")
    answer = engine.ask("POST", "/build", raw=whole[:end])
    assert b"Successfully built" in answer.body
    assert b"unexpected EOF" in engine.ask("POST", "/build", raw=whole[: end - 1]).body


def test_a_quiet_build_that_fails_says_what_it_held_back(engine: Client) -> None:
    failed = build(engine, "FROM busybox\nRUN echo loud; exit 3\n", q=1)
    assert "Step 2/2 : RUN echo loud; exit 3\n" in failed.text
    assert "loud\n" in failed.text
    assert failed.error.endswith("returned a non-zero code: 3")


def test_what_run_starts_has_the_limits_and_hosts_that_were_asked_for(engine: Client) -> None:
    limits = json.dumps([{"Name": "nofile", "Soft": 50, "Hard": 60}])
    line = "RUN ulimit -n; grep -c there /etc/hosts"
    built = build(engine, f"FROM busybox\n{line}\n", ulimits=limits, extrahosts="there:1.2.3.4")
    assert "\n50\n1\n" in built.text

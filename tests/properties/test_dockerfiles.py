"""Any Dockerfile: its build ends in an image, which the cache gives again, or in one line."""

import io
import json
import re
import sys
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "isolation" / "docker"))

from engine_client import Client

FILES = {"a": "A\n", "dir/b": "B\n", "dir/deep/c": "C\n", "note.txt": "n\n", ".dockerignore": "x\n"}
_NAMES = ("a", "dir", "dir/b", "d*", "none", ".", "/", "../a", "note.txt", "$V", "${V:-a}", "?")
_PLACES = ("/", "/x", "x/", "/x/y/", ".", "$V", "${HOME}", "/etc/passwd", "~", "")
_TEXTS = (
    "",
    "a",
    "a=b",
    "a=b c=d",
    'a="b c"',
    "a b",
    "'",
    '"',
    "$V",
    "${V",
    "${V:-x}",
    "${V:?no}",
    "=",
    "a=$b",
    "\\",
    "é",
    "\t",
    "$$",
    "`x`",
    '["x"]',
    '["x", 1]',
    "[",
    "[]",
    '["sh","-c"]',
)
_COMMANDS = (
    "true",
    "false",
    "echo hi > /f",
    "exit 7",
    "mkdir -p /m && touch /m/n",
    "nosuch",
    "rm -rf /f",
    "cat /none",
    "kill -9 $$",
    '["echo", "x"]',
    '["nosuch"]',
    "cd /x; pwd",
    "test -f /f",
    "echo $V ${W:-w}",
    ":",
)


def _line(word: str, *rest: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*rest).map(lambda parts: f"{word} {' '.join(parts)}")


_text = st.sampled_from(_TEXTS)
_name = st.sampled_from(_NAMES)
_place = st.sampled_from(_PLACES)
_flag = st.sampled_from(
    (
        "",
        "",
        "",
        "--chown=1:1",
        "--chown=nobody",
        "--from=0",
        "--from=s",
        "--from=nosuch",
        "--chmod=755",
        "--nope",
        "--chown",
        "--from=busybox",
    )
)
_base = st.sampled_from(
    (
        "busybox",
        "busybox",
        "busybox AS s",
        "scratch",
        "scratch AS s",
        "nosuch",
        "$V",
        "${V:-busybox}",
        "busybox as",
        "busybox AS 1",
        "s",
        "BUSYBOX",
        "--platform=linux/amd64 busybox",
        "--platform=bad/x busybox",
        "a b",
    )
)
_instruction = st.one_of(
    _line("FROM", _base),
    _line("RUN", st.sampled_from(_COMMANDS)),
    _line("COPY", _flag, _name, _place),
    _line("ADD", _flag, _name, _place),
    _line("COPY", _name, _name, _place),
    _line("ENV", _text),
    _line("ARG", _text),
    _line("LABEL", _text),
    _line("WORKDIR", _place),
    _line("USER", st.sampled_from(("", "nobody", "1000", "1:1", "no such", "$V", "nosuch"))),
    _line("EXPOSE", st.sampled_from(("80", "80/tcp", "80-82", "x", "", "99999", "$V", "80/xyz"))),
    _line("VOLUME", st.sampled_from(("/v", '["/v", "/w"]', "", "v w", "$V", "[]"))),
    _line("CMD", _text),
    _line("ENTRYPOINT", _text),
    _line("SHELL", st.sampled_from(('["sh", "-c"]', "sh", '["nosuch"]', "[]", '["sh"'))),
    _line("STOPSIGNAL", st.sampled_from(("9", "SIGTERM", "SIGNONE", "", "-1", "a b"))),
    _line(
        "HEALTHCHECK",
        st.sampled_from(
            (
                "NONE",
                "CMD true",
                "--interval=1s CMD true",
                "CMD",
                "X",
                "--interval=x CMD true",
                "--retries=-1 CMD true",
                "",
            )
        ),
    ),
    _line("ONBUILD", st.sampled_from(("RUN true", "FROM x", "ONBUILD RUN x", "", "COPY a /a"))),
    _line("MAINTAINER", _text),
    st.sampled_from(
        (
            "# a comment",
            "",
            "FRO busybox",
            "run true",
            "RUN true \\\n  && true \\",
            "RUN echo \\\n# within\n  x",
            "# escape=`",
            "# syntax=docker/dockerfile:1",
            "RUN <<EOF",
            "\\",
            "COPY",
            "FROM",
            "\x00",
            "RUN true\r",
            "INSERT a",
        )
    ),
)
_dockerfile = st.one_of(
    st.lists(_instruction, min_size=1, max_size=6).map(lambda lines: ["FROM busybox", *lines]),
    st.lists(_instruction, max_size=5),
).map("\n".join)


@cache
def _engine() -> Client:
    engine = Client()
    engine.pull()
    return engine


def _context(text: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in {"Dockerfile": text, **FILES}.items():
            data = content.encode()
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o644
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _built(text: str, **query: Any) -> tuple[str, str, str]:
    """The image's id, the refusal, and everything that was said.

    Each stage names its image when it ends, as ``emitImageID()`` of moby does; what a later one
    makes of it decides: a build that was refused has no image.
    """
    answer = _engine().ask("POST", "/build", raw=_context(text), rm=1, **query)
    if answer.status != 200:
        return "", answer.message, ""
    lines = [json.loads(line) for line in answer.body.splitlines()]
    said = "".join(line.get("stream", "") for line in lines)
    made = [line["aux"]["ID"] for line in lines if "aux" in line]
    refusal = lines[-1].get("error", "") if lines else ""
    return (made[-1] if made and not refusal else ""), refusal, said


@example("FROM busybox\nFROM scratch")
@given(_dockerfile)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_build_ends_in_an_image_or_in_one_line(text: str) -> None:
    ident, refusal, said = _built(text)
    assert bool(ident) != bool(refusal), (text, refusal, said)
    assert "Traceback" not in refusal + said
    if refusal:
        assert "\n" not in refusal.strip(), refusal
        where = re.search(r"dockerfile parse error on line (\d+): \S", refusal)
        assert "parse error" not in refusal or where or "no instructions" in refusal, refusal
        if where:
            assert 1 <= int(where[1]) <= text.count("\n") + 1
        assert _built(text)[1].partition(" ")[0] == refusal.partition(" ")[0]
    else:
        again, none, _ = _built(text)
        assert (again, none) == (ident, "")


@given(st.text(max_size=80))
@settings(max_examples=60, deadline=None)
def test_a_text_that_is_no_dockerfile_is_refused_in_one_line(text: str) -> None:
    assume(not re.search(r"(?i)from\s+\S", text))
    ident, refusal, _ = _built(text)
    assert not ident
    assert refusal
    assert "\n" not in refusal.strip()

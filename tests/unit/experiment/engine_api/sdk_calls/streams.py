"""Logs, attach, exec: what comes over a stream."""

from typing import Any

from tests.unit.experiment.engine_api.sdk_calls.suite import BOX, Sdk

_SCRIPT = "echo one; echo two; echo bad >&2; echo three"


def _exec(s: Sdk, command: Any, **more: Any) -> Any:
    return tuple(s.one("work").exec_run(command, **more))


def _typed(s: Sdk) -> bytes:
    """What cat gives back of what is typed to it over attach."""
    one = s.client.containers.create(BOX, "cat", stdin_open=True, name="cat")
    socket = one.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
    one.start()
    socket._sock.sendall(b"typed\n")
    head = socket.read(8)
    text = socket.read(int.from_bytes(head[4:], "big"))
    socket._sock.close()
    one.remove(force=True)
    return head[:1] + text


def _exec_typed(s: Sdk) -> bytes:
    made = s.api.exec_create("work", "cat", stdin=True)["Id"]
    socket = s.api.exec_start(made, socket=True)
    socket._sock.sendall(b"to exec\n")
    head = socket.read(8)
    text = socket.read(int.from_bytes(head[4:], "big"))
    socket._sock.close()
    return text


def _attached(s: Sdk) -> bytes:
    one = s.client.containers.create(BOX, ["sh", "-c", "read x; echo got"], stdin_open=True)
    stream = one.attach(stdout=True, stream=True, logs=True)
    socket = one.attach_socket(params={"stdin": 1, "stream": 1})
    one.start()
    socket._sock.sendall(b"x\n")
    text = b"".join(stream)
    socket._sock.close()
    one.remove(force=True)
    return text


def _detached(s: Sdk) -> Any:
    made = s.api.exec_create("work", ["sh", "-c", "exit 9"])["Id"]
    first = s.api.exec_start(made, detach=True)
    for _ in range(200):
        if not s.api.exec_inspect(made)["Running"]:
            break
    return first, s.api.exec_inspect(made)["ExitCode"]


def _exec_again(s: Sdk) -> Any:
    made = s.api.exec_create("work", "true")["Id"]
    s.api.exec_start(made)
    return s.api.exec_start(made)


def _inspected(s: Sdk) -> Any:
    made = s.api.exec_create("work", ["echo", "a"], user="1")["Id"]
    before = s.api.exec_inspect(made)
    s.api.exec_start(made)
    after = s.api.exec_inspect(made)
    return before["ProcessConfig"], set(before), before["ExitCode"], after["ExitCode"]


CALLS: tuple[tuple[str, Any], ...] = (
    ("logs of what runs not yet", lambda s: s.client.containers.create(
        BOX, ["sh", "-c", _SCRIPT], name="talk").logs()),
    ("start -a", lambda s: (s.one("talk").start(), s.one("talk").wait(timeout=20))),
    ("logs of stdout", lambda s: s.one("talk").logs(stderr=False)),
    ("logs of stderr", lambda s: s.one("talk").logs(stdout=False)),
    ("logs of neither", lambda s: s.one("talk").logs(stdout=False, stderr=False)),
    ("logs' tail", lambda s: s.one("talk").logs(stderr=False, tail=2)),
    ("logs' tail of none", lambda s: s.one("talk").logs(tail=0)),
    ("logs with times", lambda s: s.one("talk").logs(stderr=False, timestamps=True)),
    ("logs since then", lambda s: s.one("talk").logs(since=2_000_000_000)),
    ("logs until then", lambda s: s.one("talk").logs(until=1)),
    ("logs as a stream", lambda s: b"".join(s.one("talk").logs(stream=True, stderr=False))),
    ("logs followed", lambda s: b"".join(s.run(
        ["sh", "-c", "echo a; sleep 0.3; echo b"], detach=True, name="slow")
        .logs(stream=True, follow=True))),
    ("logs of nothing", lambda s: s.api.logs("nosuch")),
    ("logs with a bad time", lambda s: s.api._result(s.api._get(
        s.api._url("/containers/{0}/logs", "talk"), params={"stdout": 1, "since": "x"}))),
    ("attach to what has ended", lambda s: s.one("talk").attach(logs=True, stderr=False)),
    ("attach and type", _typed),
    ("attach for the output", _attached),
    ("attach to nothing", lambda s: s.api.attach("nosuch")),
    ("attach with bad keys", lambda s: s.api.attach_socket(
        "talk", params={"stream": 1, "detachKeys": "nosuch"})),
    ("a container to work in", lambda s: s.run(["sleep", "1000"], detach=True, name="work").name),
    ("exec", lambda s: _exec(s, "echo in")),
    ("exec's exit status", lambda s: _exec(s, ["sh", "-c", "exit 5"])),
    ("exec with both streams mixed", lambda s: _exec(s, ["sh", "-c", "echo o; echo e >&2"])),
    ("exec with both streams apart", lambda s: _exec(
        s, ["sh", "-c", "echo o; echo e >&2"], demux=True)),
    ("exec without stderr", lambda s: _exec(s, ["sh", "-c", "echo o; echo e >&2"], stderr=False)),
    ("exec without stdout", lambda s: _exec(s, ["sh", "-c", "echo o; echo e >&2"], stdout=False)),
    ("exec as a stream", lambda s: b"".join(s.one("work").exec_run(
        ["sh", "-c", "echo 1; echo 2"], stream=True).output)),
    ("exec as two streams", lambda s: list(s.one("work").exec_run(
        ["sh", "-c", "echo 1; sleep 0.2; echo 2 >&2"], stream=True, demux=True).output)),
    ("exec on a terminal", lambda s: _exec(s, "echo hi", tty=True)),
    ("exec with environment", lambda s: _exec(
        s, ["sh", "-c", "echo $A"], environment={"A": "1"})),
    ("exec in a directory", lambda s: _exec(s, "pwd", workdir="/tmp")),
    ("exec in no directory", lambda s: _exec(s, "pwd", workdir="/nosuch")),
    ("exec as a user", lambda s: _exec(s, "id -u", user="12")),
    ("exec as no user", lambda s: _exec(s, "id -u", user="nobody-here")),
    ("exec of no program", lambda s: _exec(s, "nosuch")),
    ("exec of nothing", lambda s: s.api.exec_create("work", [])),
    ("exec in nothing", lambda s: s.api.exec_create("nosuch", "true")),
    ("exec detached", _detached),
    ("exec that the SDK detaches", lambda s: _exec(s, "sleep 0", detach=True)[1]),
    ("exec a second time", _exec_again),
    ("exec with input", _exec_typed),
    ("exec looked at", _inspected),
    ("no exec", lambda s: s.api.exec_inspect("nosuch")),
    ("no exec to start", lambda s: s.api.exec_start("nosuch")),
    ("no exec to resize", lambda s: s.api.exec_resize("nosuch", 10, 10)),
    ("resize without a terminal", lambda s: s.one("work").resize(30, 90)),
    ("resize", lambda s: (s.run(["sleep", "1000"], tty=True, detach=True, name="tty") and None,
                          s.one("tty").resize(30, 90))),
    ("resize badly", lambda s: s.api._result(s.api._post(
        s.api._url("/containers/{0}/resize", "tty"), params={"h": "x", "w": 1}))),
    ("remove", lambda s: [s.one(name).remove(force=True)
                          for name in ("talk", "slow", "work", "tty")]),
)  # fmt: skip

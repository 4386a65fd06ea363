"""A client of the simulated dockerd that needs no socket of this machine: HTTP over the model's."""

import json
from typing import Any, NamedTuple
from urllib.parse import urlencode

import h11

from simulator.experiment.engine_api.machine import Machine
from simulator.machine.abi.call import Returned
from simulator.machine.abi.constants import MSG_DONTWAIT, SHUT_WR
from simulator.machine.abi.errno import Errno

REALTIME = 1_750_000_000 * 1_000_000_000


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        return self.json()["message"]


class Client:
    """Requests, one connection each; the machine runs until the answer is complete."""

    def __init__(self, machine: Machine | None = None) -> None:
        self.machine = machine or Machine(REALTIME)
        self.machine.strict = True
        self.settle()

    def settle(self) -> None:
        while self.machine.turn(1000):
            continue

    def ask(
        self,
        method: str,
        place: str,
        /,
        body: Any = None,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
        kind: str = "",
        **query: Any,
    ):
        target = f"/v1.47{place}" if not place.startswith("/v1") else place
        if query:
            target += "?" + urlencode({k: json.dumps(v) if isinstance(v, dict) else v
                                       for k, v in query.items()})  # fmt: skip
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        kind = kind or ("application/x-tar" if raw is not None else "application/json")
        http = h11.Connection(h11.CLIENT)
        sent = [("Host", "x"), ("Content-Length", str(len(content))), *(headers or {}).items()]
        if content:
            sent.append(("Content-Type", kind))
        data = http.send(h11.Request(method=method, target=target, headers=sent)) or b""
        if content:
            data += http.send(h11.Data(data=content)) or b""
        data += http.send(h11.EndOfMessage()) or b""
        fd = self.send(data)
        status, found, got = 0, {}, b""
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(self.receive(fd))
            elif isinstance(event, h11.Response):
                status = event.status_code
                found = {k.decode().lower(): v.decode() for k, v in event.headers}
            elif isinstance(event, h11.Data):
                got += bytes(event.data)
            elif isinstance(event, (h11.EndOfMessage, h11.ConnectionClosed)):
                break
        self.machine.call("close", fd)
        self.settle()
        return Answer(status, found, got)

    def get(self, target: str, /, **query: Any) -> Answer:
        return self.ask("GET", target, **query)

    def post(self, target: str, /, body: Any = None, **query: Any) -> Answer:
        return self.ask("POST", target, body, **query)

    def delete(self, path: str, **query: Any) -> Answer:
        return self.ask("DELETE", path, **query)

    # -- bytes

    def send(self, data: bytes, fd: int | None = None) -> int:
        if fd is None:
            fd = self.machine.connect()
            assert fd is not None
        while data:
            sent = self.machine.call("sendto", fd, data[:65536], len(data[:65536]), MSG_DONTWAIT)
            if isinstance(sent, Returned):
                data = data[sent.value :]
            elif sent.errno is not Errno.EAGAIN:
                break
            self.machine.turn(50)
        return fd

    def receive(self, fd: int, patience: int = 400) -> bytes:
        """What comes next; time passes while nothing does."""
        for _ in range(patience):
            self.settle()
            got = self.machine.call("recvfrom", fd, 65536, MSG_DONTWAIT)
            if isinstance(got, Returned):
                return got.data or b""
            if got.errno is not Errno.EAGAIN:
                return b""
            wait = self.machine.next_deadline()
            assert wait is not None, "waits for ever"
            self.machine.advance(max(wait, 1))
        raise AssertionError("nothing came")

    def drain(self, fd: int) -> bytes:
        got = b""
        while piece := self.receive(fd):
            got += piece
        self.machine.call("close", fd)
        self.settle()
        return got

    def half_close(self, fd: int) -> None:
        self.machine.call("shutdown", fd, SHUT_WR)
        self.settle()

    # -- whole stories

    def pull(self, name: str = "busybox") -> None:
        answer = self.post("/images/create", fromImage=name, tag="latest")
        assert answer.status == 200, answer

    def create(self, *cmd: str, name: str = "", image: str = "busybox", **config: Any) -> str:
        host = config.pop("HostConfig", {})
        body = {"Image": image, "Cmd": list(cmd), "HostConfig": host, **config}
        answer = self.post("/containers/create", body, **({"name": name} if name else {}))
        assert answer.status == 201, answer.body
        return answer.json()["Id"]

    def run(self, *cmd: str, name: str = "", **config: Any) -> str:
        made = self.create(*cmd, name=name, **config)
        answer = self.post(f"/containers/{made}/start")
        assert answer.status == 204, answer.body
        return made

    def wait(self, name: str) -> int:
        return self.post(f"/containers/{name}/wait").json()["StatusCode"]

    def logs(self, name: str, **query: Any) -> bytes:
        asked = {"stdout": 1, "stderr": 1} | query
        return unframed(self.get(f"/containers/{name}/logs", **asked).body)

    def execute(self, name: str, *cmd: str, **config: Any) -> bytes:
        body = {"Cmd": list(cmd), "AttachStdout": True, "AttachStderr": True, **config}
        made = self.post(f"/containers/{name}/exec", body).json()["Id"]
        content = b'{"Detach":false,"Tty":false}'
        head = f"POST /v1.47/exec/{made}/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
        head += "Upgrade: tcp\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(content)}\r\n\r\n"
        fd = self.send(head.encode() + content)
        got = self.drain(fd).partition(b"\r\n\r\n")[2]
        return unframed(got)


def unframed(data: bytes) -> bytes:
    """The payload of a multiplexed stream."""
    found = b""
    while data:
        size = int.from_bytes(data[4:8], "big")
        found += data[8 : 8 + size]
        data = data[8 + size :]
    return found

"""The Engine API over its UNIX socket: what a docker command costs a process for."""

import http.client
import json
import socket
from typing import Any

import msgspec

from simulator.experiment.real.errors import RealError

_VERSION = "v1.41"
LIMIT = 60.0
"""Seconds."""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=LIMIT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def request(path: str, method: str, where: str, body: Any = None) -> dict[str, Any]:
    """One request to the engine at socket ``path``; its JSON, or ``RealError`` with its message."""
    connection = _Connection(path)
    content = msgspec.json.encode(body) if body is not None else None
    headers = {"Content-Type": "application/json"} if content else {}
    try:
        connection.request(method, f"/{_VERSION}{where}", content, headers)
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise RealError.broken(f"docker {where}", str(error)) from error
    finally:
        connection.close()
    told: dict[str, Any] = json.loads(text) if text.strip() else {}
    if answer.status >= 400:
        raise RealError.broken(f"docker {where}", str(told.get("message", answer.status)))
    return told

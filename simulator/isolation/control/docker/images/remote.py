"""A registry on the simulated network: the Registry HTTP API V2 (distribution ``spec/api.md``).

As dockerd does, it is spoken to by plain HTTP only on 127.0.0.0/8 and where ``daemon.json`` says
``insecure-registries``.
"""

from typing import Any

import msgspec

from simulator.isolation.control.docker.api.errors import ApiError, NotFound
from simulator.isolation.control.docker.images.manifests import (
    LIST_TYPE,
    MANIFEST_TYPE,
    Credentials,
)
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.servers import http, serving

_PORT = 443


class Remote:
    """The registry at ``host:port``."""

    def __init__(self, domain: str) -> None:
        self.domain = domain
        self.host, _, port = domain.partition(":")
        self.port = int(port) if port.isdigit() else _PORT

    async def _ask(
        self,
        sys: Process,
        method: str,
        path: str,
        who: Credentials,
        body: bytes = b"",
        kind: str = "",
    ) -> tuple[int, dict[str, str], bytes]:
        address = f"http{'' if await self._plain(sys) else 's'}://{self.domain}{path}"
        what = f'{method.title()} "{address}"'
        try:
            far = await serving.connect(sys, self.host, self.port)
        except LookupError:
            raise ApiError(f"{what}: dial tcp: lookup {self.host}: no such host") from None
        except SysError as error:
            place = f"{await serving.lookup(sys, self.host)}:{self.port}"
            raise ApiError(f"{what}: dial tcp {place}: connect: {error.message.lower()}") from None
        try:
            async with serving.Closing(sys, far.fd):
                if not await self._plain(sys):
                    raise ApiError(f"{what}: http: server gave HTTP response to HTTPS client")
                headers = self._headers(who, kind)
                status, found, content = await http.ask(sys, far, method, path, headers, body)
        except serving.Closed:
            raise ApiError(f"{what}: EOF") from None
        if status == 401:
            why = "unauthorized: authentication required" if who.user else (
                "no basic auth credentials"
            )  # fmt: skip
            raise ApiError(f"{what}: {why}" if not who.user else why)
        return status, found, content

    def _headers(self, who: Credentials, kind: str) -> list[tuple[str, str]]:
        headers = [("Host", self.domain), ("User-Agent", "docker/27.5.1")]
        headers += [("Accept", f"{LIST_TYPE}, {MANIFEST_TYPE}"), ("Connection", "close")]
        if who.user:
            headers.append(("Authorization", who.basic))
        if kind:
            headers.append(("Content-Type", kind))
        return headers

    async def _plain(self, sys: Process) -> bool:
        try:
            address = await serving.lookup(sys, self.host)
        except LookupError:
            address = ""
        if address.startswith("127."):
            return True
        try:
            told = msgspec.json.decode(
                await sys.slurp("/etc/docker/daemon.json"), type=dict[str, Any]
            )
        except (SysError, msgspec.MsgspecError):
            return False
        return self.domain in (told.get("insecure-registries") or [])

    async def manifest(
        self, sys: Process, name: str, wanted: str, who: Credentials
    ) -> bytes | None:
        """GET /v2/NAME/manifests/REFERENCE."""
        status, _, content = await self._ask(sys, "GET", f"/v2/{name}/manifests/{wanted}", who)
        return content if status == 200 else None

    async def blob(self, sys: Process, name: str, digest: str, who: Credentials) -> bytes:
        """GET /v2/NAME/blobs/DIGEST. Raises ``NotFound``."""
        status, _, content = await self._ask(sys, "GET", f"/v2/{name}/blobs/{digest}", who)
        if status != 200:
            raise NotFound(f"blob unknown to registry: {digest}")
        return content

    async def has_blob(self, sys: Process, name: str, digest: str, who: Credentials) -> bool:
        """HEAD /v2/NAME/blobs/DIGEST."""
        status, _, _ = await self._ask(sys, "HEAD", f"/v2/{name}/blobs/{digest}", who)
        return status == 200

    async def put_blob(
        self, sys: Process, name: str, digest: str, content: bytes, who: Credentials
    ) -> None:
        """POST to begin, PUT to send all of it."""
        path = f"/v2/{name}/blobs/uploads/"
        status, found, told = await self._ask(sys, "POST", path, who)
        if status == 202:
            place = f"{found['location']}?digest={digest}"
            kind = "application/octet-stream"
            status, _, told = await self._ask(sys, "PUT", place, who, content, kind)
        if status != 201:
            raise ApiError(_error(told, status))

    async def put_manifest(
        self, sys: Process, name: str, tag: str, content: bytes, who: Credentials
    ) -> None:
        """PUT /v2/NAME/manifests/TAG."""
        path = f"/v2/{name}/manifests/{tag}"
        status, _, told = await self._ask(sys, "PUT", path, who, content, MANIFEST_TYPE)
        if status != 201:
            raise ApiError(_error(told, status))

    async def log_in(self, sys: Process, who: Credentials) -> None:
        """GET /v2/ with the credentials."""
        try:
            await self._ask(sys, "GET", "/v2/", who)
        except ApiError as error:
            if "unauthorized" not in error.message and "basic auth" not in error.message:
                raise
            address = f"http://{self.domain}/v2/"
            raise ApiError(
                f"login attempt to {address} failed with status: 401 Unauthorized", 401
            ) from None


def _error(content: bytes, status: int) -> str:
    try:
        one = msgspec.json.decode(content, type=dict[str, Any])["errors"][0]
        return f"{one['code'].lower().replace('_', ' ')}: {one['message']}"
    except (msgspec.MsgspecError, KeyError, IndexError, TypeError, AttributeError):
        return f"received unexpected HTTP status: {status}"

"""registry(1), of the image ``registry``: the Registry HTTP API V2 on files.

distribution ``spec/api.md``; files lie where distribution's filesystem driver has them, below
``docker/registry/v2``. With ``REGISTRY_AUTH=htpasswd`` every request needs a user of the file that
``REGISTRY_AUTH_HTPASSWD_PATH`` names.
"""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from simulator.machine.abi.constants import O_CREAT, O_TRUNC, O_WRONLY
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.servers import accounts, http, serving
from simulator.machine.userland.servers.http import Answer, Request
from simulator.machine.userland.servers.serving import Connection

_ROOT = "/var/lib/registry/docker/registry/v2"
_PLACE = re.compile(r"/v2/(.+)/(manifests|blobs|tags)/(.+)")
_JSON = ("Content-Type", "application/json")
_VERSION = ("Docker-Distribution-Api-Version", "registry/2.0")


@enter("registry", collection=IMAGES)
async def main(sys: Process, argv: Sequence[str]) -> int:
    """``registry serve FILE``."""
    if argv[1:2] == ["--version"]:
        await sys.out("registry github.com/distribution/distribution v2.8.3\n")
        return 0
    await serving.note_signals(sys)
    address = sys.env.get("REGISTRY_HTTP_ADDR", ":5000")
    port = int(address.rpartition(":")[2])
    fd = await serving.listen(sys, port)
    await sys.err(f'level=info msg="listening on [::]:{port}" version=v2.8.3\n')
    wanted = ""
    if sys.env.get("REGISTRY_AUTH") == "htpasswd":
        wanted = await sys.text_or_empty(sys.env.get("REGISTRY_AUTH_HTPASSWD_PATH", ""))
        if not wanted:
            await sys.err("panic: unable to configure authorization (htpasswd): no such file\n")
            return 2

    async def respond(own: Process, request: Request) -> Answer:
        answer = await _answer(own, request, wanted)
        first = f"{request.method} {request.target} HTTP/{request.version}"
        when = http.clock(await serving.now(own))
        await own.out(f'{request.peer} - - [{when}] "{first}" {answer.status}\n')
        return answer._replace(headers=(_VERSION, *answer.headers))

    async def handle(own: Process, connection: Connection) -> None:
        await http.converse(own, connection, respond, "")

    await serving.serve(sys, fd, handle)
    return 0


def _refused(status: int, code: str, message: str, *more: tuple[str, str]) -> Answer:
    told = {"errors": [{"code": code, "message": message, "detail": None}]}
    return Answer(status, json.dumps(told).encode() + b"\n", (_JSON, *more))


def _trusted(request: Request, table: str) -> bool:
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return False
    try:
        user, _, password = base64.b64decode(text).decode().partition(":")
    except ValueError:
        return False
    return accounts.verified(table, user, password)


async def _answer(sys: Process, request: Request, table: str) -> Answer:
    if table and not _trusted(request, table):
        realm = ("WWW-Authenticate", 'Basic realm="Registry Realm"')
        return _refused(401, "UNAUTHORIZED", "authentication required", realm)
    path = request.path
    if path in ("/v2/", "/v2"):
        return Answer(200, b"{}", (_JSON,))
    if path == "/v2/_catalog":
        told = json.dumps({"repositories": await _repositories(sys)}).encode()
        return Answer(200, told + b"\n", (_JSON,))
    if path.endswith("/blobs/uploads/") and request.method == "POST":
        ident = hashlib.sha256(path.encode()).hexdigest()[:32]
        return Answer(202, b"", (("Location", f"{path}{ident}"), ("Range", "0-0")))
    found = _PLACE.fullmatch(path)
    if found is None:
        return Answer(404)
    name, kind, last = found.groups()
    if kind == "tags":
        return await _tags(sys, name)
    if kind == "manifests":
        return await _manifest(sys, request, name, last)
    return await _blob(sys, request, name, last)


async def _repositories(sys: Process, below: str = "") -> list[str]:
    found: list[str] = []
    for one in await _names(sys, f"{_ROOT}/repositories/{below}"):
        if one == "_manifests":
            found.append(below.rstrip("/"))
        else:
            found += await _repositories(sys, f"{below}{one}/")
    return sorted(found)


async def _names(sys: Process, path: str) -> list[str]:
    try:
        return sorted(await sys.names(path))
    except SysError:
        return []


async def _tags(sys: Process, name: str) -> Answer:
    tags = await _names(sys, f"{_ROOT}/repositories/{name}/_manifests/tags")
    if not tags:
        return _refused(404, "NAME_UNKNOWN", "repository name not known to registry")
    told = json.dumps({"name": name, "tags": tags}).encode()
    return Answer(200, told + b"\n", (_JSON,))


def _blob_path(digest: str) -> str:
    return f"{_ROOT}/blobs/sha256/{digest[7:9]}/{digest[7:]}/data"


async def _manifest(sys: Process, request: Request, name: str, wanted: str) -> Answer:
    link = f"{_ROOT}/repositories/{name}/_manifests/tags/{wanted}/current/link"
    if request.method == "PUT":
        digest = await _keep(sys, request.body)
        if not wanted.startswith("sha256:"):
            await _write(sys, link, digest.encode())
        return Answer(201, b"", (("Docker-Content-Digest", digest),
                                 ("Location", f"/v2/{name}/manifests/{digest}")))  # fmt: skip
    if request.method not in ("GET", "HEAD"):
        return _refused(405, "UNSUPPORTED", "The operation is unsupported.")
    digest = wanted if wanted.startswith("sha256:") else await sys.text_or_empty(link)
    try:
        content = await sys.slurp(_blob_path(digest))
        told = json.loads(content)
    except (SysError, ValueError):
        return _refused(404, "MANIFEST_UNKNOWN", "manifest unknown")
    kind = str(told.get("mediaType", ""))
    return Answer(200, content, (("Content-Type", kind), ("Docker-Content-Digest", digest)))


async def _blob(sys: Process, request: Request, name: str, last: str) -> Answer:
    if last.startswith("uploads/"):
        wanted = parse_qs(urlsplit(request.target).query).get("digest", [""])[0]
        if f"sha256:{hashlib.sha256(request.body).hexdigest()}" != wanted:
            return _refused(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        await _keep(sys, request.body)
        return Answer(201, b"", (("Location", f"/v2/{name}/blobs/{wanted}"),
                                 ("Docker-Content-Digest", wanted)))  # fmt: skip
    try:
        content = await sys.slurp(_blob_path(last))
    except SysError:
        return _refused(404, "BLOB_UNKNOWN", "blob unknown to registry")
    kind = ("Content-Type", "application/octet-stream")
    return Answer(200, content, (kind, ("Docker-Content-Digest", last)))


async def _keep(sys: Process, content: bytes) -> str:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    await _write(sys, _blob_path(digest), content)
    return digest


async def _write(sys: Process, path: str, content: bytes) -> None:
    await _make(sys, path.rpartition("/")[0])
    fd = await sys.open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    await sys.write(fd, content)
    await sys.close(fd)


async def _make(sys: Process, path: str) -> None:
    if path and not await sys.succeeds("stat", path):
        await _make(sys, path.rpartition("/")[0])
        await sys.succeeds("mkdir", path, 0o755)

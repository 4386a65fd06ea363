"""httpd(8), Apache's: serves the files of its DocumentRoot."""

import re
from collections.abc import Sequence

from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.servers import http, serving
from simulator.machine.userland.servers.http import Answer, Request
from simulator.machine.userland.servers.serving import Connection

VERSION = "Apache/2.4.62 (Unix)"
_CONFIG = "/usr/local/apache2/conf/httpd.conf"


@enter("httpd", "httpd-foreground", collection=IMAGES)
async def main(sys: Process, argv: Sequence[str]) -> int:
    """``httpd [-v] [-t]``; it stays in the foreground."""
    if "-v" in argv:
        await sys.out(f"Server version: {VERSION}\n")
        return 0
    text = await sys.text_or_empty(_CONFIG)
    ports = re.findall(r"(?im)^\s*Listen\s+(?:\S+:)?(\d+)", text) or ["80"]
    roots: list[str] = re.findall(r'(?im)^\s*DocumentRoot\s+"?([^"\s]+)', text)
    root = roots[0] if roots else "/usr/local/apache2/htdocs"
    if "-t" in argv:
        await sys.err("Syntax OK\n")
        return 0
    await serving.note_signals(sys)
    try:
        fd = await serving.listen(sys, int(ports[0]))
    except SysError as error:
        await sys.err(
            f"({int(error.errno)}){error.message}: AH00072: make_sock: could not bind to address"
            f" 0.0.0.0:{ports[0]}\nno listening sockets available, shutting down\n"
        )
        return 1
    await sys.err(f"[mpm_event:notice] [pid 1] AH00489: {VERSION} configured -- resuming\n")
    await serve_files(sys, fd, root, server=VERSION, listing=True)
    await sys.err("[mpm_event:notice] [pid 1] AH00491: caught SIGTERM, shutting down\n")
    return 0


async def serve_files(
    sys: Process, fd: int, root: str, *, server: str, listing: bool, loud: bool = False
) -> None:
    """Serve ``root`` until a signal; the common log format on standard output (``loud``: error)."""

    async def respond(own: Process, request: Request) -> Answer:
        answer = await _answer(own, root, request, listing)
        when = http.clock(await serving.now(own))
        first = f"{request.method} {request.target} HTTP/{request.version}"
        size = len(answer.body) or "-"
        line = f'{request.peer} - - [{when}] "{first}" {answer.status} {size}\n'
        await (own.err(line) if loud else own.out(line))
        return answer

    async def handle(own: Process, connection: Connection) -> None:
        await http.converse(own, connection, respond, server)

    await serving.serve(sys, fd, handle)


async def _answer(sys: Process, root: str, request: Request, listing: bool) -> Answer:
    if request.method not in ("GET", "HEAD"):
        return _page(501)
    status, content, kind = await http.file(sys, root, request.path)
    if status == 200:
        return Answer(200, content, (("Content-Type", kind),))
    if status == 301:
        return _page(301, (("Location", request.path + "/"),))
    if status == 403 and listing and request.path.endswith("/"):
        try:
            names = sorted(await sys.names(root.rstrip("/") + request.path))
        except SysError:
            return _page(403)
        items = "".join(f'<li><a href="{name}">{name}</a></li>\n' for name in names)
        text = f"<html><head><title>Index of {request.path}</title></head><body><ul>\n{items}"
        return Answer(
            200, f"{text}</ul></body></html>\n".encode(), (("Content-Type", "text/html"),)
        )
    return _page(status)


def _page(status: int, more: tuple[tuple[str, str], ...] = ()) -> Answer:
    title = f"{status} {Answer(status).phrase}"
    text = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    return Answer(status, text.encode(), (("Content-Type", "text/html"), *more))

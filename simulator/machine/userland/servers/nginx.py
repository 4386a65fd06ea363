"""nginx(8): serves files and passes requests on, by its own configuration file.

Known: ``listen``, ``server_name``, ``root``, ``index``, ``location``, ``proxy_pass``, ``return``,
``include``; anything else is read over. Errors are worded as ``ngx_conf_file.c`` does.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from simulator.machine.userland import calendar
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.servers import http, serving
from simulator.machine.userland.servers.http import Answer, Request
from simulator.machine.userland.servers.serving import Closed, Connection

VERSION = "nginx/1.27.3"
_CONFIG = "/etc/nginx/nginx.conf"
_TOKEN = re.compile(r"""#[^\n]*|"((?:[^"\\]|\\.)*)"|'([^']*)'|([{};])|([^\s{};"']+)""")


class ConfigError(Exception):
    """The configuration is wrong."""


@dataclass
class Block:
    """A directive: its words, and what is in its braces."""

    words: list[str]
    inside: list["Block"] = field(default_factory=list["Block"])

    def get(self, name: str) -> list[str] | None:
        """The words of a directive inside."""
        return next((one.words[1:] for one in self.inside if one.words[0] == name), None)


async def _read(sys: Process, path: str) -> list[Block]:
    try:
        text = await sys.text(path)
    except SysError as error:
        number = int(error.errno)
        raise ConfigError(f'open() "{path}" failed ({number}: {error.message})') from None
    stack: list[list[Block]] = [[]]
    words: list[str] = []
    for found in _TOKEN.finditer(text):
        if found[0].startswith("#"):
            continue
        mark = found[3]
        line = text.count("\n", 0, found.start()) + 1
        if mark == ";":
            if not words:
                raise ConfigError(f'unexpected ";" in {path}:{line}')
            stack[-1] += await _directive(sys, words)
            words = []
        elif mark == "{":
            block = Block(words)
            stack[-1].append(block)
            stack.append(block.inside)
            words = []
        elif mark == "}":
            if words or len(stack) == 1:
                raise ConfigError(f'unexpected "}}" in {path}:{line}')
            stack.pop()
        else:
            words.append(next(one for one in (found[1], found[2], found[4]) if one is not None))
    if words or len(stack) > 1:
        line = text.count("\n") + 1
        raise ConfigError(f'unexpected end of file, expecting ";" or "}}" in {path}:{line}')
    return stack[0]


async def _directive(sys: Process, words: list[str]) -> list[Block]:
    if words[0] != "include" or "mime.types" in words[1]:
        return [Block(words)]
    directory, _, pattern = words[1].rpartition("/")
    if "*" not in pattern:
        return await _read(sys, words[1])
    ending = pattern.rpartition("*")[2]
    try:
        names = sorted(await sys.names(directory))
    except SysError:
        return []
    found: list[Block] = []
    for name in names:
        if name.endswith(ending):
            found += await _read(sys, f"{directory}/{name}")
    return found


@enter("nginx", collection=IMAGES)
async def main(sys: Process, argv: Sequence[str]) -> int:
    """``nginx [-g DIRECTIVES] [-c FILE] [-t] [-v]``; it stays in the foreground."""
    if "-v" in argv or "-V" in argv:
        await sys.err(f"nginx version: {VERSION}\n")
        return 0
    path = argv[argv.index("-c") + 1] if "-c" in argv[:-1] else _CONFIG
    try:
        servers = _servers(await _read(sys, path))
    except ConfigError as error:
        await sys.err(f"nginx: [emerg] {error}\n")
        if "-t" in argv:
            await sys.err(f"nginx: configuration file {path} test failed\n")
        return 1
    if "-t" in argv:
        await sys.err(f"nginx: the configuration file {path} syntax is ok\n")
        await sys.err(f"nginx: configuration file {path} test is successful\n")
        return 0
    if "-s" in argv[:-1]:
        await sys.err("nginx: signals to a running nginx are sent with kill(1) here\n")
        return 1
    return await _run(sys, servers)


def _servers(blocks: list[Block]) -> dict[int, Block]:
    found: dict[int, Block] = {}
    for outer in blocks:
        if outer.words[0] != "http":
            continue
        for one in outer.inside:
            if one.words[0] == "server":
                listens = [b.words[1] for b in one.inside if b.words[0] == "listen"] or ["80"]
                for place in listens:
                    port = place.rpartition(":")[2]
                    if port.isdigit():
                        found.setdefault(int(port), one)
    return found


async def _run(sys: Process, servers: dict[int, Block]) -> int:
    await serving.note_signals(sys)
    for text in (
        'using the "epoll" event method', VERSION,
        f"OS: Linux {(await sys.data('uname'))['release']}", "start worker processes",
    ):  # fmt: skip
        await _notice(sys, text)
    listening: list[tuple[int, Block]] = []
    for port, server in sorted(servers.items()):
        try:
            listening.append((await serving.listen(sys, port), server))
        except SysError as error:
            number, why = int(error.errno), error.message
            await sys.err(f"nginx: [emerg] bind() to 0.0.0.0:{port} failed ({number}: {why})\n")
            return 1
    for fd, server in listening[1:]:

        async def other(own: Process, fd: int = fd, server: Block = server) -> int:
            await serving.serve(own, fd, _handler(server))
            return 0

        await sys.spawn(other, 0)
    if not listening:
        await sys.call("pause")
        return 0
    await serving.serve(sys, listening[0][0], _handler(listening[0][1]))
    await _notice(sys, "exit")
    return 0


async def _notice(sys: Process, text: str, level: str = "notice") -> None:
    when = calendar.strftime("%Y/%m/%d %H:%M:%S", await serving.now(sys))
    pid = await sys.value("getpid")
    await sys.err(f"{when} [{level}] {pid}#{pid}: {text}\n")


def _handler(server: Block) -> serving.Handle:
    async def respond(sys: Process, request: Request) -> Answer:
        answer = await _answer(sys, server, request)
        agent = request.headers.get("user-agent", "-")
        first = f"{request.method} {request.target} HTTP/{request.version}"
        when = http.clock(await serving.now(sys))
        await sys.out(
            f'{request.peer} - - [{when}] "{first}" {answer.status} {len(answer.body)}'
            f' "{request.headers.get("referer", "-")}" "{agent}" "-"\n'
        )
        return answer

    async def handle(sys: Process, connection: Connection) -> None:
        await http.converse(sys, connection, respond, VERSION)

    return handle


async def _answer(sys: Process, server: Block, request: Request) -> Answer:
    if request.method not in ("GET", "HEAD", "POST", "PUT", "DELETE"):
        return _page(405)
    places = [one for one in server.inside if one.words[0] == "location"]
    fits = [one for one in places if _fits(one.words[1:], request.path)]
    place = max(fits, key=lambda one: (one.words[1] == "=", len(one.words[-1])), default=server)
    if (told := place.get("return")) is not None:
        status = int(told[0]) if told[0].isdigit() else 302
        text = told[-1] if len(told) > 1 else ""
        if status in (301, 302):
            return _page(status, (("Location", text),))
        return Answer(status, text.encode(), (("Content-Type", "text/plain"),))
    if (target := place.get("proxy_pass")) is not None:
        return await _passed_on(sys, target[0], request)
    root = (place.get("root") or server.get("root") or ["/etc/nginx/html"])[0]
    indexes = tuple(place.get("index") or server.get("index") or ["index.html"])
    if request.method not in ("GET", "HEAD"):
        return _page(405)
    status, content, kind = await http.file(sys, root, request.path, indexes)
    if status == 200:
        return Answer(200, content, (("Content-Type", kind),))
    if status == 404:
        missing = root.rstrip("/") + request.path
        first = f"{request.method} {request.target} HTTP/{request.version}"
        why = f'*1 open() "{missing}" failed (2: No such file or directory)'
        host = request.headers.get("host", "")
        told = f', client: {request.peer}, server: localhost, request: "{first}", host: "{host}"'
        await _notice(sys, why + told, "error")
    more = (("Location", request.path + "/"),) if status == 301 else ()
    return _page(status, more)


def _fits(words: list[str], path: str) -> bool:
    if words[0] == "=":
        return path == words[-1]
    if words[0] in ("~", "~*"):
        return re.search(words[-1], path) is not None
    return path.startswith(words[-1])


async def _passed_on(sys: Process, target: str, request: Request) -> Answer:
    place = urlsplit(target)
    try:
        far = await serving.connect(sys, place.hostname or "", place.port or 80)
    except (SysError, LookupError) as error:
        why = "host not found" if isinstance(error, LookupError) else str(error)
        await _notice(sys, f'{why} while connecting to upstream, upstream: "{target}"', "error")
        return _page(502)
    headers = [("Host", place.netloc), ("X-Forwarded-For", request.peer), ("Connection", "close")]
    try:
        async with serving.Closing(sys, far.fd):
            status, found, body = await http.ask(
                sys, far, request.method, request.target, headers, request.body
            )
    except Closed:
        return _page(502)
    kept = tuple((name.title(), found[name]) for name in ("content-type", "location")
                 if name in found)  # fmt: skip
    return Answer(status, body, kept)


def _page(status: int, more: tuple[tuple[str, str], ...] = ()) -> Answer:
    title = f"{status} {Answer(status).phrase}"
    text = f"<html><head><title>{title}</title></head><body><h1>{title}</h1>{VERSION}</body></html>"
    return Answer(status, (text + "\n").encode(), (("Content-Type", "text/html"), *more))

"""Stand-ins for web applications: they listen where a program's text says, and run nothing.

Images of languages evaluate no program (``languages.py``). So that ports, names and rebuilds can
still be tried, a server takes the program's place and says so in one line. It answers with the
files that the program would serve and with the texts that stand in it.
"""

import re
from collections.abc import Awaitable, Callable

import msgspec

from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.servers import http, serving
from simulator.machine.userland.servers.http import Answer, Request
from simulator.machine.userland.servers.serving import Closed, Connection

_REDIS = 6379


class Page(msgspec.Struct, frozen=True):
    """An answer. ``{}`` in its text is the count of the key ``counter`` in redis at ``store``."""

    text: str
    kind: str = "text/html; charset=utf-8"
    counter: str = ""
    store: str = ""


class Told(msgspec.Struct, frozen=True):
    """What a program's text says: where it listens, what it prints then, what it answers."""

    port: int
    address: str = "0.0.0.0"
    says: tuple[str, ...] = ()
    root: str = ""
    """The directory whose files it serves."""
    pages: dict[str, Page] = {}
    """By path; the one of the empty path answers whatever has none."""


Read = Callable[[Process], Awaitable[Told | None]]


async def stand_in(sys: Process, what: str, read: Read, *, log: bool = False) -> int:
    """Serve in the place of the program ``what`` until a signal; ``read`` is asked at each request.

    ``log``: an access log on standard error, as the servers of Python frameworks write it.
    """
    told = await read(sys)
    if told is None:
        await sys.err(
            f"{sys.name}: {what}: not simulated: this {sys.name} runs no programs, and this one"
            " says no port that a stand-in could listen on\n"
        )
        return 1
    await serving.note_signals(sys)
    try:
        fd = await serving.listen(sys, told.port, told.address)
    except SysError as error:
        await sys.err(f"{sys.name}: listen {told.address}:{told.port}: {error.message}\n")
        return 1
    await sys.err(
        f"{sys.name}: {what}: not simulated: this {sys.name} runs no programs; a stand-in listens"
        f" on port {told.port} in its place\n"
    )
    await sys.out("".join(f"{line}\n" for line in told.says))

    async def respond(own: Process, request: Request) -> Answer:
        answer = await _answer(own, await read(own) or told, what, request)
        if log:
            when = re.sub(r"^(\d+)/(\w+)/(\d+):(\S+).*", r"\1/\2/\3 \4",
                          http.clock(await serving.now(own)))  # fmt: skip
            first = f"{request.method} {request.target} HTTP/{request.version}"
            await own.err(f'{request.peer} - - [{when}] "{first}" {answer.status} -\n')
        return answer

    async def handle(own: Process, connection: Connection) -> None:
        await http.converse(own, connection, respond, "")

    await serving.serve(sys, fd, handle)
    return 0


async def _answer(sys: Process, told: Told, what: str, request: Request) -> Answer:
    page = told.pages.get(request.path)
    if page is None and told.root:
        status, content, kind = await http.file(sys, told.root, request.path)
        if status == 200:
            return Answer(200, content, (("Content-Type", kind),))
    page = page or told.pages.get("")
    if page is None and (request.path != "/" or told.pages):
        return Answer(404, b"Not Found\n", (("Content-Type", "text/plain"),))
    if page is None:
        page = Page(f"A stand-in for {what}: the program itself is not run.\n", "text/plain")
    text = page.text
    if page.counter:
        try:
            text = text.replace("{}", await _counted(sys, page.store, page.counter))
        except (SysError, LookupError, Closed, ValueError) as error:
            why = f"name {page.store!r} is not known" if isinstance(error, LookupError) else error
            await sys.err(f"redis.exceptions.ConnectionError: {page.store}:{_REDIS}: {why}\n")
            return Answer(500, b"Internal Server Error\n", (("Content-Type", "text/plain"),))
    return Answer(200, text.encode(), (("Content-Type", page.kind),))


async def _counted(sys: Process, host: str, key: str) -> str:
    """INCR. Raises ``SysError``, ``LookupError``, ``Closed``, ``ValueError``."""
    far = await serving.connect(sys, host, _REDIS)
    async with serving.Closing(sys, far.fd):
        name = key.encode()
        await far.send(sys, b"*2\r\n$4\r\nINCR\r\n$%d\r\n%s\r\n" % (len(name), name))
        reply = (await far.line(sys)).decode()
    if not reply.startswith(":"):
        raise ValueError(reply)
    return reply[1:]

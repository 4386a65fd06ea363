"""psql and pg_isready: clients of postgres over its wire protocol."""

from collections.abc import Sequence
from typing import NamedTuple

from simulator.machine.userland.options import Options, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.servers import database, serving
from simulator.machine.userland.servers.database import Answer
from simulator.machine.userland.servers.postgres import VERSION, message
from simulator.machine.userland.servers.prompts import Prompt, terminal
from simulator.machine.userland.servers.serving import Closed, Connection

_LONG = {"host": "h", "port": "p", "username": "U", "dbname": "d", "command": "c", "file": "f",
         "tuples-only": "t", "no-align": "A", "quiet": "q", "version": "V",
         "list": "l"}  # fmt: skip

_SOCKET = "/var/run/postgresql/.s.PGSQL."


class Refused(Exception):
    """The server ended the connection before it began."""


class _Failure(NamedTuple):
    text: str


def _place(sys: Process, options: Options) -> tuple[str, int]:
    host = options.value("h") or sys.env.get("PGHOST") or "127.0.0.1"
    return host, int(options.value("p") or sys.env.get("PGPORT") or 5432)


@enter("pg_isready", collection=IMAGES)
async def ready(sys: Process, argv: Sequence[str]) -> int:
    """``pg_isready [-h HOST] [-p PORT] [-U USER] [-q]``: 0 accepting, 2 no answer."""
    options = parse(argv, "h:p:U:d:qt:", _LONG)
    host, port = _place(sys, options)
    shown = host if options.has("h") else "/var/run/postgresql"
    try:
        far = await serving.connect(sys, host, port)
    except (SysError, LookupError):
        if not options.has("q"):
            await sys.out(f"{shown}:{port} - no response\n")
        return 2
    await sys.close(far.fd)
    if not options.has("q"):
        await sys.out(f"{shown}:{port} - accepting connections\n")
    return 0


@enter("psql", collection=IMAGES)
async def main(sys: Process, argv: Sequence[str]) -> int:
    """``psql [-h HOST] [-p PORT] [-U USER] [-d DATABASE] [-c TEXT | -f FILE] [-t] [-A]``."""
    options = parse(argv, "h:p:U:d:c:f:tAqVlwW", _LONG)
    if options.has("V"):
        await sys.out(f"psql (PostgreSQL) {VERSION}\n")
        return 0
    host, port = _place(sys, options)
    user = options.value("U") or sys.env.get("PGUSER") or "root"
    name = options.value("d") or sys.env.get("PGDATABASE") or ""
    for word in options.rest:
        name, user = (name or word), (user if not name else word)
    head = f'psql: error: connection to server at "{host}", port {port} failed:'
    local = not options.has("h") and not sys.env.get("PGHOST")
    if local:
        head = f'psql: error: connection to server on socket "{_SOCKET}{port}" failed:'
    try:
        far = await serving.connect(sys, host, port)
        await _log_in(sys, far, user, name or user)
    except SysError as error:
        why = "No such file or directory" if local else error.message
        asked = "Is the server running locally and accepting connections on that socket?"
        if not local:
            asked = "Is the server running on that host and accepting TCP/IP connections?"
        await sys.err(f"{head} {why}\n\t{asked}\n")
        return 2
    except LookupError:
        await sys.err(f'psql: error: could not translate host name "{host}" to address: Name or'
                      " service not known\n")  # fmt: skip
        return 2
    except (Refused, Closed) as error:
        await sys.err(f"{head} FATAL:  {error}\n")
        return 2
    texts = list(options.values.get("c", []))
    if options.has("l"):
        texts = ["\\l"]
    if options.has("f"):
        texts.append(await sys.text(options.value("f")))
    if not texts and await terminal(sys, 0):
        return await _typed(sys, far, name or user, options)
    if not texts:
        texts = [(await sys.drain(0)).decode("utf-8", "replace")]
    bare = options.has("t")
    status = 0
    for text in texts:
        status = await _say(sys, far, text, bare=bare, plain=options.has("A")) or status
    await far.send(sys, message(b"X", b""))
    return status


async def _typed(sys: Process, far: Connection, name: str, options: Options) -> int:
    """A person's session: statements as soon as they are complete."""
    await sys.out(f'psql ({VERSION})\nType "help" for help.\n\n')
    prompt = Prompt(sys, f"{name}=# ", typed=True)
    text = ""
    async for line in prompt.lines():
        if not text and line.strip() in ("\\q", "exit", "quit"):
            break
        whole, left = database.statements(text + line + "\n")
        if not text and line.strip().startswith("\\"):
            whole, left = [line], ""
        for statement in whole:
            await _say(sys, far, statement, bare=options.has("t"), plain=options.has("A"))
        text = f"{left}\n" if left else ""
        prompt.text = f"{name}-# " if text else f"{name}=# "
    await far.send(sys, message(b"X", b""))
    return 0


async def _log_in(sys: Process, far: Connection, user: str, name: str) -> None:
    words = f"user\0{user}\0database\0{name}\0\0".encode()
    content = (196608).to_bytes(4, "big") + words
    await far.send(sys, (len(content) + 4).to_bytes(4, "big") + content)
    while True:
        kind, content = await _received(sys, far)
        if kind == b"E":
            raise Refused(_failure(content).text)
        if kind == b"R" and content[:4] == b"\0\0\0\x03":
            password = sys.env.get("PGPASSWORD", "")
            if not password:
                raise Refused("fe_sendauth: no password supplied")
            await far.send(sys, message(b"p", password.encode() + b"\0"))
        if kind == b"Z":
            return


async def _received(sys: Process, far: Connection) -> tuple[bytes, bytes]:
    kind = await far.exactly(sys, 1)
    size = int.from_bytes(await far.exactly(sys, 4), "big")
    return kind, await far.exactly(sys, size - 4)


def _failure(content: bytes) -> _Failure:
    fields = content.decode("utf-8", "replace").split("\0")
    return _Failure(next((one[1:] for one in fields if one.startswith("M")), "unknown error"))


async def _say(sys: Process, far: Connection, text: str, *, bare: bool, plain: bool) -> int:
    """Carry out a text of statements and backslash commands, one after another."""
    status = 0
    queries: list[str] = []
    sql = ""
    for line in text.splitlines():
        if line.strip().startswith("\\"):
            queries += [sql] if sql.strip() else []
            sql = ""
            word, _, rest = line.strip().partition(" ")
            word = word.rstrip("+")
            if word == "\\q":
                break
            known = {"\\dt": "@tables", "\\l": "@databases", "\\d": "@tables"}
            if word == "\\d" and rest:
                queries.append(f"@describe {rest.strip().rstrip(';')}")
            elif word in known:
                queries.append(known[word])
            else:
                await sys.err(f"invalid command {word}\nTry \\? for help.\n")
        else:
            sql += line + "\n"
    queries += [sql] if sql.strip() else []
    for query in queries:
        status = await _query(sys, far, query.strip(), bare=bare, plain=plain) or status
    return status


async def _query(sys: Process, far: Connection, query: str, *, bare: bool, plain: bool) -> int:
    await far.send(sys, message(b"Q", query.encode("utf-8", "surrogateescape") + b"\0"))
    columns: tuple[str, ...] = ()
    rows: list[tuple[str | None, ...]] = []
    status = 0
    while True:
        kind, content = await _received(sys, far)
        if kind == b"T":
            columns, rows = _columns(content), []
        elif kind == b"D":
            rows.append(_row(content))
        elif kind == b"C":
            tag = content.rstrip(b"\0").decode()
            if columns:
                await sys.out(_drawn(Answer(columns, tuple(rows), tag), bare=bare, plain=plain))
            if not columns or not tag.startswith("SELECT"):
                await sys.out(f"{tag}\n")
            columns, rows = (), []
        elif kind == b"E":
            await sys.err(f"ERROR:  {_failure(content).text}\n")
            status = 1
        elif kind == b"Z":
            return status


def _drawn(answer: Answer, *, bare: bool, plain: bool) -> str:
    if bare:
        space = "" if plain else " "
        joint = "|" if plain else " | "
        return "".join(space + joint.join(v or "" for v in row) + "\n" for row in answer.rows)
    return database.table(answer) + "\n"


def _columns(content: bytes) -> tuple[str, ...]:
    found: list[str] = []
    at = 2
    for _ in range(int.from_bytes(content[:2], "big")):
        end = content.index(b"\0", at)
        found.append(content[at:end].decode("utf-8", "replace"))
        at = end + 19
    return tuple(found)


def _row(content: bytes) -> tuple[str | None, ...]:
    found: list[str | None] = []
    at = 2
    for _ in range(int.from_bytes(content[:2], "big")):
        size = int.from_bytes(content[at : at + 4], "big", signed=True)
        at += 4
        found.append(None if size < 0 else content[at : at + size].decode("utf-8", "replace"))
        at += max(size, 0)
    return tuple(found)

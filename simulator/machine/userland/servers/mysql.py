"""mysqld: the client/server protocol 10 on a tiny store, in little (clients: ``mysql_client.py``).

dev.mysql.com/doc/dev/mysql-server, "Client/Server Protocol": handshake, mysql_native_password,
COM_QUERY with text results, COM_PING, COM_QUIT.
"""

import hashlib
import re
from collections.abc import Sequence

from simulator.machine.abi.constants import O_CREAT, O_TRUNC, O_WRONLY
from simulator.machine.userland import calendar
from simulator.machine.userland.process import Process
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.servers import serving
from simulator.machine.userland.servers.database import Answer, Database, DatabaseError
from simulator.machine.userland.servers.serving import Connection

PORT = 3306
_DATA = "/var/lib/mysql"
_SALT = b"vitrina-is-simulated"
CAPABILITIES = 0x000A_A20D  # long password, with database, protocol 41, plug-in, secure
OK, ERR, EOF = 0x00, 0xFF, 0xFE
_VIRTUAL = ("information_schema", "performance_schema", "sys")
"""Databases that every server shows; nothing is in them here."""
_NO_PASSWORD = """\
[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified
    You need to specify one of the following as an environment variable:
    - MYSQL_ROOT_PASSWORD
    - MYSQL_ALLOW_EMPTY_PASSWORD
    - MYSQL_RANDOM_ROOT_PASSWORD
"""


class _Server:
    def __init__(self) -> None:
        self.users: dict[str, str] = {}
        self.databases: dict[str, Database] = {}
        self.version = "9.1.0"

    async def load(self, sys: Process) -> bool:
        text = await sys.text_or_empty(f"{_DATA}/mysql.users")
        if not text:
            return False
        for line in text.splitlines():
            user, _, password = line.partition("\t")
            self.users[user] = password
        for name in await sys.names(_DATA):
            if name.endswith(".ibd"):
                content = await sys.slurp(f"{_DATA}/{name}")
                self.databases[name.removesuffix(".ibd")] = Database(content)
        return True

    async def save(self, sys: Process, name: str) -> None:
        await _write(sys, f"{_DATA}/{name}.ibd", self.databases[name].content())

    async def save_users(self, sys: Process) -> None:
        text = "".join(f"{user}\t{password}\n" for user, password in self.users.items())
        await _write(sys, f"{_DATA}/mysql.users", text.encode())


async def _write(sys: Process, path: str, content: bytes) -> None:
    fd = await sys.open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    await sys.write(fd, content)
    await sys.close(fd)


@enter("mysqld", collection=IMAGES)
async def main(sys: Process, argv: Sequence[str]) -> int:
    """The server, with its data made at the first start."""
    server = _Server()
    server.version = sys.env.get("MYSQL_VERSION", server.version)
    if "--version" in argv or "-V" in argv:
        await sys.out(f"mysqld  Ver {server.version} for Linux (simulated)\n")
        return 0
    if not await server.load(sys):
        password = await _secret(sys, "MYSQL_ROOT_PASSWORD")
        if not password and not sys.env.get("MYSQL_ALLOW_EMPTY_PASSWORD"):
            await sys.err(_NO_PASSWORD)
            return 1
        server.users["root"] = password
        if user := sys.env.get("MYSQL_USER"):
            server.users[user] = await _secret(sys, "MYSQL_PASSWORD")
        for name in {"mysql", sys.env.get("MYSQL_DATABASE") or "mysql"}:
            server.databases[name] = Database()
            await server.save(sys, name)
        await server.save_users(sys)
        await _entry(sys, f"Entrypoint script for MySQL Server {server.version}-1.el9 started.")
        await _entry(sys, "Initializing database files")
        await _entry(sys, "Database files initialized")
        if name := sys.env.get("MYSQL_DATABASE"):
            await _entry(sys, f"Creating database {name}")
        await sys.out("\n")
        await _entry(sys, "MySQL init process done. Ready for start up.")
        await sys.out("\n")
    await serving.note_signals(sys)
    await _log(sys, f"[MY-010116] [Server] /usr/sbin/mysqld (mysqld {server.version}) starting as"
                    " process 1")  # fmt: skip
    await _log(sys, "[MY-013576] [InnoDB] InnoDB initialization has started.", thread=1)
    await _log(sys, "[MY-013577] [InnoDB] InnoDB initialization has ended.", thread=1)
    fd = await serving.listen(sys, PORT)
    await _log(sys, "[MY-010931] [Server] /usr/sbin/mysqld: ready for connections. Version:"
                    f" '{server.version}'  socket: '/var/run/mysqld/mysqld.sock'  port: {PORT}"
                    "  MySQL Community Server - GPL.")  # fmt: skip

    async def handle(own: Process, connection: Connection) -> None:
        await _session(own, connection, server)

    await serving.serve(sys, fd, handle)
    await _log(sys, "[MY-010910] [Server] /usr/sbin/mysqld: Shutdown complete (mysqld"
                    f" {server.version})  MySQL Community Server - GPL.")  # fmt: skip
    return 0


async def _log(sys: Process, text: str, *, thread: int = 0) -> None:
    """A line as mysqld writes it."""
    when = calendar.strftime("%Y-%m-%dT%H:%M:%S", await serving.now(sys))
    await sys.err(f"{when}.000000Z {thread} [System] {text}\n")


async def _entry(sys: Process, text: str) -> None:
    """A line as the image's entry point writes it."""
    when = calendar.strftime("%Y-%m-%d %H:%M:%S", await serving.now(sys))
    await sys.out(f"{when}+00:00 [Note] [Entrypoint]: {text}\n")


async def _secret(sys: Process, name: str) -> str:
    path = sys.env.get(f"{name}_FILE")
    return (await sys.text_or_empty(path)).strip() if path else sys.env.get(name, "")


def scrambled(password: str) -> bytes:
    """mysql_native_password: SHA1(p) xor SHA1(salt + SHA1(SHA1(p)))."""
    if not password:
        return b""
    first = hashlib.sha1(password.encode()).digest()
    mixed = hashlib.sha1(_SALT + hashlib.sha1(first).digest()).digest()
    return bytes(a ^ b for a, b in zip(first, mixed, strict=True))


async def put(sys: Process, connection: Connection, number: int, content: bytes) -> None:
    """Send a packet. Raises ``Closed``."""
    await connection.send(sys, len(content).to_bytes(3, "little") + bytes([number]) + content)


async def take(sys: Process, connection: Connection) -> tuple[int, bytes]:
    """The next packet and its number. Raises ``Closed``."""
    head = await connection.exactly(sys, 4)
    return head[3], await connection.exactly(sys, int.from_bytes(head[:3], "little"))


def _number(value: int) -> bytes:
    if value < 251:
        return bytes([value])
    if value < 1 << 16:
        return b"\xfc" + value.to_bytes(2, "little")
    return b"\xfd" + value.to_bytes(3, "little")


def _text(text: str) -> bytes:
    data = text.encode()
    return _number(len(data)) + data


def _ok(rows: int = 0) -> bytes:
    return bytes([OK]) + _number(rows) + b"\0" + b"\x02\0\0\0"


def _error(code: int, state: str, text: str) -> bytes:
    return bytes([ERR]) + code.to_bytes(2, "little") + f"#{state}{text}".encode()


async def _session(sys: Process, connection: Connection, server: _Server) -> None:
    low, high = CAPABILITIES & 0xFFFF, CAPABILITIES >> 16
    hello = b"\x0a" + server.version.encode() + b"\0" + (1).to_bytes(4, "little") + _SALT[:8]
    hello += b"\0" + low.to_bytes(2, "little") + b"\x21\x02\0" + high.to_bytes(2, "little")
    hello += bytes([21]) + bytes(10) + _SALT[8:] + b"\0mysql_native_password\0"
    await put(sys, connection, 0, hello)
    number, content = await take(sys, connection)
    user, rest = content[32:].split(b"\0", 1)
    size = rest[0] if rest else 0
    given, rest = rest[1 : 1 + size], rest[1 + size :]
    name = user.decode()
    if name not in server.users or given != scrambled(server.users[name]):
        host, used = connection.peer or "localhost", "YES" if given else "NO"
        text = f"Access denied for user '{name}'@'{host}' (using password: {used})"
        await put(sys, connection, number + 1, _error(1045, "28000", text))
        return
    chosen = rest.partition(b"\0")[0].decode()
    if chosen and chosen not in server.databases:
        text = f"Unknown database '{chosen}'"
        await put(sys, connection, number + 1, _error(1049, "42000", text))
        return
    await put(sys, connection, number + 1, _ok())
    while True:
        _, content = await take(sys, connection)
        if not content or content[0] == 1:
            return
        if content[0] == 14:
            await put(sys, connection, 1, _ok())
        elif content[0] in (2, 3):
            query = content[1:].decode("utf-8", "replace").strip().rstrip(";")
            if content[0] == 2:
                query = f"USE {query}"
            chosen = await _query(sys, connection, server, chosen, query)
        else:
            text = "This command is not simulated"
            await put(sys, connection, 1, _error(1047, "08S01", text))


async def _query(
    sys: Process, connection: Connection, server: _Server, chosen: str, query: str
) -> str:
    """Answer one statement; the database that is in use afterwards."""
    try:
        if use := re.fullmatch(r"(?is)use\s+`?(\w+)`?", query):
            if use[1] not in server.databases:
                raise DatabaseError(f"Unknown database '{use[1]}'")
            chosen, answer = use[1], Answer((), (), "")
        else:
            answer = await _run(sys, server, chosen, query)
    except DatabaseError as error:
        await put(sys, connection, 1, _worded(str(error), chosen))
        return chosen
    if not answer.columns:
        changed = re.search(r"(\d+)$", answer.tag)
        await put(sys, connection, 1, _ok(int(changed[1]) if changed else 0))
        return chosen
    await put(sys, connection, 1, _number(len(answer.columns)))
    number = 2
    for column in answer.columns:
        told = _text("def") + _text("") * 3 + _text(column) + _text("") + b"\x0c\x21\0"
        told += (1024).to_bytes(4, "little") + b"\xfd" + bytes(5)
        await put(sys, connection, number, told)
        number = (number + 1) % 256
    end = bytes([EOF]) + b"\0\0\x02\0"
    await put(sys, connection, number, end)
    for row in answer.rows:
        number = (number + 1) % 256
        data = b"".join(b"\xfb" if value is None else _text(value) for value in row)
        await put(sys, connection, number, data)
    await put(sys, connection, (number + 1) % 256, end)
    return chosen


async def _run(sys: Process, server: _Server, chosen: str, query: str) -> Answer:
    if re.fullmatch(r"(?is)show\s+databases", query):
        names = tuple((name,) for name in sorted({*server.databases, *_VIRTUAL}))
        return Answer(("Database",), names, "")
    if made := re.fullmatch(r"(?is)create\s+database\s+(?:if\s+not\s+exists\s+)?`?(\w+)`?", query):
        if made[1] not in server.databases:
            server.databases[made[1]] = Database()
            await server.save(sys, made[1])
        return Answer((), (), "CREATE 1")
    if re.fullmatch(r"(?is)select\s+(@@)?version(\(\))?", query):
        return Answer(("version()",), ((f"{server.version} (simulated)",),), "")
    if not chosen:
        raise DatabaseError("No database selected")
    one = server.databases[chosen]
    if re.fullmatch(r"(?is)show\s+tables", query):
        return Answer((f"Tables_in_{chosen}",), tuple((name,) for name in one.tables()), "")
    if table := re.fullmatch(r"(?is)(?:describe|desc)\s+`?(\w+)`?", query):
        columns = one.described(table[1])
        if not columns:
            raise DatabaseError(f"no such table: {table[1]}")
        rows = tuple((n, t, "NO" if hard else "YES") for n, t, hard in columns)
        return Answer(("Field", "Type", "Null"), rows, "")
    one.now = calendar.moment(await serving.now(sys)).iso()
    text = re.sub(r"(?i)\bint(?:eger)?\s+(?:not\s+null\s+)?auto_increment\s+primary\s+key",
                  "INTEGER PRIMARY KEY", query)  # fmt: skip
    text = re.sub(r"(?i)\bint(?:eger)?\s+primary\s+key\s+auto_increment", "INTEGER PRIMARY KEY",
                  text)  # fmt: skip
    answer = one.run(text)
    if not answer.columns:
        await server.save(sys, chosen)
    return answer


def _worded(text: str, chosen: str) -> bytes:
    """SQLite's complaint as MySQL words it."""
    if found := re.search(r"no such table: (\S+)", text):
        return _error(1146, "42S02", f"Table '{chosen}.{found[1]}' doesn't exist")
    if found := re.search(r"table (\S+) already exists", text):
        return _error(1050, "42S01", f"Table '{found[1]}' already exists")
    if found := re.search(r"no such column: (\S+)", text):
        return _error(1054, "42S22", f"Unknown column '{found[1]}' in 'field list'")
    if found := re.search(r"UNIQUE constraint failed: (\S+)", text):
        return _error(1062, "23000", f"Duplicate entry for key '{found[1]}'")
    if found := re.search(r'near "([^"]+)": syntax error', text):
        return _error(1064, "42000", f"You have an error in your SQL syntax near '{found[1]}'")
    if text == "No database selected":
        return _error(1046, "3D000", text)
    if text.startswith("Unknown database"):
        return _error(1049, "42000", text)
    return _error(1105, "HY000", text)

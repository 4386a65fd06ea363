"""mysqld, mysql and mysqladmin: the client/server protocol 10 on a tiny store, in little.

dev.mysql.com/doc/dev/mysql-server, "Client/Server Protocol": handshake, mysql_native_password,
COM_QUERY with text results, COM_PING, COM_QUIT.
"""

import hashlib
import re
from collections.abc import Sequence

from simulator.machine.abi.constants import O_CREAT, O_TRUNC, O_WRONLY
from simulator.machine.userland.options import Options, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.servers import database, serving
from simulator.machine.userland.servers.database import Answer, Database, DatabaseError
from simulator.machine.userland.servers.serving import Closed, Connection

_PORT = 3306
_DATA = "/var/lib/mysql"
_SALT = b"vitrina-is-simulated"
_CAPABILITIES = 0x000A_A20D  # long password, with database, protocol 41, plug-in, secure
_OK, _ERR, _EOF = 0x00, 0xFF, 0xFE
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
        await sys.out("[Note] [Entrypoint]: MySQL init process done. Ready for start up.\n")
    await serving.note_signals(sys)
    fd = await serving.listen(sys, _PORT)
    await sys.err(f"[System] [Server] mysqld: ready for connections. Version: '{server.version}'"
                  f"  socket: '/var/run/mysqld/mysqld.sock'  port: {_PORT}\n")  # fmt: skip

    async def handle(own: Process, connection: Connection) -> None:
        await _session(own, connection, server)

    await serving.serve(sys, fd, handle)
    await sys.err("[System] [Server] mysqld: Shutdown complete.\n")
    return 0


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


async def _put(sys: Process, connection: Connection, number: int, content: bytes) -> None:
    await connection.send(sys, len(content).to_bytes(3, "little") + bytes([number]) + content)


async def _take(sys: Process, connection: Connection) -> tuple[int, bytes]:
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
    return bytes([_OK]) + _number(rows) + b"\0" + b"\x02\0\0\0"


def _error(code: int, state: str, text: str) -> bytes:
    return bytes([_ERR]) + code.to_bytes(2, "little") + f"#{state}{text}".encode()


async def _session(sys: Process, connection: Connection, server: _Server) -> None:
    low, high = _CAPABILITIES & 0xFFFF, _CAPABILITIES >> 16
    hello = b"\x0a" + server.version.encode() + b"\0" + (1).to_bytes(4, "little") + _SALT[:8]
    hello += b"\0" + low.to_bytes(2, "little") + b"\x21\x02\0" + high.to_bytes(2, "little")
    hello += bytes([21]) + bytes(10) + _SALT[8:] + b"\0mysql_native_password\0"
    await _put(sys, connection, 0, hello)
    number, content = await _take(sys, connection)
    user, rest = content[32:].split(b"\0", 1)
    size = rest[0] if rest else 0
    given, rest = rest[1 : 1 + size], rest[1 + size :]
    name = user.decode()
    if name not in server.users or given != scrambled(server.users[name]):
        host, used = connection.peer or "localhost", "YES" if given else "NO"
        text = f"Access denied for user '{name}'@'{host}' (using password: {used})"
        await _put(sys, connection, number + 1, _error(1045, "28000", text))
        return
    chosen = rest.partition(b"\0")[0].decode()
    if chosen and chosen not in server.databases:
        text = f"Unknown database '{chosen}'"
        await _put(sys, connection, number + 1, _error(1049, "42000", text))
        return
    await _put(sys, connection, number + 1, _ok())
    while True:
        _, content = await _take(sys, connection)
        if not content or content[0] == 1:
            return
        if content[0] == 14:
            await _put(sys, connection, 1, _ok())
        elif content[0] in (2, 3):
            query = content[1:].decode("utf-8", "replace").strip().rstrip(";")
            if content[0] == 2:
                query = f"USE {query}"
            chosen = await _query(sys, connection, server, chosen, query)
        else:
            text = "This command is not simulated"
            await _put(sys, connection, 1, _error(1047, "08S01", text))


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
        await _put(sys, connection, 1, _worded(str(error), chosen))
        return chosen
    if not answer.columns:
        changed = re.search(r"(\d+)$", answer.tag)
        await _put(sys, connection, 1, _ok(int(changed[1]) if changed else 0))
        return chosen
    await _put(sys, connection, 1, _number(len(answer.columns)))
    number = 2
    for column in answer.columns:
        told = _text("def") + _text("") * 3 + _text(column) + _text("") + b"\x0c\x21\0"
        told += (1024).to_bytes(4, "little") + b"\xfd" + bytes(5)
        await _put(sys, connection, number, told)
        number = (number + 1) % 256
    end = bytes([_EOF]) + b"\0\0\x02\0"
    await _put(sys, connection, number, end)
    for row in answer.rows:
        number = (number + 1) % 256
        data = b"".join(b"\xfb" if value is None else _text(value) for value in row)
        await _put(sys, connection, number, data)
    await _put(sys, connection, (number + 1) % 256, end)
    return chosen


async def _run(sys: Process, server: _Server, chosen: str, query: str) -> Answer:
    from simulator.machine.userland import calendar

    if re.fullmatch(r"(?is)show\s+databases", query):
        names = tuple((name,) for name in sorted(server.databases))
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


def _passwords(argv: Sequence[str]) -> tuple[list[str], str | None]:
    """``-pSECRET`` and ``--password=SECRET`` taken out of the words."""
    words: list[str] = []
    secret: str | None = None
    for word in argv:
        if word.startswith("-p") and not word.startswith("--"):
            secret = word[2:]
        elif word.startswith("--password"):
            secret = word.partition("=")[2]
        else:
            words.append(word)
    return words, secret


_LONG = {"host": "h", "user": "u", "port": "P", "execute": "e", "database": "D", "batch": "B",
         "silent": "s", "skip-column-names": "N"}  # fmt: skip


async def _log_in(
    sys: Process, options: Options, secret: str | None, name: str
) -> Connection | str:
    """A connection that the server accepted, or its complaint."""
    host = options.value("h") or "localhost"
    port = int(options.value("P") or _PORT)
    try:
        far = await serving.connect(sys, host, port)
    except LookupError:
        return f"ERROR 2005 (HY000): Unknown MySQL server host '{host}' (-2)"
    except SysError as error:
        number = int(error.errno)
        return f"ERROR 2003 (HY000): Can't connect to MySQL server on '{host}:{port}' ({number})"
    await _take(sys, far)
    user = options.value("u") or "root"
    given = scrambled(secret if secret is not None else sys.env.get("MYSQL_PWD", ""))
    content = _CAPABILITIES.to_bytes(4, "little") + (1 << 24).to_bytes(4, "little") + b"\x21"
    content += bytes(23) + user.encode() + b"\0" + bytes([len(given)]) + given
    content += name.encode() + b"\0mysql_native_password\0"
    await _put(sys, far, 1, content)
    answer = (await _take(sys, far))[1]
    return _complaint(answer) if answer[0] == _ERR else far


def _complaint(answer: bytes) -> str:
    code = int.from_bytes(answer[1:3], "little")
    return f"ERROR {code} ({answer[4:9].decode()}): {answer[9:].decode('utf-8', 'replace')}"


@enter("mysql", collection=IMAGES)
async def client(sys: Process, argv: Sequence[str]) -> int:
    """``mysql [-h HOST] [-u USER] [-pSECRET] [-e TEXT] [-N] [DATABASE]``."""
    words, secret = _passwords(argv)
    options = parse(words, "h:u:P:e:D:BsNtV", _LONG)
    if options.has("V"):
        await sys.out("mysql  Ver 9.1.0 for Linux (simulated)\n")
        return 0
    name = options.value("D") or (options.rest[0] if options.rest else "")
    try:
        far = await _log_in(sys, options, secret, name)
        if isinstance(far, str):
            await sys.err(f"{far}\n")
            return 1
        text = options.value("e") or (await sys.drain(0)).decode("utf-8", "replace")
        whole, left = database.statements(text)
        for statement in [*whole, left]:
            if statement and not await _asked(sys, far, statement, options.has("N")):
                return 1
    except Closed:
        await sys.err("ERROR 2013 (HY000): Lost connection to MySQL server during query\n")
        return 1
    return 0


async def _asked(sys: Process, far: Connection, statement: str, bare: bool) -> bool:
    await _put(sys, far, 0, b"\x03" + statement.encode("utf-8", "surrogateescape"))
    first = (await _take(sys, far))[1]
    if first[0] == _ERR:
        await sys.err(_complaint(first) + "\n")
        return False
    if first[0] == _OK:
        return True
    columns = [_column((await _take(sys, far))[1]) for _ in range(first[0])]
    await _take(sys, far)
    rows: list[tuple[str | None, ...]] = []
    while (data := (await _take(sys, far))[1])[0] != _EOF or len(data) > 5:
        rows.append(tuple(_values(data)))
    if bare:
        await sys.out("".join("\t".join(v or "NULL" for v in row) + "\n" for row in rows))
    else:
        await sys.out(database.boxed(Answer(tuple(columns), tuple(rows), "")))
    return True


def _values(data: bytes) -> list[str | None]:
    found: list[str | None] = []
    at = 0
    while at < len(data):
        size, at = data[at], at + 1
        if size == 0xFB:
            found.append(None)
            continue
        width = {0xFC: 2, 0xFD: 3}.get(size, 0)
        if width:
            size, at = int.from_bytes(data[at : at + width], "little"), at + width
        found.append(data[at : at + size].decode("utf-8", "replace"))
        at += size
    return found


def _column(data: bytes) -> str:
    return (_values(data[: data.index(b"\x0c\x21\0")])[4]) or ""


@enter("mysqladmin", collection=IMAGES)
async def admin(sys: Process, argv: Sequence[str]) -> int:
    """``mysqladmin [-h HOST] [-u USER] [-pSECRET] ping``."""
    words, secret = _passwords(argv)
    options = parse(words, "h:u:P:s", _LONG)
    found = await _log_in(sys, options, secret, "")
    if isinstance(found, str) and "ERROR 1045" not in found:
        await sys.err(f"mysqladmin: connect to server at '{options.value('h', 'localhost')}'"
                      f" failed\nerror: '{found}'\n")  # fmt: skip
        return 1
    await sys.out("mysqld is alive\n")
    return 0

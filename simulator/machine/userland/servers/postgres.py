"""postgres: the wire protocol 3.0 (PostgreSQL manual, "Frontend/Backend Protocol") on a tiny store.

Known: start-up, a clear-text password, simple queries. The entry point's checks are those of the
image ``postgres`` (docker-library ``docker-entrypoint.sh``).
"""

import re
from collections.abc import Sequence

from simulator.machine.abi.constants import O_CREAT, O_TRUNC, O_WRONLY
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.servers import database, serving
from simulator.machine.userland.servers.database import Answer, Database, DatabaseError
from simulator.machine.userland.servers.serving import Connection

VERSION = "17.2"
_PORT = 5432
_SSL = 80877103
_CANCEL = 80877102
_TEXT = 25


class Cluster:
    """The databases of one server, in files below ``data``."""

    def __init__(self, data: str) -> None:
        self.data = data
        self.user = "postgres"
        self.password = ""
        self.trust = False
        self.databases: dict[str, Database] = {}

    async def load(self, sys: Process) -> bool:
        """Read what is there; False when nothing is."""
        if not await sys.succeeds("stat", f"{self.data}/PG_VERSION"):
            return False
        self.user, self.password, trust = (
            await sys.text(f"{self.data}/pg_authid")
        ).rstrip("\n").split("\t")  # fmt: skip
        self.trust = trust == "trust"
        for name in await sys.names(f"{self.data}/base"):
            self.databases[name] = Database(await sys.slurp(f"{self.data}/base/{name}"))
        return True

    async def make(self, sys: Process, names: set[str]) -> None:
        """initdb."""
        for path in (self.data, f"{self.data}/base"):
            await _make(sys, path)
        await _write(sys, f"{self.data}/PG_VERSION", f"{VERSION.partition('.')[0]}\n".encode())
        trust = "trust" if self.trust else ""
        row = f"{self.user}\t{self.password}\t{trust}\n"
        await _write(sys, f"{self.data}/pg_authid", row.encode())
        for name in sorted(names):
            self.databases[name] = Database()
            await self.save(sys, name)

    async def save(self, sys: Process, name: str) -> None:
        """Write a database to its file."""
        await _write(sys, f"{self.data}/base/{name}", self.databases[name].content())


async def _make(sys: Process, path: str) -> None:
    if not await sys.succeeds("stat", path):
        above = path.rpartition("/")[0]
        if above:
            await _make(sys, above)
        await sys.call("mkdir", path, 0o700)


async def _write(sys: Process, path: str, content: bytes) -> None:
    fd = await sys.open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    await sys.write(fd, content)
    await sys.close(fd)


_NO_PASSWORD = """\
Error: Database is uninitialized and superuser password is not specified.
       You must specify POSTGRES_PASSWORD to a non-empty value for the
       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".

       You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all
       connections without a password. This is *not* recommended.

       See PostgreSQL documentation about "trust":
       https://www.postgresql.org/docs/current/auth-trust.html
"""


_MAKING = """\
The files belonging to this database system will be owned by user "{0}".
This user must also own the server process.

The database cluster will be initialized with locale "en_US.utf8".
The default database encoding has accordingly been set to "UTF8".
The default text search configuration will be set to "english".

Data page checksums are disabled.

creating subdirectories ... ok
selecting dynamic shared memory implementation ... posix
creating configuration files ... ok
running bootstrap script ... ok
performing post-bootstrap initialization ... ok
syncing data to disk ... ok

Success.
"""


@enter("postgres", collection=IMAGES)
async def main(sys: Process, argv: Sequence[str]) -> int:
    """The server, with the cluster made at its first start."""
    if "--version" in argv or "-V" in argv:
        await sys.out(f"postgres (PostgreSQL) {VERSION}\n")
        return 0
    cluster = Cluster(sys.env.get("PGDATA", "/var/lib/postgresql/data"))
    if not await cluster.load(sys):
        cluster.user = sys.env.get("POSTGRES_USER", "postgres")
        cluster.password = await _secret(sys, "POSTGRES_PASSWORD")
        cluster.trust = sys.env.get("POSTGRES_HOST_AUTH_METHOD") == "trust"
        if not cluster.password and not cluster.trust:
            await sys.err(_NO_PASSWORD)
            return 1
        name = sys.env.get("POSTGRES_DB", cluster.user)
        await sys.out(_MAKING.format(cluster.user))
        await cluster.make(sys, {"postgres", name})
        await _initial(sys, cluster, name)
        await sys.out("\nPostgreSQL init process complete; ready for start up.\n\n")
    else:
        await sys.out("\nPostgreSQL Database directory appears to contain a database; Skipping"
                      " initialization\n\n")  # fmt: skip
    await serving.note_signals(sys)
    fd = await serving.listen(sys, _PORT)
    await _log(sys, f"starting PostgreSQL {VERSION} (simulated)")
    await _log(sys, f'listening on IPv4 address "0.0.0.0", port {_PORT}')
    await _log(sys, f'listening on Unix socket "/var/run/postgresql/.s.PGSQL.{_PORT}"')
    await _log(sys, "database system is ready to accept connections")

    async def handle(own: Process, connection: Connection) -> None:
        await _session(own, connection, cluster)

    await serving.serve(sys, fd, handle)
    await _log(sys, "received fast shutdown request")
    await _log(sys, "database system is shut down")
    return 0


async def _secret(sys: Process, name: str) -> str:
    """A variable, or the content of the file that ``NAME_FILE`` names."""
    path = sys.env.get(f"{name}_FILE")
    return (await sys.text_or_empty(path)).strip() if path else sys.env.get(name, "")


async def _initial(sys: Process, cluster: Cluster, name: str) -> None:
    """Run the .sql files of /docker-entrypoint-initdb.d."""
    place = "/docker-entrypoint-initdb.d"
    try:
        names = sorted(await sys.names(place))
    except SysError:
        return
    for one in names:
        if one.endswith(".sql"):
            await sys.out(f"running {place}/{one}\n")
            whole, left = database.statements(await sys.text(f"{place}/{one}"))
            for statement in [*whole, left]:
                if statement:
                    try:
                        cluster.databases[name].run(_translated(statement))
                    except DatabaseError as error:
                        await sys.err(f"ERROR:  {_worded(str(error))[1]}\n")
    await cluster.save(sys, name)


async def _log(sys: Process, text: str) -> None:
    from simulator.machine.userland import calendar

    when = calendar.moment(await serving.now(sys)).iso()
    await sys.err(f"{when}.000 UTC [1] LOG:  {text}\n")


def message(kind: bytes, content: bytes) -> bytes:
    """A message of the protocol: its letter, its length, its content."""
    return kind + (len(content) + 4).to_bytes(4, "big") + content


def _error(severity: str, code: str, text: str) -> bytes:
    fields = f"S{severity}\0V{severity}\0C{code}\0M{text}\0\0"
    return message(b"E", fields.encode())


async def _session(sys: Process, connection: Connection, cluster: Cluster) -> None:
    wanted = await _start_up(sys, connection)
    user = wanted.get("user", "")
    name = wanted.get("database", user)
    if not cluster.trust and connection.peer not in ("127.0.0.1", ""):
        await connection.send(sys, message(b"R", (3).to_bytes(4, "big")))
        given = (await _received(sys, connection))[1].rstrip(b"\0").decode()
        if given != cluster.password or user != cluster.user:
            text = f'password authentication failed for user "{user}"'
            await sys.err(f"FATAL:  {text}\n")
            await connection.send(sys, _error("FATAL", "28P01", text))
            return
    elif user != cluster.user:
        await connection.send(sys, _error("FATAL", "28000", f'role "{user}" does not exist'))
        return
    if name not in cluster.databases:
        await connection.send(sys, _error("FATAL", "3D000", f'database "{name}" does not exist'))
        return
    ready = message(b"Z", b"I")
    told = message(b"R", bytes(4)) + message(b"S", f"server_version\0{VERSION}\0".encode())
    told += message(b"S", b"client_encoding\0UTF8\0")
    await connection.send(sys, told + message(b"K", bytes(8)) + ready)
    while True:
        kind, content = await _received(sys, connection)
        if kind == b"X":
            return
        if kind != b"Q":
            text = "only simple queries are simulated"
            await connection.send(sys, _error("ERROR", "0A000", text) + ready)
            continue
        query = content.rstrip(b"\0").decode("utf-8", "replace")
        await connection.send(sys, await _queried(sys, cluster, name, query) + ready)


async def _start_up(sys: Process, connection: Connection) -> dict[str, str]:
    while True:
        size = int.from_bytes(await connection.exactly(sys, 4), "big")
        content = await connection.exactly(sys, max(0, min(size, 10_000) - 4))
        code = int.from_bytes(content[:4], "big")
        if code == _CANCEL:
            raise serving.Closed
        if code != _SSL:
            parts = content[4:].decode("utf-8", "replace").split("\0")
            return dict(zip(parts[::2], parts[1::2], strict=False))
        await connection.send(sys, b"N")


async def _received(sys: Process, connection: Connection) -> tuple[bytes, bytes]:
    kind = await connection.exactly(sys, 1)
    size = int.from_bytes(await connection.exactly(sys, 4), "big")
    return kind, await connection.exactly(sys, max(0, size - 4))


async def _queried(sys: Process, cluster: Cluster, name: str, query: str) -> bytes:
    whole, left = database.statements(query)
    said = b""
    for statement in [*whole, left]:
        if not statement:
            continue
        try:
            answer = await _run(sys, cluster, name, statement)
        except DatabaseError as error:
            code, text = _worded(str(error))
            return said + _error("ERROR", code, text)
        said += _rows(answer) + message(b"C", answer.tag.encode() + b"\0")
    return said or message(b"I", b"")


async def _run(sys: Process, cluster: Cluster, name: str, statement: str) -> Answer:
    from simulator.machine.userland import calendar

    one = cluster.databases[name]
    made = re.fullmatch(r"(?is)create\s+database\s+\"?(\w+)\"?", statement)
    if made:
        if made[1] in cluster.databases:
            raise DatabaseError(f'database "{made[1]}" already exists')
        cluster.databases[made[1]] = Database()
        await cluster.save(sys, made[1])
        return Answer((), (), "CREATE DATABASE")
    if re.fullmatch(r"(?is)select\s+version\(\)", statement):
        return Answer(("version",), ((f"PostgreSQL {VERSION} (simulated)",),), "SELECT 1")
    listing = _catalogue(cluster, one, statement)
    if listing is not None:
        return listing
    one.now = calendar.moment(await serving.now(sys)).iso() + "+00"
    answer = one.run(_translated(statement))
    if not answer.tag.startswith("SELECT"):
        await cluster.save(sys, name)
    return answer


def _catalogue(cluster: Cluster, one: Database, statement: str) -> Answer | None:
    """What psql's own commands ask for."""
    if statement == "@tables":
        rows = tuple(("public", table, "table", cluster.user) for table in one.tables())
        return Answer(("Schema", "Name", "Type", "Owner"), rows, f"SELECT {len(rows)}")
    if statement == "@databases":
        found = tuple((name, cluster.user) for name in sorted(cluster.databases))
        return Answer(("Name", "Owner"), found, f"SELECT {len(found)}")
    if statement.startswith("@describe "):
        table = statement.partition(" ")[2]
        columns = one.described(table)
        if not columns:
            raise DatabaseError(f"no such table: {table}")
        shown = tuple((n, t, "not null" if hard else "") for n, t, hard in columns)
        return Answer(("Column", "Type", "Nullable"), shown, f"SELECT {len(shown)}")
    return None


def _rows(answer: Answer) -> bytes:
    if not answer.columns:
        return b""
    said = len(answer.columns).to_bytes(2, "big")
    for name in answer.columns:
        said += name.encode() + b"\0" + bytes(6) + _TEXT.to_bytes(4, "big")
        said += (-1).to_bytes(2, "big", signed=True) + (-1).to_bytes(4, "big", signed=True)
        said += bytes(2)
    found = message(b"T", said)
    for row in answer.rows:
        data = len(row).to_bytes(2, "big")
        for value in row:
            if value is None:
                data += (-1).to_bytes(4, "big", signed=True)
            else:
                text = value.encode()
                data += len(text).to_bytes(4, "big") + text
        found += message(b"D", data)
    return found


def _translated(statement: str) -> str:
    """PostgreSQL's words for what SQLite calls otherwise."""
    text = re.sub(r"(?i)\b(?:big)?serial\s+primary\s+key\b", "INTEGER PRIMARY KEY", statement)
    text = re.sub(r"(?i)\b(?:big)?serial\b", "INTEGER", text)
    text = re.sub(r"(?i)\bint(?:eger)?\s+generated\s+\w+(?:\s+default)?\s+as\s+identity"
                  r"\s+primary\s+key\b", "INTEGER PRIMARY KEY", text)  # fmt: skip
    text = re.sub(r"(?i)\bdefault\s+now\(\)", "DEFAULT (now())", text)
    return re.sub(r"(?i)^\s*truncate\s+(?:table\s+)?", "DELETE FROM ", text)


def _worded(text: str) -> tuple[str, str]:
    """SQLite's complaint as PostgreSQL words it, with its code."""
    for pattern, code, words in (
        (r"no such table: (\S+)", "42P01", 'relation "{}" does not exist'),
        (r"table (\S+) already exists", "42P07", 'relation "{}" already exists'),
        (r"no such column: (\S+)", "42703", 'column "{}" does not exist'),
        (r"table (\S+) has no column named (\S+)", "42703", 'column of relation "{}" does not'
         " exist"),
        (r"UNIQUE constraint failed: (\S+)", "23505", "duplicate key value violates unique"
         ' constraint on "{}"'),
        (r"NOT NULL constraint failed: (\S+)", "23502", 'null value in column "{}" violates'
         " not-null constraint"),
        (r'near "([^"]+)": syntax error', "42601", 'syntax error at or near "{}"'),
        (r"(database \S+ already exists)", "42P04", "{}"),
    ):  # fmt: skip
        found = re.search(pattern, text)
        if found:
            return code, words.format(found[1])
    return "XX000", text

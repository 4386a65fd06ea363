"""mysql and mysqladmin: clients of mysqld."""

from collections.abc import Sequence
from typing import NamedTuple

from simulator.machine.userland.options import Options, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.servers import database, serving
from simulator.machine.userland.servers.database import Answer
from simulator.machine.userland.servers.mysql import (
    CAPABILITIES,
    EOF,
    ERR,
    OK,
    PORT,
    put,
    scrambled,
    take,
)
from simulator.machine.userland.servers.prompts import Prompt, terminal
from simulator.machine.userland.servers.serving import Closed, Connection


async def _passwords(sys: Process, argv: Sequence[str]) -> tuple[list[str], str | None]:
    """``-pSECRET`` and ``--password=SECRET`` taken out of the words; ``-p`` alone asks for it."""
    words: list[str] = []
    secret: str | None = None
    for word in argv:
        if word.startswith("-p") and not word.startswith("--"):
            secret = word[2:]
        elif word.startswith("--password"):
            secret = word.partition("=")[2]
        else:
            words.append(word)
    if secret == "":
        await sys.err("Enter password: ")
        secret = ""
        while (letter := await sys.read(0, 1)) not in (b"", b"\n", b"\r"):
            secret += letter.decode("utf-8", "replace")
        await sys.err("\n")
    elif secret is not None:
        await sys.err(f"{sys.name}: [Warning] Using a password on the command line interface can"
                      " be insecure.\n")  # fmt: skip
    return words, secret


_LONG = {"host": "h", "user": "u", "port": "P", "execute": "e", "database": "D", "batch": "B",
         "silent": "s", "skip-column-names": "N"}  # fmt: skip


async def _log_in(
    sys: Process, options: Options, secret: str | None, name: str
) -> Connection | str:
    """A connection that the server accepted, or its complaint."""
    host = options.value("h") or "localhost"
    port = int(options.value("P") or PORT)
    try:
        far = await serving.connect(sys, host, port)
    except LookupError:
        return f"ERROR 2005 (HY000): Unknown MySQL server host '{host}' (-2)"
    except SysError as error:
        number = int(error.errno)
        return f"ERROR 2003 (HY000): Can't connect to MySQL server on '{host}:{port}' ({number})"
    await take(sys, far)
    user = options.value("u") or "root"
    given = scrambled(secret if secret is not None else sys.env.get("MYSQL_PWD", ""))
    content = CAPABILITIES.to_bytes(4, "little") + (1 << 24).to_bytes(4, "little") + b"\x21"
    content += bytes(23) + user.encode() + b"\0" + bytes([len(given)]) + given
    content += name.encode() + b"\0mysql_native_password\0"
    await put(sys, far, 1, content)
    answer = (await take(sys, far))[1]
    return _complaint(answer) if answer[0] == ERR else far


def _complaint(answer: bytes) -> str:
    code = int.from_bytes(answer[1:3], "little")
    return f"ERROR {code} ({answer[4:9].decode()}): {answer[9:].decode('utf-8', 'replace')}"


@enter("mysql", collection=IMAGES)
async def client(sys: Process, argv: Sequence[str]) -> int:
    """``mysql [-h HOST] [-u USER] [-pSECRET] [-e TEXT] [-N] [DATABASE]``."""
    words, secret = await _passwords(sys, argv)
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
        plain = options.has("B") or not (await terminal(sys, 0) and await terminal(sys, 1))
        form = _Form(plain=plain, bare=options.has("N"), timed=not plain and not options.has("e"))
        if form.timed:
            return await _typed(sys, far, form)
        text = options.value("e") or (await sys.drain(0)).decode("utf-8", "replace")
        whole, left = database.statements(text)
        for statement in [*whole, left]:
            if statement and not await _asked(sys, far, statement, form):
                return 1
    except Closed:
        await sys.err("ERROR 2013 (HY000): Lost connection to MySQL server during query\n")
        return 1
    return 0


class _Form(NamedTuple):
    """How results are printed: ``plain`` with tabs, ``bare`` without names, ``timed``: a foot."""

    plain: bool
    bare: bool
    timed: bool


async def _typed(sys: Process, far: Connection, form: _Form) -> int:
    """A person's session: statements as soon as they are complete; mistakes end nothing."""
    await sys.out("Welcome to the MySQL monitor.  Commands end with ; or \\g.\n\n"
                  "Type 'help;' or '\\h' for help. Type '\\c' to clear the current input"
                  " statement.\n\n")  # fmt: skip
    prompt = Prompt(sys, "mysql> ", typed=True)
    text = ""
    async for line in prompt.lines():
        if not text and line.strip().rstrip(";").lower() in ("exit", "quit", "\\q"):
            break
        text = "" if line.endswith("\\c") else text + line.replace("\\g", ";") + "\n"
        whole, text = database.statements(text)
        for statement in whole:
            await _asked(sys, far, statement, form)
        prompt.text = "    -> " if text else "mysql> "
        text += "\n" if text else ""
    await sys.out("Bye\n")
    return 0


async def _asked(sys: Process, far: Connection, statement: str, form: _Form) -> bool:
    await put(sys, far, 0, b"\x03" + statement.encode("utf-8", "surrogateescape"))
    first = (await take(sys, far))[1]
    if first[0] == ERR:
        await sys.err(_complaint(first) + "\n")
        return False
    if first[0] == OK:
        if form.timed:
            using = statement.split()[0].lower() == "use"
            done = f"Query OK, {first[1]} row{'' if first[1] == 1 else 's'} affected (0.00 sec)\n"
            await sys.out("Database changed\n" if using else f"{done}\n")
        return True
    columns = [_column((await take(sys, far))[1]) for _ in range(first[0])]
    await take(sys, far)
    rows: list[tuple[str | None, ...]] = []
    while (data := (await take(sys, far))[1])[0] != EOF or len(data) > 5:
        rows.append(tuple(_values(data)))
    await sys.out(_shown(tuple(columns), rows, form))
    return True


def _shown(columns: tuple[str, ...], rows: list[tuple[str | None, ...]], form: _Form) -> str:
    if form.plain:
        every = [*([] if form.bare or not rows else [columns]), *rows]
        cells = (["NULL" if cell is None else cell for cell in row] for row in every)
        return "".join("\t".join(row) + "\n" for row in cells)
    table = database.boxed(Answer(columns, tuple(rows), "")) if rows else ""
    if not form.timed:
        return table
    count = f"{len(rows)} row{'' if len(rows) == 1 else 's'} in set" if rows else "Empty set"
    return f"{table}{count} (0.00 sec)\n\n"


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
    words, secret = await _passwords(sys, argv)
    options = parse(words, "h:u:P:s", _LONG)
    found = await _log_in(sys, options, secret, "")
    if isinstance(found, str) and "ERROR 1045" not in found:
        await sys.err(f"mysqladmin: connect to server at '{options.value('h', 'localhost')}'"
                      f" failed\nerror: '{found}'\n")  # fmt: skip
        return 1
    await sys.out("mysqld is alive\n")
    return 0

"""redis-server: RESP, with the commands of a first class.

https://redis.io/docs/latest/develop/reference/protocol-spec/. What was set is kept in
``dump.rdb`` of the working directory at SAVE and at the end, as JSON.
"""

import fnmatch
import itertools
import shlex
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec

from simulator.machine.abi.constants import O_CREAT, O_TRUNC, O_WRONLY
from simulator.machine.userland import calendar
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.servers import serving
from simulator.machine.userland.servers.serving import Closed, Connection

VERSION = "7.4.1"
PORT = 6379


class Status(str):
    """A simple string: ``OK``."""


Value: TypeAlias = str | list[str] | dict[str, str]
Reply: TypeAlias = int | str | list[str | None] | list[str] | Status | None


class RedisError(Exception):
    """An error reply."""


class Keys:
    """The keys of one server; ``password`` is wanted when it is not empty."""

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}
        self.until: dict[str, int] = {}
        self.password = ""
        self.now = 0

    def get(self, key: str) -> Value | None:
        """The value of a key that has not expired."""
        if key in self.until and self.until[key] <= self.now:
            self.values.pop(key, None)
            del self.until[key]
        return self.values.get(key)

    def text(self, key: str) -> str | None:
        """A string value. Raises ``RedisError`` for another type."""
        found = self.get(key)
        if found is not None and not isinstance(found, str):
            raise _wrong_type()
        return found

    def listed(self, key: str) -> list[str]:
        """A list value, made when there is none."""
        found = self.get(key)
        if found is None:
            found = self.values[key] = []
        if not isinstance(found, list):
            raise _wrong_type()
        return found

    def mapped(self, key: str) -> dict[str, str]:
        """A hash value, made when there is none."""
        found = self.get(key)
        if found is None:
            found = self.values[key] = {}
        if not isinstance(found, dict):
            raise _wrong_type()
        return found


def _wrong_type() -> RedisError:
    return RedisError("WRONGTYPE Operation against a key holding the wrong kind of value")


Command = Callable[[Keys, list[str]], Reply]
_COMMANDS: dict[str, tuple[int, Command]] = {}


def _on(name: str, least: int) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        _COMMANDS[name] = (least, command)
        return command

    return decorate


@_on("PING", 0)
def _ping(_keys: Keys, words: list[str]) -> Reply:
    return words[0] if words else Status("PONG")


@_on("SET", 2)
def _set(keys: Keys, words: list[str]) -> Reply:
    options = [word.upper() for word in words[2:]]
    there = keys.get(words[0]) is not None
    if ("NX" in options and there) or ("XX" in options and not there):
        return None
    keys.values[words[0]] = words[1]
    keys.until.pop(words[0], None)
    if "EX" in options:
        keys.until[words[0]] = keys.now + _integer(options[options.index("EX") + 1])
    return Status("OK")


@_on("GET", 1)
def _get(keys: Keys, words: list[str]) -> Reply:
    return keys.text(words[0])


@_on("MGET", 1)
def _mget(keys: Keys, words: list[str]) -> Reply:
    found = [keys.get(word) for word in words]
    return [one if isinstance(one, str) else None for one in found]


@_on("DEL", 1)
def _del(keys: Keys, words: list[str]) -> Reply:
    there = [word for word in words if keys.get(word) is not None]
    for word in there:
        del keys.values[word]
        keys.until.pop(word, None)
    return len(there)


@_on("EXISTS", 1)
def _exists(keys: Keys, words: list[str]) -> Reply:
    return sum(keys.get(word) is not None for word in words)


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise RedisError("ERR value is not an integer or out of range") from None


def _add(keys: Keys, key: str, by: int) -> int:
    value = _integer(keys.text(key) or "0") + by
    keys.values[key] = str(value)
    return value


@_on("INCR", 1)
def _incr(keys: Keys, words: list[str]) -> Reply:
    return _add(keys, words[0], 1)


@_on("DECR", 1)
def _decr(keys: Keys, words: list[str]) -> Reply:
    return _add(keys, words[0], -1)


@_on("INCRBY", 2)
def _incrby(keys: Keys, words: list[str]) -> Reply:
    return _add(keys, words[0], _integer(words[1]))


@_on("KEYS", 1)
def _keys(keys: Keys, words: list[str]) -> Reply:
    alive = [key for key in list(keys.values) if keys.get(key) is not None]
    return [key for key in alive if fnmatch.fnmatchcase(key, words[0])]


@_on("DBSIZE", 0)
def _dbsize(keys: Keys, _words: list[str]) -> Reply:
    return sum(keys.get(key) is not None for key in list(keys.values))


@_on("FLUSHALL", 0)
@_on("FLUSHDB", 0)
def _flush(keys: Keys, _words: list[str]) -> Reply:
    keys.values.clear()
    keys.until.clear()
    return Status("OK")


@_on("TYPE", 1)
def _type(keys: Keys, words: list[str]) -> Reply:
    names = {str: "string", list: "list", dict: "hash"}
    found = keys.get(words[0])
    return Status("none" if found is None else names[type(found)])


@_on("EXPIRE", 2)
def _expire(keys: Keys, words: list[str]) -> Reply:
    if keys.get(words[0]) is None:
        return 0
    keys.until[words[0]] = keys.now + _integer(words[1])
    return 1


@_on("TTL", 1)
def _ttl(keys: Keys, words: list[str]) -> Reply:
    if keys.get(words[0]) is None:
        return -2
    return keys.until[words[0]] - keys.now if words[0] in keys.until else -1


@_on("LPUSH", 2)
def _lpush(keys: Keys, words: list[str]) -> Reply:
    found = keys.listed(words[0])
    for word in words[1:]:
        found.insert(0, word)
    return len(found)


@_on("RPUSH", 2)
def _rpush(keys: Keys, words: list[str]) -> Reply:
    found = keys.listed(words[0])
    found += words[1:]
    return len(found)


@_on("LPOP", 1)
def _lpop(keys: Keys, words: list[str]) -> Reply:
    found = keys.listed(words[0])
    taken = found.pop(0) if found else None
    if not found:
        keys.values.pop(words[0], None)
    return taken


@_on("LRANGE", 3)
def _lrange(keys: Keys, words: list[str]) -> Reply:
    found = keys.get(words[0])
    if found is None:
        return []
    if not isinstance(found, list):
        raise _wrong_type()
    first, last = _integer(words[1]), _integer(words[2])
    return list(found[first : last + 1 if last != -1 else None])


@_on("HSET", 3)
def _hset(keys: Keys, words: list[str]) -> Reply:
    found = keys.mapped(words[0])
    new = [key for key in words[1::2] if key not in found]
    found.update(zip(words[1::2], words[2::2], strict=False))
    return len(new)


@_on("HGET", 2)
def _hget(keys: Keys, words: list[str]) -> Reply:
    found = keys.get(words[0])
    return found.get(words[1]) if isinstance(found, dict) else None


@_on("HGETALL", 1)
def _hgetall(keys: Keys, words: list[str]) -> Reply:
    found = keys.get(words[0])
    return [part for pair in found.items() for part in pair] if isinstance(found, dict) else []


@_on("INFO", 0)
def _info(_keys: Keys, _words: list[str]) -> Reply:
    return f"# Server\r\nredis_version:{VERSION}\r\nredis_mode:standalone\r\ntcp_port:{PORT}\r\n"


@_on("COMMAND", 0)
def _command(_keys: Keys, _words: list[str]) -> Reply:
    return []


def carry_out(keys: Keys, words: list[str]) -> bytes:
    """The reply to a command, in RESP."""
    name, rest = words[0].upper(), words[1:]
    try:
        if name not in _COMMANDS:
            shown = " ".join(f"'{word}'" for word in rest[:3])
            more = f"with args beginning with: {shown} " if rest else "with args beginning with: "
            raise RedisError(f"ERR unknown command '{words[0]}', {more}")
        least, command = _COMMANDS[name]
        if len(rest) < least:
            raise RedisError(f"ERR wrong number of arguments for '{name.lower()}' command")
        return _encoded(command(keys, rest))
    except RedisError as error:
        return f"-{error}\r\n".encode()


def _encoded(reply: Reply) -> bytes:
    if isinstance(reply, Status):
        return f"+{reply}\r\n".encode()
    if isinstance(reply, int):
        return f":{reply}\r\n".encode()
    if reply is None:
        return b"$-1\r\n"
    if isinstance(reply, str):
        data = reply.encode("utf-8", "surrogateescape")
        return b"$%d\r\n%s\r\n" % (len(data), data)
    return b"*%d\r\n" % len(reply) + b"".join(_encoded(one) for one in reply)


async def _words(sys: Process, connection: Connection) -> list[str]:
    """A request: an array of strings, or a line as one types it (inline command)."""
    line = (await connection.line(sys)).decode("utf-8", "surrogateescape")
    if not line.startswith("*"):
        try:
            return shlex.split(line)
        except ValueError:
            raise Closed from None
    found: list[str] = []
    for _ in range(int(line[1:])):
        size = int((await connection.line(sys))[1:])
        data = await connection.exactly(sys, size + 2)
        found.append(data[:-2].decode("utf-8", "surrogateescape"))
    return found


@enter("redis-server", collection=IMAGES)
async def server(sys: Process, argv: Sequence[str]) -> int:
    """``redis-server [FILE] [--port N] [--requirepass WORD]``."""
    if "--version" in argv or "-v" in argv:
        await sys.out(f"Redis server v={VERSION} sha=00000000:0 malloc=libc bits=64\n")
        return 0
    await _log(sys, "oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo", role="C")
    await _log(sys, f"Redis version={VERSION}, bits=64, commit=00000000, modified=0, pid=1, just"
                    " started", role="C")  # fmt: skip
    if len(argv) < 2:
        await _log(sys, "Warning: no config file specified, using the default config. In order to"
                        " specify a config file use redis-server /path/to/redis.conf", mark="#",
                   role="C")  # fmt: skip
    given = dict(itertools.pairwise(argv))
    keys = Keys()
    keys.password = given.get("--requirepass", "")
    port = int(given.get("--port", PORT))
    try:
        keys.values = msgspec.json.decode(await sys.slurp("dump.rdb"), type=dict[str, Any])
        await _log(sys, f"Loading RDB produced by version {VERSION}")
    except (SysError, msgspec.MsgspecError):
        pass
    await serving.note_signals(sys)
    try:
        fd = await serving.listen(sys, port)
    except SysError as error:
        await _log(sys, f"Warning: Could not create server TCP listening socket *:{port}: {error}")
        return 1
    await _log(sys, f"Running mode=standalone, port={port}.")
    await _log(sys, "Server initialized")
    await _log(sys, "Ready to accept connections tcp")

    async def handle(own: Process, connection: Connection) -> None:
        await _session(own, connection, keys)

    await serving.serve(sys, fd, handle)
    await _log(sys, "User requested shutdown...")
    await _save(sys, keys)
    await _log(sys, "Redis is now ready to exit, bye bye...")
    return 0


async def _session(sys: Process, connection: Connection, keys: Keys) -> None:
    trusted = not keys.password
    while True:
        words = await _words(sys, connection)
        if not words:
            continue
        name = words[0].upper()
        keys.now = await serving.now(sys)
        if name == "QUIT":
            await connection.send(sys, b"+OK\r\n")
            return
        if name == "AUTH":
            trusted = words[-1] == keys.password
            good = b"+OK\r\n" if trusted else (
                b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
            )  # fmt: skip
            await connection.send(sys, good)
        elif not trusted:
            await connection.send(sys, b"-NOAUTH Authentication required.\r\n")
        elif name in ("SAVE", "BGSAVE"):
            await _save(sys, keys)
            await connection.send(sys, b"+OK\r\n")
        else:
            await connection.send(sys, carry_out(keys, words))


async def _save(sys: Process, keys: Keys) -> None:
    try:
        fd = await sys.open("dump.rdb", O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        await sys.write(fd, msgspec.json.encode(keys.values))
        await sys.close(fd)
        await _log(sys, "DB saved on disk")
    except SysError as error:
        await _log(sys, f"Failed opening the temp RDB file dump.rdb for saving: {error.message}")


async def _log(sys: Process, text: str, *, role: str = "M", mark: str = "*") -> None:
    when = calendar.strftime("%d %b %Y %H:%M:%S.000", await serving.now(sys))
    await sys.out(f"{await sys.value('getpid')}:{role} {when} {mark} {text}\n")

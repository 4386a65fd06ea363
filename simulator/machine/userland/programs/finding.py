"""find(1): an expression of tests and actions over a tree (busybox ``findutils/find.c``)."""

from collections.abc import Sequence
from typing import Any

from simulator.machine.abi.constants import S_IFDIR, S_IFMT
from simulator.machine.userland import accounts
from simulator.machine.userland.options import UsageError, to_number
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.programs.basic import become
from simulator.machine.userland.registry import enter
from simulator.machine.userland.shell.pattern import matches

_TYPES = {"f": 0o100000, "d": 0o040000, "l": 0o120000, "p": 0o010000, "s": 0o140000,
          "c": 0o020000, "b": 0o060000}  # fmt: skip
_TESTS = ("-name", "-iname", "-path", "-type", "-perm", "-user", "-group", "-size", "-newer",
          "-mtime", "-mmin", "-links")  # fmt: skip
_PLAIN = ("-print", "-print0", "-empty", "-prune", "-delete", "-quit", "-true", "-false")
_BLOCK, _DAY, _MINUTE = 512, 86_400, 60
_SECOND = 1_000_000_000
_UNITS = {"c": 1, "w": 2, "b": 512, "k": 1024, "M": 1 << 20, "G": 1 << 30}
_DEEPEST = 1000


class _Quit(Exception):
    """-quit."""


class _Search:
    """One find: its expression, how deep it goes, and whether something went wrong."""

    def __init__(self, sys: Process, words: list[str]) -> None:
        self.sys = sys
        self.words = words
        self.least, self.most = 0, _DEEPEST
        self.acts = False
        self.deep = False
        self.status = 0
        self.pruned = False
        self.now = 0
        self.tree: Any = self._or() if words else ("-true",)
        if self.words:
            raise UsageError(f"unrecognized: {self.words[0]}")

    # -- the expression

    def _or(self) -> Any:
        left = self._and()
        while self.words and self.words[0] in ("-o", "-or"):
            self.words.pop(0)
            left = ("or", left, self._and())
        return left

    def _and(self) -> Any:
        left = self._one()
        while self.words and self.words[0] not in ("-o", "-or", ")"):
            if self.words[0] in ("-a", "-and"):
                self.words.pop(0)
            left = ("and", left, self._one())
        return left

    def _one(self) -> Any:
        word = self.words.pop(0) if self.words else ""
        if word in ("!", "-not"):
            return ("not", self._one())
        if word == "(":
            inner = self._or()
            if not self.words or self.words.pop(0) != ")":
                raise UsageError("unpaired '('")
            return inner
        if word in ("-exec", "-ok"):
            return self._exec(word)
        if word in ("-maxdepth", "-mindepth"):
            number = to_number(self._argument(word))
            self.most = number if word == "-maxdepth" else self.most
            self.least = number if word == "-mindepth" else self.least
            return ("-true",)
        if word in ("-xdev", "-mount", "-follow"):
            return ("-true",)
        if word == "-depth":
            self.deep = True
            return ("-true",)
        if word in _TESTS:
            return self._test(word)
        if word not in _PLAIN:
            raise UsageError(f"unrecognized: {word}")
        self.acts = self.acts or word in ("-print", "-print0", "-delete", "-quit")
        self.deep = self.deep or word == "-delete"
        return (word,)

    def _argument(self, word: str) -> str:
        if not self.words:
            raise UsageError(f"{word} requires an argument")
        return self.words.pop(0)

    def _test(self, word: str) -> Any:
        value = self._argument(word)
        if word == "-type" and value not in _TYPES:
            raise UsageError(f"invalid argument '{value}' to '-type'")
        return (word, value)

    def _exec(self, word: str) -> Any:
        self.acts = True
        ends = [at for at, one in enumerate(self.words) if one in (";", "+")]
        if not ends:
            raise UsageError(f"{word} requires an argument")
        command = self.words[: ends[0]]
        many = self.words[ends[0]] == "+"
        self.words = self.words[ends[0] + 1 :]
        gathered: list[str] = []
        return ("-exec", command, many, gathered)

    # -- the walk

    async def visit(self, path: str, depth: int) -> None:
        """Put the expression to ``path``, and to what lies below."""
        try:
            status = await self.sys.lstat(path)
        except SysError as error:
            self.status = await self.sys.fault(path, error)
            return
        self.pruned = False
        if not self.deep:
            await self._put(path, status, depth)
        if status["mode"] & S_IFMT == S_IFDIR and depth < self.most and not self.pruned:
            await self._below(path, depth)
        if self.deep:
            await self._put(path, status, depth)

    async def _below(self, path: str, depth: int) -> None:
        try:
            names = await self.sys.names(path)
        except SysError as error:
            self.status = await self.sys.fault(path, error)
            return
        for name in names:
            await self.visit(f"{path.rstrip('/')}/{name}", depth + 1)

    async def _put(self, path: str, status: dict[str, int], depth: int) -> None:
        if depth >= self.least and await self.holds(self.tree, path, status) and not self.acts:
            await self.sys.out(f"{path}\n")

    async def holds(self, node: Any, path: str, status: dict[str, int]) -> bool:
        """Whether an expression is true of a file; its actions are carried out."""
        match node[0]:
            case "or":
                return await self.holds(node[1], path, status) or await self.holds(
                    node[2], path, status
                )
            case "and":
                return await self.holds(node[1], path, status) and await self.holds(
                    node[2], path, status
                )
            case "not":
                return not await self.holds(node[1], path, status)
            case "-exec":
                return await self._execute(node, path)
            case "-print" | "-print0":
                await self.sys.out(path + ("\n" if node[0] == "-print" else "\0"))
            case "-quit":
                raise _Quit
            case "-delete":
                call = "rmdir" if status["mode"] & S_IFMT == S_IFDIR else "unlink"
                return await self.sys.succeeds(call, path)
            case "-prune":
                self.pruned = True
            case "-empty":
                return await self._empty(path, status)
            case "-true":
                return True
            case "-false":
                return False
            case _:
                return await self._passes(node[0], node[1], path, status)
        return True

    async def _empty(self, path: str, status: dict[str, int]) -> bool:
        if status["mode"] & S_IFMT != S_IFDIR:
            return status["mode"] & S_IFMT == _TYPES["f"] and not status["size"]
        try:
            return not await self.sys.names(path)
        except SysError:
            return False

    async def _execute(self, node: Any, path: str) -> bool:
        _word, command, many, gathered = node
        if many:
            gathered.append(path)
            return True
        return not await self._run([word.replace("{}", path) for word in command])

    async def _run(self, words: list[str]) -> int:
        async def body(child: Process) -> int:
            return await become(child, words)

        reply = await self.sys.call("wait4", await self.sys.spawn(body), 0)
        return reply.data if isinstance(reply.data, int) else 0

    async def finish(self, node: Any) -> None:
        """Run what ``-exec ... +`` has gathered."""
        if node[0] in ("and", "or", "not"):
            for one in node[1:]:
                await self.finish(one)
        elif node[0] == "-exec" and node[2] and node[3]:
            words = [one for one in node[1] if one != "{}"]
            self.status = int(bool(await self._run([*words, *node[3]]))) or self.status

    async def _passes(self, test: str, value: str, path: str, status: dict[str, int]) -> bool:
        name = path.rstrip("/").rpartition("/")[2] or path
        match test:
            case "-name":
                return matches(value, name)
            case "-iname":
                return matches(value.lower(), name.lower())
            case "-path":
                return matches(value, path)
            case "-type":
                return status["mode"] & S_IFMT == _TYPES[value]
            case "-perm":
                return _permitted(value, status["mode"] & 0o7777)
            case "-user" | "-group":
                return await self._owned(test, value, status)
            case "-size":
                unit = _UNITS.get(value[-1:], 0)
                return _signed(
                    value[:-1] if unit else value, -(-status["size"] // (unit or _BLOCK))
                )
            case "-links":
                return _signed(value, status.get("nlink", 1))
            case "-newer":
                other = await self.sys.stat(value)
                return status.get("mtime", 0) > other.get("mtime", 0)
            case _:
                age = self.now - status.get("mtime", 0) // _SECOND
                return _signed(value, age // (_DAY if test == "-mtime" else _MINUTE))

    async def _owned(self, test: str, value: str, status: dict[str, int]) -> bool:
        if value.isdigit():
            return status["uid" if test == "-user" else "gid"] == int(value)
        if test == "-user":
            user = await accounts.find_user(self.sys, value)
            return user is not None and status["uid"] == user.uid
        lines = (await self.sys.text_or_empty("/etc/group")).splitlines()
        numbers = [line.split(":")[2] for line in lines if line.split(":")[0] == value]
        return numbers[:1] == [str(status["gid"])]


def _permitted(text: str, mode: int) -> bool:
    bits = to_number(text.lstrip("-/+"), 8)
    if text[0] == "-":
        return mode & bits == bits
    return bool(mode & bits) if text[0] in "/+" else mode == bits


def _signed(text: str, number: int) -> bool:
    """``+5`` more than five, ``-5`` less."""
    wanted = to_number(text.lstrip("+-"))
    return (
        number > wanted
        if text[0] == "+"
        else number < wanted
        if text[0] == "-"
        else (number == wanted)
    )


@enter("find")
async def find(sys: Process, argv: Sequence[str]) -> int:
    """``find [PATH ...] [EXPRESSION]``."""
    words = list(argv[1:])
    paths: list[str] = []
    while words and not words[0].startswith(("-", "!", "(")):
        paths.append(words.pop(0))
    search = _Search(sys, words)
    search.now = int((await sys.data("clock_gettime", 0))[0])
    try:
        for path in paths or ["."]:
            await search.visit(path, 0)
    except _Quit:
        return search.status
    await search.finish(search.tree)
    return search.status

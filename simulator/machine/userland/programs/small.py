"""expr, timeout, od -c: programs that lines now and then need."""

from collections.abc import Sequence

from simulator.machine.abi.constants import SIGTERM, WNOHANG
from simulator.machine.userland.options import UsageError, parse, to_number
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.programs.basic import become
from simulator.machine.userland.programs.content import contents
from simulator.machine.userland.registry import enter

_COMPARING = {"=": 0, "==": 0, "!=": 1, "<": 2, "<=": 3, ">": 4, ">=": 5}


@enter("expr")
async def expr(sys: Process, argv: Sequence[str]) -> int:
    """expr(1): one operator between two words, or one word."""
    words = list(argv[1:])
    if len(words) not in (1, 3):
        raise UsageError("syntax error")
    value = words[0] if len(words) == 1 else _computed(*words)
    await sys.out(f"{value}\n")
    return int(value in ("", "0"))


def _computed(left: str, operator: str, right: str) -> str:
    numbers = left.lstrip("-").isdigit() and right.lstrip("-").isdigit()
    if operator in _COMPARING:
        order = (
            (int(left) > int(right)) - (int(left) < int(right))
            if numbers
            else ((left > right) - (left < right))
        )
        results = (order == 0, order != 0, order < 0, order <= 0, order > 0, order >= 0)
        return str(int(results[_COMPARING[operator]]))
    if not numbers:
        raise UsageError("non-numeric argument")
    a, b = int(left), int(right)
    if operator in ("/", "%") and not b:
        raise UsageError("division by zero")
    match operator:
        case "+":
            return str(a + b)
        case "-":
            return str(a - b)
        case "*":
            return str(a * b)
        case "/":
            return str(int(a / b))
        case "%":
            return str(a - int(a / b) * b)
        case _:
            raise UsageError("syntax error")


@enter("timeout")
async def timeout(sys: Process, argv: Sequence[str]) -> int:
    """timeout(1): the program's parent is a child that waits, as in busybox."""
    options = parse(argv, "s:k:", stop_early=True)
    if len(options.rest) < 2:
        raise UsageError("timeout SECS PROG ARGS")
    seconds, mine = to_number(options.rest[0].rstrip("s")), await sys.value("getpid")

    async def watch(child: Process) -> int:
        for _ in range(seconds):
            await child.call("nanosleep", (1, 0))
            if not await child.succeeds("kill", mine, 0):
                return 0
        await child.succeeds("kill", mine, SIGTERM)
        return 0

    async def between(child: Process) -> int:
        await child.spawn(watch)
        return 0

    await sys.call("wait4", await sys.spawn(between), 0)
    await sys.succeeds("wait4", -1, WNOHANG)
    return await become(sys, options.rest[1:])


_NAMED = {0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}


@enter("od")
async def od(sys: Process, argv: Sequence[str]) -> int:
    """od(1): octal words, or characters with -c."""
    options = parse(argv, "cxbA:t:vN:")
    content = b"".join([c or b"" async for _, c in contents(sys, options.rest)])
    for at in range(0, len(content), 16):
        row = content[at : at + 16]
        if options.has("c"):
            cells = [_NAMED.get(b) or (chr(b) if 32 <= b < 127 else f"{b:03o}") for b in row]
            await sys.out(f"{at:07o}" + "".join(f"{cell:>4}" for cell in cells) + "\n")
        else:
            words = [row[n : n + 2].ljust(2, b"\0") for n in range(0, len(row), 2)]
            text = "".join(f" {int.from_bytes(word, 'little'):06o}" for word in words)
            await sys.out(f"{at:07o}{text}\n")
    await sys.out(f"{len(content):07o}\n")
    return 0


@enter("pwd")
async def pwd(sys: Process, argv: Sequence[str]) -> int:
    """pwd(1): the working directory."""
    del argv
    try:
        place = str(await sys.data("getcwd", 4096)).rstrip("\0")
    except SysError as error:
        return await sys.complain(f"pwd: getcwd: {error.message}")
    await sys.out(f"{place}\n")
    return 0

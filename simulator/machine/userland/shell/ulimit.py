"""The builtin ``ulimit``: getrlimit(2) and setrlimit(2), in ash's units."""

from typing import NamedTuple

from simulator.machine.abi.constants import (
    RLIM_INFINITY,
    RLIMIT_AS,
    RLIMIT_CORE,
    RLIMIT_CPU,
    RLIMIT_DATA,
    RLIMIT_FSIZE,
    RLIMIT_LOCKS,
    RLIMIT_MEMLOCK,
    RLIMIT_MSGQUEUE,
    RLIMIT_NICE,
    RLIMIT_NOFILE,
    RLIMIT_NPROC,
    RLIMIT_RSS,
    RLIMIT_RTPRIO,
    RLIMIT_SIGPENDING,
    RLIMIT_STACK,
)
from simulator.machine.userland.process import SysError
from simulator.machine.userland.shell.state import Shell


class Limit(NamedTuple):
    """One line of ``ulimit -a``: values are shown divided by ``unit``."""

    resource: int
    unit: int
    title: str


LIMITS: dict[str, Limit] = {
    "c": Limit(RLIMIT_CORE, 512, "core file size (blocks)"),
    "d": Limit(RLIMIT_DATA, 1024, "data seg size (kb)"),
    "e": Limit(RLIMIT_NICE, 1, "scheduling priority"),
    "f": Limit(RLIMIT_FSIZE, 512, "file size (blocks)"),
    "i": Limit(RLIMIT_SIGPENDING, 1, "pending signals"),
    "l": Limit(RLIMIT_MEMLOCK, 1024, "max locked memory (kb)"),
    "m": Limit(RLIMIT_RSS, 1024, "max memory size (kb)"),
    "n": Limit(RLIMIT_NOFILE, 1, "open files"),
    "q": Limit(RLIMIT_MSGQUEUE, 1, "POSIX message queues (bytes)"),
    "r": Limit(RLIMIT_RTPRIO, 1, "real-time priority"),
    "s": Limit(RLIMIT_STACK, 1024, "stack size (kb)"),
    "t": Limit(RLIMIT_CPU, 1, "cpu time (seconds)"),
    "u": Limit(RLIMIT_NPROC, 1, "max user processes"),
    "v": Limit(RLIMIT_AS, 1024, "virtual memory (kb)"),
    "x": Limit(RLIMIT_LOCKS, 1, "file locks"),
}


async def ulimit(shell: Shell, argv: list[str]) -> int:
    """Show or set limits; ``-H`` and ``-S`` choose the hard or the soft one."""
    letters = "".join(word[1:] for word in argv[1:] if word.startswith("-"))
    values = [word for word in argv[1:] if not word.startswith("-")]
    hard, soft = "H" in letters, "S" in letters
    chosen = letters.replace("H", "").replace("S", "") or "f"
    if "a" in chosen:
        for letter, limit in LIMITS.items():
            text = _shown(await _get(shell, limit), limit, hard=hard)
            await shell.sys.out(f"{limit.title:<31} (-{letter}) {text}\n")
        return 0
    limit = LIMITS.get(chosen[-1])
    if limit is None:
        await shell.sys.err(f"{shell.name}: ulimit: line 0: illegal option -{chosen[-1]}\n")
        return 2
    if not values:
        await shell.sys.out(_shown(await _get(shell, limit), limit, hard=hard) + "\n")
        return 0
    return await _put(shell, limit, values[0], hard=hard or not soft, soft=soft or not hard)


async def _get(shell: Shell, limit: Limit) -> tuple[int, int]:
    return await shell.sys.data("getrlimit", limit.resource)


def _shown(pair: tuple[int, int], limit: Limit, *, hard: bool) -> str:
    value = pair[1] if hard else pair[0]
    return "unlimited" if value == RLIM_INFINITY else str(value // limit.unit)


async def _put(shell: Shell, limit: Limit, text: str, *, hard: bool, soft: bool) -> int:
    old_soft, old_hard = await _get(shell, limit)
    if text == "unlimited":
        value = RLIM_INFINITY
    elif text.isdigit():
        value = int(text) * limit.unit
    else:
        await shell.sys.err(f"{shell.name}: ulimit: line 0: bad number\n")
        return 2
    pair = (value if soft else old_soft, value if hard else old_hard)
    try:
        await shell.sys.call("setrlimit", limit.resource, pair)
    except SysError as error:
        await shell.sys.err(f"{shell.name}: ulimit: line 0: error setting limit: {error.message}\n")
        return 2
    return 0

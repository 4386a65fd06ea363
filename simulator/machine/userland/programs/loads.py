"""stress, time: programs that load a machine, and one that says what a program took.

What computes for ever here says so (``Process.burn``); what moves bytes to or from a disk waits
for it (``Process.transfer``).
"""

import re
from collections.abc import Awaitable, Callable, Sequence

from simulator.machine.abi.constants import (
    MAP_ANONYMOUS,
    MAP_PRIVATE,
    O_CREAT,
    O_RDWR,
    PROT_READ,
    PROT_WRITE,
    SEEK_SET,
    WNOHANG,
)
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.programs.basic import become
from simulator.machine.userland.registry import enter

SECOND = 1_000_000_000
_SIGALRM = 14
_TOUCHED = 16 << 20
"""Bytes that a memory hog touches in one go."""
_FAULT = 500
"""Nanoseconds that the first write to a page takes: the fault, and the page made of zeros."""
_BLOCK = 512 << 10
"""Bytes in a request to the disk (max_sectors_kb)."""
_UNITS = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "y": 31_536_000}
_KINDS = {"c": "cpu", "i": "io", "m": "vm", "d": "hdd"}
_WITH_VALUE = {
    "--cpu": "c", "-c": "c", "--io": "i", "-i": "i", "--vm": "m", "-m": "m", "--hdd": "d",
    "-d": "d", "--timeout": "t", "-t": "t", "--vm-bytes": "vm-bytes", "--hdd-bytes": "hdd-bytes",
    "--vm-hang": "vm-hang", "--vm-stride": "vm-stride", "--backoff": "backoff",
}  # fmt: skip
_FLAGS = {"-q": "q", "--quiet": "q", "-v": "v", "--verbose": "v", "--vm-keep": "keep"}


class _BadArgument(Exception):
    """A word of the command line that stress(1) does not take."""


@enter("stress")
async def stress(sys: Process, argv: Sequence[str]) -> int:
    """stress(1): -c, -i, -m and -d hogs, each a process, for -t seconds."""
    me = await sys.value("getpid")
    if len(argv) == 1:
        await sys.out(_USAGE)
        return 0
    try:
        given = _options(argv[1:])
    except _BadArgument as error:
        await sys.err(f"stress: FAIL: [{me}] {error}\n")
        return 1
    counts = {letter: given.get(letter, 0) for letter in _KINDS}
    if not any(counts.values()):
        await sys.out(_USAGE)
        return 0
    if "q" not in given:
        shown = ", ".join(f"{counts[letter]} {name}" for letter, name in _KINDS.items())
        await sys.out(f"stress: info: [{me}] dispatching hogs: {shown}\n")
    workers: list[int] = []
    for letter, body in _hogs(given):
        for _ in range(counts[letter]):
            try:
                workers.append(await sys.spawn(body))
            except SysError as error:
                await sys.err(f"stress: FAIL: [{me}] (391) fork failed: {error.message}\n")
                await _reap(sys, workers, 9)
                return 1
    return await _watch(sys, me, workers, given)


def _hogs(given: dict[str, int]) -> list[tuple[str, Callable[[Process], Awaitable[int]]]]:
    async def cpu(sys: Process) -> int:
        await sys.burn()
        return 0

    async def io(sys: Process) -> int:
        await sys.call("sync")
        await sys.burn(system=980)
        return 0

    async def vm(sys: Process) -> int:
        return await _hog_memory(sys, given.get("vm-bytes", 256 << 20), "keep" in given)

    async def hdd(sys: Process) -> int:
        return await _hog_disk(sys, given.get("hdd-bytes", 1 << 30))

    return [("c", cpu), ("i", io), ("m", vm), ("d", hdd)]


async def _hog_memory(sys: Process, size: int, keep: bool) -> int:
    """malloc, touch every page, free, and so on; with ``keep``, touch the same pages again."""
    kind, access = MAP_PRIVATE | MAP_ANONYMOUS, PROT_READ | PROT_WRITE
    while True:
        address = await sys.value("mmap", 0, size, access, kind, -1, 0)
        for at in range(0, size, _TOUCHED):
            part = min(_TOUCHED, size - at)
            await sys.burn(part // 4096 * _FAULT, system=700)
            await sys.touch(address + at, part)
        if keep:
            await sys.burn()
        await sys.call("munmap", address, size)


async def _hog_disk(sys: Process, size: int) -> int:
    """Write a file without a name, again and again."""
    name = f"./stress.{await sys.value('getpid')}"
    fd = await sys.open(name, O_RDWR | O_CREAT, 0o600)
    await sys.call("unlink", name)
    await sys.call("write", fd, b"", _BLOCK)
    while True:
        await sys.call("lseek", fd, 0, SEEK_SET)
        await sys.transfer(fd, size, _BLOCK, write=True)


async def _watch(sys: Process, me: int, workers: list[int], given: dict[str, int]) -> int:
    """Wait until the time is over, or until a hog is gone: then the others go too."""
    begun = await _seconds(sys)
    left = given.get("t", 0)
    while "t" not in given or left > 0:
        if "t" in given:
            reply = await sys.call("wait4", -1, WNOHANG)
        else:
            reply = await sys.call("wait4", -1, 0)
        if reply.value:
            workers.remove(reply.value)
            status = reply.data if isinstance(reply.data, int) else 0
            signal = status & 0x7F
            what = f"got signal {signal}" if signal else f"returned error {status >> 8}"
            await sys.err(f"stress: FAIL: [{me}] (415) <-- worker {reply.value} {what}\n")
            await sys.err(f"stress: WARN: [{me}] (417) now reaping child worker processes\n")
            await _reap(sys, workers, 10)
            took = await _seconds(sys) - begun
            await sys.err(f"stress: FAIL: [{me}] (451) failed run completed in {took}s\n")
            return 1
        await sys.call("nanosleep", (1, 0))
        left -= 1
    await _reap(sys, workers, _SIGALRM)
    if "q" not in given:
        took = await _seconds(sys) - begun
        await sys.out(f"stress: info: [{me}] successful run completed in {took}s\n")
    return 0


async def _reap(sys: Process, workers: list[int], signal: int) -> None:
    for pid in workers:
        await sys.succeeds("kill", pid, signal)
    for pid in workers:
        await sys.succeeds("wait4", pid, 0)


async def _seconds(sys: Process) -> int:
    return (await sys.data("clock_gettime", 0))[0]


def _options(words: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in _FLAGS:
            found[_FLAGS[word]] = 1
            continue
        name, equals, value = word.partition("=")
        if name not in _WITH_VALUE:
            raise _BadArgument(f"(244) unrecognized option: {word}")
        if not equals:
            if not rest:
                raise _BadArgument(f"(233) argument for option '{word}' expected")
            value = rest.pop(0)
        found[_WITH_VALUE[name]] = _number(value, _WITH_VALUE[name])
    return found


def _number(text: str, option: str) -> int:
    units = _SPANS if option in ("t", "backoff") else _UNITS
    match = re.fullmatch(r"(\d+)([a-zA-Z]?)", text)
    if match is None:
        raise _BadArgument(f"(491) invalid number: {text}")
    unit = match[2].lower()
    if unit and unit not in units:
        raise _BadArgument(f"(499) unrecognized suffix: {unit}")
    return int(match[1]) * (units[unit] if unit else 1)


_USAGE = """`stress' imposes certain types of compute stress on your system

Usage: stress [OPTION [ARG]] ...
 -?, --help         show this help statement
     --version      show version statement
 -v, --verbose      be verbose
 -q, --quiet        be quiet
 -n, --dry-run      show what would have been done
 -t, --timeout N    timeout after N seconds
     --backoff N    wait factor of N microseconds before work starts
 -c, --cpu N        spawn N workers spinning on sqrt()
 -i, --io N         spawn N workers spinning on sync()
 -m, --vm N         spawn N workers spinning on malloc()/free()
     --vm-bytes B   malloc B bytes per vm worker (default is 256MB)
     --vm-stride B  touch a byte every B bytes (default is 4096)
     --vm-hang N    sleep N secs before free (default none, 0 is inf)
     --vm-keep      redirty memory instead of freeing and reallocating
 -d, --hdd N        spawn N workers spinning on write()/unlink()
     --hdd-bytes B  write B bytes per hdd worker (default is 1GB)

Example: stress --cpu 8 --io 4 --vm 2 --vm-bytes 128M --timeout 10s

Note: Numbers may be suffixed with s,m,h,d,y (time) or B,K,M,G (size).
"""


@enter("time")
async def time(sys: Process, argv: Sequence[str]) -> int:
    """time(1): what a program took of the clock, of the processors and of the kernel's."""
    before = await sys.data("getrusage", -1)
    begun = await sys.data("clock_gettime", 1)

    async def body(child: Process) -> int:
        return await become(child, list(argv[1:]))

    reply = await sys.call("wait4", await sys.spawn(body), 0)
    status = reply.data if isinstance(reply.data, int) else 0
    ended = await sys.data("clock_gettime", 1)
    after = await sys.data("getrusage", -1)
    user, system = (_nanoseconds(after[n]) - _nanoseconds(before[n]) for n in ("utime", "stime"))
    real = (ended[0] - begun[0]) * SECOND + ended[1] - begun[1]
    await sys.err(f"real\t{_minutes(real)}\nuser\t{_minutes(user)}\nsys\t{_minutes(system)}\n")
    return 128 + (status & 0x7F) if status & 0x7F else status >> 8 & 0xFF


def _nanoseconds(pair: tuple[int, int]) -> int:
    return pair[0] * SECOND + pair[1] * 1000


def _minutes(nanoseconds: int) -> str:
    minutes, rest = divmod(nanoseconds, 60 * SECOND)
    return f"{minutes}m {rest / SECOND:.2f}s"

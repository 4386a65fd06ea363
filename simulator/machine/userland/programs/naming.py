"""getent, nslookup, ping: programs that find a machine by its name."""

from collections.abc import Sequence

from simulator.machine.abi.constants import (
    AF_INET,
    IPPROTO_ICMP,
    MSG_DONTWAIT,
    SOCK_DGRAM,
    SOCK_RAW,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.userland import resolver
from simulator.machine.userland.options import UsageError, parse, to_number
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import enter

_SECOND = 1_000_000_000
_MOMENT = 100_000
_PAYLOAD = 56


@enter("getent")
async def getent(sys: Process, argv: Sequence[str]) -> int:
    """getent(1): ``hosts``, ``ahosts``, and the keys of passwd and group."""
    if len(argv) < 3:
        raise UsageError("getent database key...")
    database, *keys = argv[1:]
    status = 0
    for key in keys:
        if database in ("hosts", "ahosts", "ahostsv4"):
            lines = [f"{one:<15} {key}" for one in await resolver.addresses(sys, key)]
        elif database in ("passwd", "group"):
            text = await sys.text_or_empty(f"/etc/{database}")
            fields = [line.split(":") for line in text.splitlines()]
            lines = [":".join(one) for one in fields if len(one) > 2 and key in (one[0], one[2])]
        else:
            await sys.err(f"Unknown database: {database}\n")
            return 1
        await sys.out("".join(f"{line}\n" for line in lines))
        status = status if lines else 2
    return status


@enter("nslookup")
async def nslookup(sys: Process, argv: Sequence[str]) -> int:
    """nslookup NAME [SERVER]: asks a server, never /etc/hosts (busybox's form)."""
    words = [word for word in argv[1:] if not word.startswith("-")]
    if not words:
        raise UsageError("nslookup HOST [DNS_SERVER]")
    name = words[0]
    servers = await resolver.configured(sys)
    server = words[1] if len(words) > 1 else servers.addresses[0]
    answer = await resolver.ask(sys, server, name)
    if not answer.status:
        await sys.out(";; connection timed out; no servers could be reached\n\n")
        return 1
    await sys.out(f"Server:\t\t{server}\nAddress:\t{server}:{resolver.PORT}\n\n")
    if not answer.addresses:
        reason = answer.status if answer.status != "NOERROR" else "No answer"
        await sys.out(f"** server can't find {name}: {reason}\n\n")
        return 1
    await sys.out("Non-authoritative answer:\n")
    for one in answer.addresses:
        await sys.out(f"Name:\t{name}\nAddress: {one}\n\n")
    return 0


@enter("ping")
async def ping(sys: Process, argv: Sequence[str]) -> int:
    """ping(8): echo requests over a raw socket, else over one of icmp(7)."""
    options = parse(argv, "c:W:w:i:q4n")
    if not options.rest:
        raise UsageError("ping [OPTIONS] HOST")
    name = options.rest[0]
    found = await resolver.addresses(sys, name)
    if not found:
        return await sys.complain(f"bad address '{name}'")
    count, wait = to_number(options.value("c", "4")), to_number(options.value("W", "10"))
    try:
        fd, raw = await _icmp(sys)
    except SysError:
        return await sys.complain("permission denied (are you root?)")
    await sys.out(f"PING {name} ({found[0]}): {_PAYLOAD} data bytes\n")
    got = 0
    for number in range(count):
        try:
            size = await _echo(sys, fd, found[0], number, wait)
        except SysError as error:
            return await sys.complain(f"sendto: {error.message}")
        if size:
            got += 1
            size -= 20 if raw else 0
            line = f"{size} bytes from {found[0]}: seq={number} ttl=64 time=0.100 ms\n"
            await sys.out("" if options.has("q") else line)
        if number + 1 < count:
            await sys.call("nanosleep", (1, 0))
    lost = (count - got) * 100 // count if count else 0
    await sys.out(
        f"\n--- {name} ping statistics ---\n{count} packets transmitted, {got} packets received,"
        f" {lost}% packet loss\n"
    )
    if got:
        await sys.out("round-trip min/avg/max = 0.100/0.100/0.100 ms\n")
    return 0 if got else 1


async def _icmp(sys: Process) -> tuple[int, bool]:
    try:
        return await sys.value("socket", AF_INET, SOCK_RAW, IPPROTO_ICMP), True
    except SysError as error:
        if error.errno is not Errno.EPERM:
            raise
        return await sys.value("socket", AF_INET, SOCK_DGRAM, IPPROTO_ICMP), False


async def _echo(sys: Process, fd: int, address: str, number: int, wait: int) -> int:
    """The size of the answer; 0 when none came in ``wait`` seconds."""
    head = b"\x08\0\0\0" + (sys.pid & 0xFFFF).to_bytes(2, "big") + number.to_bytes(2, "big")
    packet = head + bytes(_PAYLOAD)
    await sys.value("sendto", fd, packet, len(packet), 0, (address, 0))
    for pause in (_MOMENT, wait * _SECOND):
        try:
            return len(await sys.data("recvfrom", fd, 192, MSG_DONTWAIT))
        except SysError:
            await sys.call("nanosleep", divmod(pause, _SECOND))
    return 0

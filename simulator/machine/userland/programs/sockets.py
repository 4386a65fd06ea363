"""netstat(8): the sockets of /proc/net, in busybox's form (``networking/netstat.c``)."""

import re
from collections.abc import Iterator, Sequence

from simulator.machine.userland.options import Options, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import enter

_STATES = (
    "", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE",
    "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING",
)  # fmt: skip
_HEAD = "Proto Recv-Q Send-Q Local Address           Foreign Address         State       "
_UNIX_TYPES = {1: "STREAM", 2: "DGRAM", 3: "RAW", 5: "SEQPACKET"}


@enter("netstat")
async def netstat(sys: Process, argv: Sequence[str]) -> int:
    """``netstat [-ral] [-tuwx] [-enp]``."""
    options = parse(argv, "laentuwxrWp")
    if options.has("r"):
        from simulator.machine.userland.programs.network import route

        return await route(sys, argv)
    kinds = [kind for kind, letter in (("tcp", "t"), ("udp", "u"), ("raw", "w"))
             if options.has(letter)]  # fmt: skip
    every = not kinds and not options.has("x")
    owners = await _owners(sys) if options.has("p") else {}
    about = "(only servers)" if options.has("l") else "(w/o servers)"
    if options.has("a") or (options.has("l") and "(only" not in about):
        about = "(servers and established)"
    if kinds or every:
        last = "PID/Program name    " if options.has("p") else ""
        await sys.out(f"Active Internet connections {about}\n{_HEAD}{last}\n")
        for kind in kinds or ("tcp", "udp", "raw"):
            for file in (kind, f"{kind}6"):
                text = await sys.text_or_empty(f"/proc/net/{file}")
                for line in text.splitlines()[1:]:
                    await sys.out(_row(kind, line, options, owners))
    if options.has("x") or every:
        await sys.out(await _unix(sys, options, about))
    return 0


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.partition(":")
    if len(host) == 8:
        shown = ".".join(str(byte) for byte in reversed(bytes.fromhex(host)))
    else:
        words = (host[at : at + 8] for at in range(0, 32, 8))
        raw = b"".join(bytes.fromhex(word)[::-1] for word in words)
        shown = "::" if not any(raw) else ":".join(raw[at : at + 2].hex() for at in range(0, 16, 2))
    return shown, int(port, 16)


def _row(kind: str, line: str, options: Options, owners: dict[str, str]) -> str:
    fields = line.split()
    if len(fields) < 10:
        return ""
    (host, port), (far, far_port) = _address(fields[1]), _address(fields[2])
    state = int(fields[3], 16)
    listens = state == 10 or (kind != "tcp" and not far_port)
    if not options.has("a") and listens != options.has("l"):
        return ""
    name = f"{host}:{port or '*'}"
    other = f"{far}:{far_port or '*'}"
    told = _STATES[state] if kind == "tcp" and state < len(_STATES) else ""
    owner = f"{owners.get(fields[9], '-'):<20}" if options.has("p") else ""
    return f"{kind:<5} {0:6} {0:6} {name:<23} {other:<23} {told:<12}{owner}\n"


async def _unix(sys: Process, options: Options, about: str) -> str:
    lines = [f"Active UNIX domain sockets {about}",
             "Proto RefCnt Flags       Type       State         I-Node Path"]  # fmt: skip
    for line in (await sys.text_or_empty("/proc/net/unix")).splitlines()[1:]:
        fields = line.split(maxsplit=7)
        flags, kind, state = (int(one, 16) for one in fields[3:6])
        listens = bool(flags & 0x10000)
        if not options.has("a") and listens != options.has("l"):
            continue
        told = "LISTENING" if listens else "CONNECTED" if state == 3 else ""
        shown = "[ ACC ]" if listens else "[ ]"
        path = fields[7] if len(fields) > 7 else ""
        lines.append(
            f"unix  {int(fields[1], 16):<6} {shown:<11} {_UNIX_TYPES.get(kind, 'UNKNOWN'):<10}"
            f" {told:<13} {fields[6]:>6} {path}"
        )
    return "".join(f"{line}\n" for line in lines)


async def _owners(sys: Process) -> dict[str, str]:
    """``PID/name`` of whoever holds a socket, by its inode, as far as one may see."""
    found: dict[str, str] = {}
    for pid in [name for name in await sys.names("/proc") if name.isdigit()]:
        try:
            name = (await sys.text(f"/proc/{pid}/cmdline")).split("\0")[0]
            numbers = await sys.names(f"/proc/{pid}/fd")
        except SysError:
            continue
        for number in numbers:
            for inode in await _sockets(sys, f"/proc/{pid}/fd/{number}"):
                found.setdefault(inode, f"{pid}/{name}")
    return found


async def _sockets(sys: Process, path: str) -> Iterator[str]:
    try:
        return iter(re.findall(r"^socket:\[(\d+)\]$", await sys.readlink(path)))
    except SysError:
        return iter(())

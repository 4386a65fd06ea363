"""ip, ifconfig, route, netstat, ping: the network as /proc/net and netdevice(7) tell it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from simulator.machine.abi.constants import (
    AF_INET,
    IFF_BROADCAST,
    IFF_LOOPBACK,
    IFF_PROMISC,
    IFF_RUNNING,
    IFF_UP,
    SIOCADDRT,
    SIOCGIFADDR,
    SIOCGIFFLAGS,
    SIOCGIFHWADDR,
    SIOCGIFINDEX,
    SIOCGIFMTU,
    SIOCGIFNETMASK,
    SIOCSIFADDR,
    SIOCSIFFLAGS,
    SIOCSIFHWADDR,
    SIOCSIFMTU,
    SIOCSIFNETMASK,
    SOCK_DGRAM,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.userland.options import UsageError, parse, to_number
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import enter

_SIOCGIFNAME, _SIOCGIFBRDADDR = 0x8910, 0x8919
_SIOCPROTOPRIVATE = 0x89E0
_GAP = 8
_MULTICAST, _NOARP = 0x1000, 0x80
NO_MAC = "00:00:00:00:00:00"
_FLAGS = (
    (IFF_LOOPBACK, "LOOPBACK"),
    (IFF_BROADCAST, "BROADCAST"),
    (_MULTICAST, "MULTICAST"),
    (_NOARP, "NOARP"),
    (IFF_PROMISC, "PROMISC"),
    (IFF_UP, "UP"),
)
_SCOPES = {0: "global", 0x10: "host", 0x20: "link"}


class Device(NamedTuple):
    """An interface, with its first IPv4 address and its IPv6 addresses (address, prefix, scope)."""

    name: str
    number: int
    flags: int
    mtu: int
    mac: str
    address: str
    mask: str
    broadcast: str
    six: list[tuple[str, int, str]]

    @property
    def loopback(self) -> bool:
        """IFF_LOOPBACK."""
        return bool(self.flags & IFF_LOOPBACK)

    @property
    def prefix(self) -> int:
        """The length of the IPv4 mask."""
        return sum(int(part).bit_count() for part in self.mask.split(".")) if self.mask else 0


async def devices(sys: Process) -> list[Device]:
    """Every interface of the caller's network namespace."""
    lines = (await sys.text_or_empty("/proc/net/dev")).splitlines()[2:]
    names = [line.partition(":")[0].strip() for line in lines]
    six = await _six(sys)
    fd = await sys.value("socket", AF_INET, SOCK_DGRAM, 0)
    if not lines:
        names = await _by_index(sys, fd)
    found = [await _device(sys, fd, name, six.get(name, [])) for name in names]
    await sys.close(fd)
    return sorted(found, key=lambda device: device.number)


async def _by_index(sys: Process, fd: int) -> list[str]:
    """Names by SIOCGIFNAME, until a run of numbers has none: where /proc is not mounted."""
    found: list[str] = []
    number, misses = 1, 0
    while misses < _GAP:
        try:
            found.append((await sys.data("ioctl", fd, _SIOCGIFNAME, ("", number)))[0])
            misses = 0
        except SysError:
            misses += 1
        number += 1
    return found


async def _device(sys: Process, fd: int, name: str, six: list[tuple[str, int, str]]) -> Device:
    async def ask(request: int, default: Any) -> Any:
        try:
            return (await sys.data("ioctl", fd, request, (name, 0)))[1]
        except SysError:
            return default

    return Device(
        name=name,
        number=await ask(SIOCGIFINDEX, 0),
        flags=await ask(SIOCGIFFLAGS, 0),
        mtu=await ask(SIOCGIFMTU, 0),
        mac=":".join(f"{byte:02x}" for byte in await ask(SIOCGIFHWADDR, bytes(6))),
        address=await ask(SIOCGIFADDR, ""),
        mask=await ask(SIOCGIFNETMASK, ""),
        broadcast=await ask(_SIOCGIFBRDADDR, ""),
        six=six,
    )


async def _six(sys: Process) -> dict[str, list[tuple[str, int, str]]]:
    found: dict[str, list[tuple[str, int, str]]] = {}
    for line in (await sys.text_or_empty("/proc/net/if_inet6")).splitlines():
        digits, _, prefix, scope, _, name = line.split()
        text = ":".join(digits[at : at + 4] for at in range(0, 32, 4))
        entry = (_short(text), int(prefix, 16), _SCOPES.get(int(scope, 16), "global"))
        found.setdefault(name, []).append(entry)
    return found


def _short(text: str) -> str:
    """An IPv6 address with its longest run of zeros left out (RFC 5952)."""
    groups = [f"{int(group, 16):x}" for group in text.split(":")]
    best, length = -1, 1
    for start in range(8):
        end = start
        while end < 8 and groups[end] == "0":
            end += 1
        if end - start > length:
            best, length = start, end - start
    if best < 0:
        return ":".join(groups)
    return ":".join(groups[:best]) + "::" + ":".join(groups[best + length :])


@enter("ip")
async def ip(sys: Process, argv: Sequence[str]) -> int:
    """ip(8): addr, link and route; show, ``link set``, ``addr add`` and ``addr del``."""
    words = [word for word in argv[1:] if not word.startswith("-")]
    only = {word[1:] for word in argv[1:] if word.startswith("-")}
    if not words:
        raise UsageError("ip [OPTIONS] address|route|link [ARGS]")
    subject, rest = words[0], words[1:] or ["show"]
    if rest[0] in ("set", "add", "del", "change", "replace", "flush"):
        return await _change(sys, rest, link=not "address".startswith(subject))
    if "address".startswith(subject):
        return await _show(sys, _after_dev(rest), addresses=True, only=only)
    if "link".startswith(subject):
        return await _show(sys, _after_dev(rest), addresses=False, only=only)
    if "route".startswith(subject) and rest[0] in ("show", "list", "ls"):
        return await _ip_route(sys)
    if "neigh".startswith(subject):
        return 0
    raise UsageError(f"unknown command '{' '.join(words)}'")


def _after_dev(words: list[str]) -> str:
    rest = [word for word in words if word not in ("show", "list", "ls", "dev", "up")]
    return rest[0] if rest else ""


async def _show(sys: Process, wanted: str, *, addresses: bool, only: set[str]) -> int:
    rows = [device for device in await devices(sys) if wanted in ("", device.name)]
    if wanted and not rows:
        return await sys.complain(f"can't find device '{wanted}'")
    for device in rows:
        if only & {"4"} and not device.address:
            continue
        await sys.out(_link_lines(device))
        if addresses:
            await sys.out(_address_lines(device, only))
    return 0


def _link_lines(device: Device) -> str:
    words = [word for bit, word in _FLAGS if device.flags & bit]
    if device.flags & IFF_RUNNING:
        words.append("LOWER_UP")
    elif device.flags & IFF_UP:
        words.insert(0, "NO-CARRIER")
    queue = "noqueue" if device.flags & IFF_UP else "noop"
    head = (
        f"{device.number}: {device.name}: <{','.join(words)}> mtu {device.mtu} qdisc {queue} "
        "qlen 1000\n"
    )
    if not device.loopback and device.flags & _NOARP and device.mac == NO_MAC:
        return f"{head}    link/void \n"
    kind = "loopback" if device.loopback else "ether"
    broadcast = NO_MAC if device.loopback else "ff:ff:ff:ff:ff:ff"
    return f"{head}    link/{kind} {device.mac} brd {broadcast}\n"


def _address_lines(device: Device, only: set[str]) -> str:
    out = ""
    forever = "       valid_lft forever preferred_lft forever\n"
    if device.address and "6" not in only:
        scope = "host" if device.address.startswith("127.") else "global"
        broadcast = "" if device.broadcast in ("", "0.0.0.0") else f" brd {device.broadcast}"
        out += (
            f"    inet {device.address}/{device.prefix}{broadcast} scope {scope} "
            f"{device.name}\n{forever}"
        )
    if "4" not in only:
        for address, prefix, scope in device.six:
            out += f"    inet6 {address}/{prefix} scope {scope} \n{forever}"
    return out


async def _ip_route(sys: Process) -> int:
    own = {device.name: device.address for device in await devices(sys)}
    for row in await _routes(sys):
        name, destination, gateway, prefix, metric = row
        text = "default" if not prefix else f"{destination}/{prefix}"
        if gateway != "0.0.0.0":
            text += f" via {gateway} dev {name}"
        else:
            text += f" dev {name} scope link  src {own.get(name, '')}"
        await sys.out(text + (f"  metric {metric}" if metric else "") + " \n")
    return 0


async def _routes(sys: Process) -> list[tuple[str, str, str, int, int]]:
    found: list[tuple[str, str, str, int, int]] = []
    for line in (await sys.text_or_empty("/proc/net/route")).splitlines()[1:]:
        name, destination, gateway, _, _, _, metric, mask, *_ = line.split()
        prefix = int(mask, 16).bit_count()
        found.append((name, _dotted(destination), _dotted(gateway), prefix, to_number(metric)))
    return found


def _dotted(digits: str) -> str:
    return ".".join(str(byte) for byte in int(digits, 16).to_bytes(4, "little"))


async def _change(sys: Process, words: list[str], *, link: bool) -> int:
    verb, rest = words[0], words[1:]
    values = dict(zip(rest, [*rest[1:], ""], strict=True))
    name = values.get("dev") or (rest[0] if verb == "set" and rest else "")
    fd = await sys.value("socket", AF_INET, SOCK_DGRAM, 0)
    try:
        if verb == "set":
            await _set_link(sys, fd, name, rest, values)
        elif not link and verb == "add":
            address, _, prefix = rest[0].partition("/")
            if (await _device(sys, fd, name, [])).address or ":" in address:
                await _beyond(sys, fd)
            await sys.call("ioctl", fd, SIOCSIFADDR, (name, address))
            await sys.call("ioctl", fd, SIOCSIFNETMASK, (name, _netmask(to_number(prefix or "32"))))
        else:
            await _beyond(sys, fd)
    except SysError as error:
        if error.errno is Errno.ENODEV:
            return await sys.complain(f"can't find device '{name}'")
        if verb == "set":
            return await sys.complain(f"SIOCSIFFLAGS: {error.message}")
        await sys.complain(f"RTNETLINK answers: {error.message}")
        return 2
    return 0


async def _beyond(sys: Process, fd: int) -> None:
    """What only rtnetlink(7) does: refused without the right, else more than the model knows."""
    try:
        await sys.call("ioctl", fd, SIOCADDRT, None)
    except SysError as error:
        if error.errno is Errno.EPERM:
            raise
    await sys.call("ioctl", fd, _SIOCPROTOPRIVATE, 0)


def _netmask(prefix: int) -> str:
    bits = (0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF
    return ".".join(str(byte) for byte in bits.to_bytes(4, "big"))


async def _set_link(
    sys: Process, fd: int, name: str, words: list[str], values: dict[str, str]
) -> None:
    flags = (await sys.data("ioctl", fd, SIOCGIFFLAGS, (name, 0)))[1]
    if "mtu" in values:
        await sys.call("ioctl", fd, SIOCSIFMTU, (name, to_number(values["mtu"])))
    if "address" in values:
        raw = bytes.fromhex(values["address"].replace(":", ""))
        await sys.call("ioctl", fd, SIOCSIFHWADDR, (name, raw))
    changed = flags | IFF_UP if "up" in words else flags & ~IFF_UP if "down" in words else flags
    if "promisc" in values:
        on = values["promisc"] == "on"
        changed = changed | IFF_PROMISC if on else changed & ~IFF_PROMISC
    if changed != flags:
        await sys.call("ioctl", fd, SIOCSIFFLAGS, (name, changed))


@enter("ifconfig")
async def ifconfig(sys: Process, argv: Sequence[str]) -> int:
    """ifconfig(8): show interfaces, or ``NAME [ADDRESS] [netmask MASK] [up|down]``."""
    options = parse(argv, "a")
    if len(options.rest) > 1:
        return await _configure(sys, options.rest[0], options.rest[1:])
    rows = await devices(sys)
    if options.rest:
        rows = [device for device in rows if device.name == options.rest[0]]
        if not rows:
            return await sys.complain(
                f"{options.rest[0]}: error fetching interface information: Device not found"
            )
    for device in rows:
        if device.flags & IFF_UP or options.has("a") or options.rest:
            await sys.out(_classic(device))
    return 0


async def _configure(sys: Process, name: str, words: list[str]) -> int:
    fd = await sys.value("socket", AF_INET, SOCK_DGRAM, 0)
    values = dict(zip(words, [*words[1:], ""], strict=True))
    try:
        if words[0].count(".") == 3:
            address, _, prefix = words[0].partition("/")
            await sys.call("ioctl", fd, SIOCSIFADDR, (name, address))
            mask = _netmask(to_number(prefix)) if prefix else values.get("netmask")
            if mask:
                await sys.call("ioctl", fd, SIOCSIFNETMASK, (name, mask))
        if "mtu" in values:
            await sys.call("ioctl", fd, SIOCSIFMTU, (name, to_number(values["mtu"])))
        flags = (await sys.data("ioctl", fd, SIOCGIFFLAGS, (name, 0)))[1]
        changed = flags & ~IFF_UP if "down" in words else flags | IFF_UP
        await sys.call("ioctl", fd, SIOCSIFFLAGS, (name, changed))
    except SysError as error:
        return await sys.complain(f"SIOCSIFFLAGS: {error.message}")
    return 0


def _classic(device: Device) -> str:
    kind = "Local Loopback  " if device.loopback else f"Ethernet  HWaddr {device.mac.upper()}  "
    out = f"{device.name:<9} Link encap:{kind}\n"
    if device.address:
        broadcast = "" if device.broadcast in ("", "0.0.0.0") else f"  Bcast:{device.broadcast}"
        out += f"          inet addr:{device.address}{broadcast}  Mask:{device.mask}\n"
    for address, prefix, scope in device.six:
        out += f"          inet6 addr: {address}/{prefix} Scope:{scope.capitalize()}\n"
    words = [
        word
        for bit, word in (
            (IFF_UP, "UP"),
            (IFF_BROADCAST, "BROADCAST"),
            (IFF_LOOPBACK, "LOOPBACK"),
            (IFF_RUNNING, "RUNNING"),
            (IFF_PROMISC, "PROMISC"),
            (_MULTICAST, "MULTICAST"),
        )
        if device.flags & bit
    ]
    counts = "packets:0 errors:0 dropped:0 overruns:0"
    return (
        f"{out}          {' '.join(words)}  MTU:{device.mtu}  Metric:1\n"
        f"          RX {counts} frame:0\n          TX {counts} carrier:0\n"
        "          collisions:0 txqueuelen:1000 \n"
        "          RX bytes:0 (0.0 B)  TX bytes:0 (0.0 B)\n\n"
    )


@enter("route")
async def route(sys: Process, _argv: Sequence[str]) -> int:
    """route(8): show the table."""
    await sys.out(
        "Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref "
        "   Use Iface\n"
    )
    for name, destination, gateway, prefix, metric in await _routes(sys):
        flags = "UG" if gateway != "0.0.0.0" else "U"
        await sys.out(
            f"{destination:<15} {gateway:<15} {_netmask(prefix):<15} {flags:<5} {metric:<6} "
            f"{0:<2} {0:7} {name}\n"
        )
    return 0

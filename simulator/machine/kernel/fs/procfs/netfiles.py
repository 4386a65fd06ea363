"""/proc/PID/net: the network namespace of a process. Source: net/core/net-procfs.c and others."""

from typing import TYPE_CHECKING

from simulator.machine.abi.constants import (
    AF_INET,
    AF_INET6,
    AF_NETLINK,
    AF_PACKET,
    AF_UNIX,
    SOCK_RAW,
)
from simulator.machine.abi.ids import NsId
from simulator.machine.kernel.fs.procfs.node import Look, Node, file, fixed
from simulator.machine.kernel.net import interface, socket, traffic
from simulator.machine.kernel.net.socket import Socket

if TYPE_CHECKING:
    from simulator.machine.kernel.net.interface import Interface

_DEV = (
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop"
    " fifo colls carrier compressed\n"
)
_TCP = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode"
)
_UDP = (
    "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode ref pointer drops"
)
_ROUTE = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"
_ARP = "IP address       HW type     Flags       HW address            Mask     Device\n"
_STATES = {"connected": 1, "closed": 7, "listening": 10}
_UP, _GATEWAY = 1, 2
_PADDED = 127


def _ns(look: Look) -> NsId:
    return look.task.ns.net


def _interfaces(look: Look) -> tuple["Interface", ...]:
    rows = interface.listed(look.trap.store, _ns(look))
    rows = tuple(row for row in rows if look.trap.allowed("may_see_interface", row))
    for row in rows:
        look.trap.touch("interface", row.domain, "name", row.name)
    return rows


def _sockets(look: Look) -> tuple[Socket, ...]:
    rows = look.trap.store.rows_by(socket.IN_NS, _ns(look))
    return tuple(row for row in rows if look.trap.allowed("may_see_socket", row))


def _dev(look: Look) -> str:
    told = ""
    for row in _interfaces(look):
        had = traffic.of(look.trap.store, row.id)
        received = f" {had.received:7} {had.packets_in:7}    0    0    0     0          0         0"
        sent = f" {had.sent:8} {had.packets_out:7}    0    0    0     0       0          0"
        told += f"{row.name:>6}:{received}{sent}\n"
    return _DEV + told


def _hex_address(text: str) -> str:
    if ":" not in text:
        return "".join(f"{int(part):02X}" for part in reversed(text.split(".")))
    return _hex6(text)


def _internet(transport: str, family: int, title: str) -> Node:
    blank = ("0.0.0.0", 0) if family == AF_INET else ("::", 0)

    def read(look: Look) -> str:
        lines = [f"{title:<149}" if family == AF_INET else title]
        number = 0
        for row in _sockets(look):
            if row.family != family or socket.transport(row) != transport or not row.local:
                continue
            look.trap.touch("socket", row.domain, "name", f"{transport} port {row.local[1]}")
            local, remote = row.local, row.remote or blank
            state, inode = _STATES[row.state], socket.inode_number(row)
            lines.append(
                f"{number:4}: {_hex_address(local[0])}:{local[1]:04X} "
                f"{_hex_address(remote[0])}:{remote[1]:04X} {state:02X} 00000000:00000000 "
                f"00:00000000 00000000 {row.maker.uid:5}        0 {inode} 1 0000000000000000 "
                "100 0 0 10 0".ljust(_PADDED)
            )
            number += 1
        return "".join(f"{line}\n" for line in lines)

    return file(read)


def _unix(look: Look) -> str:
    lines = ["Num       RefCount Protocol Flags    Type St Inode Path"]
    for row in _sockets(look):
        if row.family != AF_UNIX:
            continue
        flags = 0x10000 if row.state == "listening" else 0
        state = 3 if row.state == "connected" else 1
        name = f" {row.name.replace(chr(0), '@')}" if row.name else ""
        if name:
            look.trap.touch("socket", row.domain, "name", name.strip())
        lines.append(
            f"0000000000000000: 00000002 00000000 {flags:08X} {row.type:04X} {state:02X} "
            f"{socket.inode_number(row):5}{name}"
        )
    return "".join(f"{line}\n" for line in lines)


def _raw(look: Look) -> str:
    rows = [r for r in _sockets(look) if r.family == AF_INET and r.type == SOCK_RAW]
    lines = [_UDP.replace("   sl", "  sl")]
    lines += [f"{r.protocol:4}: 00000000:{r.protocol:04X} 00000000:0000 07" for r in rows]
    return "".join(f"{line}\n" for line in lines)


def _listed(family: int, title: str) -> Node:
    def read(look: Look) -> str:
        rows = [row for row in _sockets(look) if row.family == family]
        for row in rows:
            look.trap.touch("socket", row.domain, "name", f"socket {row.id}")
        return title + "".join(
            f"0000000000000000 {row.protocol:<3} {row.id:<10} 00000000\n" for row in rows
        )

    return file(read)


def _mask(prefix: int) -> str:
    bits = (0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF
    return bits.to_bytes(4, "little").hex().upper()


def _route(look: Look) -> str:
    """Nothing, not even the title, where no address was ever up: fib_get_table() finds no table."""
    if not any(interface.is_up(device) for device in _interfaces(look)):
        return ""
    store, lines = look.trap.store, [f"{_ROUTE:<127}"]
    for row in store.rows_by(interface.ROUTES, _ns(look)):
        if ":" in row.destination:
            continue
        device = store.get(interface.Interface, row.interface)
        name = device.name if device is not None else "*"
        flags = _UP | (_GATEWAY if row.gateway else 0)
        lines.append(
            f"{name}\t{_hex_address(row.destination)}\t{_hex_address(row.gateway or '0.0.0.0')}\t"
            f"{flags:04X}\t0\t0\t0\t{_mask(row.prefix)}\t0\t0\t0".ljust(_PADDED)
        )
    for device in _interfaces(look):
        if not interface.is_up(device) or device.kind == "loopback":
            continue
        lines += [
            f"{device.name}\t{_network(a.ip, a.prefix)}\t00000000\t0001\t0\t0\t0\t"
            f"{_mask(a.prefix)}\t0\t0\t0".ljust(_PADDED)
            for a in device.addresses
            if ":" not in a.ip
        ]
    return "".join(f"{line}\n" for line in lines)


def _network(text: str, prefix: int) -> str:
    number = int.from_bytes(bytes(map(int, text.split("."))), "big")
    masked = number & (0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF
    return masked.to_bytes(4, "little").hex().upper()


def _if_inet6(look: Look) -> str:
    scopes = {"global": 0, "host": 0x10, "link": 0x20}
    return "".join(
        f"{_plain_hex(a.ip)} {row.index:02x} {a.prefix:02x} {scopes.get(a.scope, 0):02x} 80 "
        f"{row.name:>8}\n"
        for row in _interfaces(look)
        for a in row.addresses
        if ":" in a.ip
    )


def _plain_hex(text: str) -> str:
    left, double, right = text.partition("::")
    head = [part for part in left.split(":") if part]
    tail = [part for part in right.split(":") if part]
    filler = ["0"] * (8 - len(head) - len(tail)) if double else []
    return "".join(f"{int(part, 16):04x}" for part in (*head, *filler, *tail))


def _hex6(text: str) -> str:
    raw = bytes.fromhex(_plain_hex(text))
    return b"".join(raw[at : at + 4][::-1] for at in range(0, 16, 4)).hex().upper()


FILES: dict[str, Node] = {
    "arp": file(fixed(_ARP)),
    "dev": file(_dev),
    "dev_mcast": file(fixed("")),
    "icmp": file(_raw),
    "if_inet6": file(_if_inet6),
    "igmp": file(fixed("Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n")),
    "ipv6_route": file(fixed("")),
    "ip_tables_names": file(fixed(""), 0o440),
    "netlink": _listed(
        AF_NETLINK,
        "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    "
        "Inode\n",
    ),
    "netstat": file(fixed("TcpExt: SyncookiesSent\nTcpExt: 0\n")),
    "packet": _listed(
        AF_PACKET, "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"
    ),
    "protocols": file(fixed("protocol  size sockets  memory press maxhdr  slab module\n")),
    "psched": file(fixed("000003e8 00000040 000f4240 3b9aca00\n")),
    "ptype": file(fixed("Type Device      Function\n")),
    "raw": file(_raw),
    "route": file(_route),
    "snmp": file(fixed("Ip: Forwarding DefaultTTL\nIp: 2 64\n")),
    "sockstat": file(lambda look: f"sockets: used {len(_sockets(look))}\n"),
    "softnet_stat": file(fixed("00000000 " * 13 + "\n")),
    "tcp": _internet("tcp", AF_INET, _TCP),
    "tcp6": _internet("tcp", AF_INET6, _TCP),
    "udp": _internet("udp", AF_INET, _UDP),
    "udp6": _internet("udp", AF_INET6, _UDP),
    "unix": file(_unix),
    "wireless": file(fixed("")),
}

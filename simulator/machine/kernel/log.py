"""The kernel's log: one ring of lines for the whole machine; syslog(2), dmesg(1)."""

from simulator.machine.abi.ids import HOST, Domain
from simulator.machine.state.store import Row, Store, World

BUFFER_SIZE = 131_072
"""What the ring holds, in bytes (CONFIG_LOG_BUF_SHIFT 17)."""

BOOT_LINES = (
    "Linux version 6.18.0 (builder@vitrina) #1 SMP PREEMPT_DYNAMIC",
    "Command line: root=/dev/sda1 ro quiet",
    "EXT4-fs (sda1): mounted filesystem with ordered data mode",
)


class KernelLog(Row, frozen=True, kw_only=True):
    """The ring (``id`` 0). ``cleared`` lines from the start were cleared for readers."""

    lines: tuple[str, ...] = BOOT_LINES
    cleared: int = 0
    domain: Domain = HOST


def ring(world: World) -> KernelLog:
    """The log as it is now."""
    return world.get(KernelLog, 0) or KernelLog(id=0)


def text(world: World) -> bytes:
    """What dmesg(1) prints: the lines since the last clear, without time stamps."""
    log = ring(world)
    return "".join(f"<6>{line}\n" for line in log.lines[log.cleared :]).encode()


def append(store: Store, line: str) -> None:
    """printk()."""
    log = ring(store)
    store.put(KernelLog(id=0, lines=(*log.lines, line), cleared=log.cleared, domain=log.domain))


def clear(store: Store) -> None:
    """SYSLOG_ACTION_CLEAR: readers see only what comes later."""
    log = ring(store)
    store.put(KernelLog(id=0, lines=log.lines, cleared=len(log.lines), domain=log.domain))

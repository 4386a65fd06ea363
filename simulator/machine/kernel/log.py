"""The kernel's log: one ring of lines for the whole machine; syslog(2), dmesg(1).

A kernel whose containers have logs of their own (``Inside.log``) keeps one ring for each number.
"""

from typing import TYPE_CHECKING

from simulator.machine.abi.ids import HOST, Domain
from simulator.machine.state.store import Row, Store, World

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

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


def ring(world: World, number: int = 0) -> KernelLog:
    """The log as it is now; the machine's is number 0."""
    return world.get(KernelLog, number) or KernelLog(id=number)


def of(trap: "Trap") -> KernelLog:
    """The log that the caller's messages go to, and that it may read."""
    return ring(trap.store, number(trap))


def number(trap: "Trap") -> int:
    """Which log that is; 0 for the machine's."""
    inside = trap.family.inside
    return 0 if inside is None else inside.log(trap)


def text(log: KernelLog) -> bytes:
    """What dmesg(1) prints: the lines since the last clear, without time stamps."""
    return "".join(f"<6>{line}\n" for line in log.lines[log.cleared :]).encode()


def append(store: Store, line: str, number: int = 0) -> None:
    """printk()."""
    log = ring(store, number)
    store.put(
        KernelLog(id=number, lines=(*log.lines, line), cleared=log.cleared, domain=log.domain)
    )


def clear(store: Store, log: KernelLog) -> None:
    """SYSLOG_ACTION_CLEAR: readers see only what comes later."""
    store.put(KernelLog(id=log.id, lines=log.lines, cleared=len(log.lines), domain=log.domain))

"""Modules of the kernel and areas of swap: what one machine has one list of."""

from simulator.machine.abi.ids import HOST, Domain
from simulator.machine.state.store import Row


class Module(Row, frozen=True, kw_only=True):
    """A loaded module; ``id`` is its name, ``size`` in bytes (/proc/modules, kldstat(2))."""

    size: int
    users: tuple[str, ...] = ()
    domain: Domain = HOST


class SwapArea(Row, frozen=True, kw_only=True):
    """A file or device that pages are swapped to; ``id`` is its inode (/proc/swaps)."""

    path: str
    size: int
    domain: Domain = HOST


class Accounting(Row, frozen=True, kw_only=True):
    """acct(2): the file that records ended processes, for a pid namespace (``id``)."""

    path: str
    domain: Domain = HOST

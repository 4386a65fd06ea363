"""iptables-save(8) and iptables-restore(8): whole tables as text, and back.

Source: iptables 1.8.9 ``iptables/iptables-restore.c``, ``xtables-save.c``.
"""

import shlex
from collections.abc import Sequence
from typing import Any

from simulator.isolation.control.netfilter import iptables, showing
from simulator.isolation.control.netfilter.iptables import Misused, tables
from simulator.machine.kernel.net.filter import BUILT_IN
from simulator.machine.userland import calendar
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_VERSION = "iptables-restore v1.8.9 (nf_tables)"
_HINT = "Try `iptables-restore -h' or 'iptables-restore --help' for more information."


@enter("iptables-save", collection=TOOLS)
async def save(sys: Process, argv: Sequence[str]) -> int:
    """``iptables-save [-t TABLE]``: every table that has chains of its own or rules."""
    only = argv[2] if len(argv) > 2 and argv[1] in ("-t", "--table") else ""
    if only and only not in BUILT_IN:
        await sys.err(f"Table `{only}' does not exist\n")
        return 1
    seconds = (await sys.data("clock_gettime", 0))[0]
    when = calendar.strftime("%a %b %d %H:%M:%S %Y", seconds)
    try:
        for table in BUILT_IN:
            chains, rules = await tables(sys, table)
            used = rules or len(chains) > len(BUILT_IN[table])
            if only == table or (used and not only):
                await sys.out(showing.saved(table, chains, rules, when))
    except Misused as why:
        await sys.err(f"{why}\n".replace("iptables", "iptables-save", 1))
        return why.status
    return 0


class _Failed(Exception):
    """What is printed, and the exit status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class _Table:
    """One table of the text: its chains with their policies, its rules as command lines."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.chains: dict[str, str] = {}
        self.rules: list[tuple[int, list[str]]] = []


def _read(text: str) -> list[_Table]:
    """Everything, checked. Raises ``_Failed``."""
    found: list[_Table] = []
    table: _Table | None = None
    number = 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("*") and table is None:
            name = line[1:].strip()
            if name not in BUILT_IN:
                told = f"iptables-restore: line {number} table name '{name}' invalid"
                raise _blamed(told, number)
            table = _Table(name)
        elif table is None:
            raise _Failed(f"iptables-restore: line {number} failed", 1)
        elif line.strip() == "COMMIT":
            found.append(table)
            table = None
        elif line.startswith(":"):
            words = line[1:].split()
            table.chains[words[0]] = words[1] if len(words) > 1 else "-"
        else:
            table.rules.append((number, _words(line, number)))
    if table is not None:
        raise _Failed(f"iptables-restore: COMMIT expected at line {number + 1}", 1)
    return found


def _blamed(told: str, number: int) -> _Failed:
    return _Failed(f"{_VERSION}: {told}\nError occurred at line: {number}\n{_HINT}", 2)


def _words(line: str, number: int) -> list[str]:
    try:
        words = shlex.split(line)
        iptables.read(list(words))
    except ValueError:
        raise _Failed(f"iptables-restore: line {number} failed", 1) from None
    except Misused as why:
        told = str(why).partition("\n")[0]
        if told.startswith("Bad argument"):
            raise _Failed(f"{told}\nError occurred at line: {number}\n{_HINT}", 2) from None
        raise _blamed(told.rpartition("(nf_tables): ")[2], number) from None
    return words


@enter("iptables-restore", collection=TOOLS)
async def restore(sys: Process, argv: Sequence[str]) -> int:
    """``iptables-restore [-n] [-t] [-T TABLE] [FILE]``: tables of iptables-save, all or none."""
    words = list(argv[1:])
    keep, testing, only = False, False, ""
    files: list[str] = []
    while words:
        word = words.pop(0)
        if word in ("-T", "--table") and words:
            only = words.pop(0)
        keep = keep or word in ("-n", "--noflush")
        testing = testing or word in ("-t", "--test")
        files += [word] if not word.startswith("-") else []
    try:
        if files:
            text = await sys.text(files[0])
        else:
            text = (await sys.drain(0)).decode("utf-8", "replace")
        found = _read(text)
        for table in found if not testing else ():
            if only in ("", table.name):
                await _lay(sys, table, keep=keep)
    except _Failed as why:
        await sys.err(f"{why}\n")
        return why.status
    except Misused as why:
        await sys.err(f"{why}\n".replace("iptables", "iptables-restore", 1))
        return why.status
    except SysError as error:
        await sys.err(f"Can't open {files[0]}: {error.message}\n" if files else f"{error}\n")
        return 1
    return 0


async def _lay(sys: Process, table: _Table, *, keep: bool) -> None:
    """Put one table in the place of what is there, or beside it with ``keep``."""
    about: dict[str, Any] = {"table": table.name}
    chains, _rules = await tables(sys, table.name)
    if not keep:
        for name in chains:
            await sys.call("@filter", {**about, "do": "flush", "chain": name})
        for name in chains:
            if name not in BUILT_IN[table.name]:
                await sys.call("@filter", {**about, "do": "unchain", "chain": name})
    for name, policy in table.chains.items():
        if name in BUILT_IN[table.name]:
            if policy != "-":
                change: dict[str, Any] = {**about, "do": "policy", "chain": name, "target": policy}
                await sys.call("@filter", change)
        elif keep and name in chains:
            await sys.call("@filter", {**about, "do": "flush", "chain": name})
        else:
            await sys.call("@filter", {**about, "do": "chain", "chain": name})
    for _number, words in table.rules:
        asked = iptables.read(list(words))
        asked.table = table.name
        now: tuple[dict[str, str], list[dict[str, Any]]] = await tables(sys, table.name)
        await iptables.carry_out(sys, asked, *now)

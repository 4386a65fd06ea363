"""iptables(8) as a runtime says it: ``@filter`` stands for one setsockopt(2) of its tables.

Like the other calls with ``@``, no program of a guest can name it.
"""

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from simulator.machine.abi.call import Result, Returned
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.namespace import NetNs
from simulator.machine.kernel.net import filter as filters
from simulator.machine.kernel.net import params
from simulator.machine.kernel.net.filter import BUILT_IN, CHAINS, FINAL, Chain, Rule
from simulator.machine.kernel.trap import Trap
from simulator.machine.syscalls.registry import posix

_SHOWN = (
    "chain", "target", "table", "protocol", "source", "destination", "port", "inward", "outward",
    "established", "local", "to", "granted",
)  # fmt: skip


@posix("@filter")
def packet_filter(trap: Trap, message: Any) -> Result | int:
    """One change of the tables of the caller's network; the rest of ``message`` are ``Rule``'s
    fields.

    ``do`` is ``append``, ``insert`` (before the others of its chain, or at ``at``), ``delete``,
    ``chain`` (make one), ``unchain``, ``flush``, ``policy``, ``bridged`` (the filter sees what
    bridges pass on) or ``list``, whose data are the chains and the rules of a table. A rule that
    is there already is not put in twice, unless ``again``. EPERM; ENOENT for what isn't there,
    EEXIST, EBUSY, ELOOP.
    """
    asked = dict(cast("Mapping[str, Any]", message))
    do = asked.pop("do", "append")
    ns = trap.task.ns.net
    trap.need(Privilege.NET_CONFIG, trap.store.row(NetNs, ns).owner)
    table, chain = asked.get("table", "filter"), asked.get("chain", "")
    if do == "list":
        return _listed(trap, table)
    if do == "bridged":
        params.filter_bridges(trap.store, ns)
    elif do in ("chain", "unchain", "flush", "policy"):
        _of_chains(trap, do, table, chain, asked.get("target", ""))
    else:
        again, at = bool(asked.pop("again", False)), asked.pop("at", 1)
        if "to" in asked:
            asked["to"] = tuple(asked["to"])
        wanted = Rule(id=0, ns=ns, domain=trap.task.domain, **asked)
        if do == "delete":
            _delete(trap, wanted)
        else:
            _must_be_there(trap, wanted)
            if again or not _same(trap, wanted):
                _put(trap, wanted, at if do == "insert" else 0)
    return 0


def _listed(trap: Trap, table: str) -> Returned:
    ns = trap.task.ns.net
    chains = filters.chains(trap.store, ns, table)
    found: list[Any] = [
        {name: getattr(rule, name) for name in _SHOWN}
        for chain in chains
        for rule in filters.rules(trap.store, ns, table, chain)
    ]
    return Returned(0, [dict(chains), found])


def _of_chains(trap: Trap, do: str, table: str, name: str, policy: str) -> None:
    store, ns = trap.store, trap.task.ns.net
    there = filters.chains(store, ns, table)
    if do == "chain":
        if name in there:
            trap.fail(Errno.EEXIST, N_("There is a chain of that name."), "iptables(8)")
        filters.put_chain(store, ns, table, name)
        return
    if name not in there:
        trap.fail(Errno.ENOENT, N_("There is no chain of that name."), "iptables(8)")
    if do == "policy":
        filters.put_chain(store, ns, table, name, policy)
    elif do == "flush":
        for rule in filters.rules(store, ns, table, name):
            store.drop(Rule, rule.id)
    else:
        used = any(r.target == name for one in there for r in filters.rules(store, ns, table, one))
        if used or name in BUILT_IN[table] or filters.rules(store, ns, table, name):
            trap.fail(Errno.EBUSY, N_("The chain is in use, or not empty."), "iptables(8)")
        for row in store.rows_by(CHAINS, (ns, table)):
            if row.name == name:
                store.drop(Chain, row.id)


def _must_be_there(trap: Trap, rule: Rule) -> None:
    """The chain, and the one that the rule jumps to. ENOENT; ELOOP for a jump in a circle."""
    there = filters.chains(trap.store, rule.ns, rule.table)
    jumps = rule.target not in FINAL and rule.target != "RETURN"
    if rule.chain not in there or (jumps and rule.target not in there):
        trap.fail(Errno.ENOENT, N_("There is no chain of that name."), "iptables(8)")
    reached, seen = ([rule.target] if jumps else []), set[str]()
    while reached:
        name = reached.pop()
        if name == rule.chain:
            trap.fail(Errno.ELOOP, N_("The chains would jump in a circle."), "iptables(8)")
        if name not in seen:
            seen.add(name)
            reached += [r.target for r in filters.rules(trap.store, rule.ns, rule.table, name)]


def _put(trap: Trap, rule: Rule, at: int) -> None:
    """At place ``at`` of its chain, counted from 1; 0 is the end."""
    others = filters.rules(trap.store, rule.ns, rule.table, rule.chain)
    number = trap.store.new_id(Rule)
    if not at or at > len(others):
        rank = others[-1].rank + 1 if others else 0
    else:
        rank = others[at - 1].rank - 1
        for before in others[: at - 1]:
            moved = msgspec.structs.replace(before, rank=before.rank - 1)
            trap.store.put(moved)
    trap.store.put(msgspec.structs.replace(rule, id=number, rank=rank))


def _delete(trap: Trap, wanted: Rule) -> None:
    found = _same(trap, wanted)
    if not found:
        trap.fail(Errno.ENOENT, N_("No rule of this chain is like that."), "iptables(8)")
    trap.store.drop(Rule, found[0].id)


def _same(trap: Trap, wanted: Rule) -> list[Rule]:
    names = [name for name in _SHOWN if name != "granted"]
    return [
        rule
        for rule in filters.rules(trap.store, wanted.ns, wanted.table, wanted.chain)
        if all(getattr(rule, name) == getattr(wanted, name) for name in names)
    ]

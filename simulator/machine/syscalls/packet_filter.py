"""iptables(8) as a runtime says it: ``@filter`` stands for one setsockopt(2) of its tables.

Like the other calls with ``@``, no program of a guest can name it.
"""

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.namespace import NetNs
from simulator.machine.kernel.net.filter import IN_CHAIN, Rule
from simulator.machine.kernel.trap import Trap
from simulator.machine.syscalls.registry import posix


@posix("@filter")
def packet_filter(trap: Trap, message: Any) -> int:
    """One rule of the caller's network: ``do`` is append or delete, the rest are ``Rule``'s fields;
    ``first`` puts it before the others of its chain (``iptables -I``).

    A rule that is there already is not put in twice (``iptables -C || iptables -A``). EPERM; ENOENT
    for the deletion of what isn't there.
    """
    asked = dict(cast("Mapping[str, Any]", message))
    do, first = asked.pop("do", "append"), bool(asked.pop("first", False))
    ns = trap.task.ns.net
    trap.need(Privilege.NET_CONFIG, trap.store.row(NetNs, ns).owner)
    if "to" in asked:
        asked["to"] = tuple(asked["to"])
    wanted = Rule(id=0, ns=ns, domain=trap.task.domain, **asked)
    there = [
        rule for rule in trap.store.rows_by(IN_CHAIN, (ns, wanted.chain)) if _same(rule, wanted)
    ]
    if do == "delete":
        if not there:
            trap.fail(Errno.ENOENT, N_("No rule of this chain is like that."), "iptables(8)")
        for rule in there:
            trap.store.drop(Rule, rule.id)
        return 0
    if there:
        return 0
    others = trap.store.rows_by(IN_CHAIN, (ns, wanted.chain)) if first else ()
    _put(trap, wanted)
    for rule in others:
        trap.store.drop(Rule, rule.id)
        _put(trap, rule)
    return 0


def _put(trap: Trap, rule: Rule) -> None:
    """At the end of its chain: rules are asked in the order of their numbers."""
    trap.store.put(msgspec.structs.replace(rule, id=trap.store.new_id(Rule)))


def _same(one: Rule, other: Rule) -> bool:
    return all(
        getattr(one, name) == getattr(other, name)
        for name in Rule.__struct_fields__
        if name not in ("id", "domain")
    )

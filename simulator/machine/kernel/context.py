"""The other way to build a container: one tag on the task that the kernel asks about everywhere.

A prison (FreeBSD), a zone (Solaris), a security context (Linux-VServer) or a virtual environment
(OpenVZ) is a row of one tree. What the tag *forbids* is the business of the family's security
model and of the parameters kept here; each product's own words are the keys of ``params``.
"""

from collections.abc import Mapping
from typing import Any

from simulator.machine.abi.ids import HOST, ContextId, Domain, Pid
from simulator.machine.state.store import Row, World

ROOT_CONTEXT = ContextId(0)
"""The context of the host: prison0, the global zone, xid 0, ve0."""


LIFTED = "@without."
"""How a parameter begins that lifts a rule: ``@without.prison-visibility``. No kernel has such a
switch; the model has it to show what each rule is for."""


class Context(Row, frozen=True, kw_only=True):
    """A container as its kernel sees it.

    ``kind`` is ``prison``, ``zone``, ``xid`` or ``ve``; ``number`` what the product calls it by
    (jid, zone id, xid, veid); ``root`` the place where its ``..`` ends.
    """

    kind: str = "host"
    number: int = 0
    name: str = ""
    parent: ContextId | None = None
    root: Any = None
    hostname: str = ""
    addresses: tuple[str, ...] = ()
    loopback: str = ""
    """What 127.0.0.1 means in here (NXF_LBACK_REMAP); empty: the first of ``addresses``."""
    init: Pid | None = None
    """The task that the context's own processes call pid 1, in one space of numbers (VServer's
    fake init)."""
    params: Mapping[str, int | str | tuple[str, ...]]
    removed: bool = False
    domain: Domain = HOST


def is_within(world: World, inner: ContextId | None, outer: ContextId) -> bool:
    """Whether ``inner`` is ``outer`` or a descendant of it (prison_ischild())."""
    while inner is not None:
        if inner == outer:
            return True
        inner = world.row(Context, inner).parent
    return False


def has(row: Context, wall: str) -> bool:
    """Whether the rule called ``wall`` holds in the container: the host's context has none."""
    return row.id != ROOT_CONTEXT and not row.params.get(LIFTED + wall)

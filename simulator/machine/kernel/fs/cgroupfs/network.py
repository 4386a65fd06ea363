"""Marks for the network: net_cls, net_prio. net/core/netclassid_cgroup.c, netprio_cgroup.c"""

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import NsId
from simulator.machine.kernel.fs.cgroupfs.spec import (
    READ_ONLY,
    READ_WRITE,
    FileSpec,
    integer,
    invalid,
    setting,
    whole,
)
from simulator.machine.kernel.namespace import NetNs
from simulator.machine.kernel.net import interface as links
from simulator.machine.kernel.resource.group import Cgroup, put_setting
from simulator.machine.kernel.trap import Trap

_MAP = "net_prio.ifpriomap"


def _priorities(group: Cgroup) -> dict[str, str]:
    words = group.settings.get(_MAP, "").split()
    return dict(zip(words[::2], words[1::2], strict=True))


def _map(trap: Trap, group: Cgroup) -> str:
    """A line for every interface of the first network namespace, whoever reads (init_net)."""
    given, rows = _priorities(group), links.listed(trap.store, _initial(trap))
    for row in rows:
        trap.touch("interface", row.domain, "name", row.name)
    return "".join(f"{row.name} {given.get(row.name, 0)}\n" for row in rows)


def _initial(trap: Trap) -> NsId:
    return min(row.id for row in trap.store.all(NetNs))


def _set_map(trap: Trap, group: Cgroup, text: str) -> None:
    """``INTERFACE PRIORITY``. EINVAL, ENODEV."""
    words = text.split()
    if len(words) != 2 or not words[1].isdigit():
        invalid(trap)
    if links.named(trap.store, _initial(trap), words[0]) is None:
        trap.fail(Errno.ENODEV, N_("No interface has this name here."), "cgroups(7)")
    given = {**_priorities(group), words[0]: str(integer(trap, words[1]))}
    listed = " ".join(f"{name} {value}" for name, value in given.items())
    put_setting(trap.store, group, _MAP, listed)


def _index(_trap: Trap, group: Cgroup) -> str:
    return f"{group.id}\n"


NET_CLS = (
    FileSpec("net_cls.classid", READ_WRITE, setting("net_cls.classid", "0"),
             whole("net_cls.classid", 0, (1 << 32) - 1, errno_range=False)),
)  # fmt: skip
NET_PRIO = (
    FileSpec("net_prio.ifpriomap", READ_WRITE, _map, _set_map),
    FileSpec("net_prio.prioidx", READ_ONLY, _index),
)

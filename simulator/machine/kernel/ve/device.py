"""/dev/vzctl: the one door through which vzctl(8) speaks to the kernel, by ioctl(2).

A structure is a dictionary of its fields' names. Source: kernel/ve/vzdev.c, vecalls.c,
drivers/net/venetdev.c, fs/quota/vzdquota/vzdq_mgmt.c.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import msgspec

from simulator.machine.abi.call import Result, Value
from simulator.machine.abi.constants import (
    S_IFCHR,
    VENETCTL_VE_IP_MAP,
    VETHCTL_VE_HWADDR,
    VZCTL_ENV_CREATE,
    VZCTL_ENV_CREATE_DATA,
    VZCTL_QUOTA_NEW_CTL,
    VZCTL_SETDEVPERMS,
    VZCTL_VE_MEMINFO,
    VZCTL_VE_NETDEV,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.fs import devices
from simulator.machine.kernel.net import interface as links
from simulator.machine.kernel.resource import quota
from simulator.machine.kernel.trap import NotModelled
from simulator.machine.kernel.ve import context as ves
from simulator.machine.kernel.ve import create, venet
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs import path as paths
from simulator.machine.kernel.vfs.inode import Superblock
from simulator.machine.kernel.vfs.mount import BY_ROOT

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

MAJOR = 126
CITE = "kernel/ve/vecalls.c"

Asked: TypeAlias = Mapping[str, Any]


def _need_host(trap: "Trap") -> None:
    """capable_setveid()."""
    if ves.of(trap) is not None or not trap.cred.effective & (create.ADMIN | create.VE_ADMIN):
        trap.deny(
            Errno.EPERM,
            "ve-context",
            N_("Only the host makes environments and enters them (capable_setveid())."),
            CITE,
        )


def _named(trap: "Trap", asked: Asked) -> Context:
    _need_host(trap)
    row = ves.find(trap.store, int(asked["veid"]))
    if row is None:
        trap.fail(Errno.ESRCH, N_("No environment of this number runs."), CITE)
    return row


def _env_create(trap: "Trap", asked: Asked) -> int:
    data = cast("Asked", asked.get("data") or {})
    return create.env_create(trap, int(asked["veid"]), int(asked.get("flags", 0)), data)


def _set_devperms(trap: "Trap", asked: Asked) -> int:
    """One more rule, in the words of the device control group (``c 10:200 rwm``)."""
    row = _named(trap, asked)
    rules = (*cast("tuple[str, ...]", row.params.get("devices", ())), str(asked["rule"]))
    trap.store.put(msgspec.structs.replace(row, params={**row.params, "devices": rules}))
    return 0


def _set_meminfo(trap: "Trap", asked: Asked) -> int:
    """How much memory /proc/meminfo shows, in pages; 0 shows the machine's."""
    row = _named(trap, asked)
    params = {**row.params, "meminfo": int(asked["val"])}
    trap.store.put(msgspec.structs.replace(row, params=params))
    return 0


def _ip_map(trap: "Trap", asked: Asked) -> int:
    venet.map_address(trap, _named(trap, asked), int(asked["op"]), str(asked["addr"]))
    return 0


def _netdev(trap: "Trap", asked: Asked) -> int:
    """Hand a network card to an environment. ENODEV."""
    row = _named(trap, asked)
    there = links.named(trap.store, trap.task.ns.net, str(asked["dev_name"]))
    init = ves.init_of(trap.store, row)
    if there is None or init is None:
        trap.fail(Errno.ENODEV, N_("No interface has this name here."), CITE)
    moved = links.move(trap.store, there, init.ns.net)
    trap.store.put(msgspec.structs.replace(moved, domain=row.domain))
    return 0


def _veth(trap: "Trap", asked: Asked) -> int:
    """VETHCTL_VE_HWADDR, VE_ETH_ADD: a cable of frames from the host to the environment."""
    row = _named(trap, asked)
    init = ves.init_of(trap.store, row)
    names = (str(asked["dev_name"]), str(asked["dev_name_ve"]))
    here = trap.task.ns.net
    if init is None or links.named(trap.store, here, names[0]) is not None:
        trap.fail(Errno.EEXIST, N_("An interface already has this name."), "drivers/net/vzethdev.c")
    near, inner = links.add_veth(
        trap.store, here, names[0], init.ns.net, names[1], trap.task.domain
    )
    trap.store.put(msgspec.structs.replace(inner, domain=row.domain))
    links.set_up(trap.store, near, True)
    return 0


def _quota(trap: "Trap", asked: Asked) -> int:
    """vzquota on and off: ``cmd``, ``quota_id``, and for on a root and four limits in bytes."""
    _need_host(trap)
    number = int(asked["quota_id"])
    store = trap.store
    known = store.get(quota.Quota, number)
    match asked["cmd"]:
        case "on" if known is not None:
            trap.fail(Errno.EEXIST, N_("The quota is on already."), quota.CITE)
        case "off" if known is not None and _is_mounted(trap, known.root):
            trap.fail(Errno.EBUSY, N_("The tree is mounted."), quota.CITE)
        case "on":
            root = paths.walk(trap, str(asked["root"])).inode
            if not isinstance(root, int):
                raise NotModelled("a quota where no file is stored")
            if _is_mounted(trap, root):
                trap.fail(Errno.EBUSY, N_("The tree is mounted."), quota.CITE)
            soft_space, hard_space, soft_inodes, hard_inodes = (int(asked[n]) for n in _LIMITS)
            made = quota.Quota(
                id=number,
                root=root,
                soft_space=soft_space,
                hard_space=hard_space,
                soft_inodes=soft_inodes,
                hard_inodes=hard_inodes,
            )
            quota.turn_on(store, made)
        case "set" if known is not None:
            limits = {name: int(asked[name]) for name in _LIMITS if name in asked}
            store.put(msgspec.structs.replace(known, **limits))
        case "off" if known is not None:
            quota.turn_off(store, number)
        case _:
            trap.fail(Errno.ESRCH, N_("The quota is not on."), quota.CITE)
    return 0


def _is_mounted(trap: "Trap", root: int) -> bool:
    """vzquota_check_dtree(): whether somebody holds a file of the tree. Mounts are looked for."""
    return any(
        trap.store.row(Superblock, mount.sb).fstype == "simfs"
        for mount in trap.store.rows_by(BY_ROOT, root)
    )


_LIMITS = ("soft_space", "hard_space", "soft_inodes", "hard_inodes")

_REQUESTS: Mapping[int, "Callable[[Trap, Asked], int]"] = {
    VZCTL_ENV_CREATE: _env_create,
    VZCTL_ENV_CREATE_DATA: _env_create,
    VZCTL_SETDEVPERMS: _set_devperms,
    VZCTL_VE_MEMINFO: _set_meminfo,
    VZCTL_VE_NETDEV: _netdev,
    VENETCTL_VE_IP_MAP: _ip_map,
    VETHCTL_VE_HWADDR: _veth,
    VZCTL_QUOTA_NEW_CTL: _quota,
}


def _ioctl(trap: "Trap", _file: fds.File, request: int, argument: Value) -> Result | int:
    handler = _REQUESTS.get(request)
    if handler is None:
        trap.fail(Errno.ENOTTY, N_("/dev/vzctl has no such request."), "kernel/ve/vzdev.c")
    if not isinstance(argument, Mapping):
        trap.fail(Errno.EFAULT, N_("The structure is no memory of the process."), "ioctl(2)")
    return handler(trap, _checked(argument))


_NUMBERS = ("veid", "flags", "val", "op", "quota_id", *_LIMITS)


def _checked(argument: Asked) -> Asked:
    """The structure: what is a number in it is one, and what is asked of it is there."""
    for name in _NUMBERS:
        if not isinstance(argument.get(name, 0), int):
            raise NotModelled(f"{name} of the structure is a number")
    return _Structure(argument)


class _Structure(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        raise NotModelled(f"the structure has a field {name}")


def _no_data(trap: "Trap", _file: fds.File, _what: object) -> Any:
    trap.fail(Errno.EINVAL, N_("/dev/vzctl is spoken to by ioctl(2) alone."), "kernel/ve/vzdev.c")


devices.register(
    S_IFCHR,
    MAJOR,
    0,
    devices.Driver(name="/dev/vzctl", read=_no_data, write=_no_data, ioctl=_ioctl),
)

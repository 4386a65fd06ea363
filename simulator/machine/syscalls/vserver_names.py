"""The commands of vserver(2) about names: the context's own and those of its UTS space.

Source: kernel/vserver/cvirt.c of Linux-VServer.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from simulator.machine.abi.call import Result, Returned
from simulator.machine.kernel import vserver as vx
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.namespace import UtsNs
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.syscalls.vserver import HANDLERS


def _uts(trap: Trap, row: Context) -> UtsNs:
    """The names of the context's own space, or, while it sets itself up, the caller's."""
    kept = trap.store.get(vx.Spaces, row.id)
    return trap.store.row(UtsNs, kept.ns.uts if kept is not None else trap.task.ns.uts)


def _set_vhi_name(trap: Trap, ident: int, row: Context, data: Mapping[str, Any]) -> int:
    """vc_set_vhi_name(): the context's name, or one of uname(2)'s fields in its UTS space."""
    del ident
    field, name = str(data.get("field", "")), str(data.get("name", ""))
    if field == "CONTEXT":
        trap.store.put(msgspec.structs.replace(row, name=name))
        return 0
    key = {"NODENAME": "hostname", "DOMAINNAME": "domainname"}.get(field)
    if key is None:
        raise NotModelled(f"vserver: set_vhi_name of {field}")
    space = _uts(trap, row)
    trap.touch("hostname", space.domain, "write", field.lower())
    trap.store.put(msgspec.structs.replace(space, **{key: name}))
    return 0


def _get_vhi_name(trap: Trap, ident: int, row: Context, data: Mapping[str, Any]) -> Result:
    del ident
    field = str(data.get("field", ""))
    if field == "CONTEXT":
        return Returned(0, row.name)
    space = _uts(trap, row)
    names = {"NODENAME": space.hostname, "DOMAINNAME": space.domainname}
    return Returned(0, names.get(field, ""))


HANDLERS["VCMD_set_vhi_name"] = _set_vhi_name
HANDLERS["VCMD_get_vhi_name"] = _get_vhi_name

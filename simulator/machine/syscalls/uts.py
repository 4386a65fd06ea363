"""Names of the machine: uname(2), sethostname(2), setdomainname(2)."""

from typing import Any

import msgspec

from simulator.machine.abi.call import Result, Returned
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import hostname
from simulator.machine.kernel.namespace import UtsNs
from simulator.machine.kernel.trap import Trap
from simulator.machine.syscalls.registry import linux, posix

NEW_UTS_LEN = 64


@posix("uname")
def uname(trap: Trap) -> Result:
    """uname(2): the data has the six fields of struct utsname."""
    family = trap.family
    nodename, owner = hostname.hostname_of(trap)
    trap.touch("hostname", owner, "read", "nodename")
    return Returned(
        0,
        {
            "sysname": family.sysname,
            "nodename": nodename,
            "release": family.release_name,
            "version": family.version,
            "machine": family.machine,
            "domainname": trap.store.row(UtsNs, trap.task.ns.uts).domainname,
        },
    )


@posix("sethostname")
def sethostname(trap: Trap, name: Any = None, length: int = -1) -> int:
    """sethostname(2): EFAULT EINVAL EPERM, the right before the length."""
    trap.need(Privilege.SET_HOSTNAME, trap.store.row(UtsNs, trap.task.ns.uts).owner)
    text = _cut(trap, name, length)
    _, owner = hostname.hostname_of(trap)
    trap.touch("hostname", owner, "write", "nodename")
    hostname.set_hostname(trap, text)
    return 0


@linux("setdomainname")
def setdomainname(trap: Trap, name: Any = None, length: int = -1) -> int:
    """setdomainname(2): EFAULT EINVAL EPERM."""
    space = trap.store.row(UtsNs, trap.task.ns.uts)
    trap.need(Privilege.SET_HOSTNAME, space.owner)
    text = _cut(trap, name, length)
    trap.touch("hostname", space.domain, "write", "domainname")
    trap.store.put(msgspec.structs.replace(space, domainname=text, domainname_of=trap.task.domain))
    return 0


def _cut(trap: Trap, name: Any, length: int) -> str:
    if not 0 <= length <= NEW_UTS_LEN:
        trap.fail(Errno.EINVAL, N_("A name has at most 64 bytes."), "sethostname(2)")
    if name is None:
        if length:
            trap.fail(Errno.EFAULT, "", "sethostname(2)")
        return ""
    raw = name if isinstance(name, bytes) else str(name).encode("utf-8", "surrogateescape")
    return raw[:length].split(b"\0")[0].decode("utf-8", "surrogateescape")

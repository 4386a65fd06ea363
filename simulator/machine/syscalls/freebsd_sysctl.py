"""sysctl(3) by name: how FreeBSD's ps(1), dmesg(8), jls(8) and hostname(1) ask the kernel.

A prison reads most of it and writes next to nothing: what is about processes goes through
prison_check(), the host name is the prison's, the rest is the machine's. Source: sysctl(3),
sys/kern/kern_sysctl.c (sysctl_root: EPERM), kern_proc.c (sysctl_out_proc), kern_mib.c.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from simulator.machine.abi.call import Data, Result, Returned
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import clock, hostname, pids, prison, prison_params, sysctl
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.net import socket as sockets
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Trap
from simulator.machine.syscalls import decode, freebsd_kld, uts
from simulator.machine.syscalls.registry import freebsd

CITE = "sysctl(3)"
SECOND = 1_000_000_000
Read = Callable[[Trap], Data]

TUNABLES = frozenset(("kern.racct.enable",))
"""What only loader.conf(5) sets, before the kernel runs: CTLFLAG_RDTUN."""
_READ_ONLY = ("hw.", "kern.features.")
_SETTABLE = ("kern.hostname", "kern.securelevel")
_FORMAT = "sysctl.oidfmt."
"""The question for a setting's flags, which the kernel itself is asked by number ({0, 4, ...})."""


@freebsd("__sysctlbyname", "sysctl", "sysctlbyname")
def sysctl_by_name(trap: Trap, name: str, new: Any = None) -> Result:
    """sysctlbyname(3): EINVAL ENOENT EPERM ESRCH. The data is the old value."""
    old = _read(trap, name)
    if new is not None:
        _write(trap, name, decode.text(new))
    return Returned(0, old)


def _read(trap: Trap, name: str) -> Data:
    if name in _COMPUTED:
        return _COMPUTED[name](trap)
    prefix, _, last = name.rpartition(".")
    if prefix in _OF_PROCESS and last.lstrip("-").isdigit():
        return _OF_PROCESS[prefix](trap, pids.need(trap, int(last)))
    if name.startswith(_FORMAT):
        return _flags(trap, name.removeprefix(_FORMAT))
    if name.startswith("security.jail.param."):
        trap.fail(Errno.EINVAL, N_("The name describes a parameter and has no value."), CITE)
    if name not in trap.family.sysctls:
        trap.fail(Errno.ENOENT, N_("The kernel has no setting of this name."), CITE)
    return sysctl.read(trap.store, trap.family, name)


def _flags(trap: Trap, name: str) -> str:
    """sysctl_sysctl_oidfmt(): CTLFLAG_RD, CTLFLAG_RDTUN or CTLFLAG_RW, by its last letters."""
    if name in TUNABLES:
        return "RDTUN"
    if name in _SETTABLE or (name in trap.family.sysctls and not name.startswith(_READ_ONLY)):
        return "RW"
    _read(trap, name)
    return "RD"


def _write(trap: Trap, name: str, value: str) -> None:
    """sysctl_root(): PRIV_SYSCTL_WRITE, or PRIV_SYSCTL_WRITEJAIL for what is a prison's own."""
    if name == "kern.hostname":
        uts.sethostname(trap, value, len(value))
        return
    if name == "kern.securelevel":
        _raise_securelevel(trap, value)
        return
    if _flags(trap, name) != "RW":
        trap.deny(Errno.EPERM, "read-only-sysctl", N_("The setting can only be read."), CITE)
    trap.need(Privilege.SYSCTL_WRITE)
    trap.touch("sysctl", HOST, "write", name)
    sysctl.write(trap.store, name, value)


def _raise_securelevel(trap: Trap, value: str) -> None:
    """sysctl_kern_securelvl(): it only ever goes up, a prison's own too. EINVAL EPERM."""
    trap.need(Privilege.SYSCTL_WRITE_OWN)
    if not value.lstrip("-").isdecimal():
        trap.fail(Errno.EINVAL, N_("The setting is a number."), CITE)
    if int(value) < prison.securelevel(trap):
        trap.deny(
            Errno.EPERM, "securelevel", N_("The securelevel only ever goes up."), "security(7)"
        )
    if prison.is_jailed(trap.task):
        mine = prison.of(trap)
        mine = msgspec.structs.replace(mine, params={**mine.params, "securelevel": int(value)})
        trap.store.put(mine)
        prison_params.hand_down(trap.store, mine)
        return
    trap.touch("sysctl", HOST, "write", "kern.securelevel")
    sysctl.write(trap.store, "kern.securelevel", value)


def _host_name(trap: Trap) -> str:
    name, owner = hostname.hostname_of(trap)
    trap.touch("hostname", owner, "read", "kern.hostname")
    return name


def _visible(trap: Trap) -> Iterable[Task]:
    return (task for task in trap.store.all(Task) if trap.allowed("may_see", task))


def _processes(trap: Trap) -> Data:
    """kern.proc: struct kinfo_proc of every process that the caller may see."""
    return [_process(trap, task) for task in _visible(trap)]


def _process(trap: Trap, task: Task) -> dict[str, Data]:
    trap.touch("process", task.domain, "name", pids.label(task))
    jid = trap.store.row(Context, task.context).number
    return {
        "pid": task.id,
        "ppid": task.parent,
        "pgid": task.pgid,
        "sid": task.sid,
        "uid": task.cred.euid,
        "ruid": task.cred.ruid,
        "gid": task.cred.egid,
        "stat": task.state.value,
        "nice": task.nice,
        "comm": task.comm,
        "size": task.memory,
        "jid": jid if jid != prison.of(trap).number else 0,
    }


def _arguments(trap: Trap, task: Task) -> Data:
    """kern.proc.args: p_cansee() is enough."""
    trap.touch("process", task.domain, "read", pids.label(task))
    return list(task.argv)


def _environment(trap: Trap, task: Task) -> Data:
    """kern.proc.env: p_candebug()."""
    trap.ask("may_trace", task)
    trap.touch("process", task.domain, "read", pids.label(task))
    return [f"{key}={value}" for key, value in task.env]


def _boot_time(trap: Trap) -> Data:
    now = clock.clock(trap.store)
    trap.touch("clock", HOST, "name", "kern.boottime")
    return divmod(now.realtime_offset, SECOND)


def _prisons(trap: Trap) -> Data:
    """security.jail.list: the prisons inside the caller's."""
    return [
        {"jid": row.number, "name": row.name, "host": row.hostname, "path": str(row.params["path"])}
        for row in prison.descendants(trap.store, trap.task.context)
    ]


def _connections(trap: Trap) -> Data:
    """net.inet.*.pcblist: cr_canseeinpcb() shows a prison its own sockets."""
    rows: list[Data] = []
    for one in trap.store.all(sockets.Socket):
        if one.local is None or one.family not in (2, 10):
            continue
        if prison.has(prison.of(trap), "prison-visibility") and one.context != trap.task.context:
            continue
        trap.touch("socket", one.domain, "name", f"{one.local[0]}:{one.local[1]}")
        rows.append({"local": one.local, "remote": one.remote, "state": one.state})
    return rows


def _own(parameter: str, host: int) -> Read:
    """A prison reads its own parameter, the host what new prisons get (sysctl_jail_param())."""
    return lambda trap: prison.number(prison.of(trap), parameter, host)


_OF_PROCESS: dict[str, Callable[[Trap, Task], Data]] = {
    "kern.proc.pid": lambda trap, task: [_process(trap, task)],
    "kern.proc.args": _arguments,
    "kern.proc.env": _environment,
}
_COMPUTED: dict[str, Read] = {
    "kern.ostype": lambda trap: trap.family.sysname,
    "kern.osrelease": lambda trap: trap.family.release_name,
    "kern.version": lambda trap: trap.family.version,
    "kern.hostname": _host_name,
    "kern.securelevel": lambda trap: str(prison.securelevel(trap)),
    "kern.boottime": _boot_time,
    "kern.msgbuf": freebsd_kld.message_buffer,
    "kern.proc.all": _processes,
    "kern.proc.proc": _processes,
    "net.inet.tcp.pcblist": _connections,
    "security.jail.jailed": lambda trap: int(prison.is_jailed(trap.task)),
    "security.jail.vnet": lambda trap: int(bool(prison.of(trap).params.get("vnet"))),
    "security.jail.list": _prisons,
    "security.jail.enforce_statfs": _own("enforce_statfs", 2),
    "security.jail.devfs_ruleset": _own("devfs_ruleset", 0),
    "security.jail.children.max": _own("children.max", prison_params.JAIL_MAX),
    **{
        f"security.jail.{name}": _own(f"allow.{parameter}", host)
        for name, parameter, host in (
            ("set_hostname_allowed", "set_hostname", 1),
            ("sysvipc_allowed", "sysvipc", 0),
            ("allow_raw_sockets", "raw_sockets", 0),
            ("chflags_allowed", "chflags", 0),
            ("mount_allowed", "mount", 0),
        )
    },
}

"""What a privilege of Solaris grants: uts/common/os/policy.c (secpolicy_*).

Each right that a handler asks for is one or more privileges, and they are looked for in the
caller's effective set. A zone adds nothing to that: its limit set is simply smaller.
"""

from simulator.machine.abi.call import Denial
from simulator.machine.abi.constants import SIGCONT
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import NsId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import privset, zone
from simulator.machine.kernel.security import Answer, Policy
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Trap

_DAC = "file_dac_read file_dac_write file_dac_search file_dac_execute"

RIGHTS: dict[Privilege, tuple[str, ...]] = {
    Privilege.CHROOT: ("proc_chroot",),
    Privilege.MOUNT: ("sys_mount",),
    Privilege.UNMOUNT: ("sys_mount",),
    Privilege.QUOTA: ("sys_mount",),
    Privilege.MKNOD_DEVICE: ("sys_devices",),
    Privilege.SET_IMMUTABLE: ("file_flag_set",),
    Privilege.DAC_OVERRIDE: (_DAC,),
    Privilege.DAC_READ_SEARCH: ("file_dac_read file_dac_search",),
    Privilege.CHOWN: ("file_chown",),
    Privilege.FOWNER: ("file_owner",),
    Privilege.FSETID: ("file_setid",),
    Privilege.SETUID: ("proc_setid",),
    Privilege.SETGID: ("proc_setid",),
    Privilege.KILL: ("proc_owner",),
    Privilege.PTRACE: ("proc_owner",),
    Privilege.SCHED_RAISE: ("proc_priocntl",),
    Privilege.RESOURCE_RAISE: ("sys_resource",),
    Privilege.SET_HOSTNAME: ("sys_admin",),
    Privilege.LOCK_MEMORY: ("proc_lock_memory",),
    Privilege.IPC_OWNER: ("ipc_dac_read ipc_dac_write",),
    Privilege.IPC_ADMIN: ("ipc_owner",),
    Privilege.RAW_SOCKET: ("net_rawaccess",),
    Privilege.ICMP_SOCKET: ("net_icmpaccess",),
    Privilege.RESERVED_PORT: ("net_privaddr",),
    Privilege.NET_CONFIG: ("sys_net_config", "sys_ip_config"),
    Privilege.CLOCK_SET: ("sys_time",),
    Privilege.CLOCK_ADJUST: ("sys_time",),
    Privilege.REBOOT: ("sys_config",),
    Privilege.MODULE: ("sys_config",),
    Privilege.SWAP: ("sys_config",),
    Privilege.SYSCTL_WRITE: ("sys_config",),
    Privilege.ACCOUNTING: ("sys_acct",),
    Privilege.AUDIT_WRITE: ("proc_audit",),
    Privilege.KERNEL_MEMORY: ("",),
    Privilege.ZONE_ADMIN: ("sys_admin",),
}
"""Each right's privileges: any one of these sets is enough. /dev/mem is read by its mode alone
(etc/security/device_policy: read_priv_set=none). What is not listed needs every privilege
(secpolicy_require_set() with PRIV_FULLSET): zones, loading modules, writing to kernel memory."""

SOME_ACCESS = frozenset({Privilege.RAW_SOCKET, Privilege.ICMP_SOCKET, Privilege.RESERVED_PORT})
"""secpolicy_net_rawaccess(), secpolicy_net_icmpaccess(), secpolicy_net_privaddr(): EACCES."""

_CITE = "uts/common/os/policy.c"
_NOT_IN_LIMIT = N_("The privilege is not in the zone's limit set, and nobody inside can have it.")
_NOT_EFFECTIVE = N_("The privilege is not in the caller's effective set.")
_OTHER_USER = Denial(
    Errno.EPERM,
    "uid",
    N_("The process belongs to another user, and the caller lacks proc_owner."),
    "uts/common/os/cred.c prochasprocperm()",
)
_OTHER_ZONE = Denial(
    Errno.EPERM,
    "zone-privileges",
    N_("To act on another zone's process the caller needs proc_zone."),
    "uts/common/os/policy.c secpolicy_proc_zone()",
)

_SETS = {right: tuple(privset.mask(names) for names in any_of) for right, any_of in RIGHTS.items()}
_EVERYTHING = (privset.ALL,)


def holds(trap: Trap, privilege: Privilege, over: NsId | None) -> Answer:
    """PRIV_POLICY(): the effective set has it, or EPERM; EACCES for some of the network's."""
    del over
    wanted = _SETS.get(privilege, _EVERYTHING)
    mine = privset.effective(trap.task.cred)
    if any(bits & ~mine == 0 for bits in wanted):
        return None
    limit = trap.task.cred.bounding
    by_zone = zone.has(trap, zone.PRIVILEGES) and all(bits & ~limit for bits in wanted)
    return Denial(
        Errno.EACCES if privilege in SOME_ACCESS else Errno.EPERM,
        zone.PRIVILEGES if by_zone else "privileges",
        _NOT_IN_LIMIT if by_zone else _NOT_EFFECTIVE,
        _CITE,
    )


def may_signal(trap: Trap, task: Task, signo: int) -> Answer:
    """prochasprocperm(): the same user, or proc_owner; and proc_zone across zones."""
    mine, theirs = trap.task.cred, task.cred
    if task.id == trap.task.id or (signo == SIGCONT and task.sid == trap.task.sid):
        return None
    held = privset.effective(mine)
    if trap.task.context != task.context and not held & privset.mask("proc_zone"):
        return _OTHER_ZONE
    same = {mine.ruid, mine.euid} & {theirs.ruid, theirs.suid}
    return None if same or held & privset.mask("proc_owner") else _OTHER_USER


def may_trace(trap: Trap, task: Task) -> Answer:
    """praccess(): every id and privilege of the target, or proc_owner; proc_zone across zones."""
    mine, theirs = trap.task.cred, task.cred
    if task.id == trap.task.id:
        return None
    held = privset.effective(mine)
    if trap.task.context != task.context and not held & privset.mask("proc_zone"):
        return _OTHER_ZONE
    same = {theirs.ruid, theirs.euid, theirs.suid} == {mine.euid}
    if held & privset.mask("proc_owner") or (same and not privset.effective(theirs) & ~held):
        return None
    return _OTHER_USER


PRIVILEGES = Policy(name="privileges", holds=holds, may_signal=may_signal, may_trace=may_trace)

"""The kernels of OpenVZ: Linux 2.6.18 of RHEL 5 and 2.6.32 of RHEL 6, with their patches."""

from collections.abc import Iterable
from dataclasses import replace

from simulator.machine.families.linux import LINUX, of_release
from simulator.machine.families.linux.capabilities import CAPABILITIES
from simulator.machine.families.linux.openvz import proc
from simulator.machine.families.linux.openvz.capabilities import VE_CAPABILITIES, show, take
from simulator.machine.families.linux.openvz.environment import ENVIRONMENT
from simulator.machine.kernel import log
from simulator.machine.kernel.family import Family, Inside, Release, Syscall
from simulator.machine.kernel.security import Chain
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.ve import context as ves
from simulator.machine.kernel.ve import device, memory, simfs, terminals
from simulator.machine.syscalls.registry import openvz

assert device, memory  # imported for /dev/vzctl and for the memory that a container may have

_BACKPORTED = ("name_to_handle_at", "open_by_handle_at", "setns")
"""Calls that RHEL 6 brought to its 2.6.32: fs/fhandle.c, kernel/nsproxy.c."""


def _log_of(trap: Trap) -> int:
    """init_printk(): each environment has a ring of its own."""
    row = ves.keeps(trap, "ve-log")
    return row.number if row is not None else log.ring(trap.store).id


def _family(release: Release, words: str, backported: Iterable[str] = ()) -> Family:
    plain = of_release(release, words)
    older: dict[str, Syscall] = dict(plain.table)
    for call in backported:
        older[call] = replace(LINUX.table[call], since=())
    policies = tuple(
        VE_CAPABILITIES if one.name == CAPABILITIES.name else one for one in plain.chain.policies
    )
    return replace(
        plain,
        title=f"{plain.title} with OpenVZ",
        version="#1 SMP",
        table=older | openvz.calls,
        traits=replace(
            plain.traits,
            context_root_pins_dotdot=True,
            sysfs_of_network=True,
            # uids hash to a user_struct for each user namespace (kernel/user.c until Linux 3.8).
            nproc_counts_per_user_namespace=True,
        ),
        chain=Chain((*policies, ENVIRONMENT)),
        filesystems={
            **plain.filesystems,
            "simfs": simfs.SIMFS,
            "devpts": terminals.VE_DEVPTS,
        },
        sysctls={**plain.sysctls, "kernel.dmesg_restrict": "1"},
        inside=Inside(
            proc=proc.tree,
            log=_log_of,
            show_capabilities=show,
            take_capabilities=take,
            sysinfo=proc.sysinfo,
        ),
        boot_lines=(
            f"Linux version {words} (root@rhel-build-x64)",
            "Command line: ro root=/dev/sda1 quiet",
            "VZ: sysctl ve_allow_kthreads 1",
        ),
    )


OPENVZ_2_6_32 = _family((2, 6, 32), "2.6.32-042stab120.20", _BACKPORTED)
OPENVZ_2_6_18 = _family((2, 6, 18), "2.6.18-398.el5.028stab118.1")

"""Linux-VServer's kernels as values of the Linux family: 2.4 with the context patch, and 2.6.27.

The 2.6 patch adds one system call, ``vserver``, and two tags; of the mainline's namespaces it uses
those for mounts, host names and System V objects. Pid namespaces are left out of its default mask,
network namespaces were not complete then (kernel/vserver/space.c). The 2.4 patch had two system
calls that anybody may make and no namespaces at all.
"""

from dataclasses import replace

from simulator.machine.families.linux import of_release
from simulator.machine.families.linux.vserver import helper, limits, old, policy, proc, virtual
from simulator.machine.kernel.family import Inside
from simulator.machine.kernel.security import Chain
from simulator.machine.syscalls.registry import linux_vserver, linux_vserver_24


def _unchanged(_trap: object, bits: int) -> int:
    return bits


def _of_the_machine(_trap: object) -> int:
    return 0


_MAINLINE = of_release((2, 6, 27), "2.6.27.10-vs2.3.0.36.4")

VSERVER_2_6 = replace(
    _MAINLINE,
    title="Linux 2.6.27 with Linux-VServer 2.3",
    table={**_MAINLINE.table, **linux_vserver.calls},
    chain=Chain((policy.CONTEXT, policy.NETWORK_CONTEXT, limits.LIMITS, *_MAINLINE.chain.policies)),
    traits=replace(
        _MAINLINE.traits,
        network_context_apart=True,
        names_belong_to_context=True,
        icmp_is_its_own_right=True,
        terminals_are_tagged=True,
        copies_unified_files=True,
        network_wall="network-context",
    ),
    inside=Inside(
        proc=proc.nodes,
        log=proc.log_of,
        show_capabilities=_unchanged,
        take_capabilities=_unchanged,
        status=proc.status,
        process=virtual.of_process,
        reboot=helper.reboot,
    ),
)
"""util-vserver's kernel of 2008: security contexts, network contexts, and mainline's spaces."""

_OLD = of_release((2, 4, 20), "2.4.20ctx-17")

VSERVER_2_4 = replace(
    _OLD,
    title="Linux 2.4.20 with the patch ctx-17",
    table={**_OLD.table, **linux_vserver_24.calls},
    chain=Chain((old.CONTEXT, policy.NETWORK_CONTEXT, limits.LIMITS, *_OLD.chain.policies)),
    traits=replace(
        _OLD.traits,
        network_context_apart=True,
        names_belong_to_context=True,
        terminals_are_tagged=True,
        network_wall="network-context",
        ipc_wall="security-context",
    ),
    inside=Inside(
        proc=proc.all_shown,
        log=_of_the_machine,
        status=proc.old_status,
        show_capabilities=_unchanged,
        take_capabilities=_unchanged,
    ),
)
"""Jacques Gelinas's patch: ``new_s_context`` and ``set_ipv4root``, and plain chroot(2)."""

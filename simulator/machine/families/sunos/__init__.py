"""SunOS 5.10, which is Solaris 10, as a value of a family."""

from simulator.machine.abi.errno import Errno
from simulator.machine.families.sunos.filesystems import FILESYSTEMS
from simulator.machine.families.sunos.numbers import ERRNO_NUMBERS
from simulator.machine.families.sunos.policy import PRIVILEGES
from simulator.machine.families.sunos.zones import ZONES
from simulator.machine.kernel import privset, zone
from simulator.machine.kernel.family import Family, Traits
from simulator.machine.kernel.security import Chain
from simulator.machine.syscalls.registry import enter_all, posix, sunos

enter_all()

CHAIN = Chain((PRIVILEGES, ZONES))
"""PRIV_POLICY() on the effective set, then the zone's own rules."""

TRAITS = Traits(
    pipes_have_attributes=False,
    errors_are_negative=False,
    syncs_by_operation=False,
    context_root_pins_dotdot=True,
    bind_mount_ends_at_its_root=False,
    has_namespaces=False,
    network_wall=zone.NETWORK,
    ipc_wall=zone.IPC,
    has_abstract_sockets=False,
    socket_families=frozenset((1, 2, 10)),
    ports_belong_to_context=True,
    loopback_of_context=True,
    mounts_belong_to_context=True,
    icmp_is_its_own_right=True,
    hostname_of_context=True,
    setuid_clears_capabilities=False,
    userns_clone_refused_in_chroot=False,
    unlink_directory_errno=Errno.EPERM,
    nproc_counts_per_user_namespace=False,
    nproc_counts_per_context=True,
    mknod_whiteout_unprivileged=False,
)

FEATURES = frozenset(("acct", "modules", "quota", "swap"))

BOOT_LINES = (
    "SunOS Release 5.10 Version Generic_147148-26 64-bit",
    "Copyright (c) 1983, 2013, Oracle and/or its affiliates. All rights reserved.",
    "root on rpool/ROOT/s10 fstype zfs",
)

SUNOS = Family(
    id="sunos",
    title="Solaris 10",
    release=(5, 10),
    release_name="5.10",
    machine="i86pc",
    sysname="SunOS",
    version="Generic_147148-26",
    table=posix.calls | sunos.calls,
    traits=TRAITS,
    chain=CHAIN,
    filesystems=FILESYSTEMS,
    errno_numbers=ERRNO_NUMBERS,
    disk=("zfs", "rpool/ROOT/s10"),
    boot_lines=BOOT_LINES,
    features=FEATURES,
    capabilities=privset.ALL,
    controllers=frozenset(),
    sysctls={},
)

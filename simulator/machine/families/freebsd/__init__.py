"""FreeBSD as a value of a family."""

from simulator.machine.abi.errno import Errno
from simulator.machine.families.freebsd.filesystems import FILESYSTEMS
from simulator.machine.families.freebsd.limits import LIMITS
from simulator.machine.families.freebsd.numbers import ERRNO_NUMBERS
from simulator.machine.families.freebsd.prison import PRISON
from simulator.machine.families.freebsd.superuser import SUPERUSER
from simulator.machine.families.freebsd.sysctls import SYSCTLS
from simulator.machine.kernel.family import Family, Traits
from simulator.machine.kernel.security import Chain
from simulator.machine.syscalls.registry import enter_all, freebsd, posix

enter_all()

CHAIN = Chain((SUPERUSER, PRISON, LIMITS))
"""priv_check_cred(): first the superuser, then what the prison leaves of it. Limits are apart."""

TRAITS = Traits(
    pipes_have_attributes=False,
    errors_are_negative=False,
    syncs_by_operation=False,
    chroot_pins_dotdot=True,
    context_root_pins_dotdot=True,
    bind_mount_ends_at_its_root=False,
    chroot_refuses_open_directories=True,
    has_namespaces=False,
    network_wall="prison",
    ipc_wall="prison",
    has_abstract_sockets=False,
    socket_families=frozenset((1, 2, 10)),
    ports_belong_to_context=True,
    hostname_of_context=True,
    setuid_clears_capabilities=False,
    userns_clone_refused_in_chroot=False,
    unlink_directory_errno=Errno.EPERM,
    nproc_counts_per_user_namespace=False,
    mknod_whiteout_unprivileged=False,
    devices_only_in_devfs=True,
)

FEATURES = frozenset(("acct", "modules", "quota", "swap"))

BOOT_LINES = (
    "FreeBSD 13.4-RELEASE GENERIC amd64",
    "ada0: <Vitrina virtual disk> ATA-6 device",
    "Trying to mount root from ufs:/dev/ada0p2 [rw]...",
)

FREEBSD = Family(
    id="freebsd",
    title="FreeBSD 13.4",
    release=(13, 4),
    release_name="13.4-RELEASE",
    machine="amd64",
    sysname="FreeBSD",
    version="FreeBSD 13.4-RELEASE GENERIC",
    table=posix.calls | freebsd.calls,
    traits=TRAITS,
    chain=CHAIN,
    filesystems=FILESYSTEMS,
    errno_numbers=ERRNO_NUMBERS,
    disk=("ufs", "/dev/ada0p2"),
    boot_lines=BOOT_LINES,
    features=FEATURES,
    sysctls=SYSCTLS,
)

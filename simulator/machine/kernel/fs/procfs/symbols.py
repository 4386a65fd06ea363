"""/proc/kallsyms: at which address each function of the kernel is. kernel/ksyms_common.c."""

from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.fs.procfs import sysctls
from simulator.machine.kernel.fs.procfs.node import Look

_BASE = 0xFFFF_FFFF_8100_0000
_SYMBOLS = (("_text", 0), ("commit_creds", 0x000C_B3A0), ("prepare_kernel_cred", 0x000C_B650))
_ASKS_CAPABILITY_SINCE = (4, 15)


def kallsyms(look: Look) -> str:
    """proc_kallsyms(5): names for all, addresses for some."""
    shown = _shows_addresses(look)
    if shown:
        look.trap.authority("kernel", "/proc/kallsyms", "read")
    return "".join(f"{_BASE + offset if shown else 0:016x} T {name}\n" for name, offset in _SYMBOLS)


def _shows_addresses(look: Look) -> bool:
    """kallsyms_show_value(): perf's users, or CAP_SYSLOG of the machine; before, %pK alone."""
    restrict = sysctls.read(look.trap, "kernel.kptr_restrict")
    if restrict == "0":
        if look.trap.family.release < _ASKS_CAPABILITY_SINCE:
            return True
        if int(sysctls.read(look.trap, "kernel.perf_event_paranoid") or "2") <= 1:
            return True
    return restrict in ("0", "1") and look.trap.has(Privilege.KERNEL_LOG)

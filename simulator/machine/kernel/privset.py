"""Solaris privileges and sets of them: privileges(5), priv_str_to_set(3C).

A set is a bit mask over ``PRIVILEGES``. A task's four sets are kept where Linux keeps its
capabilities: effective, permitted, inheritable, and the limit set in ``bounding``. A process that
is not privilege aware has the limit set as long as its effective user id is 0, and the basic set
else (sys/cred_impl.h CR_OEPRIV, CR_OPPRIV).
"""

from simulator.machine.kernel.cred import Credentials

_NAMES = """
contract_event contract_observer cpc_cpu dtrace_kernel dtrace_proc dtrace_user file_chown
file_chown_self file_dac_execute file_dac_read file_dac_search file_dac_write file_downgrade_sl
file_flag_set file_link_any file_owner file_setid file_upgrade_sl graphics_access graphics_map
ipc_dac_read ipc_dac_write ipc_owner net_bindmlp net_icmpaccess net_mac_aware net_observability
net_privaddr net_rawaccess proc_audit proc_chroot proc_clock_highres proc_exec proc_fork proc_info
proc_lock_memory proc_owner proc_priocntl proc_session proc_setid proc_taskid proc_zone sys_acct
sys_admin sys_audit sys_config sys_devices sys_ip_config sys_ipc_config sys_linkdir sys_mount
sys_net_config sys_nfs sys_res_config sys_resource sys_smb sys_suser_compat sys_time
"""

PRIVILEGES: tuple[str, ...] = tuple(_NAMES.split())
"""Every privilege, by number: uts/common/os/priv_defs."""

ALL = (1 << len(PRIVILEGES)) - 1

PRIV_AWARE = 1 << 16
"""The bit of ``Credentials.securebits`` that stands for PRIV_AWARE (getpflags(2))."""


def mask(names: str) -> int:
    """The set of several privileges, given as names separated by spaces. ``KeyError``."""
    bits = 0
    for name in names.split():
        bits |= _BITS[name.lower().removeprefix("priv_")]
    return bits


_BITS = {name: 1 << number for number, name in enumerate(PRIVILEGES)}

BASIC = mask("file_link_any proc_exec proc_fork proc_info proc_session")
"""What every process has that nobody took it from."""


def names(bits: int) -> tuple[str, ...]:
    """The names of the privileges in ``bits``, in the order of their numbers."""
    return tuple(name for name in PRIVILEGES if bits & _BITS[name])


def parse(text: str, words: dict[str, int], bits: int = 0) -> int:
    """priv_str_to_set(3C): names separated by commas, ``!`` or ``-`` before what is taken away.

    It begins with ``bits``. ``words`` are names of whole sets beyond ``all`` and ``basic``; a whole
    set is only ever added. ``KeyError`` tells, as it was typed, of what is no privilege.
    """
    whole = {"all": ALL, "basic": BASIC, **words}
    for word in filter(None, text.split(",")):
        name = word[word[0] in "!-+" :].lower().removeprefix("priv_")
        if word.lower() == "none":
            bits = 0
        elif word.lower() in whole:
            bits |= whole[word.lower()]
        elif name not in _BITS:
            raise KeyError(word)
        else:
            bits = bits & ~_BITS[name] if word[0] in "!-" else bits | _BITS[name]
    return bits


def text(bits: int, style: str, zone: int) -> str:
    """priv_set_to_str(3C): ``portable`` and ``literal`` forms, and the one with the fewest words.

    ``zone`` is the set of whoever asks' zone.
    """
    base, word = 0, ""
    if style != "literal" and bits == ALL:
        return "all"
    if style == "portable":
        base, word = BASIC, "basic"
    elif style == "short":
        base, word = _shortest(bits, zone)
    away = {name: f"!{name}" for name in names(base & ~bits)}
    more = {name: name for name in names(bits & ~base)}
    both = away | more
    return ",".join(filter(None, [word, *(both[name] for name in sorted(both))])) or "none"


def _shortest(bits: int, zone: int) -> tuple[int, str]:
    """The whole set with whose name, and exceptions from it, the fewest words are needed."""
    form, count = (0, ""), bits.bit_count()
    saved = (BASIC & bits).bit_count() - (BASIC & ~bits).bit_count() - 1
    if saved > 0:
        form, count = (BASIC, "basic"), count - saved
    lacking = 1 + (ALL & ~bits).bit_count()
    if count >= lacking:
        form, count = (ALL, "all"), lacking
    if not bits & ~zone and 1 + (zone & ~bits).bit_count() < count:
        form = (zone, "zone")
    return form


def effective(cred: Credentials) -> int:
    """CR_OEPRIV(): what counts when a privilege is asked for."""
    if cred.securebits & PRIV_AWARE:
        return cred.effective
    return cred.bounding if cred.euid == 0 else BASIC & cred.bounding


def permitted(cred: Credentials) -> int:
    """CR_OPPRIV(): what may be made effective."""
    if cred.securebits & PRIV_AWARE:
        return cred.permitted
    rooted = 0 in (cred.euid, cred.ruid, cred.suid)
    return cred.bounding if rooted else BASIC & cred.bounding


def inheritable(cred: Credentials) -> int:
    """CR_IPRIV(): what a program begins with that is executed."""
    aware = bool(cred.securebits & PRIV_AWARE)
    return cred.inheritable if aware else BASIC & cred.bounding

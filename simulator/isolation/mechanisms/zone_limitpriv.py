"""A zone's limit set of privileges: zonecfg(1M)'s ``limitpriv`` and how it is verified.

Source: lib/libzonecfg (zonecfg_get_privset, verify_privset), lib/brand/native/zone/config.xml.
"""

from typing import Literal

from simulator.isolation.mechanisms.base import PlanError
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel import privset

_DEFAULT = """
contract_event contract_observer file_chown file_chown_self file_dac_execute file_dac_read
file_dac_search file_dac_write file_owner file_setid ipc_dac_read ipc_dac_write ipc_owner
net_bindmlp net_icmpaccess net_mac_aware net_privaddr proc_chroot sys_audit proc_audit
proc_lock_memory proc_owner proc_setid proc_taskid sys_acct sys_admin sys_mount sys_nfs sys_resource
"""
_PROHIBITED = """
dtrace_kernel proc_zone sys_config sys_devices sys_linkdir sys_net_config sys_res_config
sys_suser_compat
"""
_REQUIRED = "proc_exec proc_fork sys_mount"

DEFAULT = {
    "shared": privset.mask(_DEFAULT) | privset.BASIC,
    "exclusive": privset.mask(f"{_DEFAULT} net_rawaccess sys_ip_config") | privset.BASIC,
}
PROHIBITED = {
    "shared": (*_PROHIBITED.split(), "sys_ip_config"),
    "exclusive": tuple(_PROHIBITED.split()),
}
REQUIRED = {
    "shared": tuple(_REQUIRED.split()),
    "exclusive": (*_REQUIRED.split(), "sys_ip_config"),
}
"""By ip-type, in the order in which the brand lists them and they are looked for."""


class PrivilegeError(PlanError):
    """A ``limitpriv`` that does not verify: what is wrong (Z_PRIV_*), and of which privilege."""

    def __init__(self, wrong: Literal["unknown", "prohibited", "required"], name: str) -> None:
        match wrong:
            case "unknown":
                text = _("zone: limitpriv: there is no privilege {name}")
            case "prohibited":
                text = _("zone: privilege {name} is not permitted within the zone's privilege set")
            case "required":
                text = _("zone: required privilege {name} is missing from the zone's privilege set")
        super().__init__(text.format(name=repr(name)))
        self.wrong = wrong
        self.name = name


def limit_set(limitpriv: str, ip_type: str) -> int:
    """The privileges of ``limitpriv``, as zoneadm(1M) verifies them. Raises ``PrivilegeError``.

    ``default``, the brand's own set, is a word of zonecfg's and counts in the first place only;
    ``zone``, which is the global zone's set to whoever verifies, is refused.
    """
    first, comma, rest = limitpriv.partition(",")
    if "zone" in limitpriv.split(","):
        raise PrivilegeError("unknown", "zone")
    # strncmp() over the length of the first word: what "default" begins with does as well.
    usual = limitpriv in ("", "default") or (comma and "default".startswith(first))
    text, bits = (rest, DEFAULT[ip_type]) if usual else (limitpriv, 0)
    try:
        bits = privset.parse(text, {"zone": privset.ALL}, bits)
    except KeyError as error:
        raise PrivilegeError("unknown", error.args[0]) from None
    for name in PROHIBITED[ip_type]:
        if bits & privset.mask(name):
            raise PrivilegeError("prohibited", name)
    for name in REQUIRED[ip_type]:
        if not bits & privset.mask(name):
            raise PrivilegeError("required", name)
    return bits

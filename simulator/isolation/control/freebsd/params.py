"""jail(8)'s parameters: which are its own, and what is said of a value that is none.

Source: usr.sbin/jail/config.c (intparams, check_intparams), lib/libjail/jail.c (jailparam_import).
"""

import re

from simulator.isolation.technologies.options import jail as options
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.net import address as ip
from simulator.machine.kernel.prison_params import NOT_MODELLED
from simulator.machine.userland.options import Options

Params = dict[str, list[str]]
"""Each parameter with its values; a bare one has none."""

OWN = frozenset(
    (
        "command", "exec.start", "exec.stop", "exec.prestart", "exec.poststart", "exec.prestop",
        "exec.poststop", "exec.created", "exec.prepare", "exec.release", "exec.clean",
        "exec.timeout", "exec.consolelog", "stop.timeout", "name", "jid", "interface", "depend",
        "exec.jail_user", "exec.system_user", "exec.system_jail_user", "exec.fib", "allow.dying",
        "ip_hostname", "mount", "mount.fstab", "mount.fdescfs", "mount.procfs",
    )
)  # fmt: skip
"""Parameters that jail(8) keeps to itself or takes apart; the others are the kernel's."""
_OWN_BOOLEANS = frozenset(
    (
        *("exec.clean", "exec.system_jail_user", "allow.dying", "ip_hostname"),
        *("mount.devfs", "mount.fdescfs", "mount.procfs"),
    )
)
_OWN_NUMBERS = frozenset(("exec.timeout", "stop.timeout", "exec.fib"))
_NUMBERS = frozenset(("jid", "enforce_statfs", "children.max", "securelevel", "devfs_ruleset"))
_MODES = frozenset(("ip4", "ip6", "vnet", "host", "sysvshm", "sysvsem", "sysvmsg"))
_ADDRESSES = {"ip4.addr": "IPv4", "ip6.addr": "IPv6"}
_NUMBER = re.compile(r"[-+]?\d+")


class JailError(Exception):
    """What jail(8) prints after its own name, and the jail's where it comes from a file."""


def is_true(params: Params, name: str) -> bool:
    """bool_param(): given, and not as ``false`` or 0."""
    return name in params and params[name][-1:] not in (["0"], ["false"])


def switches(given: Options) -> Params:
    """What the letters before the parameters stand for (jail.c main())."""
    found: Params = {}
    for letter, name in (("h", "ip_hostname"), ("l", "exec.clean")):
        if given.has(letter):
            found[name] = []
    for letter, name in (("n", "name"), ("s", "securelevel")):
        if given.has(letter):
            found[name] = [given.value(letter)]
    if given.has("u") or given.has("U"):
        found["exec.jail_user"] = [given.value("u") or given.value("U")]
        found["exec.system_jail_user"] = [] if given.has("u") else ["false"]
    return found


def kernel_words(params: Params) -> list[str]:
    """The kernel's parameters, as one would type them."""
    words: list[str] = []
    for name, values in params.items():
        if name not in OWN:
            words.append(f"{name}={','.join(values)}" if values else name)
    return words


def check(params: Params) -> None:
    """What is not a value of its parameter's type, or not a parameter. Raises ``JailError``."""
    for name, values in params.items():
        last = values[-1] if values else ""
        bare = _without_no(name)
        if name in _ADDRESSES:
            _check_addresses(name, values)
        elif name in _OWN_BOOLEANS or bare in _BOOLEANS:
            if values and last.lower() not in ("true", "false") and not _NUMBER.fullmatch(last):
                raise JailError(f'{name}: unknown boolean value "{last}"')
        elif name in _OWN_NUMBERS or name in _NUMBERS:
            if not _NUMBER.fullmatch(last):
                raise JailError(f'{name}: non-integer value "{last}"')
            if name == "exec.fib" and int(last):
                raise _lacking(name)
        elif name in _MODES:
            if values and last not in ("disable", "new", "inherit") and not last.isdigit():
                raise JailError(f'{name}: unknown jailsys value "{last}"')
        elif name in NOT_MODELLED or name == "vnet.interface":
            raise _lacking(name)
        elif name not in OWN and name not in options.TABLE:
            raise JailError(f"unknown parameter: {name}")


def _lacking(name: str) -> JailError:
    return JailError(_("{name}: the simulated kernel lacks this parameter").format(name=name))


_BOOLEANS = frozenset(
    ("persist", *(one for one in options.TABLE if one.startswith("allow."))),
)


def _without_no(name: str) -> str:
    """``allow.mount`` for ``allow.nomount``."""
    head, dot, tail = name.rpartition(".")
    return f"{head}{dot}{tail.removeprefix('no')}" if name not in _BOOLEANS else name


def _check_addresses(name: str, values: list[str]) -> None:
    for value in values:
        for word in filter(None, value.split(",")):
            text = word.rpartition("|")[2].partition("/")[0]
            if ip.parse(text) is None or (":" in text) != (name == "ip6.addr"):
                raise JailError(f"{name}: not an {_ADDRESSES[name]} address: {text}")

"""unshare(1)'s options: a namespace each, and how the child begins."""

from collections.abc import Callable

import msgspec

from simulator.isolation.mechanisms.base import Image, Mechanism
from simulator.isolation.mechanisms.cgroup_ns import CgroupNs
from simulator.isolation.mechanisms.chroot import Chroot
from simulator.isolation.mechanisms.ipc_ns import IpcNs
from simulator.isolation.mechanisms.net_ns import NetNs
from simulator.isolation.mechanisms.own_proc import OwnProc
from simulator.isolation.mechanisms.pid_ns import PidNs
from simulator.isolation.mechanisms.private_mounts import PrivateMounts
from simulator.isolation.mechanisms.time_ns import TimeNs
from simulator.isolation.mechanisms.user_ns import UserNs
from simulator.isolation.mechanisms.uts_ns import UtsNs
from simulator.isolation.technologies.base import Technology, change, put
from simulator.isolation.technologies.options.reading import Option, OptionError, getopt_long
from simulator.machine.abi.i18n import gettext as _

_SHORT = "muinpCTUfr"


def read(technology: Technology, words: list[str]) -> Technology:
    """The namespaces asked for; ``-mup`` is ``-m -u -p``."""
    spread: list[str] = []
    for word in words:
        bundle = word[1:]
        together = word.startswith("-") and len(bundle) > 1 and set(bundle) <= set(_SHORT)
        spread += [f"-{letter}" for letter in bundle] if together else [word]
    technology = getopt_long("unshare", TABLE, technology, spread)
    if "-f" not in spread and "--fork" not in spread and technology.get("pid-ns") is not None:
        technology = put(technology, PidNs(at_birth=False))
    return technology


def _with(make: Callable[[], Mechanism]) -> Option:
    return Option(lambda technology, _value: put(technology, make()), value=False)


def _map_root(technology: Technology, _value: str) -> Technology:
    return put(technology, UserNs(outside=0, count=1, deny_setgroups=True))


def _mount_proc(technology: Technology, _value: str) -> Technology:
    return put(put(technology, PrivateMounts()), OwnProc())


def _root(technology: Technology, value: str) -> Technology:
    if not value.startswith("/"):
        raise OptionError(_("an absolute path was expected"))
    return put(change(technology, image=Image(root=value)), Chroot())


def _directory(technology: Technology, value: str) -> Technology:
    return change(technology, guest=msgspec.structs.replace(technology.guest, cwd=value))


def _as_is(technology: Technology, _value: str) -> Technology:
    return technology


def _pair(short: str, long: str, option: Option) -> dict[str, Option]:
    return {short: option, long: option}


TABLE: dict[str, Option] = {
    **_pair("-m", "--mount", _with(PrivateMounts)),
    **_pair("-u", "--uts", _with(UtsNs)),
    **_pair("-i", "--ipc", _with(IpcNs)),
    **_pair("-n", "--net", _with(lambda: NetNs(bridge="", loopback_up=False, ipv6=True))),
    **_pair("-p", "--pid", _with(PidNs)),
    **_pair("-C", "--cgroup", _with(CgroupNs)),
    **_pair("-T", "--time", _with(TimeNs)),
    **_pair("-U", "--user", _with(lambda: UserNs(count=0))),
    **_pair("-r", "--map-root-user", Option(_map_root, value=False)),
    **_pair("-f", "--fork", Option(_as_is, value=False)),
    "--mount-proc": Option(_mount_proc, value=False),
    **_pair("-R", "--root", Option(_root)),
    **_pair("-w", "--wd", Option(_directory)),
}

"""lxc.container.conf(5): what is mounted, and how it may be written to."""

from dataclasses import replace

from simulator.isolation.mechanisms.default_mounts import DefaultMounts, Mounted
from simulator.isolation.mechanisms.lxcfs import Lxcfs
from simulator.isolation.mechanisms.proc_mixed import ProcMixed
from simulator.isolation.mechanisms.readonly_root import ReadonlyRoot
from simulator.isolation.mechanisms.sys_mixed import SysMixed
from simulator.isolation.mechanisms.volumes import Volume, Volumes
from simulator.isolation.technologies.base import Technology, drop, put
from simulator.isolation.technologies.defaults import lxc as defaults
from simulator.isolation.technologies.options.reading import Option, OptionError
from simulator.machine.abi.constants import MS_RDONLY
from simulator.machine.abi.i18n import gettext as _

LXCFS_HOOK = "/usr/share/lxcfs/lxc.mount.hook"
_MIXED = {"proc": "proc-mixed", "sys": "sys-mixed"}
_AUTO = {
    "proc": ("mixed", "rw"),
    "sys": ("mixed", "ro", "rw"),
    "cgroup": ("mixed", "ro", "rw"),
}
_EMPTY = DefaultMounts((), groups_v1=False, groups_alone=True)
_PATHS = {"proc": "/proc", "sys": "/sys", "cgroup": "/sys/fs/cgroup"}


def _auto(technology: Technology, value: str) -> Technology:
    """``proc:mixed sys:ro cgroup``: later words of a kind replace earlier ones; empty: none."""
    if not value:
        technology = drop(technology, *_MIXED.values())
        for kind in _PATHS:
            technology = _mounted(technology, kind, None)
        return technology
    for word in value.split():
        kind, _colon, how = word.removesuffix(":force").partition(":")
        how = how or "mixed"
        if how not in _AUTO.get(kind, ()):
            listed = ", ".join(f"{name}:{one}" for name, ways in _AUTO.items() for one in ways)
            raise OptionError(_("one of {list} was expected").format(list=listed))
        technology = _one(technology, kind, how)
    return technology


def _one(technology: Technology, kind: str, how: str) -> Technology:
    technology = _mounted(technology, kind, how)
    if kind == "proc":
        return put(technology, ProcMixed()) if how == "mixed" else drop(technology, "proc-mixed")
    if kind == "sys":
        return put(technology, SysMixed()) if how == "mixed" else drop(technology, "sys-mixed")
    return technology


def _mounted(technology: Technology, kind: str, how: str | None) -> Technology:
    """The mounts with that kind's made so; None takes it away."""
    held = technology.get("default-mounts")
    if not isinstance(held, DefaultMounts):
        held = _EMPTY
    path = _PATHS[kind]
    now = {one.path: one for one in held.mounts if one.path != path}
    if how is not None:
        usual = next(one for one in defaults.MOUNTS if one.path == path)
        read_only = MS_RDONLY if how == "ro" else 0
        now[path] = usual._replace(flags=usual.flags | read_only)
    order = [one.path for one in defaults.MOUNTS]
    usual_first = sorted(
        now.values(), key=lambda one: order.index(one.path) if one.path in order else len(order)
    )
    return put(technology, replace(held, mounts=tuple(usual_first)))


def _entry(technology: Technology, value: str) -> Technology:
    """A line of fstab(5), its mount point relative to the container's root."""
    words = value.split()
    if not words:
        return drop(technology, "volumes")
    if len(words) < 4:
        raise OptionError(_("such as /srv/x srv/x none bind,create=dir 0 0 was expected"))
    source, target, fstype, options = words[:4]
    target = f"/{target.lstrip('/')}"
    flags = options.split(",")
    held = technology.get("volumes")
    volumes = held if isinstance(held, Volumes) else Volumes()
    if {"bind", "rbind"} & set(flags):
        one = Volume(source, target, "ro" in flags)
        return put(technology, replace(volumes, binds=(*volumes.binds, one)))
    if fstype not in ("tmpfs", "mqueue", "proc", "sysfs"):
        raise OptionError(_("bind mounts, tmpfs, mqueue, proc and sysfs are modelled"))
    mount = Mounted(target, fstype, source, 0, optional="optional" in flags)
    return _more(technology, mount)


def _more(technology: Technology, one: Mounted) -> Technology:
    held = technology.get("default-mounts")
    mounts = (
        held
        if isinstance(held, DefaultMounts)
        else DefaultMounts((), groups_v1=False, groups_alone=True)
    )
    return put(technology, replace(mounts, mounts=(*mounts.mounts, one)))


def _autodev(technology: Technology, value: str) -> Technology:
    """``0``: the /dev of the rootfs is used as it is."""
    held = technology.get("default-mounts")
    if value not in ("0", "1"):
        raise OptionError(_("0 or 1 was expected"))
    if value == "1" or not isinstance(held, DefaultMounts):
        return technology
    kept = tuple(one for one in held.mounts if one.path not in ("/dev", "/dev/shm"))
    return put(technology, replace(held, mounts=kept))


def _rootfs_options(technology: Technology, value: str) -> Technology:
    flags = set(value.split(","))
    if not flags <= {"ro", "rw", ""}:
        raise OptionError(_("the mode may be ro or rw"))
    return put(technology, ReadonlyRoot()) if "ro" in flags else drop(technology, "readonly-root")


def _hook(technology: Technology, value: str) -> Technology:
    if value != LXCFS_HOOK:
        raise OptionError(_("one of {list} was expected").format(list=LXCFS_HOOK))
    return put(technology, Lxcfs())


TABLE: dict[str, Option] = {
    "lxc.mount.auto": Option(_auto),
    "lxc.mount.entry": Option(_entry),
    "lxc.autodev": Option(_autodev),
    "lxc.rootfs.options": Option(_rootfs_options),
    "lxc.hook.mount": Option(_hook),
}

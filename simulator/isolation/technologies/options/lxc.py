"""lxc.container.conf(5): the keys of a container's configuration, as ``key=value`` words."""

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from simulator.isolation.mechanisms.lxc_config import LxcConfig
from simulator.isolation.mechanisms.overlay_root import OverlayRoot
from simulator.isolation.technologies.base import SpecError, Technology, change, put
from simulator.isolation.technologies.defaults import lxc_files as files
from simulator.isolation.technologies.options import lxc_limits, lxc_mounts, lxc_walls
from simulator.isolation.technologies.options.reading import (
    Option,
    OptionError,
    apply,
    number,
    unknown,
)
from simulator.machine.abi.i18n import gettext as _


def read(technology: Technology, words: list[str]) -> Technology:
    """The container with these keys set after those of its configuration file.

    ``SpecError`` for a key or a value that LXC does not have.
    """
    pairs: list[tuple[str, str]] = []
    for word in words:
        key, found, value = word.partition("=")
        if not found:
            raise SpecError(
                _("{product}: {word} is no key=value, such as lxc.cap.drop=sys_admin").format(
                    product=technology.id, word=repr(word)
                )
            )
        pairs.append((key.strip(), value.strip()))
    return configured(technology, pairs, written=True)


def configured(
    technology: Technology, pairs: Iterable[tuple[str, str]], *, written: bool = False
) -> Technology:
    """``technology`` with keys set in order; ``written``: they are added to its file, too."""
    for key, value in pairs:
        name, rest = _split(key)
        option = TABLE.get(name)
        if option is None:
            raise SpecError(unknown(technology.id, name, TABLE))
        technology = apply(technology.id, key, option, technology, f"{rest}{value}")
        if written:
            technology = _noted(technology, f"{key} = {value}")
    return technology


def known(key: str) -> bool:
    """Whether a configuration may hold this key."""
    return _split(key)[0] in TABLE


def _noted(technology: Technology, line: str) -> Technology:
    held = technology.get("lxc-config")
    if not isinstance(held, LxcConfig):
        return technology
    return put(technology, replace(held, lines=(*held.lines, line)))


def _split(key: str) -> tuple[str, str]:
    """A key and what of it belongs to the value: ``lxc.net.0.type``, ``lxc.sysctl.NAME``."""
    key = LEGACY.get(key, key)
    words = key.split(".")
    if words[:2] == ["lxc", "net"] and len(words) > 3 and words[2].isdigit():
        return ".".join(("lxc.net", *words[3:])), ""
    for family in ("lxc.sysctl.", "lxc.prlimit.", "lxc.namespace.share."):
        if key.startswith(family):
            return family[:-1], f"{key.removeprefix(family)}="
    return key, ""


def _guest(**changes: object) -> Option:
    """A field of the first process, from the value by the given function."""
    ((field, convert),) = changes.items()
    assert callable(convert)

    def setting(technology: Technology, value: str) -> Technology:
        given = msgspec.structs.replace(technology.guest, **{field: convert(value)})
        return change(technology, guest=given)

    return Option(setting)


def _command(value: str) -> tuple[str, ...]:
    words = tuple(value.split())
    if not words or not words[0].startswith("/"):
        raise OptionError(_("an absolute path was expected"))
    return words


def _environment(technology: Technology, value: str) -> Technology:
    name, found, text = value.partition("=")
    if not found:
        raise OptionError(_("NAME=VALUE was expected"))
    env = tuple((dict(technology.guest.env) | {name: text}).items())
    return change(technology, guest=msgspec.structs.replace(technology.guest, env=env))


def _rootfs(technology: Technology, value: str) -> Technology:
    """``dir:/path``, ``/path``, or ``overlay:LOWER:UPPER`` as lxc-copy(1) writes it."""
    kind, _colon, path = value.rpartition(":")
    if kind.startswith("overlay:/"):
        return _overlay(technology, kind.removeprefix("overlay:"), path)
    if kind not in ("", "dir") or not path.startswith("/"):
        raise OptionError(_("dir:/path was expected"))
    image = msgspec.structs.replace(technology.image, root=path)
    return change(technology, image=image)


def _overlay(technology: Technology, lower: str, upper: str) -> Technology:
    """Put together in the container's own mount namespace, before anything is mounted in it."""
    base, _slash, name = upper.rpartition("/")
    image = msgspec.structs.replace(
        technology.image, root=f"{base}/merged", layer=lower, upper=name
    )
    rest = tuple(one for one in technology.mechanisms if one.about.id != "overlay-root")
    return change(technology, image=image, mechanisms=(OverlayRoot(inside=True), *rest))


def _include(technology: Technology, value: str) -> Technology:
    """What the file at ``value`` says, as the package installs it."""
    inside = [path for path in files.INCLUDES if path.startswith(f"{value.rstrip('/')}/")]
    paths = [value] if value in files.INCLUDES else inside
    if not paths:
        raise OptionError(_("one of {list} was expected").format(list=", ".join(files.INCLUDES)))
    for path in paths:
        technology = configured(technology, files.keys(files.INCLUDES[path]))
    return technology


def _no_wall(technology: Technology, _value: str) -> Technology:
    """Terminals, logs, starting and stopping: no wall changes."""
    return technology


def _counted(technology: Technology, value: str) -> Technology:
    """The same, with a number."""
    if value:
        number(value)
    return technology


def _switch(technology: Technology, value: str) -> Technology:
    """Off or on."""
    if value not in ("", "0", "1"):
        raise OptionError(_("0 or 1 was expected"))
    return technology


_QUIET = Option(_no_wall)
_COUNTED = Option(_counted)

TABLE: dict[str, Option] = {
    **lxc_walls.TABLE,
    **lxc_mounts.TABLE,
    **lxc_limits.TABLE,
    "lxc.include": Option(_include),
    "lxc.uts.name": _guest(hostname=str),
    "lxc.rootfs.path": Option(_rootfs),
    "lxc.init.cmd": _guest(argv=_command),
    "lxc.execute.cmd": _guest(argv=_command),
    "lxc.init.cwd": _guest(cwd=str),
    "lxc.init.uid": _guest(uid=number),
    "lxc.init.gid": _guest(gid=number),
    "lxc.environment": Option(_environment),
    **dict.fromkeys(("lxc.pty.max", "lxc.start.delay", "lxc.start.order", "lxc.tty.max"), _COUNTED),
    "lxc.start.auto": Option(_switch),
    **dict.fromkeys(
        (
            "lxc.arch",
            "lxc.ephemeral",
            "lxc.console.path",
            "lxc.console.logfile",
            "lxc.group",
            "lxc.hook.clone",
            "lxc.hook.post-stop",
            "lxc.log.file",
            "lxc.log.level",
            "lxc.net.flags",
            "lxc.net.hwaddr",
            "lxc.net.name",
            "lxc.rootfs.mount",
            "lxc.signal.halt",
            "lxc.signal.reboot",
            "lxc.signal.stop",
            "lxc.tty.dir",
        ),
        _QUIET,
    ),
}
"""``lxc.net.N.KEY`` is listed without its number."""

LEGACY: dict[str, str] = {
    "lxc.utsname": "lxc.uts.name",
    "lxc.rootfs": "lxc.rootfs.path",
    "lxc.network.type": "lxc.net.0.type",
    "lxc.network.link": "lxc.net.0.link",
    "lxc.network.flags": "lxc.net.0.flags",
    "lxc.network.hwaddr": "lxc.net.0.hwaddr",
    "lxc.network.name": "lxc.net.0.name",
    "lxc.network.ipv4": "lxc.net.0.ipv4.address",
    "lxc.network.ipv4.gateway": "lxc.net.0.ipv4.gateway",
    "lxc.tty": "lxc.tty.max",
    "lxc.pts": "lxc.pty.max",
    "lxc.devttydir": "lxc.tty.dir",
    "lxc.kmsg": "lxc.tty.dir",
    "lxc.aa_profile": "lxc.apparmor.profile",
    "lxc.seccomp": "lxc.seccomp.profile",
    "lxc.id_map": "lxc.idmap",
    "lxc.init_cmd": "lxc.init.cmd",
    "lxc.loglevel": "lxc.log.level",
    "lxc.logfile": "lxc.log.file",
}
"""What keys were called before LXC 2.1 (lxc-update-config(1))."""

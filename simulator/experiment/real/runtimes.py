"""Walls that need no daemon: none, chroot(1), unshare(1); each as launch steps of an actor."""

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from simulator.experiment.real import plant
from simulator.experiment.real.calls import do, fork
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.link import Link
from simulator.experiment.real.sandbox import NS, Machine
from simulator.experiment.real.spec import Spec
from simulator.machine.abi.i18n import gettext as _

_PR_SET_DUMPABLE = 4
_NEWTIME, _NEWUSER = 0x80, 0x10000000
_MS_REC, _MS_PRIVATE = 1 << 14, 1 << 18


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise RealError(_("{what}: {message}").format(what=self.prog, message=message))


def _become(link: Link, uid: int, gid: int) -> None:
    do(link, "setgroups", 0, [])
    do(link, "setresgid", gid, gid, gid)
    do(link, "setresuid", uid, uid, uid)
    # As after the execve(2) of whoever takes a user's ids for good: /proc/self is that user's.
    do(link, "prctl", _PR_SET_DUMPABLE, 1)


def _user_of(spec: Spec) -> tuple[int, int] | None:
    """``--userspec=USER[:GROUP]`` in numbers, also as ``-u`` and ``--user``."""
    parser = _Parser(prog=spec.technology, add_help=False, allow_abbrev=False)
    parser.add_argument("--userspec", "-u", "--user", default="")
    text: str = parser.parse_args(spec.options).userspec
    if not text:
        return None
    user, _colon, group = text.partition(":")
    if not user.isdigit() or not (group or user).isdigit():
        raise RealError(
            _("{what}: --userspec takes numbers, such as 1000:1000").format(what=spec.technology)
        )
    return int(user), int(group or user)


def _neighbour(machine: Machine) -> Link:
    """Another tenant who is only another process of the machine."""
    link = machine.spawn(machine.runtime)
    plant.as_process(machine.root, machine.world)
    return link


def none(spec: Spec) -> Callable[[Machine, str], Link]:
    """No wall: a process of the machine."""
    user = _user_of(spec)

    def launch(machine: Machine, actor: str) -> Link:
        if actor == "neighbour":
            return _neighbour(machine)
        link = machine.spawn(machine.runtime)
        if user is not None:
            _become(link, *user)
        return link

    return launch


def chroot(spec: Spec, *, walled: bool = True) -> Callable[[Machine, str], Link]:
    """chroot(1) into the guest's tree, or into ``/``. The neighbour stays a process of the machine.

    ``walled``: whether it is a wall.
    """
    user = _user_of(spec)

    def launch(machine: Machine, actor: str) -> Link:
        if actor == "neighbour":
            return _neighbour(machine)
        link = machine.spawn(machine.runtime)
        do(link, "chroot", machine.world.guest_root if walled else "/")
        do(link, "chdir", "/")
        if user is not None:
            _become(link, *user)
        return link

    return launch


_FLAGS = (
    ("-m", "--mount", NS["mnt"]),
    ("-u", "--uts", NS["uts"]),
    ("-i", "--ipc", NS["ipc"]),
    ("-n", "--net", NS["net"]),
    ("-p", "--pid", NS["pid"]),
    ("-C", "--cgroup", NS["cgroup"]),
    ("-T", "--time", _NEWTIME),
    ("-U", "--user", _NEWUSER),
)


def unshare(spec: Spec) -> Callable[[Machine, str], Link]:
    """unshare(1): ``-m -u -i -n -p -C -T -U``, ``-f``, ``-r``, ``--mount-proc``, ``-R``, ``-w``.

    The neighbour is in namespaces of its own.
    """
    parser = _Parser(prog="unshare", add_help=False, allow_abbrev=False)
    for short, long, flag in _FLAGS:
        parser.add_argument(short, long, action="append_const", dest="flags", const=flag)
    parser.add_argument("-f", "--fork", action="store_true")
    parser.add_argument("-r", "--map-root-user", action="store_true")
    parser.add_argument("--mount-proc", action="store_true")
    parser.add_argument("-R", "--root", default="")
    parser.add_argument("-w", "--wd", default="")
    options = parser.parse_args(spec.options)
    flags = sum(set(options.flags or ()))
    if options.map_root_user:
        flags |= _NEWUSER
    if options.mount_proc:
        flags |= NS["mnt"]

    def launch(machine: Machine, actor: str) -> Link:
        if actor == "neighbour" and not options.root:
            plant.as_process(machine.root, machine.world)
        return _unshared(machine.spawn(machine.runtime), flags, options)

    return launch


def _unshared(link: Link, flags: int, options: Any) -> Link:
    do(link, "unshare", flags)
    if options.map_root_user:
        _map_root(link)
    if options.fork:
        answer, child = fork(link)
        if child is None:
            raise RealError.broken("fork", str(answer))
        link = child
    if flags & NS["mnt"]:
        do(link, "mount", "none", "/", None, _MS_REC | _MS_PRIVATE, None)
    if options.root:
        do(link, "chroot", options.root)
        do(link, "chdir", "/")
    if options.mount_proc:
        do(link, "mount", "proc", "/proc", "proc", 14, None)
    if flags & _NEWUSER and not options.map_root_user:
        # The execve(2) of unshare(1) takes the capabilities of a user that nobody has mapped.
        do(link, "capset", 0, [], [], [])
    if options.wd:
        do(link, "chdir", options.wd)
    return link


def _map_root(link: Link) -> None:
    place = f"/proc/{link.pid}"
    for name, content in (("setgroups", "deny"), ("uid_map", "0 0 1"), ("gid_map", "0 0 1")):
        with open(f"{place}/{name}", "w") as target:
            target.write(content)

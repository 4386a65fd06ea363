"""Walls that need no daemon: none, chroot(1), unshare(1); each as launch steps of an actor."""

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from simulator.experiment.real import plant
from simulator.experiment.real.calls import do, fork
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.link import Link, inner_pids
from simulator.experiment.real.sandbox import NS, Machine
from simulator.experiment.real.spec import Spec
from simulator.machine.abi.i18n import gettext as _

_NEWUSER = 0x10000000
_MS_REC, _MS_PRIVATE = 1 << 14, 1 << 18


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise RealError(_("{what}: {message}").format(what=self.prog, message=message))


def _become(link: Link, uid: int, gid: int) -> None:
    do(link, "setgroups", 0, [])
    do(link, "setresgid", gid, gid, gid)
    do(link, "setresuid", uid, uid, uid)


def none(spec: Spec) -> Callable[[Machine, str], Link]:
    """No wall: a process of the machine. Option ``--user U[:G]``."""
    parser = _Parser(prog="none", add_help=False, allow_abbrev=False)
    parser.add_argument("-u", "--user", default="")
    options = parser.parse_args(spec.options)

    def launch(machine: Machine, actor: str) -> Link:
        link = machine.spawn(machine.runtime)
        if actor == "neighbour":
            plant.as_process(machine.root, machine.world)
        else:
            _maybe_become(link, options.user)
        return link

    return launch


def _maybe_become(link: Link, user: str) -> None:
    if user:
        uid, _, gid = user.partition(":")
        _become(link, int(uid), int(gid or uid))


def chroot(spec: Spec) -> Callable[[Machine, str], Link]:
    """chroot(1) into the guest's tree; ``--userspec U:G``. The neighbour stays on the machine."""
    parser = _Parser(prog="chroot", add_help=False, allow_abbrev=False)
    parser.add_argument("--userspec", default="")
    parser.add_argument("-u", "--user", dest="userspec")
    options = parser.parse_args(spec.options)

    def launch(machine: Machine, actor: str) -> Link:
        link = machine.spawn(machine.runtime)
        if actor == "neighbour":
            plant.as_process(machine.root, machine.world)
            return link
        do(link, "chroot", machine.world.guest_root)
        do(link, "chdir", "/")
        _maybe_become(link, options.userspec or "")
        return link

    return launch


_FLAGS = (
    ("-m", "--mount", NS["mnt"]),
    ("-u", "--uts", NS["uts"]),
    ("-i", "--ipc", NS["ipc"]),
    ("-n", "--net", NS["net"]),
    ("-p", "--pid", NS["pid"]),
    ("-C", "--cgroup", NS["cgroup"]),
    ("-U", "--user", _NEWUSER),
)


def unshare(spec: Spec) -> Callable[[Machine, str], Link]:
    """unshare(1): ``-m -u -i -n -p -C -U``, ``-f``, ``-r``, ``--mount-proc``, ``-R DIR``."""
    parser = _Parser(prog="unshare", add_help=False, allow_abbrev=False)
    for short, long, flag in _FLAGS:
        parser.add_argument(short, long, action="append_const", dest="flags", const=flag)
    parser.add_argument("-f", "--fork", action="store_true")
    parser.add_argument("-r", "--map-root-user", action="store_true")
    parser.add_argument("--mount-proc", action="store_true")
    parser.add_argument("-R", "--root", default="")
    options = parser.parse_args(spec.options)
    flags = sum(set(options.flags or ()))
    if options.map_root_user:
        flags |= _NEWUSER
    if options.mount_proc:
        flags |= NS["mnt"]
    return lambda machine, _actor: _unshared(machine.spawn(machine.runtime), flags, options)


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
    return link


def _map_root(link: Link) -> None:
    place = f"/proc/{link.pid}"
    for name, content in (("setgroups", "deny"), ("uid_map", "0 0 1"), ("gid_map", "0 0 1")):
        with open(f"{place}/{name}", "w") as target:
            target.write(content)


def host_pid(link: Link) -> int:
    """The pid that the scratch machine sees."""
    return inner_pids(link.pid)[1]


RUNTIMES = {"none": none, "chroot": chroot, "unshare": unshare}

"""lxc-attach(1): a process of the host's goes into every namespace of a running container."""

from collections.abc import Sequence

from simulator.isolation.control.launch import Refused, launch
from simulator.isolation.control.lxc import container, words
from simulator.isolation.mechanisms.base import Guest, Mechanism
from simulator.isolation.mechanisms.joined import Joined
from simulator.isolation.technologies.base import Technology, plan
from simulator.machine.abi.constants import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    O_RDONLY,
    O_WRONLY,
)
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_SPACES = (
    ("user", CLONE_NEWUSER),
    ("cgroup", CLONE_NEWCGROUP),
    ("ipc", CLONE_NEWIPC),
    ("uts", CLONE_NEWUTS),
    ("net", CLONE_NEWNET),
    ("time", CLONE_NEWTIME),
    ("mnt", CLONE_NEWNS),
)
_KEPT_WALLS = ("apparmor", "seccomp", "capabilities", "no-new-privs")


@enter("lxc-attach", collection=TOOLS)
async def lxc_attach(sys: Process, argv: Sequence[str]) -> int:
    """The command's exit status; 1 when nothing runs to attach to."""
    long = {"elevated-privileges": "e", "clear-env": "c", "keep-env": "k", "uid": "u"}
    long |= {"gid": "g", "namespaces": "s", "set-var": "v"}
    usage = "lxc-attach --name=NAME [-- COMMAND]"
    line = await words.read(sys, argv, "e::cku:g:s:v:", long, usage=usage)
    if line is None:
        return 1
    if not await words.numbers(sys, line.options, "ug"):
        return 1
    one = line.one
    if not await container.may_control(sys, one, "tools/lxc_attach.c: main: 374"):
        return 1
    running = await container.processes(sys, one)
    if not running:
        text = "Connection refused - Failed to get init pid"
        await container.said(sys, one.name, "attach.c: get_attach_context: 406", text)
        text = "Connection refused - Failed to get attach context"
        return await container.said(sys, one.name, "attach.c: lxc_attach: 1470", text)
    command = tuple(line.rest or ["/bin/sh"])
    path = command[0] if command[0].startswith("/") else f"/bin/{command[0]}"
    guest = Guest(
        argv=(path, *command[1:]),
        env=(("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), ("container", "lxc")),
        uid=int(line.options.value("u", "0")),
        gid=int(line.options.value("g", "0")),
        # Said even for root: in a user namespace that is somebody else until it is said.
        groups=(0,),
    )
    walls = () if line.options.has("e") else await _walls(sys, one)
    try:
        return await _inside(sys, one.name, running[0], guest, walls)
    except Refused as error:
        return await container.said(sys, one.name, "attach.c: do_attach: 1237", str(error))


async def _walls(sys: Process, one: container.Container) -> tuple[Mechanism, ...]:
    """What the configuration takes from everybody inside: an attached shell is no exception."""
    pairs = await container.keys(sys, await sys.text_or_empty(one.config))
    built = container.built(pairs)
    return tuple(one for one in built.mechanisms if one.about.id in _KEPT_WALLS)


async def _inside(
    sys: Process, name: str, first: int, guest: Guest, walls: tuple[Mechanism, ...]
) -> int:
    """The tool joins the pid namespace, so that its child is born in it; the child joins the rest.

    setns(2) into one's own namespace of users is EINVAL, so what is shared is left out.
    """
    spaces = [(kind, first, flag) for kind, flag in _SPACES if not await _shared(sys, kind, first)]
    technology = Technology(
        id="lxc-attach",
        title="lxc-attach",
        mechanisms=(Joined(tuple(spaces)), *walls),
        guest=guest,
    )
    places = [f"{place}/cgroup.procs" for place in await container.groups(sys, name)]
    for place in places:
        fd = await sys.open(place, O_WRONLY)
        own = str(await sys.value("getpid")).encode()
        await sys.write(fd, own)
        await sys.close(fd)
    if not await _shared(sys, "pid", first):
        fd = await sys.open(f"/proc/{first}/ns/pid", O_RDONLY)
        await sys.call("setns", fd, CLONE_NEWPID)
    started = await launch(sys, name, plan(technology, name))
    status = (await sys.call("waitpid", started.number, 0)).data
    if not isinstance(status, int):
        return 1
    return status >> 8 & 0xFF if not status & 0x7F else 128 + (status & 0x7F)


async def _shared(sys: Process, kind: str, pid: int) -> bool:
    try:
        return await sys.readlink(f"/proc/self/ns/{kind}") == await sys.readlink(
            f"/proc/{pid}/ns/{kind}"
        )
    except SysError:
        return True

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
from simulator.machine.abi.errno import Errno
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
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_KEPT_WALLS = ("apparmor", "seccomp", "capabilities", "no-new-privs")


@enter("lxc-attach", collection=TOOLS)
async def lxc_attach(sys: Process, argv: Sequence[str]) -> int:
    """The command's exit status; 1 when nothing runs to attach to."""
    long = {"elevated-privileges": "e", "clear-env": "c", "keep-env": "k", "uid": "u"}
    long |= {"gid": "g", "namespaces": "s", "set-var": "v", "keep-var": "K"}
    usage = "lxc-attach --name=NAME [-- COMMAND]"
    line = await words.read(sys, argv, "e::cku:g:s:v:K:", long, usage=usage)
    if isinstance(line, int):
        return line
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
    env = await _environment(sys, line)
    path = await _found(sys, command[0], env.get("PATH", _PATH), running[0])
    guest = Guest(
        argv=(path, *command[1:]),
        env=tuple(env.items()),
        uid=int(line.options.value("u", "0")),
        gid=int(line.options.value("g", "0")),
        # Said even for root: in a user namespace that is somebody else until it is said.
        groups=(0,),
    )
    walls = () if line.options.has("e") else await _walls(sys, one)
    try:
        return await _inside(sys, one.name, running[0], guest, walls)
    except Refused as error:
        return await _refused(sys, one, command[0], error)


async def _environment(sys: Process, line: words.Line) -> dict[str, str]:
    """lxc_attach_set_environment(): the caller's, or with -c a new one; then the container's."""
    given = line.options.values
    env = dict(sys.env)
    if line.options.has("c"):
        env = {"PATH": _PATH}
        env |= {name: sys.env[name] for name in given.get("K", []) if name in sys.env}
    env["container"] = "lxc"
    pairs = await container.keys(sys, await sys.text_or_empty(line.one.config))
    settings = [value for key, value in pairs if key == "lxc.environment"]
    for setting in [*settings, *given.get("v", [])]:
        name, _equals, value = setting.partition("=")
        env[name] = value
    return env


async def _found(sys: Process, program: str, path: str, first: int) -> str:
    """execvp(3): where the container has the program; as it is where it has none."""
    if "/" in program:
        return program
    places = [f"{place}/{program}" for place in path.split(":") if place]
    for place in places:
        if await sys.succeeds("stat", f"/proc/{first}/root{place}"):
            return place
    return places[-1] if places else program


async def _refused(sys: Process, one: container.Container, program: str, error: Refused) -> int:
    """What could not be done on the way in; 127 and 126 for a program that can't be run."""
    if error.call.name != "execve":
        return await container.said(sys, one.name, "attach.c: do_attach: 1237", str(error))
    place = "attach.c: lxc_attach_run_command: 1845"
    text = f'{error.errno.message} - Failed to exec "{program}"'
    await container.said(sys, one.name, place, text)
    return {Errno.ENOENT: 127, Errno.EACCES: 126, Errno.ENOEXEC: 126}.get(error.errno, 255)


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

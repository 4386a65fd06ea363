"""A small machine to run shell lines on."""

import msgspec

from simulator.machine.abi.call import Call, Returned
from simulator.machine.abi.ids import Pid
from simulator.machine.families.linux import LINUX
from simulator.machine.kernel.boot import boot
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.net import interface
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs import tree
from simulator.machine.userland import registry
from simulator.machine.userland.line import LineResult, run_line
from tests.unit.machine.kernel.networked import host_network

PASSWD = (
    b"root:x:0:0:root:/root:/bin/sh\n"
    b"user:x:1000:1000:user:/home/user:/bin/sh\n"
    b"nobody:x:65534:65534:nobody:/:/bin/false\n"
)
GROUP = b"root:x:0:\nuser:x:1000:\nnogroup:x:65534:\n"


def machine(*, proc: bool = True) -> Kernel:
    """init, a root filesystem with every program, users, and /proc."""
    import simulator.machine.userland.loader

    assert simulator.machine.userland.loader
    kernel = boot(LINUX)
    store, root = kernel.store, 1
    for path in ("dev", "etc", "home/user", "mnt", "proc", "root", "run", "srv", "sys", "usr"):
        tree.mkdirs(store, root, path)
    tree.mkdirs(store, root, "tmp", mode=0o1777)
    busybox = tree.file(store, root, "bin/busybox", registry.BUSYBOX, mode=0o755)
    directory = tree.mkdirs(store, root, "bin")
    for name in registry.names():
        tree.link(store, directory, name, store.row(type(busybox), busybox.id))
    tree.file(store, root, "etc/passwd", PASSWD)
    tree.file(store, root, "etc/group", GROUP)
    tree.file(store, root, "etc/hostname", b"vitrina-host\n")
    tree.file(store, root, "etc/shadow", b"root:!:19000:0:99999:7:::\n", mode=0o600)
    init = store.row(Task, 1)
    env = (("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), ("HOME", "/root"))
    store.put(msgspec.structs.replace(init, env=env))
    tree.make(store, tree.mkdirs(store, root, "dev"), "null", 0o020666, rdev=0x103)
    if not store.by(interface.IN_NS, store.row(Task, 1).ns.net):
        host_network(store, store.row(Task, 1).ns.net)
    for _ in range(3):
        kernel.call(Pid(1), Call("open", ("/dev/null", 2, 0)))
    if proc:
        done = kernel.call(Pid(1), Call("mount", ("proc", "/proc", "proc", 0, None)))
        assert isinstance(done, Returned), done
    return kernel


def line(kernel: Kernel, text: str, pid: int = 1) -> LineResult:
    """Run one line."""
    return run_line(kernel, Pid(pid), text)


def output(text: str, kernel: Kernel | None = None) -> str:
    """What a line prints on a fresh machine."""
    result = line(kernel or machine(), text)
    assert result.silent is None, result.silent
    assert result.blocked is None, result.blocked
    return result.output.decode()

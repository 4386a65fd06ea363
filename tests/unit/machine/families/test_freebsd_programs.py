"""What FreeBSD's own programs print, on the host and in a prison."""

import pytest

from simulator.machine.abi.call import Call, Returned
from simulator.machine.abi.constants import JAIL_CREATE
from simulator.machine.abi.ids import Pid
from simulator.machine.families.freebsd import FREEBSD
from simulator.machine.kernel.boot import INIT, boot
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.vfs import tree
from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.userland import loader, registry
from simulator.machine.userland.line import run_line

assert loader

PASSWD = b"root:x:0:0:root:/root:/bin/sh\n"


def plant(kernel: Kernel, top: str) -> None:
    store = kernel.store
    for name in ("dev", "etc", "tmp"):
        tree.mkdirs(store, 1, f"{top}/{name}")
    tree.file(store, 1, f"{top}/etc/passwd", PASSWD)
    binary = tree.file(store, 1, f"{top}/bin/busybox", registry.BSD, mode=0o755)
    directory = tree.mkdirs(store, 1, f"{top}/bin")
    for name in registry.names(registry.BSD):
        if name != "busybox":
            tree.link(store, directory, name, store.row(Inode, binary.id))


@pytest.fixture
def kernel() -> Kernel:
    kernel = boot(FREEBSD, "beastie")
    plant(kernel, "")
    plant(kernel, "/jail")
    assert isinstance(kernel.call(INIT, Call("mount", ("devfs", "/dev", 0, {}))), Returned)
    return kernel


def jailed(kernel: Kernel) -> Pid:
    asked = {"path": "/jail", "persist": 1, "name": "cell", "host.hostname": "cell.example"}
    made = kernel.call(INIT, Call("jail_set", (asked, JAIL_CREATE)))
    born = kernel.call(INIT, Call("fork"))
    assert isinstance(made, Returned)
    assert isinstance(born, Returned)
    assert isinstance(kernel.call(Pid(born.value), Call("jail_attach", (made.value,))), Returned)
    return Pid(born.value)


def say(kernel: Kernel, pid: Pid, line: str) -> str:
    result = run_line(kernel, pid, line)
    assert result.silent is None, result.silent
    return result.output.decode()


def test_ps_of_the_host_shows_the_jailed(kernel: Kernel) -> None:
    pid = jailed(kernel)
    listed = [line.split() for line in say(kernel, INIT, "ps aux").splitlines()]
    assert any(str(pid) in words for words in listed)


def test_ps_in_a_prison_does_not_show_the_host(kernel: Kernel) -> None:
    born = kernel.call(INIT, Call("fork"))
    assert isinstance(born, Returned)
    listed = [line.split() for line in say(kernel, jailed(kernel), "ps aux").splitlines()]
    assert not any(str(born.value) in words for words in listed)


def test_jls_lists_prisons(kernel: Kernel) -> None:
    jailed(kernel)
    row = say(kernel, INIT, "jls").splitlines()[1].split()
    assert row == ["1", "cell.example", "/jail"]


def test_jls_in_a_prison_lists_none(kernel: Kernel) -> None:
    assert len(say(kernel, jailed(kernel), "jls").splitlines()) == 1


def test_mount_lists_what_the_caller_may_see(kernel: Kernel) -> None:
    assert say(kernel, INIT, "mount").splitlines() == [
        "/dev/ada0p2 on / (ufs)",
        "devfs on /dev (devfs)",
    ]
    assert say(kernel, jailed(kernel), "mount") == "/dev/ada0p2 on / (ufs)\n"


def test_mount_mounts_by_name(kernel: Kernel) -> None:
    assert say(kernel, INIT, "mount -t tmpfs tmpfs /tmp && umount /tmp && echo done") == "done\n"


def test_mount_in_a_prison_is_refused(kernel: Kernel) -> None:
    told = say(kernel, jailed(kernel), "mount -t tmpfs tmpfs /tmp")
    assert told.endswith("Operation not permitted\n")


def test_sysctl_reads_and_writes(kernel: Kernel) -> None:
    assert say(kernel, INIT, "sysctl kern.ostype") == "kern.ostype: FreeBSD\n"
    assert say(kernel, INIT, "sysctl -n kern.maxproc=9") == "6000 -> 9\n"


def test_dmesg_in_a_prison_is_refused(kernel: Kernel) -> None:
    assert "FreeBSD 13.4-RELEASE" in say(kernel, INIT, "dmesg")
    assert "not permitted" in say(kernel, jailed(kernel), "dmesg")


def test_kldstat_names_the_kernel(kernel: Kernel) -> None:
    assert say(kernel, INIT, "kldstat").splitlines()[1].endswith("kernel")


def test_the_shell_executes_programs_and_has_no_applets(kernel: Kernel) -> None:
    assert say(kernel, INIT, "cat /etc/passwd") == PASSWD.decode()
    assert say(kernel, INIT, "PATH=/nowhere; cat /etc/passwd") == "sh: cat: not found\n"

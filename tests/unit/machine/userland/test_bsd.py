"""FreeBSD's programs ask sysctl(3) and getfsstat(2): nothing there needs a procfs."""

import pytest
from scene import line

from simulator.machine.families.freebsd import FREEBSD
from simulator.machine.kernel.boot import boot
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.vfs import tree
from simulator.machine.userland import loader, registry


def machine() -> Kernel:
    assert loader
    kernel = boot(FREEBSD, "bsd.example")
    store = kernel.store
    program = tree.file(store, 1, "bin/busybox", registry.BSD, mode=0o755)
    directory = tree.mkdirs(store, 1, "bin")
    for name in registry.names(registry.BSD):
        tree.link(store, directory, name, store.row(type(program), program.id))
    return kernel


def test_ps_reads_the_processes_from_the_kernel() -> None:
    text = line(machine(), "ps ax -o pid,ppid,comm").output.decode()
    assert text.splitlines()[0].split() == ["PID", "PPID", "COMMAND"]
    assert text.splitlines()[1].split() == ["1", "0", "init"]


def test_sysctl_speaks_as_on_freebsd() -> None:
    result = line(machine(), "sysctl kern.ostype; sysctl -n kern.hostname; sysctl kern.nosuch")
    assert result.output == (
        b"kern.ostype: FreeBSD\nbsd.example\nsysctl: unknown oid 'kern.nosuch'\n"
    )


def test_the_shell_finds_programs_by_path_alone() -> None:
    kernel = machine()
    assert line(kernel, "echo in; PATH=/nowhere; ls").output == b"in\nsh: ls: not found\n"


def test_jls_lists_the_prisons_below() -> None:
    assert line(machine(), "jls").output.startswith(b"   JID  IP Address      Hostname")


@pytest.mark.parametrize(
    ("words", "output"),
    [
        ("", "usage: chroot [-g group] [-G group,group,...] [-u user] newroot [command]\n"),
        ("-u '' /", "usage: chroot [-g group] [-G group,group,...] [-u user] newroot [command]\n"),
        ("-x /", "chroot: illegal option -- x\n"),
        ("/nowhere ls", "chroot: /nowhere: No such file or directory\n"),
        ("/ nothing", "chroot: nothing: No such file or directory\n"),
        ("-u nobody / id", "chroot: no such user `nobody'\n"),
        ("-G 5,crew / id", "chroot: no such group `crew'\n"),
        ("-u 12 -g 5 -G 5,6 / id", "uid=12 gid=5 groups=5,6\n"),
    ],
)
def test_chroot_is_freebsd_s_own(words: str, output: str) -> None:
    assert line(machine(), f"chroot {words}").output.decode().startswith(output)

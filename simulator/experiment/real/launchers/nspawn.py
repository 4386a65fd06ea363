"""systemd-nspawn: the SPEC's own words, with the tenant's tree as the container's directory."""

import shutil
from collections.abc import Callable
from pathlib import Path

from simulator.experiment.real import rootfs
from simulator.experiment.real.calls import do
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.launchers.operator import (
    ENVIRONMENT,
    Operator,
    last_words,
    newest_agent,
)
from simulator.experiment.real.link import Link, attach
from simulator.experiment.real.sandbox import NS, Machine
from simulator.isolation.technologies.base import Technology

_LISTED = "run/vitrina/cgroups"
_BIND = 1 << 12


def _told_of_groups(machine: Machine) -> Callable[[Link], None]:
    """/proc/cgroups less the controllers that no hierarchy of the machine has.

    Without a cgroup namespace systemd-nspawn looks for each of them below /sys/fs/cgroup, and gives
    up where one is not there (nspawn-cgroup.c, mount_legacy_cgns_unsupported()).
    """
    text = Path("/proc/cgroups").read_text()
    kept = [
        line
        for line in text.splitlines(keepends=True)
        if line[:1] == "#" or (machine.root / "sys/fs/cgroup" / line.split()[0]).exists()
    ]
    (machine.root / _LISTED).write_text("".join(kept))

    def prepare(link: Link) -> None:
        do(link, "unshare", NS["mnt"])
        do(link, "mount", f"/{_LISTED}", "/proc/cgroups", None, _BIND, None)

    return prepare


def launch(
    operator: Operator,
    technology: Technology,
    options: tuple[str, ...],
    actor: str,
    settings: tuple[str, ...] = (),
) -> Link:
    """``systemd-nspawn -D TREE OPTIONS -- agent``; systemd-nspawn itself stays as its parent.

    ``settings`` are words of its environment.
    """
    program = shutil.which("systemd-nspawn", path="/usr/bin:/bin")
    if program is None:
        raise RealError.not_here("systemd-nspawn is not installed")
    machine = operator.machine
    before = machine.members()
    root = technology.image.root.format(name=actor)
    own = ["--quiet", f"--directory={root}", f"--machine={actor}"]
    argv = [program, *own, *options, "--", *rootfs.interpreter_arguments()]
    child, log = operator.start(argv, (*ENVIRONMENT, *settings), _told_of_groups(machine))
    pid = newest_agent(machine, before, child)
    if pid is None:
        raise RealError.broken("systemd-nspawn", last_words(log.read_text(errors="replace")))
    return machine.keep(attach(pid))

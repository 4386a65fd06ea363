"""systemd-nspawn: the SPEC's own words, with the tenant's tree as the container's directory."""

import shutil

from simulator.experiment.real import rootfs
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.launchers.operator import (
    ENVIRONMENT,
    Operator,
    last_words,
    newest_agent,
)
from simulator.experiment.real.link import Link, attach
from simulator.isolation.technologies.base import Technology


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
    child, log = operator.start(argv, (*ENVIRONMENT, *settings))
    pid = newest_agent(machine, before, child)
    if pid is None:
        raise RealError.broken("systemd-nspawn", last_words(log.read_text(errors="replace")))
    return machine.keep(attach(pid))

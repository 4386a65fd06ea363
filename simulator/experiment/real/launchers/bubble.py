"""bubblewrap: the SPEC's own words, with the tenant's tree bound on ``/`` where they bind none."""

import shutil

from simulator.experiment.real import rootfs
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.launchers.operator import Operator, last_words, newest_agent
from simulator.experiment.real.link import Link, attach
from simulator.isolation.technologies.base import Technology

_BINDS = ("--bind", "--ro-bind", "--dev-bind")


def launch(
    operator: Operator, technology: Technology, options: tuple[str, ...], actor: str
) -> Link:
    """``bwrap OPTIONS -- agent``; bwrap itself stays as its parent."""
    program = shutil.which("bwrap", path="/usr/bin:/bin")
    if program is None:
        raise RealError.not_here("bwrap is not installed")
    bound = any(
        word in _BINDS and options[at + 2 : at + 3] == ("/",) for at, word in enumerate(options)
    )
    root = technology.image.root.format(name=actor)
    first = () if bound else ("--bind", root, "/")
    before = operator.machine.members()
    argv = [program, *first, *options, "--", *rootfs.interpreter_arguments()]
    child, log = operator.start(argv)
    pid = newest_agent(operator.machine, before, child)
    if pid is None:
        raise RealError.broken("bwrap", last_words(log.read_text(errors="replace")))
    return operator.machine.keep(attach(pid))

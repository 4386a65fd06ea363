"""Carrying out a launch: the steps of a plan, as calls of the runtime and of the child it makes."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from simulator.experiment.probes.session import HarnessError
from simulator.isolation.mechanisms.base import LaunchStep
from simulator.isolation.mechanisms.steps import BIRTHS, depends, filled, short
from simulator.machine.abi.call import Executed, Exited, Failed, Result, Returned
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.task import Task


class LaunchError(HarnessError):
    """A step of the launch was refused: the sandbox does not exist, so nothing can be asked."""


class Launched(msgspec.Struct, frozen=True):
    """A sandbox: its first process, and the events of its launch on the timeline (from 1)."""

    pid: Pid
    first: int
    last: int


class Progress(msgspec.Struct, frozen=True):
    """How far a launch is: what its steps bound, which gave nothing, and who was born."""

    names: Mapping[str, int] = {}
    skipped: frozenset[str] = frozenset()
    child: Pid | None = None

    @property
    def born(self) -> Pid:
        """The sandbox's first process. Raises ``LaunchError`` where none was made."""
        if self.child is None:
            raise LaunchError(_("the launch made no process"))
        return self.child


def launch(kernel: Kernel, runtime: Pid, name: str, steps: tuple[LaunchStep, ...]) -> Launched:
    """Run ``steps``; the child of the clone(2) among them is the sandbox's first process."""
    first = len(kernel.timeline) + 1
    progress = Progress()
    for step in steps:
        progress = carry_out(kernel, runtime, name, step, progress)
    return Launched(progress.born, first, len(kernel.timeline))


def carry_out(
    kernel: Kernel, runtime: Pid, name: str, step: LaunchStep, progress: Progress
) -> Progress:
    """One step of the launch of ``name``, which has come as far as ``progress``."""
    if progress.skipped and depends(step, progress.skipped):
        return progress
    pid = runtime if step.actor == "runtime" else progress.child
    assert pid is not None, "a plan begins with clone(2)"
    result, born = _step(kernel, pid, name, step, progress.names)
    if not step.binds and born is None:
        return progress
    names, skipped = progress.names, progress.skipped
    if step.binds and isinstance(result, Failed):
        skipped |= {step.binds}
    elif step.binds and isinstance(result, Returned):
        names = {**names, step.binds: result.value}
    return Progress(names, skipped, born or progress.child)


def _step(
    kernel: Kernel, pid: Pid, name: str, step: LaunchStep, names: Mapping[str, int]
) -> tuple[Result, Pid | None]:
    actor = step.actor if step.actor == "runtime" else name
    mark = len(kernel.store.journal)
    result = _call(kernel, pid, actor, step.mechanism, step.name, step.args, names)
    if isinstance(result, Failed) and step.instead and result.errno in step.instead:
        for other, args in step.instead[result.errno]:
            result = _call(kernel, pid, actor, step.mechanism, other, args, names)
    if isinstance(result, (Returned, Executed, Exited)):
        return result, _born(kernel, mark) if step.name in BIRTHS else None
    if isinstance(result, Failed) and result.errno in step.tolerates:
        return result, None
    shown = filled(step.name, step.args, names)
    why = result.errno if isinstance(result, Failed) else type(result).__name__
    note = getattr(result, "note", "")
    raise LaunchError(
        _("launching {name}: {call} by {actor} ({mechanism}): {why} {note}").format(
            name=name,
            call=short(shown),
            actor=actor,
            mechanism=step.mechanism or "-",
            why=why,
            note=note,
        )
    )


def _call(
    kernel: Kernel,
    pid: Pid,
    actor: str,
    mechanism: str,
    name: str,
    args: tuple[Any, ...],
    names: Mapping[str, int],
) -> Result:
    call = filled(name, args, names)
    return kernel.call(pid, call, actor=actor, mechanism=mechanism)


def _born(kernel: Kernel, mark: int) -> Pid:
    for write in kernel.store.journal[mark:]:
        if write.table is Task and write.old is None:
            return Pid(cast("int", write.key))
    raise LaunchError(_("the launch made no process"))

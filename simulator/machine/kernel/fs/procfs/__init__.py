"""procfs: the kernel's own objects as files, as one pid namespace numbers them. proc(5), fs/proc/.

An instance shows the pid namespace of whoever mounted it, for ever. Below /proc/PID/{root,cwd,fd,
ns} are magic links; below /proc/sys the settings that the *reader's* namespaces keep.
"""

from simulator.machine.kernel.fs.procfs.attributes import Altered, set_attributes
from simulator.machine.kernel.fs.procfs.mounting import PROC
from simulator.machine.kernel.fs.procfs.virtual import Procfs, may_open, need_start, unmapped
from simulator.machine.kernel.fs.registry import (
    FileOperations,
    Mutations,
    Steady,
    register_virtual,
)

register_virtual(
    "proc",
    Procfs(),
    Mutations(
        missing_fails=lambda _directory: True,
        permission=may_open,
        set_attributes=set_attributes,
        need_start=need_start,
    ),
    Steady(
        layers=lambda _trap, directory: () if len(directory) == 2 else None,
        tables=frozenset({Altered}),
    ),
    FileOperations(synced=frozenset(), unmapped=unmapped),
)

__all__ = ["PROC"]

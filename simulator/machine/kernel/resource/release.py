"""The last task leaves a group of version 1: the kernel runs the hierarchy's release agent.

Source: kernel/cgroup/cgroup-v1.c (cgroup1_check_for_release, cgroup1_release_agent).
"""

from simulator.machine.abi.ids import Pid
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel import usermode
from simulator.machine.kernel.resource.group import (
    CHILDREN,
    Cgroup,
    Hierarchy,
    living,
    path,
)
from simulator.machine.kernel.task import Task
from simulator.machine.state.store import Store

NOTIFY = "notify_on_release"


def check(store: Store, group: Cgroup, leaver: Pid | None = None) -> None:
    """Note the agent for running when ``group``, ``leaver`` apart, has neither tasks nor groups."""
    if group.settings.get(NOTIFY) != "1" or group.parent is None:
        return
    tree = store.row(Hierarchy, group.hierarchy)
    if tree.version != 1 or not tree.release_agent or store.by(CHILDREN, group.id):
        return
    if all(task.id == leaver for task in living(store, group)):
        usermode.ask(store, (tree.release_agent, path(store, group)), "release_agent")


def _ends(store: Store, task: Task) -> None:
    for number in task.cgroups.values():
        group = store.get(Cgroup, number)
        if group is not None:
            check(store, group, Pid(task.id))


exits.at_exit(_ends)

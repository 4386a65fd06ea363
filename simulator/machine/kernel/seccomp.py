"""Filters on a task's calls, as far as every room needs to know them: seccomp(2)."""

from simulator.machine.kernel.task import SeccompFilter, Task

STRICT = SeccompFilter(
    name="strict",
    allow=frozenset(("read", "write", "exit", "rt_sigreturn")),
    default="KILL",
)
"""SECCOMP_MODE_STRICT: four calls, SIGKILL for any other."""


def mode(task: Task) -> int:
    """What PR_GET_SECCOMP and /proc/PID/status say: 0 none, 1 strict, 2 filters."""
    if not task.seccomp:
        return 0
    return 1 if task.seccomp[0].name == STRICT.name else 2

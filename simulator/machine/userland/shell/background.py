"""Background jobs: wait, jobs, and %N."""

from simulator.machine.abi.constants import WNOHANG
from simulator.machine.abi.errno import Errno
from simulator.machine.userland.process import SysError
from simulator.machine.userland.shell.builtin import RunText, number
from simulator.machine.userland.shell.state import Shell
from simulator.machine.userland.shell.traps import run_pending


def job(shell: Shell, word: str) -> str:
    """``%2`` as the pid of the second background job."""
    if word[:1] == "%" and word[1:].isdigit() and 0 < int(word[1:]) <= len(shell.jobs):
        return str(shell.jobs[int(word[1:]) - 1])
    return word


async def wait(shell: Shell, argv: list[str], run_text: RunText) -> int:
    """wait: for the jobs given, or for all of them."""
    wanted = [number(word.removeprefix("%")) for word in argv[1:]]
    status = 0
    for pid in wanted or list(shell.jobs):
        try:
            reply = await shell.sys.call("wait4", pid, 0)
        except SysError as error:
            if error.errno is Errno.EINTR and (signal := await run_pending(shell, run_text)):
                return 128 + signal
            status = 127
            continue
        if pid in shell.jobs:
            shell.jobs.remove(pid)
        word = reply.data if isinstance(reply.data, int) else 0
        status = 128 + (word & 0x7F) if word & 0x7F else word >> 8 & 0xFF
    return status if wanted else 0


async def jobs(shell: Shell, _argv: list[str], _run_text: RunText) -> int:
    """jobs: what runs in the background, and what has ended since."""
    for place, pid in enumerate(list(shell.jobs), 1):
        try:
            done = await shell.sys.value("wait4", pid, WNOHANG)
        except SysError:
            done = pid
        if done:
            shell.jobs.remove(pid)
        state = "Done" if done else "Running"
        await shell.sys.out(f"[{place}]{'+' if place == 1 else '-'}  {state}\n")
    return 0

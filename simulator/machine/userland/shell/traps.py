"""trap: what a shell does when a signal comes, and when it ends (POSIX sh 2.11, ash's trap.c)."""

import re

from simulator.machine.abi.constants import SIG_DFL, SIG_IGN, SIG_TOLD
from simulator.machine.userland import signals
from simulator.machine.userland.process import Process
from simulator.machine.userland.shell.builtin import RunText
from simulator.machine.userland.shell.state import ExitShell, Shell

_EXIT = "EXIT"


async def trap(shell: Shell, argv: list[str], _run_text: RunText) -> int:
    """trap [ACTION] SIGNAL...; without arguments, what is set."""
    words = [word for at, word in enumerate(argv[1:]) if at or word != "--"]
    if not words:
        for name in sorted(shell.traps, key=_number):
            await shell.sys.out(f"trap -- {_quoted(shell.traps[name])} {name}\n")
        return 0
    if words == ["-l"]:
        await shell.sys.out(signals.listing())
        return 0
    # A number alone resets that signal, as "-" does
    action = words.pop(0) if len(words) > 1 and not words[0].isdigit() else "-"
    status = 0
    for word in words:
        number = 0 if word in ("0", _EXIT) else signals.number(word)
        if number is None:
            told = f"{word}: invalid signal specification"
            await shell.sys.err(f"{shell.name}: trap: line 0: {told}\n")
            status = 1
            continue
        await _set(shell, number, action)
    return status


def _quoted(text: str) -> str:
    """As ash's single_quote(): quotes themselves in double quotes."""
    if not text:
        return "''"
    runs = re.findall("'+|[^']+", text)
    return "".join(f'"{run}"' if run.startswith("'") else f"'{run}'" for run in runs)


def _number(name: str) -> int:
    return 0 if name == _EXIT else signals.number(name) or 0


async def _set(shell: Shell, number: int, action: str) -> None:
    name = signals.name(number) if number else _EXIT
    if action == "-":
        shell.traps.pop(name, None)
    else:
        shell.traps[name] = action
    if number:
        handler = SIG_DFL if action == "-" else SIG_TOLD if action else SIG_IGN
        await shell.sys.succeeds("rt_sigaction", number, handler)


async def forget(sys: Process, traps: dict[str, str]) -> dict[str, str]:
    """In a subshell: what is ignored stays so, the rest is as it was before any trap."""
    for name, action in traps.items():
        if action and name != _EXIT:
            await sys.succeeds("rt_sigaction", _number(name), SIG_DFL)
    return {name: action for name, action in traps.items() if not action and name != _EXIT}


def waits(shell: Shell) -> bool:
    """Whether a signal may have come that the shell has something to do for."""
    return any(name != _EXIT and action for name, action in shell.traps.items())


async def run_pending(shell: Shell, run_text: RunText) -> int:
    """Run the actions of the signals that have come; the last one's number, or 0."""
    if not waits(shell):
        return 0
    last = 0
    for number in await shell.sys.data("@caught"):
        action = shell.traps.get(signals.name(number))
        if action:
            last, status = number, shell.status
            await run_text(shell, action)
            shell.status = status
    return last


async def at_exit(shell: Shell, run_text: RunText) -> int:
    """Run the EXIT trap, if there is one; returns the shell's status."""
    action = shell.traps.pop(_EXIT, "")
    if action:
        status = shell.status
        try:
            await run_text(shell, action)
            shell.status = status
        except ExitShell as end:
            shell.status = end.status
    return shell.status

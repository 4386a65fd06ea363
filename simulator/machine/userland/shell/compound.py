"""Compound commands: if, while, until, for and case (POSIX sh, 2.9.4)."""

from collections.abc import Awaitable
from typing import NamedTuple, Protocol

from simulator.machine.userland.shell import expand, pattern
from simulator.machine.userland.shell.state import BreakLoop, Shell
from simulator.machine.userland.shell.syntax import Case, For, If, Script, While


class RunScript(Protocol):
    """Runs a list of commands; its status is the shell's."""

    def __call__(self, shell: Shell, script: Script, *, last: bool = False) -> Awaitable[int]:
        """Run ``script``; with ``last``, its last program may take the shell's place."""
        ...


class Runner(NamedTuple):
    """What compound commands need of the evaluator."""

    script: RunScript
    substitute: expand.Run


async def _condition(run: Runner, shell: Shell, script: Script) -> bool:
    shell.tested += 1
    try:
        return not await run.script(shell, script)
    finally:
        shell.tested -= 1


async def if_(run: Runner, shell: Shell, command: If, *, last: bool) -> None:
    """``if`` ... ``elif`` ... ``else``."""
    for condition, body in command.branches:
        if await _condition(run, shell, condition):
            await run.script(shell, body, last=last)
            return
    shell.status = 0
    await run.script(shell, command.otherwise, last=last)


async def while_(run: Runner, shell: Shell, command: While) -> None:
    """``while`` and ``until``: the status is that of the last turn."""
    status = 0
    before = _memory(shell)
    while await _condition(run, shell, command.condition) != command.until:
        again = await _body(run, shell, command.body)
        status = shell.status
        if not again:
            break
        after = _memory(shell)
        if after == before:
            await shell.sys.succeeds("@burn", None)
        before = after
    shell.status = status


def _memory(shell: Shell) -> tuple[object, ...]:
    """All that the next turn of a loop can depend on.

    A turn that made no system call and left this as it was will be followed by nothing but its
    like: the shell computes from here on and never ends.
    """
    return (
        shell.sys.calls,
        dict(shell.variables),
        dict(shell.functions),
        list(shell.arguments),
        shell.status,
        set(shell.options),
    )


async def for_(run: Runner, shell: Shell, command: For) -> None:
    """``for``: over words, or the positional parameters."""
    words = (
        list(shell.arguments)
        if command.words is None
        else await expand.fields(shell, command.words, run.substitute)
    )
    shell.status = 0
    for word in words:
        shell.put(command.name, word)
        if not await _body(run, shell, command.body):
            break


async def _body(run: Runner, shell: Shell, body: Script) -> bool:
    """One turn of a loop; whether there may be another."""
    await shell.sys.pause()
    try:
        await run.script(shell, body)
    except BreakLoop as jump:
        shell.status = 0
        if jump.levels > 1:
            raise BreakLoop(jump.levels - 1, again=jump.again) from None
        return jump.again
    return True


async def case(run: Runner, shell: Shell, command: Case, *, last: bool) -> None:
    """``case``: the first arm with a pattern that matches."""
    subject = await expand.one(shell, command.word, run.substitute)
    for patterns, body in command.arms:
        for word in patterns:
            if pattern.matches(await expand.as_pattern(shell, word, run.substitute), subject):
                shell.status = 0
                await run.script(shell, body, last=last)
                return
    shell.status = 0

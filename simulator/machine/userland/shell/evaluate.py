"""Running commands: lists, pipelines, compounds, functions, builtins and programs."""

from collections.abc import Awaitable, Callable

from simulator.machine.abi.constants import SIG_IGN, SIGINT, SIGQUIT
from simulator.machine.userland.process import Body, Process, SysError
from simulator.machine.userland.shell import builtins, compound, expand, redirect, traps
from simulator.machine.userland.shell.compound import Runner
from simulator.machine.userland.shell.execute import find, reap, run_program
from simulator.machine.userland.shell.parser import commands
from simulator.machine.userland.shell.state import (
    BreakLoop,
    ExitShell,
    ReadOnlyError,
    ReturnFromFunction,
    Shell,
)
from simulator.machine.userland.shell.syntax import (
    AndOr,
    Case,
    Command,
    For,
    Function,
    Group,
    If,
    Pipeline,
    Redirect,
    Script,
    ShellSyntaxError,
    Simple,
    While,
)

MAX_DEPTH = 40
"""Calls of shell functions within each other."""


async def run_text(shell: Shell, text: str, *, last: bool = False) -> int:
    """Run a script, one complete command at a time, as ash reads it."""
    found, fault = commands(text)
    for script, ends in found:
        await run_script(shell, script, last=last and ends)
    if fault:
        raise ShellSyntaxError(fault)
    return shell.status


async def run_script(shell: Shell, script: Script, *, last: bool = False) -> int:
    """Run a list; with ``last``, its last program may take the shell's place."""
    for index, item in enumerate(script):
        final = last and index == len(script) - 1
        if item.background:
            await _background(shell, item)
        else:
            await _and_or(shell, item, last=final)
        if shell.traps:
            await traps.run_pending(shell, run_text)
    return shell.status


async def _and_or(shell: Shell, item: AndOr, *, last: bool) -> None:
    for index, (operator, pipeline) in enumerate(item.parts):
        if (operator == "&&") == bool(shell.status) and index:
            continue
        final = index == len(item.parts) - 1
        shell.tested += not final
        try:
            await _pipeline(shell, pipeline, last=last and final)
        finally:
            shell.tested -= not final
    if shell.status and "e" in shell.options and not shell.tested and len(item.parts) == 1:
        raise ExitShell(shell.status)


async def _background(shell: Shell, item: AndOr) -> None:
    foreground = AndOr(item.parts)

    async def body(sub: Shell) -> None:
        for signal in (SIGINT, SIGQUIT):
            await sub.sys.succeeds("rt_sigaction", signal, SIG_IGN)
        await sub.sys.succeeds("close", 0)
        try:
            await sub.sys.open("/dev/null")
        except SysError as error:
            await sub.sys.err(f"{sub.name}: can't open '/dev/null': {error.message}\n")
            raise ExitShell(2, fault=True) from None
        await run_script(sub, (foreground,), last=True)

    shell.background = await fork(shell, body)
    shell.jobs.append(shell.background)
    shell.status = 0


async def _pipeline(shell: Shell, pipeline: Pipeline, *, last: bool) -> None:
    if len(pipeline.commands) == 1:
        shell.tested += pipeline.negated
        try:
            await run_command(shell, pipeline.commands[0], last=last and not pipeline.negated)
        finally:
            shell.tested -= pipeline.negated
    else:
        shell.status = await _piped(shell, pipeline.commands)
    if pipeline.negated:
        shell.status = int(not shell.status)


async def _piped(shell: Shell, commands: tuple[Command, ...]) -> int:
    sys = shell.sys
    children: list[int] = []
    reading = -1
    for index, command in enumerate(commands):
        ends = await sys.data("pipe") if index < len(commands) - 1 else (-1, -1)
        children.append(await fork(shell, _stage(command, reading, ends)))
        if reading >= 0:
            await sys.close(reading)
        if ends[1] >= 0:
            await sys.close(ends[1])
        reading = ends[0]
    status = 0
    for child in children:
        status = await reap(shell, child)
    return status


def _stage(
    command: Command, reading: int, ends: tuple[int, int]
) -> Callable[[Shell], Awaitable[None]]:
    async def body(sub: Shell) -> None:
        if ends[0] >= 0:
            await sub.sys.close(ends[0])
        if reading > 0:
            await sub.sys.call("dup2", reading, 0)
            await sub.sys.close(reading)
        if ends[1] > 1:
            await sub.sys.call("dup2", ends[1], 1)
            await sub.sys.close(ends[1])
        await run_command(sub, command, last=True)

    return body


async def fork(shell: Shell, body: Callable[[Shell], Awaitable[None]]) -> int:
    """A child that runs ``body`` in a copy of the shell: its pid. Without one a shell ends."""
    try:
        return await shell.sys.spawn(_subshell_of(shell, body))
    except SysError as error:
        await shell.sys.err(f"{shell.name}: can't fork: {error.message}\n")
        raise ExitShell(2, fault=True) from None


def _subshell_of(shell: Shell, body: Callable[[Shell], Awaitable[None]]) -> Body:
    """``body`` in a copy of the shell: what a forked child runs."""

    async def child(sys: Process) -> int:
        sub = shell.copy(sys)
        sub.traps = await traps.forget(sys, shell.traps)
        return await until_exit(sub, lambda: body(sub))

    return child


async def until_exit(shell: Shell, run: Callable[[], Awaitable[object]]) -> int:
    """Run to the end, an exit or an error that ends a shell; returns the status."""
    try:
        await run()
    except ExitShell as end:
        shell.status = end.status
    except (BreakLoop, ReturnFromFunction) as stray:
        shell.status = getattr(stray, "status", shell.status)
    except ReadOnlyError as error:
        await shell.sys.err(f"{shell.name}: {error}: is read only\n")
        shell.status = 2
    except ShellSyntaxError as error:
        await shell.sys.err(f"{shell.name}: {error}\n")
        shell.status = 2
    return await traps.at_exit(shell, run_text)


async def substitute(shell: Shell, script: str) -> str:
    """``$(script)``: what it prints, its status kept for a command of assignments only."""
    reading, writing = await shell.sys.data("pipe")

    async def body(sub: Shell) -> None:
        await sub.sys.close(reading)
        if writing != 1:
            await sub.sys.call("dup2", writing, 1)
            await sub.sys.close(writing)
        await run_text(sub, script, last=True)

    child = await fork(shell, body)
    await shell.sys.close(writing)
    output = await shell.sys.drain(reading)
    shell.substituted = await reap(shell, child)
    return output.replace(b"\0", b"").decode("utf-8", "surrogateescape")


async def run_command(shell: Shell, command: Command, *, last: bool = False) -> None:
    """Run one command; its status is the shell's."""
    if isinstance(command, Simple):
        await _simple(shell, command, last=last)
    elif isinstance(command, Function):
        shell.functions[command.name] = command.body
        shell.status = 0
    elif isinstance(command, Group) and command.subshell:
        await _subshell(shell, command, last=last)
    else:
        await _redirected(shell, command.redirects, lambda: _compound(shell, command, last=last))


async def _subshell(shell: Shell, command: Group, *, last: bool) -> None:
    async def body(sub: Shell) -> None:
        await _redirected(
            sub, command.redirects, lambda: run_script(sub, command.body, last=True), keep=False
        )

    if last and not shell.traps:
        await body(shell)
    else:
        shell.status = await reap(shell, await fork(shell, body))


async def _redirected(
    shell: Shell,
    redirects: tuple[Redirect, ...],
    run: Callable[[], Awaitable[object]],
    *,
    keep: bool = True,
) -> None:
    if not redirects:
        await run()
        return
    try:
        saved = await redirect.apply(shell, redirects, substitute, keep=keep)
    except redirect.RedirectionError as error:
        await shell.sys.err(f"{shell.name}: {error}\n")
        shell.status = 1
        return
    try:
        await run()
    except (BreakLoop, ReturnFromFunction, ExitShell):
        await redirect.undo(shell.sys, saved)
        raise
    await redirect.undo(shell.sys, saved)


async def _compound(shell: Shell, command: Command, *, last: bool) -> None:
    run = Runner(run_script, substitute)
    match command:
        case Group():
            await run_script(shell, command.body, last=last)
        case If():
            await compound.if_(run, shell, command, last=last)
        case While():
            await compound.while_(run, shell, command)
        case For():
            await compound.for_(run, shell, command)
        case Case():
            await compound.case(run, shell, command, last=last)
        case _:
            raise AssertionError(command)


async def _simple(shell: Shell, command: Simple, *, last: bool) -> None:
    shell.substituted = None
    words = await expand.fields(shell, command.words, substitute)
    if "x" in shell.options and words:
        await shell.sys.err(f"+ {' '.join(words)}\n")
    if not words:
        await _assign_only(shell, command)
        return
    values = [
        (name, await expand.one(shell, word, substitute)) for name, word in command.assignments
    ]
    name = words[0]
    builtin = builtins.find(name)
    function = shell.functions.get(name)
    if builtin is not None and (function is None or name in builtins.SPECIAL):
        await _builtin(shell, command, words, values)
    elif function is not None:
        await _function(shell, command, words, values, function)
    else:
        await _program(shell, command, words, values, last=last)


async def _assign_only(shell: Shell, command: Simple) -> None:
    for name, word in command.assignments:
        shell.put(name, await expand.one(shell, word, substitute))
    shell.status = shell.substituted or 0
    await _redirected(shell, command.redirects, _nothing)


async def _nothing() -> None:
    return


async def _builtin(
    shell: Shell, command: Simple, words: list[str], values: list[tuple[str, str]]
) -> None:
    if words[0] == "exec" and len(words) == 1:
        await _redirected_for_good(shell, command.redirects)
        return

    async def run() -> None:
        shell.status = await builtins.run(shell, words, run_text)

    special = words[0] in builtins.SPECIAL
    await _with_values(shell, values, lambda: _redirected(shell, command.redirects, run), special)


async def _redirected_for_good(shell: Shell, redirects: tuple[Redirect, ...]) -> None:
    try:
        await redirect.apply(shell, redirects, substitute, keep=False)
    except redirect.RedirectionError as error:
        await shell.sys.err(f"{shell.name}: {error}\n")
        raise ExitShell(1, fault=True) from None
    shell.status = 0


async def _with_values(
    shell: Shell,
    values: list[tuple[str, str]],
    run: Callable[[], Awaitable[object]],
    lasting: bool = False,
) -> None:
    """Run with assignments that last only as long, unless ``lasting``."""
    before = {name: shell.variables.get(name) for name, _ in values}
    for name, value in values:
        shell.put(name, value)
    try:
        await run()
    finally:
        if not lasting:
            for name, value in before.items():
                if value is None:
                    shell.variables.pop(name, None)
                else:
                    shell.variables[name] = value


async def _function(
    shell: Shell,
    command: Simple,
    words: list[str],
    values: list[tuple[str, str]],
    body: Command,
) -> None:
    shell.depth += 1
    while shell.depth > MAX_DEPTH:  # a shell that calls itself for ever has no answer
        await shell.sys.pause()
    outer, shell.arguments = shell.arguments, words[1:]

    async def run() -> None:
        try:
            await run_command(shell, body)
        except ReturnFromFunction as back:
            shell.status = back.status

    try:
        await _with_values(shell, values, lambda: _redirected(shell, command.redirects, run))
    finally:
        shell.depth -= 1
        shell.arguments = outer


async def _program(
    shell: Shell,
    command: Simple,
    words: list[str],
    values: list[tuple[str, str]],
    *,
    last: bool,
) -> None:
    target = await find(shell, words[0])
    if target is None:
        shell.status = 127
        return

    async def body(sub: Shell) -> None:
        for name, value in values:
            sub.put(name, value)
            sub.exported.add(name)

        async def run() -> None:
            await run_program(sub, target, words, run_text)

        sub.status = 1
        await _redirected(sub, command.redirects, run, keep=False)

    if last and not shell.traps:
        await body(shell)
        raise ExitShell(shell.status)
    shell.status = await reap(shell, await fork(shell, body))

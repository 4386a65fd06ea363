"""sh(1): ``sh -c line``, ``sh file`` or commands from standard input."""

from collections.abc import Sequence

from simulator.machine.abi.constants import SIGINT, TCGETS
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import BSD, SUN, enter
from simulator.machine.userland.shell.evaluate import run_text, until_exit
from simulator.machine.userland.shell.input import follow_input
from simulator.machine.userland.shell.state import DEFAULT_PATH, Shell

_NOTED = 2
"""Neither SIG_DFL nor SIG_IGN: a handler, so that ^C ends what the shell runs and not the shell."""


@enter("sh", "ash")
async def main(sys: Process, argv: Sequence[str]) -> int:
    """busybox's shell, to its end; the status is the last command's."""
    return await _run(Shell(sys, argv[0].removeprefix("-")), argv)


@enter("sh", collection=BSD)
@enter("sh", "ksh", collection=SUN)
async def plain_shell(sys: Process, argv: Sequence[str]) -> int:
    """FreeBSD's and Solaris's sh(1): the same language; every program is found by PATH."""
    return await _run(Shell(sys, argv[0].removeprefix("-"), applets=False), argv)


async def _run(shell: Shell, argv: Sequence[str]) -> int:
    words = list(argv[1:])
    command, flags = False, ""
    while words and words[0][:1] in "-+" and len(words[0]) > 1:
        option = words.pop(0)
        if option == "--":
            break
        command = command or "c" in option
        flags += option[1:]
        shell.options |= set(option[1:]) & set("aefuxc")
    await _prepare(shell)
    if command:
        return await _run_command(shell, words)
    if words:
        return await _run_file(shell, words)
    if "i" in flags or await _is_typed_at(shell.sys):
        shell.options.add("i")
        if not shell.sys.terminal:
            await shell.sys.call("rt_sigaction", SIGINT, _NOTED)
        shell.user = await shell.sys.value("geteuid")
        shell.variables.setdefault("PS1", "\\w \\$ ")
    return await until_exit(shell, lambda: follow_input(shell))


async def _is_typed_at(sys: Process) -> bool:
    """Whether standard input is what a person types into: isatty(3), or a typed-at pipe."""
    if not sys.terminal:
        return await sys.succeeds("ioctl", 0, TCGETS)
    try:
        return (await sys.data("fstat", 0))["ino"] == sys.terminal
    except SysError:
        return False


async def _run_command(shell: Shell, words: list[str]) -> int:
    if not words:
        await shell.sys.err(f"{shell.name}: -c requires an argument\n")
        return 2
    if len(words) > 1:
        shell.name = words[1]
        shell.arguments = words[2:]
    return await until_exit(shell, lambda: run_text(shell, words[0], last=True))


async def _run_file(shell: Shell, words: list[str]) -> int:
    try:
        text = await shell.sys.text(words[0])
    except SysError as error:
        await shell.sys.err(f"{shell.name}: can't open '{words[0]}': {error.message}\n")
        return 2
    shell.name, shell.arguments = words[0], words[1:]
    return await until_exit(shell, lambda: run_text(shell, text))


async def _prepare(shell: Shell) -> None:
    """Variables from the environment, and those that every shell has."""
    sys = shell.sys
    shell.variables.update(sys.env)
    shell.exported.update(sys.env)
    shell.variables.setdefault("PATH", DEFAULT_PATH)
    shell.variables.setdefault("IFS", " \t\n")
    shell.variables["PS4"] = "+ "
    shell.pid = await sys.value("getpid")
    shell.variables["PPID"] = str(await sys.value("getppid"))
    level = shell.variables.get("SHLVL", "0")
    shell.variables["SHLVL"] = str(int(level) + 1 if level.isdigit() else 1)
    shell.exported.add("SHLVL")
    try:
        shell.variables["PWD"] = await sys.data("getcwd", 4096)
        shell.exported.add("PWD")
    except SysError as error:
        await sys.err(f"{shell.name}: getcwd: {error.message}\n")

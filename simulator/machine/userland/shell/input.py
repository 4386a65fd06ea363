"""Commands from standard input: each is run as soon as it is complete; prompts for a person."""

from simulator.machine.abi.errno import Errno
from simulator.machine.userland.process import SysError
from simulator.machine.userland.shell.evaluate import run_script, run_text
from simulator.machine.userland.shell.parser import Parser
from simulator.machine.userland.shell.state import ExitShell, ReadOnlyError, Shell
from simulator.machine.userland.shell.syntax import Script, ShellSyntaxError
from simulator.machine.userland.shell.traps import run_pending

_BLOCK = 1023
_INTERRUPTED = 130
_UNFINISHED = ("end of file", "unterminated", "EOF in")


async def follow_input(shell: Shell) -> int:
    """Read and run until the input ends; the status is the last command's."""
    interactive = "i" in shell.options
    text, ended = "", False
    while not ended:
        if interactive:
            await shell.sys.err(shell.variables.get("PS2", "> ") if text else prompt(shell))
        shell.sys.status = shell.status
        try:
            block = await shell.sys.read(0, _BLOCK)
        except SysError as error:
            if error.errno is Errno.EINTR and await run_pending(shell, run_text):
                continue
            if not interactive or error.errno is not Errno.EINTR:
                raise
            await shell.sys.err("\n")
            text, shell.status = "", _INTERRUPTED
            continue
        ended = not block
        text += block.decode("utf-8", "surrogateescape")
        if ended or (text.endswith("\n") and not text.endswith("\\\n")):
            text = await _run_complete(shell, text, ended=ended, interactive=interactive)
    return shell.status


async def _run_complete(shell: Shell, text: str, *, ended: bool, interactive: bool) -> str:
    """Run the commands of ``text`` that are complete; returns what is left."""
    while text:
        parser = Parser(text, partial=not ended)
        try:
            script = parser.next()
        except ShellSyntaxError as error:
            if not ended and any(word in str(error) for word in _UNFINISHED):
                return text
            if not interactive:
                raise
            await shell.sys.err(f"{shell.name}: {error}\n")
            shell.status = 2
            return ""
        if script is None:
            return ""
        text = parser.rest()
        await _run(shell, script, interactive=interactive)
    return ""


async def _run(shell: Shell, script: Script, *, interactive: bool) -> None:
    """Run one command; a person's shell outlives its mistakes."""
    try:
        await run_script(shell, script)
    except ExitShell as end:
        if not (interactive and end.fault):
            raise
        shell.status = end.status
    except (ReadOnlyError, ShellSyntaxError) as error:
        if not interactive:
            raise
        told = f"{error}: is read only" if isinstance(error, ReadOnlyError) else str(error)
        await shell.sys.err(f"{shell.name}: {told}\n")
        shell.status = 2


def prompt(shell: Shell) -> str:
    r"""PS1 with ``\w`` (the directory) and ``\$`` (# for root) filled in."""
    here, home = shell.get("PWD"), shell.get("HOME")
    if home and home != "/" and (here == home or here.startswith(home + "/")):
        here = "~" + here[len(home) :]
    mark = "$" if shell.user else "#"
    return shell.get("PS1").replace("\\w", here).replace("\\$", mark)

"""The builtin ``umask``."""

from simulator.machine.userland.modes import change
from simulator.machine.userland.shell.builtin import BuiltinError, RunText
from simulator.machine.userland.shell.state import Shell


async def umask(shell: Shell, argv: list[str], _run_text: RunText) -> int:
    """umask: show the mask (-S: as what it lets through), or set it."""
    sys, words = shell.sys, argv[1:]
    if words and words[0] != "-S":
        mask = _mask(words[0], await _current_mask(shell))
        await sys.call("umask", mask)
        return 0
    mask = await _current_mask(shell)
    if words:
        allowed = [
            "".join(letter for bit, letter in ((4, "r"), (2, "w"), (1, "x")) if not three & bit)
            for three in (mask >> 6, mask >> 3, mask)
        ]
        await sys.out("u={},g={},o={}\n".format(*allowed))
    else:
        await sys.out(f"{mask:04o}\n")
    return 0


async def _current_mask(shell: Shell) -> int:
    mask = await shell.sys.value("umask", 0)
    await shell.sys.call("umask", mask)
    return mask


def _mask(text: str, mask: int) -> int:

    if text.isdigit():
        if any(char in "89" for char in text):
            raise BuiltinError(f"illegal mode: {text}")
        return int(text, 8) & 0o777
    mode = change(text, ~mask & 0o777, directory=False, umask=0)
    if mode is None:
        raise BuiltinError(f"illegal mode: {text}")
    return ~mode & 0o777

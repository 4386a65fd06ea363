"""vkill: a signal for a process of any context, where kill(2) does not reach. src/vkill.c"""

from collections.abc import Sequence

from simulator.isolation.control.vserver import config, kernel
from simulator.isolation.control.vserver.usages import USAGES
from simulator.machine.abi.constants import BY_NAME
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter


@enter("vkill", collection=TOOLS)
async def vkill(sys: Process, argv: Sequence[str]) -> int:
    """vkill [--xid|-c XID] [-s SIGNAL] [--] PID*."""
    words, number, signo = list(argv[1:]), -1, 15
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word == "--":
            break
        if word == "--help":
            await sys.out(USAGES[sys.name])
            return 0
        if word in ("--xid", "-c") and words:
            text = words.pop(0)
            guest = None if text.isdigit() else await config.find(sys, text)
            number = int(text) if text.isdigit() else guest.context if guest else -1
        elif word == "-s" and words:
            signo = _signal(words.pop(0))
        else:
            await sys.err("Try 'vkill --help' for more information.\n")
            return 1
    if signo < 0:
        await sys.err("Invalid signal specified\n")
        return 1
    if number < 0 and not words:
        await sys.err("No pid specified\n")
        return 1
    status = 0
    for word in words or ["0"]:
        status |= await _kill(sys, number, word, signo)
    return status


def _signal(text: str) -> int:
    if text.isdigit():
        return int(text)
    return BY_NAME.get(f"SIG{text.upper().removeprefix('SIG')}", -1)


async def _kill(sys: Process, number: int, word: str, signo: int) -> int:
    if not word.lstrip("-").isdigit():
        await sys.err(f"vkill: '{word}' is not a number\n")
        return 1
    pid = int(word)
    if number < 0:
        number = await kernel.context_of(sys, pid)
    try:
        await kernel.command(sys, "ctx_kill", number, {"pid": pid, "sig": signo})
    except SysError as error:
        await sys.err(f"vkill: vc_ctx_kill(): {error.message}\n")
        return 1
    return 0

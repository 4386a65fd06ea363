"""What an operator has beside Docker on its host: curl, wget, git, nc, and sudo."""

from collections.abc import Sequence

from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter
from simulator.machine.userland.servers.cloning import git
from simulator.machine.userland.servers.fetch import curl, nc, wget

for _main in (curl, git, nc, wget):
    enter(_main.__name__, collection=TOOLS)(_main)


@enter("sudo", collection=TOOLS)
async def sudo(sys: Process, argv: Sequence[str]) -> int:
    """``sudo [-E] [-u USER] COMMAND ...``: the operator is root already."""
    words = list(argv[1:])
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word in ("-u", "-g", "-U") and words and words.pop(0) != "root":
            await sys.err("sudo: only root is simulated here; su USER changes to another\n")
            return 1
    if not words:
        await sys.err("usage: sudo [-u user] command [arg ...]\n")
        return 1
    for directory in sys.env.get("PATH", "").split(":"):
        place = words[0] if "/" in words[0] else f"{directory}/{words[0]}"
        try:
            await sys.execve(place, words, dict(sys.env))
        except SysError:
            continue
    await sys.err(f"sudo: {words[0]}: command not found\n")
    return 1

"""docker(1): which command it is."""

from collections.abc import Awaitable, Callable, Sequence

from simulator.isolation.control.docker.client import (
    building,
    changing,
    credentials,
    helping,
    listing,
    lists,
    rooms,
    running,
    usage,
)
from simulator.isolation.control.docker.client.wire import Api, ClientError, DaemonError
from simulator.machine.abi.constants import SIG_DFL, SIGCHLD
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

Command = Callable[[Process, Api, list[str]], Awaitable[int]]


async def compose(sys: Process, api: Api, words: list[str]) -> int:
    """docker compose, a plugin of the client (cli-plugins/docker-compose)."""
    from simulator.isolation.control.docker.compose import main as plugin
    from simulator.isolation.control.docker.compose.desk import Terminal

    return await plugin.main(Terminal(sys, api, await sys.data("getcwd", 4096)), words)


COMMANDS: dict[str, Command] = {
    "attach": running.attach,
    "build": building.build,
    "login": credentials.login,
    "logout": credentials.logout,
    "search": building.search,
    "commit": changing.commit,
    "compose": compose,
    "cp": changing.copy,
    "create": running.create_only,
    "diff": listing.diff,
    "events": listing.events,
    "exec": running.execute,
    "export": changing.export,
    "history": lists.history,
    "import": usage.bring,
    "images": lists.images,
    "info": listing.info,
    "inspect": listing.inspect,
    "kill": changing.kill,
    "load": changing.load,
    "logs": listing.logs,
    "network": rooms.network,
    "pause": changing.pause,
    "port": listing.port,
    "ps": lists.ps,
    "pull": changing.pull,
    "push": changing.push,
    "rename": changing.rename,
    "restart": changing.restart,
    "rm": changing.remove,
    "rmi": changing.remove_image,
    "run": running.run,
    "save": changing.save,
    "start": running.start,
    "stats": usage.stats,
    "stop": changing.stop,
    "system": rooms.system,
    "tag": changing.tag,
    "top": listing.top,
    "unpause": changing.unpause,
    "update": usage.update,
    "version": listing.version,
    "volume": rooms.volume,
    "wait": changing.wait,
}
"""The commands; ``docker container`` and ``docker image`` are longer ways to the same."""

_PRUNES = {"container": "Containers", "image": "Images"}


def _prune(what: str) -> Command:
    async def main(sys: Process, api: Api, words: list[str]) -> int:
        return await usage.prune(sys, api, (what,), words)

    return main


COMMANDS.update({what: _prune(what) for what in _PRUNES.values()})
_CONTAINER = {"ls": "ps", "list": "ps", "remove": "rm"}
_IMAGE = {"ls": "images", "list": "images", "rm": "rmi", "remove": "rmi"}


_SWARM = frozenset(("config", "node", "secret", "service", "stack"))
_ABSENT = frozenset(("buildx", "builder", "checkpoint", "context", "manifest", "plugin", "trust"))


async def _unknown(sys: Process, room: str, name: str) -> int:
    """A command that this client has not: one that a swarm needs, one of the real client's."""
    if not room and name in _SWARM:
        await sys.err(
            'Error response from daemon: This node is not a swarm manager. Use "docker swarm init"'
            ' or "docker swarm join" to connect this node to swarm and try again.\n'
        )
        return 1
    if not room and name in (*_ABSENT, "swarm"):
        await sys.err(f"docker {name}: not simulated\n")
        return 1
    whole = f"{room} {name}".strip()
    usage = f"Usage:  docker {room}\n\n" if room else ""
    run = f"Run 'docker {room}".rstrip() + " --help' for more information"
    await sys.err(f"docker: unknown command: docker {whole}\n\n{usage}{run}\n")
    return 1


@enter("docker", collection=TOOLS)
async def main(sys: Process, argv: Sequence[str]) -> int:
    """``docker [-H HOST] COMMAND ...``."""
    words = list(argv[1:])
    host = ""
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word in ("-H", "--host") and words:
            host = words.pop(0)
        elif word.startswith("--host="):
            host = word.partition("=")[2]
        elif word in ("-v", "--version"):
            await sys.out("Docker version 27.5.1, build vitrina\n")
            return 0
    if not words or words[0] == "help":
        await sys.out(helping.overview())
        return 0
    name, *rest = words
    room = ""
    if name in ("container", "image") and rest:
        table = _CONTAINER if name == "container" else _IMAGE
        room, (name, *rest) = name, rest
        name = _PRUNES[room] if name == "prune" else table.get(name, name)
    command = COMMANDS.get(name)
    if command is None:
        return await _unknown(sys, room, name)
    ends = next((at for at, word in enumerate(rest) if not word.startswith("-")), len(rest))
    if name not in ("compose", "network", "system", "volume") and {"--help"} & set(rest[:ends]):
        await sys.out(helping.help_of(name))
        return 0
    await sys.succeeds("rt_sigaction", SIGCHLD, SIG_DFL)
    try:
        return await command(sys, await credentials.signed(sys, host), rest)
    except DaemonError as error:
        await sys.err(f"{error}\n")
    except ClientError as error:
        await sys.err(f"{error}\n")
        return error.status
    except SysError as error:
        await sys.err(f"{error}\n")
    return 1

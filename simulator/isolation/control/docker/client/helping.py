"""What ``--help`` says, and what a command says that was called with too few words or too many."""

from collections.abc import Sequence
from typing import NamedTuple

from simulator.isolation.control.docker.client.wire import ClientError


class Line(NamedTuple):
    """What a command takes after its options, how many words at least and at most, what for."""

    takes: str
    least: int
    most: int | None
    about: str


_C, _I, _N, _V = "CONTAINER", "IMAGE", "NETWORK", "VOLUME"
LINES: dict[str, Line] = {
    "attach": Line("CONTAINER", 1, 1, "the streams of a running container"),
    "build": Line("PATH | URL | -", 1, 1, "an image from a Dockerfile"),
    "commit": Line("CONTAINER [REPOSITORY[:TAG]]", 1, 2, "an image from a container's changes"),
    "compose": Line("COMMAND", 0, None, "several containers from a Compose file"),
    "cp": Line("CONTAINER:SRC_PATH DEST_PATH|-", 2, 2, "files into a container or out of it"),
    "create": Line("IMAGE [COMMAND] [ARG...]", 1, None, "a container that is not started yet"),
    "diff": Line(_C, 1, 1, "which files of a container were changed"),
    "events": Line("", 0, 0, "what happens at the server"),
    "exec": Line("CONTAINER COMMAND [ARG...]", 2, None, "a further program in a container"),
    "export": Line(_C, 1, 1, "a container's files as an archive"),
    "history": Line(_I, 1, 1, "how an image was made"),
    "images": Line("[REPOSITORY[:TAG]]", 0, 1, "images"),
    "import": Line("file|URL|- [REPOSITORY[:TAG]]", 1, 2, "an image from an archive of files"),
    "info": Line("", 0, 0, "the server and its machine"),
    "inspect": Line("NAME|ID [NAME|ID...]", 1, None, "everything that is known of an object"),
    "kill": Line("CONTAINER [CONTAINER...]", 1, None, "a signal to containers"),
    "load": Line("", 0, 0, "images from an archive"),
    "login": Line("[SERVER]", 0, 1, "at a registry"),
    "logout": Line("[SERVER]", 0, 1, "from a registry"),
    "logs": Line(_C, 1, 1, "what a container has printed"),
    "pause": Line("CONTAINER [CONTAINER...]", 1, None, "all processes of containers, for a while"),
    "port": Line("CONTAINER [PRIVATE_PORT[/PROTO]]", 1, 2, "where ports are published"),
    "ps": Line("", 0, 0, "containers"),
    "pull": Line("NAME[:TAG|@DIGEST]", 1, 1, "an image from a registry"),
    "push": Line("NAME[:TAG]", 1, 1, "an image to a registry"),
    "rename": Line("CONTAINER NEW_NAME", 2, 2, "another name for a container"),
    "restart": Line("CONTAINER [CONTAINER...]", 1, None, "stop containers and start them"),
    "rm": Line("CONTAINER [CONTAINER...]", 1, None, "take containers away"),
    "rmi": Line("IMAGE [IMAGE...]", 1, None, "take images away"),
    "run": Line("IMAGE [COMMAND] [ARG...]", 1, None, "make a container and start it"),
    "save": Line("IMAGE [IMAGE...]", 1, None, "images as an archive"),
    "search": Line("TERM", 1, 1, "images of Docker Hub"),
    "start": Line("CONTAINER [CONTAINER...]", 1, None, "stopped containers"),
    "stats": Line("[CONTAINER...]", 0, None, "how much containers take"),
    "stop": Line("CONTAINER [CONTAINER...]", 1, None, "running containers"),
    "tag": Line("SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", 2, 2, "another name for an image"),
    "top": Line("CONTAINER [ps OPTIONS]", 1, None, "the processes of a container"),
    "unpause": Line("CONTAINER [CONTAINER...]", 1, None, "let paused containers go on"),
    "update": Line("CONTAINER [CONTAINER...]", 1, None, "other limits for containers"),
    "version": Line("", 0, 0, "of the client and the server"),
    "wait": Line("CONTAINER [CONTAINER...]", 1, None, "until containers end"),
    "network connect": Line("NETWORK CONTAINER", 2, 2, "a container to a network"),
    "network create": Line(_N, 1, 1, "a network"),
    "network disconnect": Line("NETWORK CONTAINER", 2, 2, "a container from a network"),
    "network inspect": Line("NETWORK [NETWORK...]", 1, None, "all that is known of a network"),
    "network ls": Line("", 0, 0, "networks"),
    "network prune": Line("", 0, 0, "take unused networks away"),
    "network rm": Line("NETWORK [NETWORK...]", 1, None, "take networks away"),
    "volume create": Line("[VOLUME]", 0, 1, "a volume"),
    "volume inspect": Line("VOLUME [VOLUME...]", 1, None, "all that is known of a volume"),
    "volume ls": Line("", 0, 0, "volumes"),
    "volume prune": Line("", 0, 0, "take unused volumes away"),
    "volume rm": Line("VOLUME [VOLUME...]", 1, None, "take volumes away"),
    "system df": Line("", 0, 0, "how much of the disk is used"),
    "system events": Line("", 0, 0, "what happens at the server"),
    "system info": Line("", 0, 0, "the server and its machine"),
    "system prune": Line("", 0, 0, "take away what is not used"),
}
_PLAIN = frozenset(("diff", "pause", "port", "rename", "tag", "top", "unpause", "wait"))
"""Commands without options, of whose usage the word is left out."""


class Misused(ClientError):
    """A command line that was not understood: told with how it is written."""

    def __init__(self, command: str, what: str, status: int) -> None:
        run = f"Run 'docker {command} --help' for more information"
        super().__init__(f"{what}\n\nUsage:  {usage(command)}\n\n{run}", status)


def usage(command: str) -> str:
    """``docker run [OPTIONS] IMAGE [COMMAND] [ARG...]``."""
    takes = LINES[command].takes if command in LINES else ""
    options = "" if command in _PLAIN else " [OPTIONS]"
    return f"docker {command}{options} {takes}".rstrip()


def check(command: str, words: Sequence[str]) -> None:
    """Raise ``ClientError`` in cobra's words for too few words or too many."""
    line = LINES.get(command)
    if line is None:
        return
    least, most, count = line.least, line.most, len(words)
    if count >= least and (most is None or count <= most):
        return
    if most == 0:
        told = "accepts no arguments"
    elif least == most:
        told = f"requires {least} argument{'' if least == 1 else 's'}"
    elif count < least:
        told = f"requires at least {least} argument{'' if least == 1 else 's'}"
    else:
        told = f"requires at most {most} argument{'' if most == 1 else 's'}"
    raise Misused(command, f"docker: 'docker {command}' {told}", 1)


def overview(group: str = "") -> str:
    """``docker --help``, or that of ``docker network`` and its like."""
    lead = f"{group} " if group else ""
    names = [name for name in LINES if name.startswith(lead) and (group or " " not in name)]
    head = f"Usage:  docker {lead}COMMAND" if group else "Usage:  docker [OPTIONS] COMMAND"
    rows = [f"  {name.removeprefix(lead):<12}{LINES[name].about}" for name in names]
    if not group:
        rows += [
            f"  {name:<12}..." for name in ("container", "image", "network", "system", "volume")
        ]
    last = f"Run 'docker {lead}COMMAND --help' for more information on a command."
    return "\n".join([head, "", "Commands:", *sorted(rows), "", last, ""])


def help_of(command: str) -> str:
    """``docker COMMAND --help``."""
    about = LINES[command].about if command in LINES else ""
    return f"Usage:  {usage(command)}\n\n{about[:1].upper() + about[1:]}\n"

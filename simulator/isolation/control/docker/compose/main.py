"""``compose [OPTIONS] COMMAND``: the options that all commands share, and which command it is."""

import posixpath
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from simulator.isolation.control.docker.client.flags import Flag, Parsed, parse
from simulator.isolation.control.docker.client.listing import between
from simulator.isolation.control.docker.client.wire import ClientError
from simulator.isolation.control.docker.compose.desk import Desk
from simulator.isolation.control.docker.compose.errors import ComposeError
from simulator.isolation.control.docker.compose.loading import Loader
from simulator.isolation.control.docker.compose.plan import World
from simulator.isolation.control.docker.compose.project import VERSION, Project
from simulator.isolation.control.docker.compose.tree import Tree, listed
from simulator.isolation.control.docker.compose.work import Worker, look
from simulator.isolation.control.docker.engine import times

GLOBAL = {
    "file": Flag("list", "f"), "project-name": Flag("text", "p"), "profile": Flag("list"),
    "project-directory": Flag("text"), "env-file": Flag("list"), "progress": Flag("text"),
    "ansi": Flag("text"), "verbose": Flag(), "dry-run": Flag(), "compatibility": Flag(),
    "version": Flag(short="v"), "help": Flag(short="h"), "parallel": Flag("number"),
    "all-resources": Flag(), "no-ansi": Flag(),
}  # fmt: skip
_ELSEWHERE = frozenset(("alpha", "commit", "export", "publish", "push", "viz"))
"""Commands of the real one that the model has not."""
USAGE = "Usage:  docker compose [OPTIONS] COMMAND\n"


class Table(NamedTuple):
    """A command: its flags, whether flags end at its first word, and what it does."""

    run: "Callable[[Sitting, Parsed], Awaitable[int]]"
    flags: dict[str, Flag]
    stop_early: bool = False


class Sitting:
    """One command at a desk, with the project it is about."""

    def __init__(self, desk: Desk, given: Parsed) -> None:
        self.desk = desk
        self.given = given
        self.warnings: list[str] = []
        self.env: dict[str, str] = dict(desk.env)

    def _told(self) -> tuple[list[str], str, tuple[str, ...]]:
        """The files that were named, the directory to look in, and the files of variables."""
        base = posixpath.join(self.desk.cwd, self.given.text("project-directory", "."))
        files = self.given.listed("file")
        named = self.desk.env.get("COMPOSE_FILE", "")
        separator = self.desk.env.get("COMPOSE_PATH_SEPARATOR", ":")
        files = files or [one for one in named.split(separator) if one]
        places = [posixpath.normpath(posixpath.join(self.desk.cwd, one)) for one in files]
        env_files = tuple(posixpath.join(self.desk.cwd, e) for e in self.given.listed("env-file"))
        return places, posixpath.normpath(base), env_files

    async def model(self) -> dict[str, Any]:
        """The files as they are written (``Loader.model``). Raises ``ComposeError``."""
        loader = Loader(self.desk.read, self.desk.env, self.warnings.append)
        places, base, env_files = self._told()
        name = self.given.text("project-name")
        return await loader.model(places, base, name=name, env_files=env_files)

    async def project(self, wanted: tuple[str, ...] = (), *, as_written: bool = False) -> Project:
        """The project of the files; ``as_written`` with the files that it names where they are.

        Raises ``ComposeError``.
        """
        loader = Loader(self.desk.read, self.desk.env, self.warnings.append)
        places, base, env_files = self._told()
        try:
            project = await loader.project(
                places,
                base,
                name=self.given.text("project-name"),
                profiles=tuple(self.given.listed("profile")),
                wanted=wanted,
                env_files=env_files,
            )
            if self.desk.apart and not as_written:
                await apart(self.desk, project)
            return project
        finally:
            for text in self.warnings:
                await self.err(f"WARN[0000] {text}\n")
            self.warnings.clear()
            self.env = loader.env

    async def seen(self, wanted: tuple[str, ...] = ()) -> tuple[Project, World, Worker]:
        """The project, what the engine has, and who works on it."""
        project = await self.project(wanted)
        for name in wanted:
            if name not in project.services:
                raise ComposeError(f"no such service: {name}")
        world = await look(self.desk, project)
        worker = Worker(self.desk, project, world)
        worker.quiet = self.given.text("progress") == "quiet"
        return project, world, worker

    async def between(self, given: Parsed) -> dict[str, str]:
        """``--since`` and ``--until`` for a request, by the engine's clock."""
        if not given.text("since") and not given.text("until"):
            return {}
        told = await self.desk.api.ask("GET", "/info")
        return between(given, times.parse(told["SystemTime"]) or 0)

    async def out(self, text: str) -> None:
        """To standard output."""
        await self.desk.write(1, text.encode())

    async def err(self, text: str) -> None:
        """To standard error."""
        await self.desk.write(2, text.encode())


async def apart(desk: Desk, project: Project) -> None:
    """The engine can't see this machine's files: secrets and configs are carried as their text,
    and what is bound is copied into the container when it is made (``x-copied``).
    """
    for section in (project.secrets, project.configs):
        for tree in section.values():
            text = await desk.read(tree["file"]) if tree.get("file") else None
            if text is not None:
                tree["content"] = text
                del tree["file"]
    for tree in project.services.values():
        kept: list[Tree] = []
        for mount in listed(tree, "volumes"):
            there = mount["type"] == "bind" and await desk.pack(mount["source"])
            if there:
                copied = {"source": mount["source"], "target": mount["target"]}
                tree.setdefault("x-copied", []).append(copied)
            else:
                kept.append(mount)
        if "volumes" in tree:
            tree["volumes"] = kept


async def main(desk: Desk, words: list[str]) -> int:
    """The status that the program ends with; mistakes are told in one line."""
    from simulator.isolation.control.docker.compose.commands import COMMANDS

    try:
        given = parse("compose", GLOBAL, words, stop_early=True)
        sitting = Sitting(desk, given)
        if given.on("version"):
            return await COMMANDS["version"].run(sitting, Parsed({}, []))
        if not given.words or given.on("help"):
            names = "".join(f"  {name}\n" for name in sorted(COMMANDS))
            await sitting.out(f"{USAGE}\nCommands:\n{names}")
            return 0
        name, *rest = given.words
        table = COMMANDS.get(name)
        if name in _ELSEWHERE:
            await sitting.err(f"docker compose {name}: not simulated\n")
            return 1
        if table is None:
            await sitting.err(f'unknown docker command: "compose {name}"\n\n{USAGE}')
            return 16
        ends = rest.index("--") if "--" in rest else len(rest)
        if not table.stop_early and {"--help", "-h"} & set(rest[:ends]):
            await sitting.out(_usage(name, table))
            return 0
        return await table.run(
            sitting, parse(f"compose {name}", table.flags, rest, stop_early=table.stop_early)
        )
    except ComposeError as error:
        await desk.write(2, f"{error}\n".encode())
        return error.status
    except ClientError as error:
        await desk.write(2, f"{error}\n".encode())
        return 16 if error.status == 125 else error.status


def _usage(name: str, table: Table) -> str:
    """What a command takes."""
    lines = [f"Usage:  docker compose {name} [OPTIONS]", "", "Options:"]
    for flag, one in sorted(table.flags.items()):
        short = f"-{one.short}, " if one.short else "    "
        kind = {"bool": "", "text": " string", "list": " stringArray", "number": " int"}[one.kind]
        lines.append(f"  {short}--{flag}{kind}")
    return "".join(f"{line}\n" for line in lines)


def version() -> str:
    """What ``compose version`` says."""
    return f"Docker Compose version v{VERSION}\n"

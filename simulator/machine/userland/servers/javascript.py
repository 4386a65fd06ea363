"""node, nodemon, npm, yarn, npx: scripts of package.json are run, JavaScript is only read."""

import json
import posixpath
import re
from collections.abc import Sequence

from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.servers import packages
from simulator.machine.userland.servers.standing import Page, Told, stand_in

NODE = "22.12.0"
_YARN = "1.22.22"
_LISTEN = re.compile(r"\.listen\(\s*(?:(\d+)|([A-Za-z_$][\w$.]*))")
_STATIC = re.compile(r"express\.static\(\s*(?:__dirname\s*\+|path\.join\(__dirname\s*,)?\s*"
                     r"['\"`]([^'\"`]+)")  # fmt: skip
_ROUTE = re.compile(r"\.get\(\s*['\"`]([^'\"`]+)['\"`]\s*,[^;]{0,300}?res\.(?:send|end)\(\s*"
                    r"(['\"`])(.*?)\2")  # fmt: skip
_END = re.compile(r"res\.(?:send|end)\(\s*(['\"`])(.*?)\1")
_SAYS = re.compile(r"console\.log\(\s*(['\"`])(.*?)\1")


@enter("node", collection=IMAGES)
async def node(sys: Process, argv: Sequence[str]) -> int:
    """``node --version``; ``node FILE``: a stand-in for what listens, else a refusal."""
    words = list(argv[1:])
    if words in (["--version"], ["-v"]):
        await sys.out(f"v{sys.env.get('NODE_VERSION', NODE)}\n")
        return 0
    files = [word for word in words if not word.startswith("-")]
    if not files or words[0] in ("-e", "-p", "--eval", "--print"):
        what = words[0] if words else "the interactive prompt"
        await sys.err(
            f"node: {what}: not simulated: this node runs no programs, it knows only --version and"
            " files of servers\n"
        )
        return 1
    return await _file(sys, files[0])


async def _file(sys: Process, name: str) -> int:
    path = name
    for ending in ("", ".js", "/index.js"):
        if await sys.succeeds("stat", name + ending) and (ending or name.endswith("js")):
            path = name + ending
            break
    try:
        await sys.text(path)
    except SysError:
        where = posixpath.normpath(posixpath.join(await sys.data("getcwd", 4096), name))
        version = sys.env.get("NODE_VERSION", NODE)
        await sys.err(f"Error: Cannot find module '{where}'\n\nNode.js v{version}\n")
        return 1

    async def read(own: Process) -> Told | None:
        return listening(await own.text_or_empty(path), path, own.env)

    return await stand_in(sys, name, read)


def listening(text: str, path: str, env: dict[str, str]) -> Told | None:
    """What a program's text says of its server, or None when it has none."""
    found = _LISTEN.search(text)
    if found is None:
        return None
    port = int(found[1]) if found[1] else _number(text, found[2], env)
    if not 0 < port < 65536:
        return None
    said = _SAYS.search(text, found.start(), found.start() + 400)
    static = _STATIC.search(text)
    pages = {one[1]: Page(_plain(one[3])) for one in _ROUTE.finditer(text)}
    if not pages and static is None and (end := _END.search(text)) is not None:
        pages[""] = Page(_plain(end[2]), "text/plain")
    root = posixpath.join(posixpath.dirname(path), static[1].lstrip("/")) if static else ""
    return Told(
        port,
        says=(re.sub(r"\$\{\w+\}", str(port), _plain(said[2])),) if said else (),
        root=root,
        pages=pages,
    )


def _number(text: str, name: str, env: dict[str, str]) -> int:
    """The port that a name stands for; 0 when it is not to be seen."""
    variable = name.rpartition(".")[2]
    line = re.search(rf"\b{re.escape(variable)}\s*=\s*([^;\n]*)", text)
    told = line[1] if line else name
    for one in re.findall(r"process\.env\.(\w+)", told):
        if env.get(one, "").isdigit():
            return int(env[one])
    digits = re.search(r"\b(\d{2,5})\b", told)
    return int(digits[1]) if digits else 0


def _plain(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\'", "'").replace('\\"', '"')


@enter("nodemon", collection=IMAGES)
async def nodemon(sys: Process, argv: Sequence[str]) -> int:
    """``nodemon FILE``: a stand-in, which reads the file again at each request."""
    files = [word for word in argv[1:] if not word.startswith("-")]
    name = files[0] if files else "index.js"
    await sys.out(
        "[nodemon] 2.0.20\n[nodemon] to restart at any time, enter `rs`\n"
        "[nodemon] watching path(s): *.*\n[nodemon] watching extensions: js,mjs,json\n"
        f"[nodemon] starting `node {name}`\n"
    )
    return await _file(sys, name)


@enter("npx", collection=IMAGES)
async def npx(sys: Process, argv: Sequence[str]) -> int:
    """``npx PROGRAM ...``: one of node_modules/.bin."""
    if len(argv) < 2:
        await sys.err("npm error npx: a command is needed\n")
        return 1
    return await _shell(sys, " ".join(argv[1:]))


@enter("yarn", "yarnpkg", collection=IMAGES)
async def yarn(sys: Process, argv: Sequence[str]) -> int:
    """``yarn install|add|run|start``, ``--version``."""
    words = [word for word in argv[1:] if not word.startswith("-")]
    if "--version" in argv or "-v" in argv:
        await sys.out(f"{_YARN}\n")
        return 0
    command, *rest = words or ["install"]
    if command in ("install", "add"):
        await sys.out(f"yarn {command} v{_YARN}\n")
        made = await packages.modules(sys, rest, every=not _lean(argv))
        if made is None:
            await sys.err("error Could not parse package.json\n")
            return 1
        await packages.note(sys, "yarn.lock", "# simulated\n")
        await sys.out("[1/4] Resolving packages...\n[2/4] Fetching packages...\n"
                      "[3/4] Linking dependencies...\n[4/4] Building fresh packages...\n"
                      f"success Saved lockfile. {made} packages (simulated)\n")  # fmt: skip
        return 0
    name = rest[0] if command == "run" and rest else command
    command = await script(sys, name)
    if not command:
        await sys.err(f'yarn run v{_YARN}\nerror Command "{name}" not found.\n')
        return 1
    await sys.out(f"yarn run v{_YARN}\n$ {command}\n")
    return await _shell(sys, command)


def _lean(argv: Sequence[str]) -> bool:
    return any(word in argv for word in ("--production", "--prod", "--omit=dev", "--only=prod"))


async def script(sys: Process, name: str) -> str:
    """A script of package.json; empty when there is none of that name."""
    try:
        told = json.loads(await sys.text_or_empty("package.json") or "{}")
        found = told.get("scripts", {}).get(name, "")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return found if isinstance(found, str) else ""


async def _shell(sys: Process, command: str) -> int:
    where = await sys.data("getcwd", 4096)
    path = f"{where}/node_modules/.bin:{sys.env.get('PATH', '')}"
    await sys.execve("/bin/sh", ["sh", "-c", command], {**sys.env, "PATH": path})
    return 127


@enter("npm", collection=IMAGES)
async def npm(sys: Process, argv: Sequence[str]) -> int:
    """``npm install|ci|run|start|test``, ``--version``."""
    if "--version" in argv or "-v" in argv:
        await sys.out("10.9.0\n")
        return 0
    command, *names = [word for word in argv[1:] if not word.startswith("-")] or [""]
    if command in ("run", "run-script", "start", "test"):
        name = names[0] if command.startswith("run") and names else command
        text = await script(sys, name)
        if not text:
            await sys.err(f'npm error Missing script: "{name}"\n')
            return 1
        await sys.out(f"\n> {name}\n> {text}\n\n")
        return await _shell(sys, text)
    if command not in ("install", "i", "ci", "add"):
        await sys.err(f"npm: {command}: not simulated: this npm installs and runs scripts\n")
        return 1
    made = await packages.modules(sys, names, every=not _lean(argv))
    if made is None:
        await sys.err("npm error code EJSONPARSE\nnpm error path package.json\n")
        return 1
    await sys.out(f"\nadded {made} packages (simulated) in 1s\n")
    return 0

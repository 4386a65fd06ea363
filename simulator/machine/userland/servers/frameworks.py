"""flask, gunicorn, uvicorn: stand-ins for web applications in Python, whose text is parsed only.

Routes are read from the syntax tree: a view that returns a constant, a mapping of constants, or a
text with one number that redis counts is answered; nothing of it is ever evaluated.
"""

import ast
import json
import posixpath
import re
from collections.abc import Iterator, Sequence

from simulator.machine.userland import resolver
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.servers.standing import Page, Told, stand_in

_WARNING = ("WARNING: This is a development server. Do not use it in a production deployment."
            " Use a production WSGI server instead.")  # fmt: skip
_LARGEST = 200_000


def parsed(text: str) -> ast.Module | None:
    """A program's syntax tree, or None for what is none (or is no program of a class)."""
    try:
        return ast.parse(text[:_LARGEST])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def pages(tree: ast.Module) -> dict[str, Page]:
    """What the views of a program answer, by path."""
    found: dict[str, Page] = {}
    host, key = _counter(tree)
    for view in _functions(tree):
        paths = [path for one in view.decorator_list if (path := _path(one))]
        returns = [one.value for one in ast.walk(view) if isinstance(one, ast.Return)]
        page = _page(returns[-1], host, key) if paths and returns and returns[-1] else None
        if page is not None:
            found |= dict.fromkeys(paths, page)
    return found


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for one in tree.body:
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield one


def _path(decorator: ast.expr) -> str:
    """``@app.route("/")``, ``@app.get("/")``: the path."""
    if (
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr in ("route", "get")
        and decorator.args
        and isinstance(decorator.args[0], ast.Constant)
    ):
        return str(decorator.args[0].value)
    return ""


def _counter(tree: ast.Module) -> tuple[str, str]:
    """The host of ``Redis(host=...)`` and the key of ``incr(...)``, where there are such."""
    host, key = "", ""
    for one in ast.walk(tree):
        if not isinstance(one, ast.Call):
            continue
        name = getattr(one.func, "attr", getattr(one.func, "id", ""))
        constants = [arg.value for arg in one.args if isinstance(arg, ast.Constant)]
        if name in ("Redis", "StrictRedis"):
            named = [word.value.value for word in one.keywords
                     if word.arg == "host" and isinstance(word.value, ast.Constant)]  # fmt: skip
            host = str(([*named, *constants] or ["localhost"])[0])
        if name == "incr" and constants:
            key = str(constants[0])
    return host, key


def _page(value: ast.expr, host: str, key: str) -> Page | None:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return Page(value.value)
    if isinstance(value, ast.Dict):
        try:
            told = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return None
        return Page(json.dumps(told, default=str) + "\n", "application/json")
    text = _counting(value)
    return Page(text, counter=key, store=host) if text is not None and host and key else None


def _counting(value: ast.expr) -> str | None:
    """A text with one number in it: an f-string, or ``"...{}...".format(count)``."""
    if isinstance(value, ast.JoinedStr):
        parts = [str(p.value) if isinstance(p, ast.Constant) else "{}" for p in value.values]
        return "".join(parts)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        inner = value.func.value
        if value.func.attr == "format" and isinstance(inner, ast.Constant):
            return re.sub(r"\{\w*\}", "{}", str(inner.value))
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mod):
        inner = value.left
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            return re.sub(r"%[sd]", "{}", inner.value)
    return None


def _keywords(tree: ast.Module, method: str) -> dict[str, object] | None:
    """The constant keywords of a call of ``app.METHOD(...)``, or None when there is none."""
    for one in ast.walk(tree):
        if (
            isinstance(one, ast.Call)
            and isinstance(one.func, ast.Attribute)
            and one.func.attr == method
            and isinstance(one.func.value, ast.Name)
        ):
            return {word.arg or "": word.value.value for word in one.keywords
                    if isinstance(word.value, ast.Constant)}  # fmt: skip
    return None


def listening(text: str) -> Told | None:
    """What ``python FILE`` would listen on: ``app.run(host=..., port=...)`` of Flask."""
    tree = parsed(text)
    given = _keywords(tree, "run") if tree is not None else None
    if tree is None or given is None or not pages(tree):
        return None
    port = given.get("port", 5000)
    host = str(given.get("host", "127.0.0.1"))
    return Told(port if isinstance(port, int) else 5000, host, pages=pages(tree))


def _after(words: Sequence[str], *names: str) -> str:
    """The value of an option, ``--name=value`` or ``--name value``."""
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else words[at + 1] if at + 1 < len(words) else ""
    return ""


async def _serve(
    sys: Process, path: str, port: int, address: str, says: tuple[str, ...], missing: str
) -> int:
    try:
        await sys.text(path)
    except SysError:
        await sys.err(missing)
        return 1

    async def read(own: Process) -> Told | None:
        tree = parsed(await own.text_or_empty(path))
        return Told(port, address, says, pages=pages(tree) if tree is not None else {})

    return await stand_in(sys, posixpath.basename(path), read, log=True)


@enter("flask", collection=IMAGES)
async def flask(sys: Process, argv: Sequence[str]) -> int:
    """``flask [--app FILE] run [--host ADDRESS] [--port N] [--debug]``, ``--version``."""
    words = list(argv[1:])
    if "--version" in words:
        await sys.out(f"Python {sys.env.get('PYTHON_VERSION', '3.12.8')}\nFlask 3.1.0\n")
        return 0
    if "run" not in words:
        await sys.err("Usage: flask [OPTIONS] COMMAND [ARGS]...\n")
        return 2
    module = _after(words, "--app", "-A") or sys.env.get("FLASK_APP", "") or "app.py"
    path = module.partition(":")[0]
    path = path if path.endswith(".py") else f"{path}.py"
    address = _after(words, "--host", "-h") or sys.env.get("FLASK_RUN_HOST") or "127.0.0.1"
    number = _after(words, "--port", "-p") or sys.env.get("FLASK_RUN_PORT") or "5000"
    if not number.isdigit() or not 0 < int(number) < 65536:
        await sys.err(f"Error: Invalid value for '--port' / '-p': {number!r} is not valid.\n")
        return 2
    debug = "--debug" in words or sys.env.get("FLASK_DEBUG") in ("1", "true")
    says = [f" * Serving Flask app '{module}'", f" * Debug mode: {'on' if debug else 'off'}",
            _WARNING]  # fmt: skip
    if address == "0.0.0.0":
        own = await resolver.from_hosts(sys, (await sys.data("uname"))["nodename"])
        says.append(" * Running on all addresses (0.0.0.0)")
        says += [f" * Running on http://{one}:{number}" for one in ("127.0.0.1", *own)]
    else:
        says.append(f" * Running on http://{address}:{number}")
    says.append("Press CTRL+C to quit")
    missing = f"Usage: flask run [OPTIONS]\n\nError: Could not import '{path[:-3]}'.\n"
    return await _serve(sys, path, int(number), address, tuple(says), missing)


@enter("gunicorn", "uvicorn", "fastapi", collection=IMAGES)
async def worker(sys: Process, argv: Sequence[str]) -> int:
    """``gunicorn [-b ADDRESS:PORT] MODULE:APP``, ``uvicorn MODULE:APP [--host A] [--port N]``."""
    words = list(argv[1:])
    modules = [word for word in words if ":" in word and not word.startswith("-")
               and not word.rpartition(":")[2].isdigit()]  # fmt: skip
    modules += [word for word in words if word.endswith(".py")]
    if not modules:
        await sys.err(f"{sys.name}: Error: No application module specified.\n")
        return 1
    bound = _after(words, "-b", "--bind") or "127.0.0.1:8000"
    address = _after(words, "--host") or bound.rpartition(":")[0] or "0.0.0.0"
    number = _after(words, "--port") or bound.rpartition(":")[2]
    if sys.name == "fastapi" and "run" in words and not _after(words, "--host"):
        address = "0.0.0.0"
    if not number.isdigit() or not 0 < int(number) < 65536:
        await sys.err(f"{sys.name}: Error: {number!r} is not a valid port number.\n")
        return 1
    name = modules[0].partition(":")[0].removesuffix(".py")
    missing = f"ModuleNotFoundError: No module named '{name}'\n"
    path = name.replace(".", "/") + ".py"
    says = (f"Listening at: http://{address}:{number}",)
    return await _serve(sys, path, int(number), address, says, missing)

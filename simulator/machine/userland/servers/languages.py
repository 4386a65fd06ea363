"""python and its helpers: versions, http.server, stand-ins. No program is ever evaluated.

Evaluating a student's text with the interpreter that runs the model would leave the glass case.
"""

from collections.abc import Sequence

from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.servers import frameworks, packages, serving, web
from simulator.machine.userland.servers.standing import Told, stand_in

PYTHON = "3.12.8"


@enter("python", "python3", collection=IMAGES)
async def python(sys: Process, argv: Sequence[str]) -> int:
    """``python --version``, ``python -m http.server [PORT] [-d DIRECTORY] [-b ADDRESS]``."""
    words = list(argv[1:])
    if words in (["--version"], ["-V"]):
        await sys.out(f"Python {await _version(sys, 'PYTHON_VERSION', PYTHON)}\n")
        return 0
    if words[:2] == ["-m", "http.server"]:
        return await _http_server(sys, words[2:])
    files = [word for word in words if word.endswith(".py")]
    if files and words[0] in (files[0], "-u"):
        return await _file(sys, files[0])
    if words[:1] == ["-m"] and words[1:2] in (["flask"], ["gunicorn"], ["uvicorn"]):
        sys.name = words[1]
        own = frameworks.flask if words[1] == "flask" else frameworks.worker
        return await own(sys, words[1:])
    if words[:2] == ["-m", "pip"]:
        return await packages.pip(sys, words[1:])
    what = "-c" if words[:1] == ["-c"] else words[0] if words else "the interactive prompt"
    known = "--version, -m http.server and files of servers"
    await sys.err(
        f"{sys.name}: {what}: not simulated: this {sys.name} runs no programs, it knows only"
        f" {known}\n"
    )
    return 1


async def _file(sys: Process, path: str) -> int:
    """A stand-in for what serves; else a refusal."""
    try:
        await sys.text(path)
    except SysError as error:
        number, where = int(error.errno), await sys.data("getcwd", 4096)
        place = path if path.startswith("/") else f"{where.rstrip('/')}/{path}"
        await sys.err(f"{sys.name}: can't open file '{place}': [Errno {number}] {error.message}\n")
        return 2

    async def read(own: Process) -> Told | None:
        return frameworks.listening(await own.text_or_empty(path))

    return await stand_in(sys, path, read, log=True)


async def _version(sys: Process, name: str, default: str) -> str:
    return sys.env.get(name) or default


async def _http_server(sys: Process, words: list[str]) -> int:
    port, root = 8000, "."
    while words:
        word = words.pop(0)
        if word.isdigit():
            port = int(word)
        elif word in ("-d", "--directory") and words:
            root = words.pop(0)
        elif word in ("-b", "--bind") and words:
            words.pop(0)
    await serving.note_signals(sys)
    try:
        fd = await serving.listen(sys, port)
    except SysError as error:
        await sys.err(f"OSError: [Errno {int(error.errno)}] {error.message}\n")
        return 1
    await sys.out(f"Serving HTTP on 0.0.0.0 port {port} (http://0.0.0.0:{port}/) ...\n")
    server = f"SimpleHTTP/0.6 Python/{await _version(sys, 'PYTHON_VERSION', PYTHON)}"
    await web.serve_files(sys, fd, root, server=server, listing=True, loud=True)
    return 0

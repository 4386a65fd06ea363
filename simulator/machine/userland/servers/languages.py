"""python, node and their helpers: versions and http.server. No program in them is ever evaluated.

Evaluating a student's text with the interpreter that runs the model would leave the glass case.
"""

from collections.abc import Sequence

from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import IMAGES, enter
from simulator.machine.userland.servers import serving, web

PYTHON = "3.12.8"
NODE = "v22.12.0"


@enter("python", "python3", collection=IMAGES)
async def python(sys: Process, argv: Sequence[str]) -> int:
    """``python --version``, ``python -m http.server [PORT] [-d DIRECTORY] [-b ADDRESS]``."""
    words = list(argv[1:])
    if words in (["--version"], ["-V"]):
        await sys.out(f"Python {await _version(sys, 'PYTHON_VERSION', PYTHON)}\n")
        return 0
    if words[:2] == ["-m", "http.server"]:
        return await _http_server(sys, words[2:])
    what = "-c" if words[:1] == ["-c"] else words[0] if words else "the interactive prompt"
    return await _refuse(sys, what, "--version and -m http.server")


async def _version(sys: Process, name: str, default: str) -> str:
    return sys.env.get(name) or default


async def _refuse(sys: Process, what: str, known: str) -> int:
    await sys.err(
        f"{sys.name}: {what}: not simulated: this {sys.name} runs no programs, it knows only"
        f" {known}\n"
    )
    return 1


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


@enter("node", collection=IMAGES)
async def node(sys: Process, argv: Sequence[str]) -> int:
    """``node --version``."""
    if list(argv[1:]) in (["--version"], ["-v"]):
        await sys.out(f"v{await _version(sys, 'NODE_VERSION', NODE[1:])}\n")
        return 0
    return await _refuse(sys, argv[1] if len(argv) > 1 else "the interactive prompt", "--version")

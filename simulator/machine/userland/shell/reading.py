"""The builtin ``read``: one line from standard input into variables."""

from simulator.machine.userland.process import SysError
from simulator.machine.userland.shell.state import DEFAULT_IFS, Shell


async def read(shell: Shell, argv: list[str]) -> int:
    """Read a line, byte by byte as a shell must; 1 at the end of input."""
    words = argv[1:]
    raw = False
    while words and words[0].startswith("-"):
        option = words.pop(0)
        raw = raw or "r" in option
        if option in ("-p", "-t", "-n", "-u", "-d") and words:
            words.pop(0)
    line, complete = await _line(shell, raw=raw)
    names = words or ["REPLY"]
    for name, value in zip(names, _shares(line, len(names), shell), strict=True):
        shell.put(name, value)
    return 0 if complete else 1


async def _line(shell: Shell, *, raw: bool) -> tuple[str, bool]:
    content = b""
    escaped = False
    while True:
        try:
            byte = await shell.sys.read(0, 1)
        except SysError:
            return content.decode("utf-8", "surrogateescape"), False
        if not byte or (byte == b"\n" and not escaped):
            return content.decode("utf-8", "surrogateescape"), bool(byte)
        if byte == b"\\" and not raw and not escaped:
            escaped = True
            continue
        if not (escaped and byte == b"\n"):
            content += byte
        escaped = False


def _shares(line: str, count: int, shell: Shell) -> list[str]:
    """The line cut into ``count`` values: the last takes what is left."""
    ifs = shell.variables.get("IFS", DEFAULT_IFS)
    blanks = "".join(char for char in ifs if char.isspace())
    rest = line.strip(blanks) if blanks else line
    found: list[str] = []
    while len(found) < count - 1:
        end = next((at for at, char in enumerate(rest) if char in ifs), len(rest))
        found.append(rest[:end])
        rest = rest[end:]
        before = len(rest)
        rest = rest.lstrip(blanks)
        if rest and rest[0] in ifs and rest[0] not in blanks:
            rest = rest[1:].lstrip(blanks)
        if before == 0:
            break
    found.append(rest)
    return found + [""] * (count - len(found))

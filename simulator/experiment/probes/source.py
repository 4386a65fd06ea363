"""Reading a text file that a person named: one clear line for whatever is wrong with it."""

from importlib.resources.abc import Traversable
from pathlib import Path

from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _

MAX_FILE = 1 << 20
"""The largest scenario, world or program file, in bytes."""


class UnreadableError(VitrinaError):
    """A file that is missing, a directory, unreadable, too large or not UTF-8 text."""


def read_text(path: Path | Traversable, limit: int = MAX_FILE) -> str:
    """The UTF-8 text of ``path``. Raise ``UnreadableError`` with one line that names the file."""
    try:
        if _waits(path):
            raise UnreadableError(
                _("{path}: a pipe, which waits for a writer; name a file").format(path=path)
            )
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except FileNotFoundError:
        raise UnreadableError(_("{path}: no such file").format(path=path)) from None
    except IsADirectoryError:
        raise UnreadableError(
            _("{path}: a directory; name a file in it").format(path=path)
        ) from None
    except PermissionError:
        if path.is_dir():  # how Windows says that it is a directory
            message = _("{path}: a directory; name a file in it")
        else:
            message = _("{path}: you may not read this file")
        raise UnreadableError(message.format(path=path)) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UnreadableError(
            _("{path}: can't be read: {reason}").format(path=path, reason=reason)
        ) from None
    return decoded(content, str(path), limit)


_INHERITED = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
"""Where a pipe has its writer already, such as the shell's ``<(command)``."""


def _waits(path: Path | Traversable) -> bool:
    return isinstance(path, Path) and not str(path).startswith(_INHERITED) and path.is_fifo()


def decoded(content: bytes, name: str, limit: int = MAX_FILE) -> str:
    """Text that was read up to one byte more than ``limit``. Raise ``UnreadableError``."""
    if len(content) > limit:
        raise UnreadableError(_("{path}: larger than {limit} bytes").format(path=name, limit=limit))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableError(
            _("{path}: not UTF-8 text (line {line}); save it as UTF-8").format(path=name, line=line)
        ) from None

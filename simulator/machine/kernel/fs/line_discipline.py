"""N_TTY: what a terminal does between the keys and the program: echo, editing, ^C. termios(3).

A terminal begins in the mode of ``tty_std_termios``: canonical, with echo and signals; a carriage
return typed becomes a newline, a newline printed becomes both. Source: n_tty.c, tty_io.c.
"""

from typing import NamedTuple

from simulator.machine.abi.constants import SIGINT, SIGQUIT, SIGTSTP

INTR, QUIT, ERASE, KILL, EOF, SUSP, WERASE, BACKSPACE = 3, 28, 127, 21, 4, 26, 23, 8
_SIGNALS = {INTR: SIGINT, QUIT: SIGQUIT, SUSP: SIGTSTP}
_BLANKS = b" \t"


class Mode(NamedTuple):
    """The bits of termios that the model tells apart."""

    canonical: bool = True
    echo: bool = True
    signals: bool = True
    cr_to_nl: bool = True
    nl_to_crnl: bool = True


STANDARD = Mode()


class Typed(NamedTuple):
    """What came of some keys.

    ``editing`` is the line so far, ``lines`` those that are complete (an empty one is the end of
    input), ``raw`` what goes straight through, ``echo`` what the screen shows, ``signals`` for the
    foreground process group.
    """

    editing: bytes
    lines: tuple[bytes, ...]
    raw: bytes
    echo: bytes
    signals: tuple[int, ...]


def typed(mode: Mode, editing: bytes, keys: bytes) -> Typed:
    """What ``keys`` do to the line that is being edited."""
    lines: list[bytes] = []
    raw, echo = bytearray(), bytearray()
    signals: list[int] = []
    for key in keys:
        if mode.cr_to_nl and key == 13:
            key = 10
        if mode.signals and key in _SIGNALS:
            signals.append(_SIGNALS[key])
            editing = b""
            if mode.echo:
                echo += _shown(mode, key)
        elif not mode.canonical:
            raw.append(key)
            if mode.echo:
                echo += _shown(mode, key)
        elif key in (ERASE, BACKSPACE, KILL, WERASE):
            left = _erased(editing, key)
            if mode.echo:
                echo += b"\b \b" * (_width(editing) - _width(left))
            editing = left
        elif key == EOF:
            lines.append(editing)
            editing = b""
        else:
            editing += bytes((key,))
            if mode.echo:
                echo += _shown(mode, key)
            if key == 10:
                lines.append(editing)
                editing = b""
    return Typed(editing, tuple(lines), bytes(raw), bytes(echo), tuple(signals))


def printed(mode: Mode, data: bytes) -> bytes:
    """What the screen gets of what a program writes."""
    return data.replace(b"\n", b"\r\n") if mode.nl_to_crnl else data


def _shown(mode: Mode, key: int) -> bytes:
    """ECHOCTL: control characters as ``^X``, but for tab and newline."""
    if key == 10:
        return printed(mode, b"\n")
    if key < 32 and key != 9:
        return bytes((ord("^"), key + 64))
    return b"^?" if key == 127 else bytes((key,))


def _erased(editing: bytes, key: int) -> bytes:
    if key == KILL:
        return b""
    if key == WERASE:
        left = editing.rstrip(_BLANKS)
        at = max(left.rfind(bytes((blank,))) for blank in _BLANKS)
        return left[: at + 1]
    while editing:
        last, editing = editing[-1], editing[:-1]
        if last & 0xC0 != 0x80:  # IUTF8: a character goes whole
            break
    return editing


def _width(editing: bytes) -> int:
    """Columns that the line takes on the screen."""
    text = editing.decode("utf-8", "replace")
    return sum(2 if ord(one) < 32 else 1 for one in text)

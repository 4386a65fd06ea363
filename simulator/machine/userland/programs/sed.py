"""sed(1): s, p, d, q, a, i, c and y with addresses and ranges; -n, -e, -E and -i."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from simulator.machine.abi.constants import O_CREAT, O_TRUNC, O_WRONLY
from simulator.machine.userland.options import UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.programs.content import contents
from simulator.machine.userland.programs.text import basic_pattern, posix_classes, regex
from simulator.machine.userland.registry import enter

_ADDRESS = re.compile(r"\s*(?:(\d+)|(\$)|/((?:[^/\\]|\\.)*)/)")
_FLAGS = re.compile(r"[gpiI\d]*")


@dataclass
class _Address:
    """A line's number (0: the last), or what it must match."""

    number: int | None = None
    pattern: re.Pattern[str] | None = None

    def chooses(self, line: str, number: int, last: bool) -> bool:
        """Whether it names this line."""
        if self.pattern is not None:
            return self.pattern.search(line) is not None
        return last if self.number == 0 else self.number == number


@dataclass
class _Command:
    """One command; ``inside`` while a range that it has goes on."""

    verb: str
    addresses: list[_Address]
    negated: bool
    pattern: re.Pattern[str] | None = None
    text: str = ""
    flags: str = ""
    inside: bool = False
    past: int = 0
    """Where the commands behind a block begin, for ``{``."""

    def chooses(self, line: str, number: int, last: bool) -> bool:
        """Whether the command is for this line."""
        return self._chosen(line, number, last) != self.negated

    def _chosen(self, line: str, number: int, last: bool) -> bool:
        if len(self.addresses) < 2:
            return all(one.chooses(line, number, last) for one in self.addresses)
        first, second = self.addresses
        if self.inside:
            past = second.number is not None and second.number and number >= second.number
            self.inside = not (past or second.chooses(line, number, last))
            return True
        chosen = first.chooses(line, number, last)
        before = second.number is None or not second.number or second.number > number
        self.inside = chosen and before
        return chosen


@dataclass
class _Edited:
    """What becomes of the lines: the text that is printed, and whether to go on."""

    out: list[str] = field(default_factory=list[str])
    ended: bool = False


@enter("sed")
async def sed(sys: Process, argv: Sequence[str]) -> int:
    """The status is 1 when a file could not be read or written."""
    words = [re.sub(r"^-i.+", "-i", word) for word in argv]
    options = parse(words, "ne:rEi", {"in-place": "i", "quiet": "n", "expression": "e"})
    rest = list(options.rest)
    if not options.values.get("e") and not rest:
        raise UsageError("missing operand")
    script = "\n".join(options.values.get("e") or [rest.pop(0)])
    extended = options.has("r") or options.has("E")
    if not options.has("i"):
        lines: list[str] = []
        status = 0
        async for _, content in contents(sys, rest):
            status |= content is None
            lines += (content or b"").decode("utf-8", "surrogateescape").splitlines()
        await sys.out("".join(_edit(lines, _parsed(script, extended), options.has("n"))))
        return status
    status = 0
    for path in rest:
        status |= await _in_place(sys, path, _parsed(script, extended), quiet=options.has("n"))
    return status


async def _in_place(sys: Process, path: str, commands: list[_Command], *, quiet: bool) -> int:
    """The file is what would have been printed."""
    try:
        text = await sys.text(path)
        out = "".join(_edit(text.splitlines(), commands, quiet))
        fd = await sys.open(path, O_WRONLY | O_CREAT | O_TRUNC)
        await sys.write(fd, out.encode("utf-8", "surrogateescape"))
        await sys.close(fd)
    except SysError as error:
        return await sys.fault(path, error)
    return 0


def _parsed(script: str, extended: bool) -> list[_Command]:
    """The commands of a script. Raises ``UsageError``."""
    found: list[_Command] = []
    blocks: list[int] = []
    rest = script
    while rest := rest.lstrip(" \t\n;"):
        if rest.startswith("#"):
            rest = rest.partition("\n")[2]
            continue
        if rest.startswith("}"):
            if not blocks:
                raise UsageError("unexpected '}'")
            found[blocks.pop()].past = len(found)
            rest = rest[1:]
            continue
        addresses: list[_Address] = []
        if re.match(r"\s*/(?:[^/\\]|\\.)*$", rest):
            raise UsageError("unmatched '/'")
        while (match := _ADDRESS.match(rest)) is not None and len(addresses) < 2:
            addresses.append(_address(match, extended))
            rest = rest[match.end() :].lstrip()
            if not rest.startswith(","):
                break
            rest = rest[1:]
        negated = rest.startswith("!")
        rest = rest.lstrip("! ")
        if rest.startswith("{"):
            blocks.append(len(found))
            found.append(_Command("{", addresses, negated))
            rest = rest[1:]
            continue
        command, rest = _command(rest, extended)
        command.addresses, command.negated = addresses, negated
        found.append(command)
    if blocks:
        raise UsageError("unterminated {")
    return found


def _address(match: re.Match[str], extended: bool) -> _Address:
    if match[1]:
        return _Address(number=int(match[1]))
    return _Address(number=0) if match[2] else _Address(pattern=_pattern(match[3], extended))


def _pattern(text: str, extended: bool, flags: str = "") -> re.Pattern[str]:
    spelled = posix_classes(text if extended else basic_pattern(text))
    return regex(spelled, re.IGNORECASE if "i" in flags.lower() else 0)


def _command(rest: str, extended: bool) -> tuple[_Command, str]:
    """The command that ``rest`` begins with, without its addresses, and what follows it."""
    verb = rest[:1]
    if not verb:
        raise UsageError("missing command")
    if verb in "pdq":
        if rest[1:].lstrip(" \t")[:1] not in ("", ";", "\n", "}", "#"):
            raise UsageError(f"unsupported command {rest.split()[0]}")
        return _Command(verb, [], False), rest[1:]
    if verb in "aic":
        line, _, after = rest[1:].partition("\n")
        text = line.strip()
        if text == "\\":
            text, _, after = after.partition("\n")
        return _Command(verb, [], False, text=text.removeprefix("\\")), after
    if verb not in "sy":
        raise UsageError(f"unsupported command {verb}")
    delimiter = rest[1:2]
    pieces = re.split(rf"(?<!\\){re.escape(delimiter)}", rest[2:], maxsplit=2) if delimiter else []
    if len(pieces) < 3:
        raise UsageError(f"unmatched '{delimiter}'")
    first, second, after = pieces
    if verb == "y":
        if len(first) != len(second):
            raise UsageError("strings for y command are different lengths")
        return _Command(verb, [], False, text=first + second), after
    match = _FLAGS.match(after)
    assert match is not None, "no flag is one too"
    if after[match.end() :].lstrip(" \t")[:1] not in ("", ";", "\n", "}", "#"):
        raise UsageError("bad option in substitution expression")
    text = re.sub(r"(?<!\\)&", r"\\g<0>", second).replace(f"\\{delimiter}", delimiter)
    text = text.replace("\\&", "&").replace("\\n", "\n")
    command = _Command(
        verb, [], False, _pattern(first, extended, match[0]), text=text, flags=match[0]
    )
    return command, after[match.end() :]


def _edit(lines: list[str], commands: list[_Command], quiet: bool) -> list[str]:
    """Every line through every command: what is printed."""
    edited = _Edited()
    for number, line in enumerate(lines, 1):
        _through(edited, line, number, number == len(lines), commands, quiet=quiet)
        if edited.ended:
            break
    return edited.out


def _through(
    edited: _Edited, line: str, number: int, last: bool, commands: list[_Command], *, quiet: bool
) -> None:
    behind: list[str] = []
    kept = True
    at = 0
    while at < len(commands):
        one, at = commands[at], at + 1
        if not one.chooses(line, number, last):
            at = one.past or at
            continue
        if one.verb == "{":
            continue
        if one.verb == "s":
            line, changed = _substituted(one, line)
            edited.out += [f"{line}\n"] if changed and "p" in one.flags else []
        elif one.verb == "y":
            half = len(one.text) // 2
            line = line.translate(str.maketrans(one.text[:half], one.text[half:]))
        elif one.verb == "p":
            edited.out.append(f"{line}\n")
        elif one.verb == "i":
            edited.out.append(f"{one.text}\n")
        elif one.verb == "a":
            behind.append(f"{one.text}\n")
        elif one.verb == "q":
            edited.ended = True
            break
        else:
            if one.verb == "c" and not one.inside:
                edited.out.append(f"{one.text}\n")
            kept = False
            break
    if kept and not quiet:
        edited.out.append(f"{line}\n")
    edited.out += behind


def _substituted(one: _Command, line: str) -> tuple[str, bool]:
    assert one.pattern is not None, "s has a pattern"
    nth = re.search(r"\d+", one.flags)
    try:
        if nth is None:
            changed, count = one.pattern.subn(one.text, line, count=0 if "g" in one.flags else 1)
            return changed, bool(count)
        for number, match in enumerate(one.pattern.finditer(line), 1):
            if number == int(nth[0]):
                return line[: match.start()] + match.expand(one.text) + line[match.end() :], True
    except (re.error, IndexError):
        raise UsageError("invalid reference in the replacement of the 's' command") from None
    return line, False

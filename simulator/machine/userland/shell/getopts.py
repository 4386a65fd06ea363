"""getopts: the options of a script, one at a time (POSIX sh, getopts)."""

from simulator.machine.userland.shell.builtin import BuiltinError, RunText
from simulator.machine.userland.shell.state import Shell

_PLACE = "OPTIND"


async def getopts(shell: Shell, argv: list[str], _run_text: RunText) -> int:
    """getopts OPTSTRING NAME [WORDS]: 0 while there are options, 1 at their end."""
    if len(argv) < 3:
        raise BuiltinError("usage: getopts optstring var [arg]")
    letters, name = argv[1], argv[2]
    words = argv[3:] or shell.arguments
    index = int(shell.get(_PLACE) or 1) if shell.get(_PLACE).isdigit() else 1
    inside = shell.option_place
    word = words[index - 1] if index <= len(words) else ""
    if not inside:
        if word == "--":
            index += 1
        if not word.startswith("-") or word in ("-", "--"):
            shell.put(name, "?")
            shell.put(_PLACE, str(index))
            return 1
        inside = 1
    letter, inside = word[inside], inside + 1
    at = letters.find(letter)
    value = None
    found = letter if at >= 0 and letter != ":" else "?"
    takes = found != "?" and letters[at + 1 : at + 2] == ":"
    if takes:
        value, index = word[inside:], index + 1
        if not value and index <= len(words):
            value, index = words[index - 1], index + 1
        elif not value:
            found, value = (":" if letters.startswith(":") else "?"), None
            await _complain(shell, letters, f"No arg for -{letter} option")
        inside = 0
    elif inside >= len(word):
        index, inside = index + 1, 0
    if found == "?" and not takes:
        await _complain(shell, letters, f"Illegal option -{letter}")
    if letters.startswith(":") and found in "?:":
        value = letter
    shell.put(name, found)
    shell.put(_PLACE, str(index))
    shell.option_place = inside
    if value is not None:
        shell.put("OPTARG", value)
    else:
        shell.variables.pop("OPTARG", None)
    return 0


async def _complain(shell: Shell, letters: str, text: str) -> None:
    if not letters.startswith(":"):
        await shell.sys.err(f"{text}\n")

"""Commands that the shell carries out itself (POSIX sh 2.14, and ash's own)."""

from simulator.machine.userland import registry
from simulator.machine.userland.process import SysError
from simulator.machine.userland.shell import arithmetic
from simulator.machine.userland.shell.background import job, jobs, wait
from simulator.machine.userland.shell.builtin import Builtin, BuiltinError, RunText, number
from simulator.machine.userland.shell.execute import is_applet, path_of, run_program
from simulator.machine.userland.shell.getopts import getopts
from simulator.machine.userland.shell.reading import read
from simulator.machine.userland.shell.state import (
    BreakLoop,
    ExitShell,
    ReadOnlyError,
    ReturnFromFunction,
    Shell,
)
from simulator.machine.userland.shell.traps import trap
from simulator.machine.userland.shell.ulimit import ulimit
from simulator.machine.userland.shell.umask import umask

_SPECIAL = (
    ": . break continue eval exec exit export readonly return set shift source times trap unset "
    "local"
)
SPECIAL = frozenset(_SPECIAL.split())
"""Those whose errors end a shell that is not interactive."""
_PROGRAMS = ("echo", "printf", "test", "[", "[[", "true", "false", "kill")
_OPTIONS = {"errexit": "e", "noglob": "f", "nounset": "u", "xtrace": "x", "allexport": "a"}


def find(name: str) -> str | None:
    """``name`` when it is a builtin."""
    return name if name in _BUILTINS or name in _PROGRAMS else None


async def run(shell: Shell, argv: list[str], run_text: RunText) -> int:
    """Run the builtin ``argv[0]``; returns its status."""
    name = argv[0]
    if name in _PROGRAMS:
        main = registry.program(name, shell.sys.collection or registry.BUSYBOX)
        assert main is not None
        if name == "kill":
            argv = [job(shell, word) for word in argv]
        return await registry.run(shell.sys, main, argv)
    try:
        return await _BUILTINS[name](shell, argv, run_text)
    except (BuiltinError, SysError) as error:
        text = error.message if isinstance(error, SysError) else str(error)
        await shell.sys.err(f"{shell.name}: {name}: line 0: {text}\n")
    if name in SPECIAL:
        raise ExitShell(2, fault=True)
    return 2


async def _nothing(_shell: Shell, _argv: list[str], _run_text: RunText) -> int:
    return 0


async def _cd(shell: Shell, argv: list[str], _run_text: RunText) -> int:
    arguments = [word for word in argv[1:] if word not in ("-P", "-L", "--")]
    target = arguments[0] if arguments else shell.get("HOME")
    back = target == "-"
    if back:
        target = shell.get("OLDPWD") or shell.get("PWD")
    if not target:
        return 0
    try:
        await shell.sys.call("chdir", target)
    except SysError as error:
        raise BuiltinError(f"can't cd to {target}: {error.message}") from None
    shell.put("OLDPWD", shell.get("PWD"))
    shell.put("PWD", _joined(shell.get("PWD"), target))
    if back:
        await shell.sys.out(shell.get("PWD") + "\n")
    return 0


def _joined(base: str, target: str) -> str:
    """The logical working directory: ``..`` taken off as text, as ``cd -L`` does."""
    names: list[str] = []
    path = target if target.startswith("/") else f"{base}/{target}"
    for name in path.split("/"):
        if name == "..":
            names = names[:-1]
        elif name not in ("", "."):
            names.append(name)
    return "/" + "/".join(names)


async def _pwd(shell: Shell, argv: list[str], _run_text: RunText) -> int:
    path = shell.get("PWD")
    if "-P" in argv[1:] or not path:
        path = await shell.sys.data("getcwd", 4096)
    await shell.sys.out(f"{path}\n")
    return 0


async def _exit(shell: Shell, argv: list[str], _run_text: RunText) -> int:
    raise ExitShell(number(argv[1]) & 0xFF if len(argv) > 1 else shell.status)


async def _return(shell: Shell, argv: list[str], _run_text: RunText) -> int:
    raise ReturnFromFunction(number(argv[1]) & 0xFF if len(argv) > 1 else shell.status)


async def _break(_shell: Shell, argv: list[str], _run_text: RunText) -> int:
    raise BreakLoop(number(argv[1]) if len(argv) > 1 else 1, again=argv[0] == "continue")


async def _export(shell: Shell, argv: list[str], _run_text: RunText) -> int:
    word, into = argv[0], shell.exported if argv[0] == "export" else shell.read_only
    names = [item for item in argv[1:] if item != "-p"]
    if not names:
        for name in sorted(into):
            await shell.sys.out(f"{word} {name}='{shell.get(name)}'\n")
        return 0
    for item in names:
        if item == "-n":
            continue
        name, equals, value = item.partition("=")
        if not name.isidentifier():
            raise BuiltinError(f"{name}: bad variable name")
        if equals:
            shell.put(name, value)
        if "-n" in names:
            shell.exported.discard(name)
        else:
            into.add(name)
    return 0


async def _local(shell: Shell, argv: list[str], _run_text: RunText) -> int:
    for item in argv[1:]:
        name, equals, value = item.partition("=")
        if equals:
            shell.put(name, value)
    return 0


async def _unset(shell: Shell, argv: list[str], _run_text: RunText) -> int:
    functions = False
    for item in argv[1:]:
        if item.startswith("-"):
            if item not in ("-v", "-f"):
                raise BuiltinError(f"illegal option {item}")
            functions = item == "-f"
        elif functions:
            shell.functions.pop(item, None)
        elif item in shell.read_only:
            raise ReadOnlyError(item)
        else:
            shell.variables.pop(item, None)
            shell.exported.discard(item)
    return 0


async def _set(shell: Shell, argv: list[str], _run_text: RunText) -> int:
    words = argv[1:]
    if not words:
        for name in sorted(shell.variables):
            await shell.sys.out(f"{name}='{shell.variables[name]}'\n")
        return 0
    while words:
        word = words.pop(0)
        if word == "--":
            shell.arguments = words
            return 0
        if word[0] not in "-+" or len(word) == 1:
            shell.arguments = [word, *words]
            return 0
        letters = word[1:]
        if letters == "o":
            letters = _OPTIONS.get(words.pop(0), "") if words else ""
        change = shell.options.add if word[0] == "-" else shell.options.discard
        for letter in letters:
            if letter not in "aefhuxvnbCm":
                raise BuiltinError(f"illegal option -{letter}")
            change(letter)
    return 0


async def _shift(shell: Shell, argv: list[str], _run_text: RunText) -> int:
    count = number(argv[1]) if len(argv) > 1 else 1
    if count > len(shell.arguments):
        return 1
    shell.arguments = shell.arguments[count:]
    return 0


async def _exec(shell: Shell, argv: list[str], run_text: RunText) -> int:
    shell.name = f"{shell.name}: exec: line 0"
    target = argv[1]
    if "/" not in target and not is_applet(shell, target):
        target = await _in_path(shell, target) or target
    await run_program(shell, target, argv[1:], run_text)
    return 127


async def _in_path(shell: Shell, name: str) -> str | None:
    for directory in path_of(shell):
        path = f"{directory}/{name}"
        if await shell.sys.succeeds("stat", path):
            return path
    return None


async def _eval(shell: Shell, argv: list[str], run_text: RunText) -> int:
    shell.status = 0
    return await run_text(shell, " ".join(argv[1:]))


async def _source(shell: Shell, argv: list[str], run_text: RunText) -> int:
    if len(argv) < 2:
        return 2
    path = argv[1]
    if "/" not in path:
        path = await _in_path(shell, path) or path
    try:
        text = await shell.sys.text(path)
    except SysError as error:
        raise BuiltinError(f"can't open '{argv[1]}': {error.message}") from None
    shell.status = 0
    try:
        return await run_text(shell, text)
    except ReturnFromFunction as back:
        return back.status


async def _type(shell: Shell, argv: list[str], _run_text: RunText) -> int:
    status = 0
    for name in argv[1:]:
        path = name if is_applet(shell, name) else await _in_path(shell, name)
        if find(name) is not None:
            text = f"{name} is a {'special ' if name in SPECIAL else ''}shell builtin"
        elif name in shell.functions:
            text = f"{name} is a function"
        elif path is not None:
            text = f"{name} is {path}"
        else:
            text, status = f"{name}: not found", 127
        await shell.sys.out(text + "\n")
    return status


async def _command(shell: Shell, argv: list[str], run_text: RunText) -> int:
    words = argv[1:]
    if words and words[0] in ("-v", "-V"):
        status = 0
        for name in words[1:2]:
            known = find(name) or name in shell.functions or is_applet(shell, name)
            path = name if known else await _in_path(shell, name)
            if path is None:
                status = 127
            else:
                await shell.sys.out(path + "\n")
        return status
    words = [word for word in words if word not in ("-p", "--")]
    if not words:
        return 0
    if find(words[0]):
        return await run(shell, words, run_text)
    return await run_text(shell, " ".join(f"'{word}'" for word in words))


async def _let(shell: Shell, argv: list[str], _run_text: RunText) -> int:
    value = 0
    for expression in argv[1:]:
        value = arithmetic.evaluate(expression, shell.get, shell.put)
    return int(not value)


async def _times(shell: Shell, _argv: list[str], _run_text: RunText) -> int:
    had = await shell.sys.data("times")
    for names in (("utime", "stime"), ("cutime", "cstime")):
        shown = (f"{had[name] // 6000}m{had[name] % 6000 / 100:.6f}s" for name in names)
        await shell.sys.out(" ".join(shown) + "\n")
    return 0


async def _read(shell: Shell, argv: list[str], _run_text: RunText) -> int:
    return await read(shell, argv)


async def _ulimit(shell: Shell, argv: list[str], _run_text: RunText) -> int:
    return await ulimit(shell, argv)


_BUILTINS: dict[str, Builtin] = {
    ":": _nothing,
    ".": _source,
    "alias": _nothing,
    "unalias": _nothing,
    "getopts": getopts,
    "bg": _nothing,
    "break": _break,
    "cd": _cd,
    "chdir": _cd,
    "command": _command,
    "continue": _break,
    "eval": _eval,
    "exec": _exec,
    "exit": _exit,
    "export": _export,
    "fg": _nothing,
    "hash": _nothing,
    "jobs": jobs,
    "let": _let,
    "local": _local,
    "pwd": _pwd,
    "read": _read,
    "readonly": _export,
    "return": _return,
    "set": _set,
    "shift": _shift,
    "source": _source,
    "times": _times,
    "trap": trap,
    "type": _type,
    "ulimit": _ulimit,
    "umask": umask,
    "unset": _unset,
    "wait": wait,
}

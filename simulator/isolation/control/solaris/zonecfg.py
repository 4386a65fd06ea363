"""zonecfg(1M): ``-z zone``, then subcommands as arguments, from ``-f file``, or typed."""

import re
from collections.abc import Sequence

from simulator.isolation.control.getopt import misread
from simulator.isolation.control.solaris import store
from simulator.isolation.control.solaris.language import Editor, Fault
from simulator.isolation.technologies.options.zonecfg import Config, ConfigError
from simulator.machine.userland.options import UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

USAGE = """usage:\tzonecfg help
\tzonecfg -z <zone>\t\t\t(interactive)
\tzonecfg -z <zone> <command>
\tzonecfg -z <zone> -f <command-file>
"""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


@enter("zonecfg", collection=TOOLS)
async def zonecfg(sys: Process, argv: Sequence[str]) -> int:
    """Exit status 0 for success, 1 for an error, 2 for wrong usage."""
    try:
        options = parse(argv, "z:f:R:u:", stop_early=True)
    except UsageError as error:
        return await misread(sys, error, USAGE, 2)
    name = options.value("z")
    if not name:
        await sys.err(USAGE)
        return 0 if options.rest[:1] == ["help"] else 2
    if not await store.is_global(sys):
        return await sys.complain("zonecfg can only be run from the global zone.")
    if not _NAME.fullmatch(name) or name.startswith("SUNW") or name == "global":
        return await sys.complain(f"{name}: Bogus zone name")
    try:
        editor = Editor(name, await store.load(sys, name))
        editor.read_only = await sys.value("geteuid") != 0
        await _templates(sys, editor)
        if options.has("f"):
            lines = (await sys.text(options.value("f"))).splitlines()
            return await _batch(sys, editor, lines)
    except ConfigError as error:
        return await sys.complain(f"{name}: {error}")
    except SysError as error:
        return await sys.complain(f"could not open file {options.value('f')}: {error.message}")
    if options.rest:
        return await _batch(sys, editor, [" ".join(options.rest)])
    return await _typed(sys, editor)


async def _templates(sys: Process, editor: Editor) -> None:
    """What ``create -t`` and ``-a`` may name: other zones, and zones that were detached."""
    known: dict[str, Config | None] = {}
    for name, entry in (await store.index(sys)).items():
        known[f"-t {name}"] = await store.load(sys, name)
        await _detached(sys, entry.path, known)
    try:
        for name in await sys.names("/zones"):
            await _detached(sys, f"/zones/{name}", known)
    except SysError:
        pass
    editor.templates = known.get


async def _detached(sys: Process, path: str, known: dict[str, Config | None]) -> None:
    content = await sys.text_or_empty(f"{path}/SUNWdetached.xml")
    if content:
        from_file = store.zone_xml.parse(content)
        properties = {**from_file.properties, "zonepath": path}
        known[f"-a {path}"] = Config(properties, from_file.resources)


async def _batch(sys: Process, editor: Editor, lines: list[str]) -> int:
    """Subcommands that nobody types: the first mistake ends it, and nothing is written then."""
    for number, line in enumerate(lines, 1):
        try:
            await sys.out(editor.run(line))
        except Fault as error:
            where = f"On line {number}:\n" if len(lines) > 1 else ""
            await sys.err(f"{where}{error}\n")
            return 1
        await _act(sys, editor)
    return await _finish(sys, editor)


async def _typed(sys: Process, editor: Editor) -> int:
    """Prompts when a person is there; a mistake is said, and the session goes on."""
    person = await _is_terminal(sys)
    if editor.config is None:
        await sys.out(
            f"{editor.name}: No such zone configured\n"
            "Use 'create' to begin configuring a new zone.\n"
        )
    pending, status = "", 0
    while True:
        if person and "\n" not in pending:
            await sys.out(editor.prompt)
        block = b"" if "\n" in pending else await sys.read(0, 1023)
        pending += block.decode("utf-8", "surrogateescape")
        if not block and "\n" not in pending and not pending:
            break
        line, _, pending = pending.partition("\n")
        try:
            await sys.out(editor.run(line))
        except Fault as error:
            status = 0 if person else 1
            await sys.err(f"{error}\n")
        if await _act(sys, editor):
            break
    return await _finish(sys, editor) or status


async def _act(sys: Process, editor: Editor) -> bool:
    """Do what the subcommands asked for; True when the session is over."""
    wishes, editor.wish = editor.wish, []
    for wish in wishes:
        if wish == "commit" and editor.config is not None:
            await store.save(sys, editor.name, editor.config)
        elif wish == "delete":
            await store.set_state(sys, editor.name, "", "")
            await sys.succeeds("unlink", f"{store.DIRECTORY}/{editor.name}.xml")
        elif wish == "exit":
            return True
    return False


async def _finish(sys: Process, editor: Editor) -> int:
    """A session that ends commits what it has changed."""
    if editor.config is None or editor.config == editor.saved:
        return 0
    try:
        editor.run("commit")
    except Fault as error:
        await sys.err(f"{editor.name}: {error}\n")
        return 1
    await _act(sys, editor)
    return 0


async def _is_terminal(sys: Process) -> bool:
    if not sys.terminal:
        return False
    try:
        return (await sys.data("fstat", 0))["ino"] == sys.terminal
    except SysError:
        return False

"""awk(1): its options, and the program over its files."""

import re
from collections.abc import Sequence
from typing import Any

from simulator.machine.userland.options import UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.programs.awk.interpreter import Interpreter, Leave
from simulator.machine.userland.programs.awk.parser import Parser
from simulator.machine.userland.programs.awk.streams import Records
from simulator.machine.userland.programs.awk.values import Input, number, truth
from simulator.machine.userland.programs.awk.words import AwkError, unescaped
from simulator.machine.userland.registry import enter

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)


@enter("awk")
async def awk(sys: Process, argv: Sequence[str]) -> int:
    """``awk [-F SEP] [-v VAR=VALUE] [-f FILE | PROGRAM] [FILE ...]``."""
    options = parse(argv, "F:v:f:", stop_early=True)
    rest = list(options.rest)
    try:
        if options.has("f"):
            text = "\n".join([await _file(sys, one) for one in options.values["f"]])
        elif rest:
            text = rest.pop(0)
        else:
            raise UsageError("usage: awk [OPTIONS] [AWK_PROGRAM] [FILE]...")
        own = Interpreter(sys, Parser(text).program())
    except (AwkError, RecursionError) as error:
        return await sys.complain(str(error))
    if options.has("F"):
        separator = options.value("F")
        own.globals["FS"] = "\t" if separator == "t" else unescaped(separator)
    for one in options.values.get("v", []):
        _assign(own, one)
    own.globals["ARGV"] = {str(at): Input(one) for at, one in enumerate(["awk", *rest])}
    own.globals["ARGC"] = float(len(rest) + 1)
    try:
        status = await _run(own)
        await own.streams.close_all()
    except (AwkError, SysError, RecursionError) as error:
        told = error.message if isinstance(error, SysError) else str(error)
        await own.streams.close_all()
        return await sys.complain(told)
    return status


async def _file(sys: Process, path: str) -> str:
    try:
        return await sys.text(path)
    except SysError as error:
        raise UsageError(f"can't open '{path}': {error.message}") from None


def _assign(own: Interpreter, text: str) -> None:
    found = _ASSIGNMENT.fullmatch(text)
    if found is None:
        raise UsageError(f"usage: awk: -v {text}")
    own.globals[found[1]] = Input(unescaped(found[2]))


async def _run(own: Interpreter) -> int:
    """BEGIN, every record, END: the status."""
    status = 0
    try:
        for one in own.program.begin:
            await own.run(one)
        if own.program.rules or own.program.end:
            status = await _records(own)
    except Leave as leave:
        if leave.kind != "exit":
            raise AwkError("Unexpected token") from None
        if leave.value is not None:
            status = int(number(leave.value)) & 0xFF
    try:
        for one in own.program.end:
            await own.run(one)
    except Leave as leave:
        if leave.value is not None:
            return int(number(leave.value)) & 0xFF
    return status


async def _records(own: Interpreter) -> int:
    """The rules, for each record of each file; 1 when one could not be read."""
    status, read = 0, False
    count = int(number(own.globals["ARGC"]))
    for at in range(1, count):
        name = own.text(own.array("ARGV").get(str(at)))
        if not name:
            continue
        if _ASSIGNMENT.fullmatch(name):
            _assign(own, name)
            continue
        read = True
        try:
            fd = 0 if name == "-" else await own.sys.open(name)
        except SysError as error:
            status = await own.sys.complain(f"{name}: {error.message}")
            continue
        await _over(own, fd, name)
        if fd:
            await own.sys.close(fd)
    if not read:
        await _over(own, 0, "")
    return status


async def _over(own: Interpreter, fd: int, name: str) -> None:
    own.globals["FILENAME"], own.globals["FNR"] = name, 0.0
    own.input = Records(own.sys, fd)
    while (record := await own.input.next(own.told("RS"))) is not None:
        own.globals["NR"] = number(own.globals["NR"]) + 1
        own.globals["FNR"] = number(own.globals["FNR"]) + 1
        own.set_record(record)
        try:
            for pattern, action in own.program.rules:
                if pattern is None or await _holds(own, pattern):
                    await own.run(action if action is not None else ("print", [], None))
        except Leave as leave:
            if leave.kind != "next":
                raise


async def _holds(own: Interpreter, pattern: Any) -> bool:
    if pattern[0] != "range":
        return truth(await own.value(pattern))
    _kind, first, last, state = pattern
    if not state[0] and not truth(await own.value(first)):
        return False
    state[0] = not truth(await own.value(last))
    return True

"""rc.conf(5): variables that shell scripts set. Source: libexec/rc/rc.subr, rc.conf; sysrc.subr"""

import re
from collections.abc import Sequence
from typing import cast

from simulator.isolation.control import files
from simulator.isolation.control.freebsd.etc import DEFAULTS, LOCAL_STARTUP
from simulator.machine.userland.process import Process

_MAIN = "/etc/rc.conf"
_FILES = (_MAIN, "/etc/rc.conf.local")
_SOURCE = """
for file; do shift; [ "$file" = - ] && break; [ -f "$file" ] && . "$file" >&2; done
for name; do eval "printf '%s\\n' \\"\\$$name\\""; done
"""


def _places(service: str) -> tuple[str, ...]:
    """The files about one service, the one that counts last behind the others."""
    above = ("/etc", LOCAL_STARTUP.removesuffix("/rc.d"))
    return (*_FILES, *(f"{place}/rc.conf.d/{service}" for place in above))


async def load(sys: Process, service: str, names: Sequence[str]) -> dict[str, str]:
    """load_rc_config(): what a shell holds in the variables after it has read the files."""
    wanted = list(dict.fromkeys(names))
    reading, writing = cast("tuple[int, int]", await sys.data("pipe"))
    words = [DEFAULTS, *_places(service), "-", *wanted]

    async def shell(own: Process) -> int:
        await own.call("dup2", writing, 1)
        await own.call("close", reading)
        await own.call("close", writing)
        await own.execve("/bin/sh", ["sh", "-c", _SOURCE, "sh", *words], own.env)
        return 127

    number = await sys.spawn(shell)
    await sys.close(writing)
    lines = (await sys.drain(reading)).decode("utf-8", "replace").split("\n")
    await sys.call("wait4", number, 0)
    return dict(zip(wanted, lines + [""] * len(wanted), strict=False))


async def assign(sys: Process, service: str, name: str, value: str) -> str:
    """``sysrc -s SERVICE NAME=VALUE``: the file that says so now. Raises ``SysError``."""
    pattern = re.compile(rf"^\s*{name}=.*$", re.MULTILINE)
    for path in reversed(_places(service)):
        text = await sys.text_or_empty(path)
        found = list(pattern.finditer(text))
        if found:
            last = found[-1]
            text = f'{text[: last.start()]}{name}="{value}"{text[last.end() :]}'
            await files.write(sys, path, text)
            return path
    text = await sys.text_or_empty(_MAIN)
    await files.write(sys, _MAIN, f'{text}{name}="{value}"\n')
    return _MAIN


async def forget(sys: Process, service: str, name: str) -> list[str]:
    """``sysrc -x NAME``: the files that said something of it. Raises ``SysError``."""
    changed: list[str] = []
    for path in _places(service):
        text = await sys.text_or_empty(path)
        left = re.sub(rf"^\s*{name}=.*\n?", "", text, flags=re.MULTILINE)
        if left != text:
            await files.write(sys, path, left)
            changed.append(path)
    return changed

"""rc.conf(5): variables that shell scripts set. Source: libexec/rc/rc.subr, rc.conf; sysrc.subr"""

import re
from collections.abc import Sequence
from typing import cast

from simulator.isolation.control import files
from simulator.isolation.control.freebsd.etc import DEFAULTS, LOCAL_STARTUP
from simulator.machine.userland.process import Process

FILES = ("/etc/rc.conf", "/etc/rc.conf.local")
"""rc_conf_files, unless a file says otherwise, which is not modelled."""
_SOURCE = """
for file; do shift; [ "$file" = - ] && break; [ -f "$file" ] && . "$file" >&2; done
for name; do eval "printf '%s%s\\n' \\"\\${$name+=}\\" \\"\\$$name\\""; done
"""


def places(service: str = "") -> tuple[str, ...]:
    """rc_conf_files, and the files about one service, the one that counts last behind the others.

    Source: libexec/rc/rc.subr (load_rc_config), usr.sbin/sysrc.
    """
    above = ("/etc", LOCAL_STARTUP.removesuffix("/rc.d"))
    return (*FILES, *(f"{place}/rc.conf.d/{service}" for place in above if service))


async def read(sys: Process, paths: Sequence[str], names: Sequence[str]) -> dict[str, str | None]:
    """What a shell holds in variables after it has read the defaults and files; None: no such."""
    wanted = list(dict.fromkeys(names))
    reading, writing = cast("tuple[int, int]", await sys.data("pipe"))
    words = [DEFAULTS, *paths, "-", *wanted]

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
    values = [line[1:] if line[:1] == "=" else None for line in lines]
    return dict(zip(wanted, values + [None] * len(wanted), strict=False))


async def load(sys: Process, service: str, names: Sequence[str]) -> dict[str, str]:
    """load_rc_config(): the variables of a script; empty where nobody sets one."""
    found = await read(sys, places(service), names)
    return {name: value or "" for name, value in found.items()}


async def find(sys: Process, paths: Sequence[str], name: str) -> str:
    """f_sysrc_find(): the file that has the last word on a variable; empty for none."""
    for path in (*reversed(paths), DEFAULTS):
        if _assignment(name).search(await sys.text_or_empty(path)):
            return path
    return ""


async def assign(sys: Process, paths: Sequence[str], name: str, value: str) -> str:
    """f_sysrc_set(): the file that says so now, the last assignment changed. Raises ``SysError``.

    What stands behind the value stays, and so do the kind of its quotes.
    """
    path = await find(sys, paths, name)
    if path in ("", DEFAULTS):
        text = await sys.text_or_empty(paths[0])
        await files.write(sys, paths[0], f'{text}{name}="{value}"\n')
        return paths[0]
    text = await sys.text_or_empty(path)
    last = list(_assignment(name).finditer(text))[-1]
    quote = last["quote"] or '"'
    text = f"{text[: last.end('name')]}{quote}{value}{quote}{text[last.end() :]}"
    await files.write(sys, path, text)
    return path


async def forget(sys: Process, paths: Sequence[str], name: str) -> list[str]:
    """f_sysrc_delete(): the files that said something of it. Raises ``SysError``."""
    changed: list[str] = []
    for path in paths:
        text = await sys.text_or_empty(path)
        left = re.sub(rf"^[ \t]*{name}=.*\n?", "", text, flags=re.MULTILINE)
        if left != text:
            await files.write(sys, path, left)
            changed.append(path)
    return changed


def _assignment(name: str) -> re.Pattern[str]:
    """A line that sets a variable, up to the end of the value."""
    value = r"""(?P<quote>["'])(?:(?!(?P=quote)).)*(?P=quote)?|[^\s;]*"""
    return re.compile(rf"^(?P<name>[ \t]*{name}=)(?:{value})", re.MULTILINE)

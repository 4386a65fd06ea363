"""vzctl set --userpasswd: the distribution's script set_userpass.sh, carried out inside.

The script adds a user who is not there (useradd -m) and sets the password (chpasswd). What it
writes has the form of crypt(5)'s SHA-512, with one round of it: simulated, nobody compares it.
Source: vzctl src/lib/vps_configure.c (vps_pw_configure()), etc/dists/scripts/set_userpass.sh.
"""

import hashlib
from typing import TYPE_CHECKING

from simulator.isolation.control import files
from simulator.isolation.control.openvz import lifecycle, state, status
from simulator.isolation.control.openvz.config import Container
from simulator.isolation.control.openvz.state import say
from simulator.machine.abi.constants import CLOCK_REALTIME
from simulator.machine.userland.process import SysError

if TYPE_CHECKING:
    from simulator.machine.userland.process import Process

_LETTERS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SALT, _HASH = 8, 86
_FIRST = 500
"""UID_MIN of a distribution of those years (login.defs(5))."""
_DAY = 86_400


async def change(sys: "Process", container: Container, given: list[str]) -> int:
    """set(): a container that does not run is started for it, and killed after it."""
    stopped = not await state.is_running(sys, container.veid)
    if stopped:
        failed = await lifecycle.start(sys, container, setup=False)
        if failed:
            return failed
    # Several are one word for the script, which cuts it at the first colon.
    text = " ".join(given)
    pid = await sys.spawn(lambda child: _inside(child, container, text))
    ended = (await sys.data("waitpid", pid, 0)) or 0
    code = 0
    if int(ended):
        code = status.CHANGEPASS
        await say(sys, "Password change failed")
    if stopped:
        await lifecycle.stop(sys, container, fast=True)
    return code


async def _inside(sys: "Process", container: Container, text: str) -> int:
    user, _colon, password = text.partition(":")
    if not user or not password:
        return status.CHANGEPASS
    try:
        await state.enter(sys, container)
        await _add(sys, user)
        await _set(sys, user, password)
    except SysError:
        return status.CHANGEPASS
    return 0


async def _add(sys: "Process", user: str) -> None:
    """useradd -m, where /etc/passwd has nobody of that name."""
    text = await sys.text("/etc/passwd")
    rows = [line.split(":") for line in text.splitlines() if line]
    if any(row[0] == user for row in rows):
        return
    used = {int(row[2]) for row in rows if len(row) > 2 and row[2].isdigit()}
    number = next(one for one in range(_FIRST, 60_000) if one not in used)
    line = f"{user}:x:{number}:{number}::/home/{user}:/bin/bash\n"
    await files.write(sys, "/etc/passwd", text + line)
    group = await sys.text_or_empty("/etc/group")
    await files.write(sys, "/etc/group", f"{group}{user}:x:{number}:\n")
    await sys.succeeds("mkdir", f"/home/{user}", 0o700)
    await sys.succeeds("chown", f"/home/{user}", number, number)


async def _set(sys: "Process", user: str, password: str) -> None:
    """chpasswd: the user's line in /etc/shadow, a new one where there is none."""
    seconds, _rest = await sys.data("clock_gettime", CLOCK_REALTIME)
    day = str(seconds // _DAY)
    salt = "".join(_LETTERS[one & 63] for one in await _random(sys, _SALT))
    digest = hashlib.sha512(f"{salt}{password}".encode()).digest()
    number = int.from_bytes(digest, "big")
    hashed = "".join(_LETTERS[number >> 6 * at & 63] for at in range(_HASH))
    lines: list[str] = []
    rows = [line.split(":") for line in (await sys.text_or_empty("/etc/shadow")).splitlines()]
    if all(row[0] != user for row in rows):
        rows.append([user, "!!", day, "0", "99999", "7", "", "", ""])
    for row in rows:
        if row[0] == user and len(row) > 2:
            row[1:3] = [f"$6${salt}${hashed}", day]
        lines.append(":".join(row) + "\n")
    await files.write(sys, "/etc/shadow", "".join(lines), 0o600)


async def _random(sys: "Process", count: int) -> bytes:
    fd = await sys.open("/dev/urandom")
    found = await sys.read(fd, count)
    await sys.close(fd)
    return found

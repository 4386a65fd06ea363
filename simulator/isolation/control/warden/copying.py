"""copy HANDLE in|out SOURCE TARGET [OWNER]: rsync over ``wsh`` in Warden, as the job's user.

A trailing ``/`` of the source means the contents of a directory only, as rsync(1) has it.
"""

from simulator.isolation.control import files
from simulator.isolation.control.warden.state import Container
from simulator.isolation.control.warden.wire import WardenError
from simulator.machine.userland.accounts import find_user
from simulator.machine.userland.process import Process, SysError


async def copy_in(container: Container, source: str, target: str) -> str:
    """From the host into the container; the files are its user's. Raises ``WardenError``."""
    container.need("active")
    uid = container.config.first_uid + container.snapshot.ordinal - 1
    inside = f"/proc/{container.snapshot.pid}/root{target}"
    await _copy(container.sys, source, inside, (uid, uid))
    return "ok"


async def copy_out(container: Container, source: str, target: str, owner: str = "") -> str:
    """From the container to the host; the files are root's, or ``owner``'s."""
    container.need("active", "stopped")
    sys, ids = container.sys, (0, 0)
    if owner:
        user, _colon, group = owner.partition(":")
        found = await find_user(sys, user)
        if found is None:
            raise WardenError(f"chown: invalid user: '{owner}'")
        ids = found.uid, int(group) if group.isdigit() else found.gid
    await _copy(sys, f"/proc/{container.snapshot.pid}/root{source}", target, ids)
    return "ok"


async def _copy(sys: Process, source: str, target: str, ids: tuple[int, int]) -> None:
    try:
        contents = source.endswith("/")
        path = source.rstrip("/")
        directory = (await sys.stat(path))["mode"] & 0o170000 == 0o040000
        try:
            into = (await sys.stat(target))["mode"] & 0o170000 == 0o040000
        except SysError:
            into = False
        if into and not contents:
            target = f"{target.rstrip('/')}/{path.rpartition('/')[2]}"
        await (_tree if directory else _file)(sys, path, target.rstrip("/"), ids)
    except SysError as error:
        raise WardenError(f"rsync: {source}: {error.message}") from None


async def _tree(sys: Process, source: str, target: str, ids: tuple[int, int]) -> None:
    mode = (await sys.stat(source))["mode"]
    await sys.succeeds("mkdir", target, mode & 0o7777)
    await sys.call("chown", target, *ids)
    for name in await sys.names(source):
        below, there = f"{source}/{name}", f"{target}/{name}"
        kind = (await sys.lstat(below))["mode"] & 0o170000
        if kind == 0o120000:
            await sys.call("symlink", await sys.readlink(below), there)
        elif kind == 0o040000:
            await _tree(sys, below, there, ids)
        elif kind == 0o100000:
            await _file(sys, below, there, ids)


async def _file(sys: Process, source: str, target: str, ids: tuple[int, int]) -> None:
    mode = (await sys.stat(source))["mode"]
    await files.write(sys, target, await sys.slurp(source), mode & 0o7777)
    await sys.call("chown", target, *ids)

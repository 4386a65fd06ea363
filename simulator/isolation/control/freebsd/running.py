"""The prisons that run, as jail_get(2) goes through them."""

from collections.abc import AsyncIterator
from typing import Any, cast

from simulator.machine.abi.errno import Errno
from simulator.machine.userland.process import Process, SysError


async def prisons(sys: Process) -> AsyncIterator[dict[str, Any]]:
    """The parameters of each, by jid: ``lastjid`` asks for the next one (jail_get(2))."""
    last = 0
    while True:
        try:
            reply = await sys.call("jail_get", {"lastjid": last}, 0)
        except SysError as error:
            if error.errno is Errno.ENOENT:
                return
            raise
        last = reply.value
        yield cast("dict[str, Any]", reply.data)

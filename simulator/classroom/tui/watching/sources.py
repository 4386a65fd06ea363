"""Who tells a screen of an engine: one in this process, or one on a socket."""

import asyncio
import contextlib
import errno
import os
from collections.abc import AsyncIterator
from typing import Protocol, TypeVar
from urllib.parse import urlencode

import h11
import msgspec

from simulator.classroom.tui.present.engine.stack import Difference, Stacks
from simulator.classroom.tui.watching.feed import Feed
from simulator.classroom.tui.watching.wire import Calls, Hello, News, Panels
from simulator.machine.abi import i18n
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _

T = TypeVar("T")
_NEWS: msgspec.json.Decoder[News] = msgspec.json.Decoder(News)
EVERY = 0.25
"""Seconds between two looks at an engine of this process."""
_PATIENCE = 5.0
"""Seconds in which an engine says that it is one."""
_BLOCK = 65536
_OK = 200
_PORT = 2375
"""Of Docker without TLS, where an address names none."""


class WatchError(VitrinaError):
    """Nobody listens there, or somebody who can't be watched; one line."""


class EndedError(VitrinaError):
    """The engine ended while it was watched; one line."""


class Source(Protocol):
    """An engine to look at. Everything raises ``WatchError`` or ``EndedError``."""

    @property
    def name(self) -> str:
        """Where it listens."""
        ...

    def follow(self) -> AsyncIterator[list[News]]:
        """What happens, some at a time, from now on and of the past that is remembered."""
        ...

    async def view(self, name: str, container: int) -> Panels:
        """Both sides of the glass."""
        ...

    async def calls(self, request: int) -> Calls | None:
        """The kernel calls below a request."""
        ...

    async def stacks(self) -> Stacks:
        """The images and their layers."""
        ...

    async def difference(self, ident: str) -> Difference | None:
        """What one layer changes."""
        ...


class Here(Source):
    """An engine of this process."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    @property
    def name(self) -> str:
        """Where it listens."""
        return ", ".join(self._feed.hello().places)

    async def follow(self) -> AsyncIterator[list[News]]:
        """Looking is no call, so the machine does not notice."""
        told = self._feed.onlooker()
        while True:
            self._feed.look()
            yield told.fresh()
            await asyncio.sleep(EVERY)

    async def view(self, name: str, container: int) -> Panels:
        """Both sides of the glass."""
        return self._feed.view(name, container)

    async def calls(self, request: int) -> Calls | None:
        """The kernel calls below a request."""
        return self._feed.calls(request)

    async def stacks(self) -> Stacks:
        """The images and their layers."""
        return self._feed.stacks()

    async def difference(self, ident: str) -> Difference | None:
        """What one layer changes."""
        return self._feed.difference(ident)


class There(Source):
    """An engine on a socket: ``PATH``, ``unix://PATH`` or ``tcp://HOST:PORT``."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._kind, _colon, self._place = address.rpartition("://")
        if self._kind not in ("", "unix", "tcp"):
            raise WatchError(
                _("{place}: PATH, unix://PATH or tcp://HOST:PORT was expected").format(
                    place=address
                )
            )

    @property
    def name(self) -> str:
        """Where it listens."""
        return self._address

    async def begin(self) -> None:
        """Whether there is anything to watch, before a screen opens. Raises ``WatchError``."""
        try:
            async with asyncio.timeout(_PATIENCE):
                self._decoded(await self._whole(""), Hello)
        except TimeoutError:
            raise self._absent(os.strerror(errno.ETIMEDOUT)) from None

    async def follow(self) -> AsyncIterator[list[News]]:
        """Until it hangs up: ``EndedError``."""
        left = b""
        async for piece in self._get("watch"):
            *whole, left = (left + piece).split(b"\n")
            if whole:
                yield [self._news(line) for line in whole]
        raise EndedError(_("{place}: the engine has ended").format(place=self._address))

    async def view(self, name: str, container: int) -> Panels:
        """Both sides of the glass."""
        return self._decoded(await self._whole(f"view/{name}", container=container), Panels)

    async def calls(self, request: int) -> Calls | None:
        """The kernel calls below a request."""
        found = await self._whole(f"requests/{request}", missing=True)
        return self._decoded(found, Calls) if found else None

    async def stacks(self) -> Stacks:
        """The images and their layers."""
        return self._decoded(await self._whole("layers"), Stacks)

    async def difference(self, ident: str) -> Difference | None:
        """What one layer changes."""
        found = await self._whole(f"layers/{ident}", missing=True)
        return self._decoded(found, Difference) if found else None

    def _news(self, line: bytes) -> News:
        try:
            return _NEWS.decode(line)
        except msgspec.MsgspecError:
            raise self._stranger() from None

    def _decoded(self, data: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(data, type=kind)
        except msgspec.MsgspecError:
            raise self._stranger() from None

    def _stranger(self) -> WatchError:
        return WatchError(
            _(
                "{place}: this can't be watched: it is no engine of this version of Vitrina,"
                " or too many are watching"
            ).format(place=self._address)
        )

    async def _whole(self, path: str, *, missing: bool = False, **query: object) -> bytes:
        """One answer; with ``missing``, nothing for what there is not."""
        pieces = [piece async for piece in self._get(path, missing=missing, **query)]
        return b"".join(pieces)

    async def _get(
        self, path: str, *, missing: bool = False, **query: object
    ) -> AsyncIterator[bytes]:
        reader, writer = await self._connect()
        http = h11.Connection(h11.CLIENT)
        words = urlencode({"lang": i18n.language(), **query})
        target = f"/vitrina/{path}?{words}"
        asked = h11.Request(method="GET", target=target, headers=[("Host", "vitrina")])
        try:
            writer.write((http.send(asked) or b"") + (http.send(h11.EndOfMessage()) or b""))
            while True:
                event = http.next_event()
                if event is h11.NEED_DATA:
                    http.receive_data(await reader.read(_BLOCK))
                elif isinstance(event, h11.Response) and event.status_code != _OK:
                    if missing:
                        return
                    raise self._stranger()
                elif isinstance(event, h11.Data):
                    yield bytes(event.data)
                elif not isinstance(event, h11.Response):
                    return
        except h11.RemoteProtocolError:
            if http.their_state is h11.SEND_RESPONSE:
                raise self._stranger() from None
            return  # cut off in the middle: it was killed
        except OSError:
            return
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            if self._kind == "tcp":
                host, _colon, port = self._place.partition(":")
                if port and not port.isdecimal():
                    raise OSError(_("{port} is no port").format(port=port))
                return await asyncio.open_connection(host, int(port or _PORT))
            return await asyncio.open_unix_connection(self._place)
        except (OSError, OverflowError, ValueError, AttributeError) as error:
            # AttributeError: asyncio has no UNIX sockets on Windows
            reason = getattr(error, "strerror", None) or str(error)
            raise self._absent(reason) from None

    def _absent(self, reason: str) -> WatchError:
        return WatchError(
            _("{place}: {reason}; does 'vitrina engine' run there?").format(
                place=self._address, reason=reason
            )
        )

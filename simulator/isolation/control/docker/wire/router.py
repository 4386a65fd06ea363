"""Routes: a method and a path with names in it, to the handler that answers."""

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from simulator.isolation.control.docker.api.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from simulator.isolation.control.docker.wire.exchange import Exchange

API_VERSION = "1.47"
MIN_API_VERSION = "1.24"

Handler: TypeAlias = "Callable[[Exchange], Awaitable[None]]"

Version: TypeAlias = tuple[int, int]


class Route(NamedTuple):
    """One route; ``since`` is the first API version that has it."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    since: Version


class Match(NamedTuple):
    """A route that fits, what its names stand for, and the API version asked for."""

    handler: Handler
    names: dict[str, str]
    version: Version


_ROUTES: list[Route] = []
_DIGITS = 9
"""As many digits of a version are looked at: Python refuses to read thousands."""
_VERSIONED = re.compile(r"/v(\d+)\.(\d+)(/.*)")


def route(method: str, path: str, since: str = MIN_API_VERSION) -> Callable[[Handler], Handler]:
    """Enter the decorated handler. ``{name}`` matches one segment, ``{name*}`` several."""
    text = re.sub(r"\{(\w+)\*\}", r"(?P<\1>.+?)", path)
    text = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", text)

    def decorate(handler: Handler) -> Handler:
        _ROUTES.append(Route(method, re.compile(text), handler, parse(since)))
        return handler

    return decorate


def routes() -> tuple[Route, ...]:
    """All that were entered."""
    return tuple(_ROUTES)


def parse(version: str) -> Version:
    """``1.41`` as numbers that compare."""
    major, _, minor = version.partition(".")
    return int(major), int(minor)


def find(method: str, path: str) -> Match:
    """The handler for a request. Raises ``BadRequest`` for a version that is not served and
    ``NotFound`` for anything else (moby ``server/middleware/version.go``).
    """
    version = parse(API_VERSION)
    versioned = _VERSIONED.fullmatch(path)
    if versioned is not None:
        version = int(versioned[1][:_DIGITS]), int(versioned[2][:_DIGITS])
        path = versioned[3]
        _check(version)
    for one in _ROUTES:
        matched = one.pattern.fullmatch(path)
        if matched is None or version < one.since:
            continue
        if one.method == method or (method == "HEAD" and one.method == "GET"):
            return Match(one.handler, matched.groupdict(), version)
    raise NotFound("page not found")


def _check(version: Version) -> None:
    asked = f"{version[0]}.{version[1]}"
    if version < parse(MIN_API_VERSION):
        raise BadRequest(
            f"client version {asked} is too old. Minimum supported API version is"
            f" {MIN_API_VERSION}, please upgrade your client to a newer version"
        )
    if version > parse(API_VERSION):
        raise BadRequest(
            f"client version {asked} is too new. Maximum supported API version is {API_VERSION}"
        )

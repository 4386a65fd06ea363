"""Serving the screens by HTTP and WebSocket (textual-serve)."""

import ipaddress
import shlex
import socket
import sys

from simulator.classroom.lessons.progress import place
from simulator.machine.abi import i18n
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _


class ServeError(VitrinaError):
    """An address that can't be served at."""


def serve(host: str, port: int) -> None:
    """Serve until interrupted. Raises ``ServeError``."""
    _free(host, port)
    from simulator.classroom.web.server import PageServer

    words = [sys.executable, "-m", "simulator.classroom.web", i18n.language()]
    # Whoever comes to this machine alone is its user; anybody else has progress of their own.
    visitors = None if _is_loopback(host) else place().with_name("visitors")
    PageServer(shlex.join(words), host=host, port=port, title="Vitrina", visitors=visitors).serve()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _free(host: str, port: int) -> None:
    """Say in one line what is wrong with the address, before a server is set up there."""
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        raise ServeError(
            _("{host}:{port} can't be served at: {reason}; choose another --port").format(
                host=host, port=port, reason=error.strerror or error
            )
        ) from None

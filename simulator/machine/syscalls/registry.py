"""The tables that handlers enter themselves in.

    @linux("unshare", since=(2, 6, 16))
    def unshare(trap: Trap, flags: int) -> int:

``posix`` holds what every family has; a family's own table comes on top. Arguments are checked
against the handler's annotations before it runs: ``str`` is a path (None is a null pointer:
EFAULT), ``bytes`` a buffer, ``int`` a number. What does not fit is said, never guessed.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from simulator.machine.abi.call import Denial
from simulator.machine.abi.errno import Errno
from simulator.machine.kernel.family import Handler, Release, Syscall
from simulator.machine.kernel.trap import Denied, NotModelled

Converter = Callable[[Any], Any]
H = TypeVar("H", bound=Handler)


class Table:
    """One family's system calls by name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls: dict[str, Syscall] = {}

    def __call__(self, *names: str, since: Release = (), partial: str = "") -> Callable[[H], H]:
        """Enter the decorated handler under ``names``; a name taken twice is a bug."""

        def enter(handler: H) -> H:
            converters, least = _parameters(handler)
            for name in names:
                if name in self.calls:
                    raise ValueError(f"{self.name}: {name} is entered twice")
                self.calls[name] = Syscall(name, handler, converters, least, since, partial)
            return handler

        return enter


posix = Table("posix")
linux = Table("linux")
linux_vserver = Table("Linux-VServer")
linux_vserver_24 = Table("Linux-VServer for 2.4")
freebsd = Table("freebsd")
sunos = Table("sunos")
openvz = Table("openvz")


def enter_all() -> None:
    """Fill the tables: every module of this package enters its handlers when it is imported."""
    package = importlib.import_module(__package__ or __name__.rpartition(".")[0])
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")


def _parameters(handler: Handler) -> tuple[tuple[Converter, ...], int]:
    """What converts each argument, and how many there must be."""
    parameters = list(inspect.signature(handler).parameters.values())[1:]
    hints = get_type_hints(handler)
    least = sum(p.default is inspect.Parameter.empty for p in parameters)
    return tuple(_converter(hints[p.name]) for p in parameters), least


def _converter(hint: Any) -> Converter:
    if get_origin(hint) in (Union, UnionType):
        options = get_args(hint)
        if type(None) in options:
            inner = [o for o in options if o is not type(None)]
            convert = _converter(inner[0]) if len(inner) == 1 else _anything
            return lambda value: None if value is None else convert(value)
        return _anything
    return {int: _number, str: _path, bytes: _buffer}.get(hint, _anything)


def _anything(value: Any) -> Any:
    return value


def _number(value: Any) -> int:
    if type(value) is int:
        return value
    if value is None:  # NULL where C takes a number is 0
        return 0
    raise NotModelled(f"a number was expected, not {value!r}")


def _path(value: Any) -> str:
    if type(value) is str:
        return value if "\0" not in value else value[: value.index("\0")]
    if value is None or value == 0:
        raise Denied(Denial(Errno.EFAULT))
    if isinstance(value, bytes):
        return _path(value.decode("utf-8", "surrogateescape"))
    raise NotModelled(f"a path was expected, not {value!r}")


def _buffer(value: Any) -> bytes:
    if type(value) is bytes:
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if value is None or value == 0:
        raise Denied(Denial(Errno.EFAULT))
    raise NotModelled(f"a buffer was expected, not {value!r}")

"""The one seam for many independent runs: any ``concurrent.futures.Executor``."""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import ParamSpec, TypeVar, cast

from simulator.machine.abi import i18n
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")

CHUNK = 24
"""Items that travel together: neighbours in a matrix share a launch, which a worker keeps."""


_GARBAGE = (200_000, 50, 10)
"""Objects after which Python looks for cycles: rows make none, and there are very many of them;
and how often it looks at older ones then.
"""


class PoolError(VitrinaError):
    """The machines that were to do the work can't be had."""


class InProcess(Executor):
    """Runs each task at once, here: no processes, no threads, exact order."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """A future that is done already."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def calm() -> None:
    """Let Python look for cycles less often, in a process that computes many runs."""
    gc.set_threshold(*_GARBAGE)


def workers(jobs: int = 1, dask: str = "") -> Executor:
    """This process for one job, else as many processes, or the Dask cluster at ``dask``.

    Raises ``PoolError``.
    """
    if dask:
        return _cluster(dask)
    if jobs > 1:
        return ProcessPoolExecutor(jobs, initializer=calm)
    calm()
    return InProcess()


def _cluster(address: str) -> Executor:
    try:
        from distributed import Client
    except ImportError:
        raise PoolError(
            _("--dask needs the package distributed: pip install 'vitrina[dask]'")
        ) from None
    try:
        client = Client(address, timeout=10, set_as_default=False)
        executor = cast("Callable[[], Executor]", client.get_executor)  # pyright: ignore[reportUnknownMemberType]
        return executor()
    except Exception as error:  # what a scheduler that is none does to its client has many names
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PoolError(
            _("no Dask cluster at {address}: {reason}").format(address=address, reason=reason)
        ) from None


def spread(
    pool: Executor, function: Callable[[T], R], items: Iterable[T], chunk: int = CHUNK
) -> Iterator[R]:
    """``function`` of each item, in order, whoever computes it; ``chunk`` of them travel together.

    Neighbours that share a launch should travel together, as long as everybody has work.
    """
    if isinstance(pool, InProcess):
        yield from map(function, items)
        return
    listed = list(items)
    chunks = [listed[start : start + chunk] for start in range(0, len(listed), chunk)]
    spoken = i18n.language()
    for future in [pool.submit(_each, function, chunk, spoken) for chunk in chunks]:
        yield from future.result()


def _each(function: Callable[[T], R], items: Sequence[T], language: str) -> list[R]:
    """What a worker does: in the language of whoever asked, so that the results are the same."""
    if i18n.language() != language:
        i18n.use(language)
    return [function(item) for item in items]

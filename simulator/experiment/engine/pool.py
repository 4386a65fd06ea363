"""The one seam for many independent runs: any ``concurrent.futures.Executor``."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")


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


def workers(jobs: int) -> Executor:
    """This process for one job, else as many processes."""
    return ProcessPoolExecutor(jobs) if jobs > 1 else InProcess()


def spread(pool: Executor, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """``function`` of each item, in order, whoever computes it."""
    for future in [pool.submit(function, item) for item in items]:
        yield future.result()

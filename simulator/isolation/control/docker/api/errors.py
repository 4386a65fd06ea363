"""What goes wrong, with the status and the words of the Engine (moby ``errdefs``)."""

from simulator.machine.userland.process import SysError


class ApiError(Exception):
    """A request that is answered with ``{"message": ...}`` and ``status``."""

    status = 500

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.status = status or type(self).status


class BadRequest(ApiError):
    """errdefs.InvalidParameter."""

    status = 400


class Forbidden(ApiError):
    """errdefs.Forbidden."""

    status = 403


class NotFound(ApiError):
    """errdefs.NotFound."""

    status = 404


class Conflict(ApiError):
    """errdefs.Conflict."""

    status = 409


class NotModified(ApiError):
    """The container is already so: 304, without a body."""

    status = 304


class NotImplementedHere(ApiError):
    """errdefs.NotImplemented."""

    status = 501


class Unavailable(ApiError):
    """errdefs.Unavailable: a swarm's request to a node that is in none."""

    status = 503


def of_kernel(error: SysError) -> ApiError:
    """A system call of the daemon failed: errdefs.System."""
    return ApiError(f"{error.call}: {error.message.lower()}")

"""What is wrong with a project, in compose's words."""

from simulator.machine.abi.errors import VitrinaError


class ComposeError(VitrinaError):
    """One line; ``status`` is what the command exits with."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


class Invalid(ComposeError):
    """A file or its content is wrong (compose exits with 15, 14 or 1; here 1)."""

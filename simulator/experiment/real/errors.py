"""What can go wrong on the real side, each in one line that says how to mend it."""

from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _


class RealError(VitrinaError):
    """The real machine could not do what was asked; nothing about the probe is known."""

    @classmethod
    def hanging(cls, call: str, seconds: float) -> "RealError":
        """A call that neither answered nor slept within the time limit."""
        return cls(
            _("{call} ran for more than {seconds:.0f} s on the real kernel; it was ended").format(
                call=call, seconds=seconds
            )
        )

    @classmethod
    def no_agent(cls, pid: int) -> "RealError":
        """The agent did not start in process ``pid``."""
        return cls(_("the agent did not start in process {pid}").format(pid=pid))

    @classmethod
    def broken(cls, what: str, why: str) -> "RealError":
        """A step of building the scratch machine failed."""
        return cls(_("real machine: {what}: {why}").format(what=what, why=why))

    @classmethod
    def not_here(cls, why: str) -> "RealError":
        """A configuration that this machine can't run."""
        return cls(_("not here, because {why}").format(why=why))

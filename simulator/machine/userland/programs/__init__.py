"""Every program; importing the package enters them all."""

from simulator.machine.userland.programs import basic, content, listing, testing
from simulator.machine.userland.shell import main as shell

__all__ = ["basic", "content", "listing", "shell", "testing"]

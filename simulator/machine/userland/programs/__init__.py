"""Every program; importing the package enters them all."""

from simulator.machine.userland.programs import (
    basic,
    changing,
    content,
    copying,
    identity,
    listing,
    mounting,
    processes,
    testing,
    text,
)
from simulator.machine.userland.shell import main as shell

__all__ = [
    "basic",
    "changing",
    "content",
    "copying",
    "identity",
    "listing",
    "mounting",
    "processes",
    "shell",
    "testing",
    "text",
]

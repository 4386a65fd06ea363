"""Every program; importing the package enters them all."""

from simulator.machine.userland.programs import (
    basic,
    changing,
    content,
    copying,
    identity,
    ipc,
    listing,
    mounting,
    network,
    processes,
    system,
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
    "ipc",
    "listing",
    "mounting",
    "network",
    "processes",
    "shell",
    "system",
    "testing",
    "text",
]

"""Every program; importing the package enters them all."""

from simulator.machine.userland.programs import (
    basic,
    bsd,
    changing,
    content,
    copying,
    identity,
    ipc,
    listing,
    mounting,
    network,
    processes,
    small,
    system,
    testing,
    text,
)
from simulator.machine.userland.shell import main as shell

__all__ = [
    "basic",
    "bsd",
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
    "small",
    "system",
    "testing",
    "text",
]

"""awk(1), as far as POSIX and busybox 1.35 agree: a parser, an interpreter, its functions."""

from simulator.machine.userland.programs.awk import main

__all__ = ["main"]

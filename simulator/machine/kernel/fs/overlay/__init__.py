"""overlay: directories laid over one another, with a writable one on top (overlayfs.rst)."""

from simulator.machine.kernel.fs.overlay.mount import OVERLAY

__all__ = ["OVERLAY"]

"""Asking the simulated kernel: worlds, launches, sessions, and many of them side by side."""

"""What the tree of every small machine begins with, in the model and on the real disk alike."""

from simulator.machine.abi.constants import S_IFBLK, S_IFCHR

DIRECTORIES = (
    ("bin", 0o755),
    ("dev", 0o755),
    ("etc", 0o755),
    ("home", 0o755),
    ("mnt", 0o755),
    ("proc", 0o755),
    ("root", 0o700),
    ("run", 0o755),
    ("srv", 0o755),
    ("sys", 0o755),
    ("tmp", 0o1777),
    ("usr", 0o755),
    ("var", 0o755),
)
"""Directories at the top: (name, mode)."""

NODES = (
    ("null", S_IFCHR, 1, 3, 0o666),
    ("zero", S_IFCHR, 1, 5, 0o666),
    ("full", S_IFCHR, 1, 7, 0o666),
    ("random", S_IFCHR, 1, 8, 0o666),
    ("urandom", S_IFCHR, 1, 9, 0o666),
    ("tty", S_IFCHR, 5, 0, 0o666),
    ("ptmx", S_IFCHR, 5, 2, 0o666),
    ("kmsg", S_IFCHR, 1, 11, 0o644),
    ("mem", S_IFCHR, 1, 1, 0o640),
    ("sda", S_IFBLK, 8, 0, 0o660),
)
"""Device nodes of a small machine: (name, type, major, minor, mode)."""

PLAIN_NODES = NODES[:6]
"""What a tree that is no machine's own gets: nothing that reaches hardware."""

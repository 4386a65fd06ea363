"""Filesystem types: what can be mounted, and how each finds and makes its files."""

"""Vitrina: a teaching simulator of isolation technologies."""

__version__ = "0.1.0"

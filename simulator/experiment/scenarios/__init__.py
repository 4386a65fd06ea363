"""Scenario and world files: their shape, their loading, their check."""

"""Calls of the Docker SDK for Python, made alike to a real dockerd and to ours.

A module holds the calls of one subject, in the order in which they are made; ``suite`` makes them
and masks what differs from run to run; ``expected.json`` holds what a real dockerd answered, and
where ours answers otherwise that too, with the reason. ``python -m
tests.unit.experiment.engine_api.sdk_calls.record`` writes what a real one answers here.
"""

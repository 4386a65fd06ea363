"""The simulated machine with a real socket: real clients talk to the simulated dockerd.

Each real connection is one connection to ``/var/run/docker.sock`` of the model, made by a process
of the model; only bytes pass between the two. Nothing here speaks HTTP or knows the Engine API:
that is ``isolation/control/docker``. ``machine`` boots the host and lets it run, ``bridge`` is one
connection, ``server`` listens, ``disk`` keeps the simulated disk's part of dockerd in a real file.
"""

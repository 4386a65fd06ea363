"""Compose: a project of services from files, carried out on an engine. docker/compose v2.

The core is pure or asks through a ``desk.Desk``, so that the simulated ``docker compose`` (a
program of the model) and ``vitrina compose`` (experiment/engine_api) are the same code:

- ``loading`` reads the files: ``interpolate`` puts variables in, ``schema`` validates with the
  Compose specification's own JSON schema, ``merge`` lays one file over another, ``normal`` writes
  every short form in its long one. The result is a ``project.Project``.
- ``plan`` turns a project and what the engine has into ordered actions; ``request`` a service into
  the body of ``POST /containers/create``.
- ``work`` carries actions out over REST; ``commands`` are the words of the command line.
"""

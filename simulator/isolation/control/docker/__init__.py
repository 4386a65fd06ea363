"""Docker Engine on the simulated kernel: dockerd, its shims, docker-proxy and the docker client.

Everything here is a program of the simulated machine. ``dockerd`` accepts connections on
``/var/run/docker.sock`` of the model, parses HTTP with h11 (``wire/``), finds the handler of a
request by method and path (``wire/router.py``, ``api/``) and acts on what it knows (``engine/``,
``images/``) by system calls. It has no door to the outside: ``vitrina engine`` (``experiment/
engine_api``) carries the bytes of a real socket to the simulated one and back, so a real client and
the simulated ``docker`` are served by the same program, and both can be watched call by call.

- ``wire/``: connections, exchanges (one request and its answer), routes. Knows no container.
- ``api/``: one module a subject; a handler is ``async def handler(x: Exchange)`` under ``@route``.
  It answers with ``x.reply``, or streams with ``x.begin``/``x.write``/``x.finish``, or takes the
  connection over with ``x.hijack``; it refuses by raising ``api.errors.ApiError``.
- ``engine/``: ``engine.Engine`` is all that the daemon knows. What must outlive it is written at
  every change to the files in which dockerd keeps it (``/var/lib/docker``), so time travel, a
  restart of the daemon and ``--state`` need nothing more. ``running.start`` is a start from request
  to exec: layers, addresses, the plan of ``technologies/docker.py`` changed by the container's
  options (``technology.py``), a shim (``shim.py``) that carries it out and waits.
- ``images/``: references, the store (``store.ImageStore``: ``add_layer``, ``add_image``, ``tag``,
  ``lower``), archives, moving images, platforms; ``registry.Registry`` finds the registry of a
  domain: a shelf beyond the network (docker.io with the catalogue, registry.example,
  private.example) or one on the simulated network (``remote.py``, Registry HTTP API V2).
  ``catalogue``, ``services`` and ``contents`` are the starter images; their programs are
  ``machine/userland/servers``.
- ``building/``: the classic builder (``POST /build``); a RUN is a container of the model.
- Workers (``engine/sync.py``) are tasks with shared descriptors, in place of Go's goroutines; they
  wait for each other with ``Bell``, ``Lock`` and ``Channel``.

A new route: a handler in ``api/``; a new module there is imported by ``daemon.py``.
"""

from simulator.isolation.control.toolset import Toolset, Unit

TOOLSET = Toolset(
    product="docker",
    modules=("docker.client.main", "docker.daemon", "docker.host", "docker.init", "docker.proxy"),
    kernels=frozenset({"linux"}),
    programs=(
        "docker",
        "dockerd",
        "docker-init",
        "docker-proxy",
        "curl",
        "git",
        "nc",
        "sudo",
        "wget",
    ),
    directories=(
        ("/var/run", 0o755),
        ("/var/lib/docker", 0o710),
        ("/etc/docker", 0o755),
    ),
    files=(("/etc/docker/daemon.json", 0o644, "{}\n"),),
    units=(Unit(argv=("dockerd", "-H", "fd://"), sockets=("/var/run/docker.sock",), mode=0o660),),
)

"""Images of services and languages: layers, entry points and configurations like the real ones."""

from simulator.isolation.control.docker.images.catalogue import (
    ALPINE,
    BOOKWORM,
    PATH,
    SLIM,
    Published,
    image,
)
from simulator.isolation.control.docker.images.contents import Distribution, Make, layer

_MB = 1_000_000

_NGINX_CONF = """user  nginx;
worker_processes  auto;
error_log  /var/log/nginx/error.log notice;
pid        /run/nginx.pid;

events {
    worker_connections  1024;
}

http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;
    include /etc/nginx/conf.d/*.conf;
}
"""
_NGINX_SITE = """server {
    listen       80;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }
}
"""
_NGINX_PAGE = """<!DOCTYPE html>
<html>
<head><title>Welcome to nginx!</title></head>
<body>
<h1>Welcome to nginx!</h1>
<p>The server runs, in a container of the simulated kernel. Put pages of your own in
/usr/share/nginx/html.</p>
</body>
</html>
"""
_NGINX_ENTRY = """#!/bin/sh
# vim:sw=4:ts=4:et
set -e
if [ "$1" = "nginx" ]; then
    echo "$0: Configuration complete; ready for start up"
fi
exec "$@"
"""
_PLAIN_ENTRY = """#!/bin/sh
set -e
# a first word that is an option belongs to the server
if [ "${1#-}" != "$1" ]; then
    set -- SERVER "$@"
fi
exec "$@"
"""


def _entry(server: str) -> dict[str, str]:
    script = _PLAIN_ENTRY.replace("SERVER", server)
    return {"usr/local/bin/docker-entrypoint.sh": script}


def _nginx(base: Distribution, size: int) -> Published:
    program = layer(size, ("usr/sbin/nginx", "usr/bin/curl"), files={
        "etc/nginx/nginx.conf": _NGINX_CONF, "etc/nginx/mime.types": "types { }\n",
        "etc/nginx/conf.d/default.conf": _NGINX_SITE,
        "usr/share/nginx/html/index.html": _NGINX_PAGE,
    }, below=("var/log/nginx",))  # fmt: skip
    return image(
        base, program, layer(4_620, scripts={"docker-entrypoint.sh": _NGINX_ENTRY}),
        steps=("RUN install nginx 1.27.3 # buildkit", "COPY docker-entrypoint.sh / # buildkit"),
        env=("NGINX_VERSION=1.27.3",),
        Cmd=["nginx", "-g", "daemon off;"], Entrypoint=["/docker-entrypoint.sh"],
        ExposedPorts={"80/tcp": {}}, StopSignal="SIGQUIT",
    )  # fmt: skip


def _httpd(base: Distribution, size: int) -> Published:
    home = "usr/local/apache2"
    page = "<html><body><h1>It works!</h1></body></html>\n"
    conf = 'Listen 80\nDocumentRoot "/usr/local/apache2/htdocs"\n'
    program = layer(size, (f"{home}/bin/httpd", "usr/local/bin/httpd-foreground",
                           f"{home}/bin/htpasswd"),
                    files={f"{home}/conf/httpd.conf": conf,
                           f"{home}/htdocs/index.html": page})  # fmt: skip
    made = image(
        base, program, steps=("RUN build httpd 2.4.62 # buildkit",),
        env=("HTTPD_PREFIX=/usr/local/apache2", "HTTPD_VERSION=2.4.62"),
        Cmd=["httpd-foreground"], ExposedPorts={"80/tcp": {}}, StopSignal="SIGTERM",
        WorkingDir="/usr/local/apache2",
    )  # fmt: skip
    return _with_path(made, "/usr/local/apache2/bin")


def _with_path(one: Published, place: str) -> Published:
    env = [f"PATH={place}:{PATH}" if pair.startswith("PATH=") else pair
           for pair in one.config["Env"]]  # fmt: skip
    return one._replace(config={**one.config, "Env": env})


def _redis(base: Distribution, size: int) -> Published:
    program = layer(size, ("usr/local/bin/redis-server", "usr/local/bin/redis-cli"),
                    below=("data",))  # fmt: skip
    return image(
        base, program, layer(680, scripts=_entry("redis-server")),
        steps=("RUN build redis 7.4.1 # buildkit", "COPY docker-entrypoint.sh # buildkit"),
        env=("REDIS_VERSION=7.4.1",), Cmd=["redis-server"], Entrypoint=["docker-entrypoint.sh"],
        ExposedPorts={"6379/tcp": {}}, Volumes={"/data": {}}, WorkingDir="/data",
    )  # fmt: skip


def _postgres(base: Distribution, size: int, version: str) -> Published:
    own = "usr/lib/postgresql/bin"
    program = layer(size, tuple(f"{own}/{name}" for name in ("postgres", "psql", "pg_isready")),
                    below=("docker-entrypoint-initdb.d", "var/lib/postgresql/data"))  # fmt: skip
    made = image(
        base, program, layer(12_500, scripts=_entry("postgres")),
        steps=(f"RUN install postgresql {version} # buildkit",
               "COPY docker-entrypoint.sh # buildkit"),
        env=("LANG=en_US.utf8", f"PG_MAJOR={version.partition('.')[0]}", f"PG_VERSION={version}",
             "PGDATA=/var/lib/postgresql/data"),
        Cmd=["postgres"], Entrypoint=["docker-entrypoint.sh"], ExposedPorts={"5432/tcp": {}},
        Volumes={"/var/lib/postgresql/data": {}}, StopSignal="SIGINT",
    )  # fmt: skip
    return _with_path(made, f"/{own}")


def _mysql(version: str) -> Published:
    program = layer(470 * _MB, ("usr/sbin/mysqld", "usr/bin/mysql", "usr/bin/mysqladmin"),
                    below=("docker-entrypoint-initdb.d", "var/lib/mysql"))  # fmt: skip
    return image(
        SLIM, program, layer(14_200, scripts=_entry("mysqld")),
        steps=(f"RUN install mysql {version} # buildkit", "COPY docker-entrypoint.sh # buildkit"),
        env=(f"MYSQL_VERSION={version}",), Cmd=["mysqld"], Entrypoint=["docker-entrypoint.sh"],
        ExposedPorts={"3306/tcp": {}, "33060/tcp": {}}, Volumes={"/var/lib/mysql": {}},
    )  # fmt: skip


_TOOLS: dict[str, Make] = {}


def _build_tools() -> Make:
    """What the full images of languages have in common: a layer that they share."""
    if not _TOOLS:
        _TOOLS["all"] = layer(780 * _MB, ("usr/bin/curl", "usr/bin/wget"))
    return _TOOLS["all"]


def _python(base: Distribution, version: str, size: int, *, full: bool = False) -> Published:
    names = ("python3", "python", "pip")
    own = layer(size, tuple(f"usr/local/bin/{name}" for name in names),
                below=("usr/local/lib/python3/site-packages",))  # fmt: skip
    layers = (_build_tools(), own) if full else (own,)
    return image(base, *layers, env=("LANG=C.UTF-8", f"PYTHON_VERSION={version}"), Cmd=["python3"])


def _node(base: Distribution, version: str, size: int, *, full: bool = False) -> Published:
    own = layer(size, ("usr/local/bin/node", "usr/local/bin/npm"))
    layers = (_build_tools(), own) if full else (own,)
    entry = layer(388, scripts=_entry("node"))
    return image(base, *layers, entry, env=(f"NODE_VERSION={version}",), Cmd=["node"],
                 Entrypoint=["docker-entrypoint.sh"])  # fmt: skip


def _registry() -> Published:
    program = layer(18 * _MB, ("bin/registry",), files={
        "etc/docker/registry/config.yml": "version: 0.1\nhttp:\n  addr: :5000\n",
    }, below=("var/lib/registry",))  # fmt: skip
    script = _PLAIN_ENTRY.replace("SERVER", "registry")
    return image(
        ALPINE["3.20"], program, layer(155, scripts={"entrypoint.sh": script}),
        Cmd=["registry", "serve", "/etc/docker/registry/config.yml"],
        Entrypoint=["/entrypoint.sh"], ExposedPorts={"5000/tcp": {}},
        Volumes={"/var/lib/registry": {}},
    )  # fmt: skip


def _hello() -> Published:
    config = {"Cmd": ["/hello"], "Env": [f"PATH={PATH}"], "Labels": {"vitrina.simulated": "true"}}
    return Published(config, (layer(13_300, ("hello",)),), ("COPY hello /", 'CMD ["/hello"]'))


def _tagged(one: Published, *tags: str) -> dict[str, Published]:
    return dict.fromkeys(tags, one)


def published() -> dict[str, dict[str, Published]]:
    """By short name and tag."""
    light = ALPINE["3.20"]
    return {
        "hello-world": _tagged(_hello(), "latest", "linux"),
        "nginx": {
            **_tagged(_nginx(SLIM, 117 * _MB), "latest", "1", "1.27", "1.27.3", "mainline",
                      "bookworm", "stable", "1.26"),
            **_tagged(_nginx(light, 40 * _MB), "alpine", "1.27-alpine", "mainline-alpine",
                      "stable-alpine"),
        },
        "httpd": {
            **_tagged(_httpd(SLIM, 73 * _MB), "latest", "2", "2.4", "2.4.62", "bookworm"),
            **_tagged(_httpd(light, 55 * _MB), "alpine", "2.4-alpine"),
        },
        "redis": {
            **_tagged(_redis(SLIM, 42 * _MB), "latest", "7", "7.4", "7.4.1", "bookworm"),
            **_tagged(_redis(light, 33 * _MB), "alpine", "7-alpine", "7.4-alpine"),
        },
        "postgres": {
            **_tagged(_postgres(SLIM, 360 * _MB, "17.2"), "latest", "17", "17.2", "bookworm"),
            **_tagged(_postgres(SLIM, 357 * _MB, "16.6"), "16", "16.6"),
            **_tagged(_postgres(SLIM, 350 * _MB, "15.10"), "15", "15.10"),
            **_tagged(_postgres(light, 265 * _MB, "17.2"), "alpine", "17-alpine", "16-alpine"),
        },
        "mysql": {
            **_tagged(_mysql("9.1.0"), "latest", "9", "9.1", "9.1.0"),
            **_tagged(_mysql("8.4.3"), "8", "8.4", "8.4.3", "lts", "8.0"),
        },
        "python": {
            **_tagged(_python(BOOKWORM, "3.12.8", 64 * _MB, full=True), "latest", "3", "3.12",
                      "3.12-bookworm"),
            **_tagged(_python(SLIM, "3.12.8", 47 * _MB), "slim", "3-slim", "3.12-slim",
                      "3.12-slim-bookworm"),
            **_tagged(_python(light, "3.12.8", 40 * _MB), "alpine", "3-alpine", "3.12-alpine"),
            **_tagged(_python(BOOKWORM, "3.11.11", 60 * _MB, full=True), "3.11"),
            **_tagged(_python(SLIM, "3.11.11", 45 * _MB), "3.11-slim"),
            **_tagged(_python(SLIM, "3.10.16", 44 * _MB), "3.10", "3.10-slim", "3.9", "3.9-slim"),
        },
        "node": {
            **_tagged(_node(BOOKWORM, "22.12.0", 190 * _MB, full=True), "latest", "22", "lts"),
            **_tagged(_node(SLIM, "22.12.0", 150 * _MB), "slim", "22-slim", "lts-slim"),
            **_tagged(_node(light, "22.12.0", 147 * _MB), "alpine", "22-alpine", "lts-alpine"),
            **_tagged(_node(SLIM, "20.18.1", 145 * _MB), "20", "20-slim"),
            **_tagged(_node(light, "20.18.1", 126 * _MB), "20-alpine", "18-alpine"),
        },
        "registry": _tagged(_registry(), "latest", "2", "2.8", "2.8.3"),
    }  # fmt: skip

"""Images of services: layers, entry points and configurations like the real ones."""

from simulator.isolation.control.docker.images import languages
from simulator.isolation.control.docker.images.catalogue import (
    ALPINE,
    PATH,
    SLIM,
    Published,
    image,
)
from simulator.isolation.control.docker.images.contents import Distribution, layer

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
    if [ -n "$(ls /docker-entrypoint.d 2>/dev/null)" ]; then
        echo "$0: /docker-entrypoint.d/ is not empty, will attempt to perform configuration"
        echo "$0: Looking for shell scripts in /docker-entrypoint.d/"
        for f in /docker-entrypoint.d/*; do
            case "$f" in
                *.envsh) [ -x "$f" ] && echo "$0: Sourcing $f" && . "$f" ;;
                *.sh) [ -x "$f" ] && echo "$0: Launching $f" && "$f" ;;
                *) echo "$0: Ignoring $f" ;;
            esac
        done
        echo "$0: Configuration complete; ready for start up"
    else
        echo "$0: No files found in /docker-entrypoint.d/, skipping configuration"
    fi
fi
exec "$@"
"""
_NGINX_STEPS = {
    "docker-entrypoint.d/10-listen-on-ipv6-by-default.sh": """#!/bin/sh
echo "10-listen-on-ipv6-by-default.sh: info: IPv6 listen is not simulated"
""",
    "docker-entrypoint.d/20-envsubst-on-templates.sh": """#!/bin/sh
[ -d /etc/nginx/templates ] || exit 0
words=$(env | sed -n 's/^\\([A-Za-z_][A-Za-z0-9_]*\\)=\\(.*\\)$/s|${\\1}|\\2|g/p')
for t in /etc/nginx/templates/*.template; do
    out=/etc/nginx/conf.d/$(basename "$t" .template)
    echo "20-envsubst-on-templates.sh: Running envsubst on $t to $out"
    sed "$words" "$t" > "$out"
done
""",
}
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
        base, program, layer(4_620, scripts=_NGINX_STEPS | {"docker-entrypoint.sh": _NGINX_ENTRY}),
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


_WELCOME = """<!DOCTYPE html>
<html>
<head><title>Welcome to Docker</title></head>
<body><h1>Congratulations!!!</h1><p>You ran your first container, on a simulated kernel.</p></body>
</html>
"""


def _welcome() -> Published:
    """docker/welcome-to-docker: nginx with a page of its own."""
    made = _nginx(ALPINE["3.20"], 15 * _MB)
    page = layer(3_100_000, files={"usr/share/nginx/html/index.html": _WELCOME})
    return made._replace(
        layers=(*made.layers, page),
        steps=(*made.steps[:-1], "COPY build /usr/share/nginx/html # buildkit", made.steps[-1]),
    )


def _netshoot() -> Published:
    tools = layer(420 * _MB, tuple(f"usr/bin/{name}" for name in ("bash", "curl", "dig", "git")))
    return image(ALPINE["3.20"], tools, steps=("RUN install tools # buildkit",), Cmd=["bash"],
                 WorkingDir="/root")  # fmt: skip


def elsewhere() -> dict[str, dict[str, Published]]:
    """Images outside of ``library`` that tutorials name, by name and tag."""
    return {
        "docker/welcome-to-docker": _tagged(_welcome(), "latest"),
        "nicolaka/netshoot": _tagged(_netshoot(), "latest", "v0.13"),
    }


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
            **_tagged(_mysql("8.4.3"), "8", "8.4", "8.4.3", "lts"),
            **_tagged(_mysql("8.0.40"), "8.0", "8.0.40", "8.0-debian"),
        },
        **languages.published(),
        "registry": _tagged(_registry(), "latest", "2", "2.8", "2.8.3"),
    }  # fmt: skip

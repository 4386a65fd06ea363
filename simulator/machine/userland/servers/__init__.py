"""Programs that container images bring: servers and their clients, by the protocols they speak.

They are simulated: what a class does with them works, the rest says that it is not simulated.
A module is imported when one of its programs is first executed.
"""

import importlib

from simulator.machine.userland import registry

PROGRAMS: dict[str, str] = {
    "addgroup": "users", "adduser": "users", "deluser": "users", "groupadd": "users",
    "useradd": "users", "userdel": "users", "usermod": "users",
    "apk": "packages", "apt": "packages", "apt-get": "packages", "bash": "small",
    "curl": "fetch", "dig": "digging", "dpkg": "packages", "fastapi": "frameworks",
    "flask": "frameworks", "git": "cloning", "gunicorn": "frameworks", "hello": "small",
    "htpasswd": "accounts", "httpd": "web", "httpd-foreground": "web", "mysql": "mysql_client",
    "mysqladmin": "mysql_client", "mysqld": "mysql", "nc": "fetch", "nginx": "nginx",
    "node": "javascript", "nodemon": "javascript", "npm": "javascript", "npx": "javascript",
    "pg_isready": "psql", "pip": "packages", "postgres": "postgres", "psql": "psql",
    "python": "languages", "python3": "languages", "redis-cli": "redis_cli",
    "redis-server": "redis", "registry": "depot", "uvicorn": "frameworks", "wget": "fetch",
    "yarn": "javascript", "yarnpkg": "javascript",
}  # fmt: skip
"""Which module enters a program."""


def _fetch(name: str) -> None:
    module = PROGRAMS.get(name)
    if module is not None:
        importlib.import_module(f"{__name__}.{module}")


registry.fetch_by(registry.IMAGES, _fetch)

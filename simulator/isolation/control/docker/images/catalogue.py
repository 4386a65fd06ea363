"""The starter images of the simulated registry: names, tags and sizes are plausible, contents ours.

Every image carries the label ``vitrina.simulated=true``. Those of one distribution share its layer,
so a pull of the second finds it there ("Already exists").
"""

from typing import Any, NamedTuple

from simulator.isolation.control.docker.images import contents
from simulator.isolation.control.docker.images.contents import Distribution, Make

CREATED = "2024-11-30T20:53:20Z"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
OFFICIAL = "docker.io/library/"
_MB = 1_000_000


_BOX = ("addgroup", "adduser", "deluser")
_DEBIAN = ("bash", "apt-get", "apt", "dpkg", *_BOX, "groupadd", "useradd", "userdel", "usermod")
"""Programs of distributions beside busybox's."""


class Published(NamedTuple):
    """An image to be pulled: its configuration's own part, and its layers from the bottom up."""

    config: dict[str, Any]
    layers: tuple[Make, ...]
    steps: tuple[str, ...]
    """What made each layer, for the history; the last entries may have made none."""
    architectures: tuple[str, ...] = ("amd64", "arm64")


def _release(**words: str) -> tuple[tuple[str, str], ...]:
    return tuple(words.items())


def _debian(version: str, name: str, size: int) -> Distribution:
    release = _release(
        PRETTY_NAME=f"Debian GNU/Linux {version} ({name})", NAME="Debian GNU/Linux",
        VERSION_ID=version, VERSION=f"{version} ({name})", VERSION_CODENAME=name, ID="debian",
        HOME_URL="https://www.debian.org/",
    )  # fmt: skip
    files = (("etc/debian_version", f"{version}.8\n"),)
    return Distribution(release, size, _DEBIAN, files)


def _ubuntu(version: str, name: str, size: int) -> Distribution:
    release = _release(
        PRETTY_NAME=f"Ubuntu {version}.1 LTS", NAME="Ubuntu", VERSION_ID=version,
        VERSION=f"{version}.1 LTS ({name})", VERSION_CODENAME=name.split()[0].lower(),
        ID="ubuntu", ID_LIKE="debian", HOME_URL="https://www.ubuntu.com/",
    )  # fmt: skip
    return Distribution(release, size, _DEBIAN)


def _alpine(version: str, size: int) -> Distribution:
    release = _release(
        NAME="Alpine Linux", ID="alpine", VERSION_ID=version,
        PRETTY_NAME=f"Alpine Linux v{version.rpartition('.')[0]}",
        HOME_URL="https://alpinelinux.org/",
    )  # fmt: skip
    return Distribution(release, size, ("wget", "nc", "apk", *_BOX), (("etc/alpine-release",
                        f"{version}\n"),))  # fmt: skip


BOOKWORM = _debian("12", "bookworm", 117 * _MB)
SLIM = BOOKWORM._replace(size=75 * _MB)
BULLSEYE = _debian("11", "bullseye", 124 * _MB)
ALPINE = {
    "3.21": _alpine("3.21.0", 7_830_000),
    "3.20": _alpine("3.20.3", 7_800_000),
    "3.19": _alpine("3.19.4", 7_400_000),
}
_BUSYBOX = Distribution((), 4_270_000, ("wget", "nc", *_BOX))
_LABEL = {"vitrina.simulated": "true"}


def image(
    base: Distribution,
    *layers: Make,
    steps: tuple[str, ...] = (),
    env: tuple[str, ...] = (),
    **config: Any,
) -> Published:
    """An image on a distribution, with its own layers and configuration (in the API's words)."""
    told = {"Env": [f"PATH={PATH}", *env], "Labels": dict(_LABEL), **config}
    empty = [f"CMD {config['Cmd']}".replace("'", '"')] if config.get("Cmd") else []
    made = tuple(steps) or tuple(f"RUN install part {n + 1} # buildkit" for n in range(len(layers)))
    return Published(
        told, (contents.root(base), *layers), (f"ADD rootfs for {_name(base)}", *made, *empty)
    )


def _name(base: Distribution) -> str:
    return dict(base.release).get("PRETTY_NAME", "BusyBox")


def _distributions() -> dict[str, dict[str, Published]]:
    bash = ["bash"]
    alpine = {version: image(one, Cmd=["/bin/sh"]) for version, one in ALPINE.items()}
    box = image(_BUSYBOX, Cmd=["sh"])
    bookworm, slim, bullseye = (image(one, Cmd=bash) for one in (BOOKWORM, SLIM, BULLSEYE))
    noble = image(_ubuntu("24.04", "Noble Numbat", 78 * _MB), Cmd=bash)
    jammy = image(_ubuntu("22.04", "Jammy Jellyfish", 77_900_000), Cmd=bash)
    focal = image(_ubuntu("20.04", "Focal Fossa", 72_800_000), Cmd=bash)
    return {
        "busybox": dict.fromkeys(
            ("latest", "1", "1.37", "1.37.0", "stable", "glibc", "1.36", "1.35"), box
        ),
        "alpine": {
            "latest": alpine["3.21"], "3": alpine["3.21"], "3.21": alpine["3.21"],
            "3.21.0": alpine["3.21"], "3.20": alpine["3.20"], "3.20.3": alpine["3.20"],
            "3.19": alpine["3.19"], "3.19.4": alpine["3.19"],
        },
        "debian": {
            "latest": bookworm, "12": bookworm, "bookworm": bookworm, "stable": bookworm,
            "bookworm-slim": slim, "12-slim": slim, "stable-slim": slim,
            "11": bullseye, "bullseye": bullseye,
        },
        "ubuntu": {
            "latest": noble, "24.04": noble, "noble": noble, "22.04": jammy, "jammy": jammy,
            "20.04": focal, "focal": focal,
        },
    }  # fmt: skip


def _all() -> dict[str, dict[str, Published]]:
    from simulator.isolation.control.docker.images import services

    found = {**_distributions(), **services.published()}
    others = {f"docker.io/{name}": tags for name, tags in services.elsewhere().items()}
    return {f"{OFFICIAL}{name}": tags for name, tags in found.items()} | others


_CATALOGUE: dict[str, dict[str, Published]] = {}


def tags(repository: str) -> dict[str, Published]:
    """The images of a repository (``docker.io/library/nginx``) by tag; none when there is none."""
    return published().get(repository, {})


def published() -> dict[str, dict[str, Published]]:
    """Every repository."""
    if not _CATALOGUE:
        _CATALOGUE.update(_all())
    return _CATALOGUE


DESCRIPTIONS = {
    "alpine": "A minimal image based on Alpine Linux.",
    "busybox": "Many small Unix tools in one program.",
    "debian": "Debian, made of free and open-source software.",
    "hello-world": "A first container: it says hello and ends.",
    "httpd": "The Apache HTTP Server.",
    "mysql": "MySQL, a relational database.",
    "nginx": "nginx, a web server and reverse proxy.",
    "node": "Node.js, JavaScript outside of the browser.",
    "postgres": "PostgreSQL, an object-relational database.",
    "python": "Python, a programming language.",
    "redis": "Redis, a store of data structures in memory.",
    "registry": "A registry that stores and distributes images.",
    "ubuntu": "Ubuntu, a distribution based on Debian.",
}

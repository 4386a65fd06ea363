"""Which machine an image is for: ``--platform``, and the warning when it is for another.

moby ``daemon/create.go``, ``daemon/images/image.go``; containerd ``platforms``.
"""

from simulator.isolation.control.docker.api.errors import BadRequest, NotFound
from simulator.isolation.control.docker.engine.config import CreateRequest
from simulator.isolation.control.docker.images.store import Image
from simulator.isolation.control.docker.wire.exchange import Exchange
from simulator.machine.userland.process import Process

_NAMES = {"aarch64": "arm64", "armv8": "arm64", "x86_64": "amd64"}


def architecture_of(platform: str) -> str:
    """``linux/arm64/v8`` as Go names it: ``arm64``; empty when nothing is asked for.

    Raises ``BadRequest`` for another system than linux.
    """
    if not platform:
        return ""
    parts = platform.lower().split("/")
    if len(parts) > 1 and parts[0] != "linux":
        raise BadRequest(f'"{platform}": unknown operating system or architecture')
    name = parts[1] if len(parts) > 1 else parts[0]
    return "" if name == "linux" else _NAMES.get(name, name)


async def host(sys: Process) -> str:
    """The architecture of the daemon's machine, by uname(2)."""
    machine = str((await sys.data("uname"))["machine"])
    return _NAMES.get(machine, machine)


def architecture(image: Image) -> str:
    """What an image was made for."""
    return image.config.get("architecture") or "amd64"


def fits(image: Image, platform: str) -> bool:
    """Whether an image is for ``platform``; any is when none was asked for."""
    wanted = architecture_of(platform)
    return not wanted or wanted == architecture(image)


async def check(x: Exchange, request: CreateRequest, platform: str) -> list[str]:
    """The warning about an image of another machine. Raises ``NotFound`` when ``platform`` was
    asked for and the image is for another: a client pulls it then.
    """
    if not request.Image:
        return []
    try:
        image = x.engine.images.find(request.Image)
    except NotFound:
        return []
    own = architecture(image)
    if not fits(image, platform):
        raise NotFound(
            f"image with reference {request.Image} was found but its platform (linux/{own}) does"
            f" not match the specified platform (linux/{architecture_of(platform)})"
        )
    machine = await host(x.sys)
    if platform or own == machine:
        return []
    return [
        f"The requested image's platform (linux/{own}) does not match the detected host platform"
        f" (linux/{machine}) and no specific platform was requested"
    ]

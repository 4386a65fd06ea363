"""htpasswd(1): users and passwords in a file, as Apache and registries read it.

A password is kept as ``$2y$05$`` with a hash of SHA-256 in the place of bcrypt's: simulated, not
to be used elsewhere.
"""

import base64
import hashlib
from collections.abc import Sequence

from simulator.machine.abi.constants import O_CREAT, O_TRUNC, O_WRONLY
from simulator.machine.userland.options import parse
from simulator.machine.userland.process import Process
from simulator.machine.userland.registry import IMAGES, enter


def hashed(user: str, password: str) -> str:
    """A password as it is kept."""
    mixed = hashlib.sha256(f"{user}\0{password}".encode("utf-8", "surrogateescape")).digest()
    return "$2y$05$" + base64.b64encode(mixed, b"./").decode().rstrip("=") + "vitrina.."


def verified(table: str, user: str, password: str) -> bool:
    """Whether a table has the user with that password."""
    return f"{user}:{hashed(user, password)}" in table.splitlines()


@enter("htpasswd", collection=IMAGES)
async def main(sys: Process, argv: Sequence[str]) -> int:
    """``htpasswd -Bbn USER PASSWORD``, ``htpasswd -Bb[c] FILE USER PASSWORD``."""
    options = parse(argv, "Bbncm")
    words = options.rest if options.has("n") else options.rest[1:]
    if not options.has("b") or len(words) != 2:
        await sys.err("Usage:\n\thtpasswd -Bb[c] FILE USER PASSWORD\n\thtpasswd -Bbn USER"
                      " PASSWORD\n")  # fmt: skip
        return 2
    user, password = words
    line = f"{user}:{hashed(user, password)}\n"
    if options.has("n"):
        await sys.out(line + "\n")
        return 0
    path = options.rest[0]
    old = "" if options.has("c") else await sys.text_or_empty(path)
    kept = [one for one in old.splitlines() if one.partition(":")[0] != user]
    fd = await sys.open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    await sys.write(fd, ("\n".join(kept) + "\n" if kept else "").encode() + line.encode())
    await sys.close(fd)
    await sys.err(f"Adding password for user {user}\n")
    return 0

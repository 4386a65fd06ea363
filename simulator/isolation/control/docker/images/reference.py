"""Names of images: ``registry/repository:tag@digest`` (github.com/distribution/reference)."""

import re
from typing import NamedTuple

from simulator.isolation.control.docker.api.errors import BadRequest

DEFAULT_DOMAIN = "docker.io"
_OFFICIAL = "library"
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_DOMAIN = re.compile(
    r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
    r"(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?"
)
_TAG = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}")
_HEX = re.compile(r"[0-9a-f]{64}")


class Reference(NamedTuple):
    """A name taken apart; ``tag`` and ``digest`` are empty when not given."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def familiar(self) -> str:
        """The repository as people write it: without ``docker.io/library/``."""
        if self.domain != DEFAULT_DOMAIN:
            return f"{self.domain}/{self.path}"
        return self.path.removeprefix(f"{_OFFICIAL}/")

    @property
    def full(self) -> str:
        """The repository with its registry."""
        return f"{self.domain}/{self.path}"

    def tagged(self) -> "Reference":
        """With ``latest`` where neither tag nor digest was given."""
        return self if self.tag or self.digest else self._replace(tag="latest")

    def __str__(self) -> str:
        text = self.familiar
        if self.tag:
            text += f":{self.tag}"
        return f"{text}@{self.digest}" if self.digest else text


def parse(text: str) -> Reference:
    """A reference. Raises ``BadRequest`` with the library's words."""
    if _HEX.fullmatch(text):
        raise BadRequest(
            f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
        )
    name, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise BadRequest("invalid reference format")
    tag = ""
    head, colon, tail = name.rpartition(":")
    if colon and "/" not in tail:
        name, tag = head, tail
        if not _TAG.fullmatch(tag):
            raise BadRequest("invalid reference format")
    domain, path = _split(name)
    if path.lower() != path:
        raise BadRequest("invalid reference format: repository name must be lowercase")
    parts = path.split("/")
    if not all(_COMPONENT.fullmatch(part) for part in parts) or not _DOMAIN.fullmatch(domain):
        raise BadRequest("invalid reference format")
    return Reference(domain, path, tag, digest)


def _split(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    is_domain = "." in first or ":" in first or first == "localhost" or first.lower() != first
    if not slash or not is_domain:
        domain, path = DEFAULT_DOMAIN, name
    else:
        domain, path = first, rest
    if domain == "index.docker.io":
        domain = DEFAULT_DOMAIN
    if domain == DEFAULT_DOMAIN and "/" not in path:
        path = f"{_OFFICIAL}/{path}"
    return domain, path

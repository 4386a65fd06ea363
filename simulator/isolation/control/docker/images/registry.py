"""Where images come from and go to: the public registry, two more beyond the Internet, and any
that runs on the simulated network.

``docker.io`` is the catalogue and what people pushed to names of their own; ``registry.example`` is
open to all; ``private.example`` wants a login for everything. What was pushed to these lies in
files (``SHELF``), so that it is as lasting as the engine's own state. Any other host is asked over
TCP by the protocol (``remote.py``): the image ``registry`` serves it.
"""

from typing import Any, Protocol

from simulator.isolation.control.docker.api.errors import ApiError, NotFound
from simulator.isolation.control.docker.engine import files
from simulator.isolation.control.docker.engine.sync import Lock
from simulator.isolation.control.docker.images import catalogue, manifests
from simulator.isolation.control.docker.images.manifests import Credentials, Manifest
from simulator.isolation.control.docker.images.reference import DEFAULT_DOMAIN, Reference
from simulator.isolation.control.docker.images.remote import Remote
from simulator.machine.userland.process import Process

SHELF = "/var/lib/docker/vitrina-registries"
ACCOUNTS = {"student": "student", "teacher": "teacher"}
"""Who may log in to docker.io and private.example; documented, for classes."""
OPEN, PRIVATE = "registry.example", "private.example"


class Depot(Protocol):
    """A registry: what the daemon asks of any of them."""

    async def manifest(
        self, sys: Process, name: str, wanted: str, who: Credentials
    ) -> bytes | None:
        """The bytes that a tag or digest names."""
        ...

    async def blob(self, sys: Process, name: str, digest: str, who: Credentials) -> bytes:
        """A layer or configuration. Raises ``NotFound``."""
        ...

    async def has_blob(self, sys: Process, name: str, digest: str, who: Credentials) -> bool:
        """Whether it need not be sent."""
        ...

    async def put_blob(
        self, sys: Process, name: str, digest: str, content: bytes, who: Credentials
    ) -> None:
        """Take a blob in."""
        ...

    async def put_manifest(
        self, sys: Process, name: str, tag: str, content: bytes, who: Credentials
    ) -> None:
        """Take a manifest in under a tag."""
        ...

    async def log_in(self, sys: Process, who: Credentials) -> None:
        """Raises ``ApiError`` (401) when they are not right."""
        ...


class Shelf:
    """A registry beyond the network, kept in files. ``private``: nobody gets in without login."""

    def __init__(self, domain: str) -> None:
        self.domain = domain
        self.place = f"{SHELF}/{domain}"
        self._tagging = Lock()

    def _check(self, name: str, who: Credentials, *, write: bool) -> None:
        known = bool(who.user) and ACCOUNTS.get(who.user) == who.password
        if self.domain == PRIVATE and not known:
            raise ApiError(f'Head "https://{PRIVATE}/v2/{name}/manifests/": no basic auth'
                           " credentials")  # fmt: skip
        if self.domain == DEFAULT_DOMAIN and write:
            owner = name.partition("/")[0]
            if not known or owner != who.user:
                raise ApiError("denied: requested access to the resource is denied")

    async def _tags(self, sys: Process, name: str) -> dict[str, str]:
        path = f"{self.place}/{name.replace('/', '%')}.json"
        return await files.load(sys, path, dict[str, str]) or {}

    async def manifest(
        self, sys: Process, name: str, wanted: str, who: Credentials
    ) -> bytes | None:
        """What was pushed, or what the catalogue has."""
        self._check(name, who, write=False)
        tags = await self._tags(sys, name)
        digest = tags.get(wanted, wanted if wanted in tags.values() else "")
        if digest:
            return await sys.slurp(f"{self.place}/blobs/{digest[7:]}")
        for tag, one in catalogue.tags(f"{self.domain}/{name}").items():
            if tag == wanted:
                return manifests.bundle(one).top
            if wanted.startswith("sha256:") and wanted in manifests.bundle(one).manifests:
                return manifests.bundle(one).manifests[wanted]
        return None

    async def blob(self, sys: Process, name: str, digest: str, who: Credentials) -> bytes:
        """A layer or configuration. Raises ``NotFound``."""
        self._check(name, who, write=False)
        for one in catalogue.tags(f"{self.domain}/{name}").values():
            found = manifests.bundle(one).blobs.get(digest)
            if found is not None:
                return found
        path = f"{self.place}/blobs/{digest[7:]}"
        if not await files.exists(sys, path):
            raise NotFound(f"blob unknown to registry: {digest}")
        return await sys.slurp(path)

    async def has_blob(self, sys: Process, name: str, digest: str, who: Credentials) -> bool:
        """Whether it need not be sent."""
        self._check(name, who, write=True)
        return await files.exists(sys, f"{self.place}/blobs/{digest[7:]}")

    async def put_blob(
        self, sys: Process, name: str, digest: str, content: bytes, who: Credentials
    ) -> None:
        """Take a blob in."""
        self._check(name, who, write=True)
        await files.make(sys, f"{self.place}/blobs")
        await files.write(sys, f"{self.place}/blobs/{digest[7:]}", content)

    async def put_manifest(
        self, sys: Process, name: str, tag: str, content: bytes, who: Credentials
    ) -> None:
        """Take a manifest in under a tag."""
        digest = manifests.digest(content)
        await self.put_blob(sys, name, digest, content, who)
        async with self._tagging.held(sys):
            tags = {**await self._tags(sys, name), tag: digest}
            await files.save(sys, f"{self.place}/{name.replace('/', '%')}.json", tags)

    async def log_in(self, sys: Process, who: Credentials) -> None:
        """Check an account."""
        del sys
        if ACCOUNTS.get(who.user) == who.password:
            return
        if self.domain == DEFAULT_DOMAIN:
            raise ApiError(
                'Get "https://registry-1.docker.io/v2/": unauthorized: incorrect username or'
                " password",
                401,
            )
        address = f"https://{self.domain}/v2/"
        raise ApiError(f"login attempt to {address} failed with status: 401 Unauthorized", 401)


class Registry:
    """All of them; which is asked is said by a reference's domain."""

    def depot(self, domain: str) -> Depot:
        """The registry of a domain."""
        if domain in (DEFAULT_DOMAIN, OPEN, PRIVATE):
            return Shelf(domain)
        return Remote(domain)

    async def manifest(
        self, sys: Process, reference: Reference, architecture: str, who: Credentials
    ) -> Manifest:
        """What a reference names. Raises ``ApiError`` in the registry's words."""
        depot = self.depot(reference.domain)
        wanted = reference.digest or reference.tag or "latest"
        found = await depot.manifest(sys, reference.path, wanted, who)
        if found is None:
            raise NotFound(await self._unknown(sys, reference))
        chosen = manifests.choose(found, architecture)
        if not chosen:
            return manifests.decoded(found, manifests.digest(found))
        one = await depot.manifest(sys, reference.path, chosen, who)
        return manifests.decoded(one or b"", manifests.digest(found))

    async def _unknown(self, sys: Process, reference: Reference) -> str:
        known = bool(catalogue.tags(reference.full))
        if not known and reference.domain in (DEFAULT_DOMAIN, OPEN, PRIVATE):
            path = f"{SHELF}/{reference.domain}/{reference.path.replace('/', '%')}.json"
            known = await files.exists(sys, path)
        if known or reference.domain not in (DEFAULT_DOMAIN, OPEN, PRIVATE):
            return f"manifest for {reference} not found: manifest unknown: manifest unknown"
        return (
            f"pull access denied for {reference.familiar}, repository does not exist or may"
            " require 'docker login': denied: requested access to the resource is denied"
        )

    async def blob(
        self, sys: Process, reference: Reference, digest: str, who: Credentials
    ) -> bytes:
        """A blob, checked. Raises ``ApiError``."""
        content = await self.depot(reference.domain).blob(sys, reference.path, digest, who)
        if manifests.digest(content) != digest:
            raise ApiError(f"filesystem layer verification failed for digest {digest}")
        return content

    def search(self, term: str) -> list[dict[str, Any]]:
        """Official images whose name holds ``term``."""
        found: list[dict[str, Any]] = []
        for number, name in enumerate(sorted(catalogue.published())):
            short = name.removeprefix(catalogue.OFFICIAL)
            if term.lower() in short:
                found.append(
                    {"star_count": 20_000 - 700 * number, "is_official": True, "name": short,
                     "is_automated": False,
                     "description": catalogue.DESCRIPTIONS.get(short, short)}
                )  # fmt: skip
        return found


def domain_of(address: str) -> str:
    """The domain that ``docker login ADDRESS`` means; Docker Hub's has many names."""
    bare = address.removeprefix("https://").removeprefix("http://").partition("/")[0]
    return DEFAULT_DOMAIN if bare in ("", "index.docker.io", "registry-1.docker.io") else bare

"""docker login and logout: passwords in ~/.docker/config.json, sent with what a registry is asked.

docker/cli ``cli/config``, ``cli/command/registry``.
"""

import base64
import posixpath
from typing import Any

import h11
import msgspec

from simulator.isolation.control.docker.api.errors import ApiError
from simulator.isolation.control.docker.client.flags import Flag, parse
from simulator.isolation.control.docker.client.wire import Api, ClientError
from simulator.isolation.control.docker.images import reference
from simulator.isolation.control.docker.images.registry import domain_of
from simulator.machine.abi.constants import O_CREAT, O_TRUNC, O_WRONLY
from simulator.machine.userland.process import Process, SysError

_HUB = "https://index.docker.io/v1/"
Config = dict[str, Any]


def _place(sys: Process) -> str:
    home = sys.env.get("HOME", "/root")
    return posixpath.join(sys.env.get("DOCKER_CONFIG") or f"{home}/.docker", "config.json")


async def _load(sys: Process) -> Config:
    try:
        return msgspec.json.decode(await sys.slurp(_place(sys)), type=Config)
    except (SysError, msgspec.MsgspecError):
        return {}


async def _save(sys: Process, config: Config) -> None:
    path = _place(sys)
    await sys.succeeds("mkdir", posixpath.dirname(path), 0o700)
    fd = await sys.open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    await sys.write(fd, msgspec.json.format(msgspec.json.encode(config), indent=8))
    await sys.close(fd)


class SignedApi(Api):
    """Requests that go on to a registry bring the login for it (X-Registry-Auth, -Config)."""

    def __init__(self, sys: Process, host: str, config: Config) -> None:
        super().__init__(sys, host)
        self.auths: dict[str, dict[str, str]] = config.get("auths") or {}

    def _login(self, name: str) -> dict[str, str]:
        try:
            domain = reference.parse(name).domain
        except ApiError:
            return {}
        key = _HUB if domain == reference.DEFAULT_DOMAIN else domain
        text = self.auths[key].get("auth", "") if key in self.auths else ""
        user, _, password = base64.b64decode(text).decode("utf-8", "replace").partition(":")
        return {"username": user, "password": password, "serveraddress": key} if user else {}

    def _request(
        self, method: str, path: str, query: dict[str, Any], content: bytes, upgrade: bool
    ) -> h11.Request:
        made = super()._request(method, path, query, content, upgrade)
        told: dict[str, Any] = {}
        header = "X-Registry-Auth"
        if path == "/images/create":
            told = self._login(str(query.get("fromImage", "")))
        elif path.endswith("/push"):
            told = self._login(path.removeprefix("/images/").removesuffix("/push"))
        elif path == "/build":
            header = "X-Registry-Config"
            told = {key: self._login("x" if key == _HUB else f"{key}/x") for key in self.auths}
        if not told:
            return made
        value = base64.urlsafe_b64encode(msgspec.json.encode(told)).decode()
        headers = [*made.headers.raw_items(), (header.encode(), value.encode())]
        return h11.Request(method=method, target=made.target, headers=headers)


async def signed(sys: Process, host: str) -> SignedApi:
    """The daemon, with what was logged in to before."""
    return SignedApi(sys, host, await _load(sys))


async def login(sys: Process, api: Api, words: list[str]) -> int:
    """docker login [-u USER] [-p PASSWORD | --password-stdin] [SERVER]."""
    flags = {"username": Flag("text", "u"), "password": Flag("text", "p"),
             "password-stdin": Flag()}  # fmt: skip
    given = parse("login", flags, words)
    server = given.words[0] if given.words else _HUB
    user, password = given.text("username"), given.text("password")
    if given.on("password-stdin"):
        if not user:
            raise ClientError("Must provide --username with --password-stdin")
        password = (await sys.drain(0)).decode("utf-8", "replace").strip()
    elif password:
        await sys.err("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n")
    if not user or not password:
        raise ClientError("Error: Cannot perform an interactive login from a non TTY device")
    body = {"username": user, "password": password, "serveraddress": server}
    told = await api.ask("POST", "/auth", body=body)
    config = await _load(sys)
    key = _HUB if domain_of(server) == reference.DEFAULT_DOMAIN else domain_of(server)
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    config.setdefault("auths", {})[key] = {"auth": pair}
    await _save(sys, config)
    await sys.err(f"\nWARNING! Your credentials are stored unencrypted in '{_place(sys)}'.\n"
                  "Configure a credential helper to remove this warning. See\n"
                  "https://docs.docker.com/go/credential-store/\n\n")  # fmt: skip
    await sys.out(f"{told['Status']}\n")
    return 0


async def logout(sys: Process, api: Api, words: list[str]) -> int:
    """docker logout [SERVER]."""
    del api
    given = parse("logout", {}, words)
    server = given.words[0] if given.words else _HUB
    key = _HUB if domain_of(server) == reference.DEFAULT_DOMAIN else domain_of(server)
    config = await _load(sys)
    if key not in (config.get("auths") or {}):
        await sys.out(f"Not logged in to {key}\n")
        return 0
    del config["auths"][key]
    await _save(sys, config)
    await sys.out(f"Removing login credentials for {key}\n")
    return 0

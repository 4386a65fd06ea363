"""Making the calls: one result a call, with what differs from run to run masked."""

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import docker
import docker.errors
import docker.models.containers

BOX = "vitrina:box"
EXPECTED = Path(__file__).with_name("expected.json")
VERSION = "1.41"
"""The newest API version that the dockerd of this distribution speaks."""

_MASKS = (
    (r"\b(sha256:)?[0-9a-f]{64}\b", "<id>"),
    (r"\b[0-9a-f]{12}\b", "<short>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "<time>"),
    (r"\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b", "<mac>"),
    (r"PATH=[/a-z:]+", "PATH=<path>"),
    (r"\b172\.\d+\.\d+\.\d+", "<ip>"),
    (r"OCI runtime create failed: .*unable to start container process: ", "<oci> "),
    (r"OCI runtime exec failed: exec failed: .*unable to start container process: ", "<oci> "),
    (r"failed to create shim( task)?: |failed to create task for container: ", ""),
    (r"http\+docker://\S+?/v", "http+docker://x/v"),
    (r": unknown\.?$|\.$", ""),
)
_LABEL = "vitrina.simulated"
"""Our images say that they are simulated; 27 tells of an execDuration; 20.10 of no Error."""


class Sdk:
    """What the calls have to work with: a client, and what earlier calls made."""

    def __init__(self, url: str) -> None:
        self.client = docker.DockerClient(base_url=url, version=VERSION, timeout=60)
        self.kept: dict[str, Any] = {}

    @property
    def api(self) -> docker.APIClient:
        return self.client.api

    def run(self, *args: Any, **more: Any) -> Any:
        """containers.run() of the box."""
        return self.client.containers.run(BOX, *args, **more)

    def one(self, name: str) -> docker.models.containers.Container:
        """The container of that name, as it is now."""
        return self.client.containers.get(name)

    def keep(self, name: str, value: Any) -> Any:
        """For later calls."""
        self.kept[name] = value
        return value


def masked(value: Any) -> Any:
    """The value as JSON holds it, with what differs from run to run masked."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        for pattern, word in _MASKS:
            value = re.sub(pattern, word, value)
        return value
    if isinstance(value, dict):
        return {
            str(masked(key)): masked(one)
            for key, one in value.items()
            if key != _LABEL and (key, one) != ("Error", None)
        }
    if isinstance(value, (list, tuple)):
        return [masked(one) for one in value if one not in (_LABEL, "execDuration")]
    if isinstance(value, (set, frozenset)):
        return sorted(masked(one) for one in value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return type(value).__name__


def result(sdk: Sdk, action: Callable[[Sdk], Any]) -> Any:
    """What a call gives, or the exception with its class, status and words."""
    try:
        return masked(action(sdk))
    except docker.errors.ContainerError as error:
        told = {"exit": error.exit_status, "stderr": error.stderr}
        return masked({"error": "ContainerError", **told})
    except docker.errors.APIError as error:
        told = {"status": error.status_code, "message": error.explanation}
        return masked({"error": type(error).__name__, **told})
    except (docker.errors.DockerException, LookupError, TypeError, ValueError) as error:
        return masked({"error": type(error).__name__, "message": str(error)})


def every() -> list[tuple[str, Callable[[Sdk], Any]]]:
    """All calls in order."""
    from tests.unit.experiment.engine_api.sdk_calls import (
        containers,
        images,
        inside,
        rest,
        streams,
    )

    subjects = (containers, streams, inside, images, rest)
    found = [
        (f"{subject.__name__.rpartition('.')[2]}: {name}", action)
        for subject in subjects
        for name, action in subject.CALLS
    ]
    assert len({name for name, _ in found}) == len(found), "two calls have one name"
    return found


def told(url: str, calls: Iterable[tuple[str, Callable[[Sdk], Any]]] | None = None) -> dict:
    """The results of all calls against the engine at ``url``."""
    sdk = Sdk(url)
    try:
        return {name: result(sdk, action) for name, action in calls or every()}
    finally:
        sdk.client.close()


def expected() -> dict[str, dict[str, Any]]:
    """What was recorded: ``real``, and where it differs ``ours`` and ``why``."""
    return json.loads(EXPECTED.read_text())

"""A project as ``compose config`` prints it: compose-go's order of keys, go-yaml's quotes."""

import io
import re
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from simulator.isolation.control.docker.client.running import bytes_of
from simulator.isolation.control.docker.compose.tree import Tree, listed

_ORDER = {
    "ports": ("name", "mode", "host_ip", "target", "published", "protocol", "app_protocol"),
    "volumes": ("name", "type", "source", "target", "read_only", "bind", "volume", "tmpfs",
                "driver", "driver_opts", "external", "labels"),
    "networks": ("name", "driver", "driver_opts", "ipam", "external", "internal", "attachable"),
    "healthcheck": ("test", "timeout", "interval", "retries", "start_period", "start_interval"),
    "build": ("context", "dockerfile", "dockerfile_inline", "args"),
    "secrets": ("name", "source", "target", "uid", "gid", "mode", "file", "environment"),
    "configs": ("name", "source", "target", "uid", "gid", "mode", "file", "content"),
    "ulimits": ("single", "soft", "hard"),
    "depends_on": ("condition", "restart", "required"),
}  # fmt: skip
"""What comes first in the mappings below a key; the rest follows by name."""
_SIZES = ("mem_limit", "mem_reservation", "memswap_limit", "shm_size", "memory")
_FALSE = ("privileged", "read_only", "stdin_open", "tty", "init")
_AMBIGUOUS = re.compile(
    r"(?i)y|n|yes|no|on|off|true|false|null|~|[-+]?(\d[\d_]*)(\.\d*)?(e[-+]?\d+)?|[-+]?\.\d+"
    r"|0x[0-9a-f]+|0o?[0-7]+|[-+]?\d[\d_]*(:[0-5]?\d)+(\.\d*)?|\d{4}-\d\d?-\d\d?.*|[-+]?\.(inf|nan)|"
)
"""What YAML 1.1 or 1.2 takes for something else than text (go-yaml ``encode.go``, stringv())."""


def printed(tree: Tree) -> str:
    """The whole file. A ``$`` is written twice, so that it can be read again."""
    project = str(tree.get("name", ""))
    return _dumped({key: _shaped(_whole(project, key, one), key) for key, one in tree.items()})


def as_written(tree: Any) -> str:
    """A file of which nothing was interpolated: keys by name, texts as they are."""
    return _dumped(_sorted(tree))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        tree = cast("dict[Any, Any]", value)
        return {_text(str(key)): _sorted(tree[key]) for key in sorted(tree, key=str)}
    if isinstance(value, list):
        return [_sorted(one) for one in cast("list[Any]", value)]
    return _text(value) if isinstance(value, str) else value


def _dumped(tree: Any) -> str:
    writer: Any = YAML(pure=True)
    writer.default_flow_style = False
    writer.width = 1 << 20
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.representer.add_representer(type(None), _null)
    found = io.StringIO()
    writer.dump(tree, found)
    return found.getvalue()


def _null(representer: Any, _nothing: None) -> Any:
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")


def _by_field(name: str) -> str:
    """compose-go's fields go by their Go names: ``CPUS`` comes before ``CapAdd``."""
    return f"b~{name}" if name.startswith("cpu") else name


def _whole(project: str, section: str, part: Any) -> Any:
    """A section with what is left unsaid in the file but printed."""
    if section in ("secrets", "configs"):
        parts = cast("dict[str, Tree]", part)
        return {name: {"name": f"{project}_{name}", **one} for name, one in parts.items()}
    if section != "services":
        return part
    services: dict[str, Tree] = {}
    for name, service in cast("dict[str, Tree]", part).items():
        told = {key: one for key, one in service.items() if not (key in _FALSE and one is False)}
        for kind, place in (("secrets", "/run/secrets/"), ("configs", "/")):
            if kind in told:
                told[kind] = [{"target": place + one["source"], **one} for one in told[kind]]
        told |= (
            {
                "volumes": [
                    {"bind": {"create_host_path": True}, **one}
                    if one.get("type") == "bind"
                    else one
                    for one in listed(told, "volumes")
                ]
            }
            if "volumes" in told
            else {}
        )
        services[name] = told
    return services


def _shaped(value: Any, key: str, above: str = "") -> Any:
    if isinstance(value, dict):
        tree = cast("dict[str, Any]", value)
        first = _ORDER.get(above if key not in _ORDER else key, ())
        names = [name for name in first if name in tree]
        names += sorted((name for name in tree if name not in first), key=_by_field)
        inner = key if key in _ORDER else above if above in _ORDER else ""
        return {_text(name): _shaped(tree[name], name, inner) for name in names}
    if isinstance(value, list):
        return [_shaped(one, key, above) for one in cast("list[Any]", value)]
    if key in _SIZES and value is not None:
        text = str(value)
        return DoubleQuotedScalarString(text if text.lstrip("-").isdigit() else bytes_of(text))
    if key == "cpus" and value is not None:
        return float(value)
    return _text(value.replace("$", "$$")) if isinstance(value, str) else value


def _text(text: str) -> str:
    if "\n" in text:
        return LiteralScalarString(text)
    return DoubleQuotedScalarString(text) if _AMBIGUOUS.fullmatch(text) else text

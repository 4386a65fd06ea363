"""``--mount`` of ``docker run``. docker/cli ``opts/mount.go``."""

from collections.abc import Callable
from typing import Any

from simulator.isolation.control.docker.client.wire import ClientError

_NAMES = {"source": "Source", "src": "Source", "target": "Target", "dst": "Target",
          "destination": "Target", "consistency": "Consistency"}  # fmt: skip
_ALONE = {
    "readonly": ("", "ReadOnly"),
    "ro": ("", "ReadOnly"),
    "volume-nocopy": ("volume", "NoCopy"),
    "bind-nonrecursive": ("bind", "NonRecursive"),
}
_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")
_OPTIONS = {"volume": "VolumeOptions", "bind": "BindOptions", "tmpfs": "TmpfsOptions"}
_RECURSIVE = {"enabled": "", "disabled": "NonRecursive", "writable": "ReadOnlyNonRecursive",
              "readonly": "ReadOnlyForceRecursive"}  # fmt: skip


def read(text: str, size: Callable[[str], int]) -> dict[str, Any]:
    """One mount as the API takes it; ``size`` reads ``10m``. Raises ``ClientError``."""
    try:
        return _read(text, size)
    except ValueError as error:
        told = f'invalid argument "{text}" for "--mount" flag: {error}'
        raise ClientError(told, 125) from None


def _read(text: str, size: Callable[[str], int]) -> dict[str, Any]:
    found: dict[str, Any] = {"Type": "volume"}
    for field in text.split(","):
        key, given, value = field.partition("=")
        key = key.lower()
        if key in _ALONE:
            kind, name = _ALONE[key]
            _of(found, kind)[name] = _boolean(key, value) if given else True
        elif not given:
            raise ValueError(f"invalid field '{field}' must be a key=value pair")
        elif key == "type":
            found["Type"] = value.lower()
        elif key in _NAMES:
            found[_NAMES[key]] = value
        elif not _option(found, key, value, size):
            raise ValueError(f"unexpected key '{key}' in '{field}'")
    _check(found)
    return found


def _of(found: dict[str, Any], kind: str) -> dict[str, Any]:
    return found.setdefault(_OPTIONS[kind], {}) if kind else found


def _boolean(key: str, value: str) -> bool:
    if value not in (*_TRUE, *_FALSE):
        raise ValueError(f"invalid value for {key}: {value}")
    return value in _TRUE


def _option(found: dict[str, Any], key: str, value: str, size: Callable[[str], int]) -> bool:
    kind, _, name = key.partition("-")
    match key:
        case "bind-propagation":
            _of(found, kind)["Propagation"] = value.lower()
        case "bind-recursive":
            if value not in _RECURSIVE:
                raise ValueError(
                    f'invalid value for {key}: {value} (must be "enabled", "disabled",'
                    ' "writable", or "readonly")'
                )
            if value != "enabled":
                _of(found, kind)[_RECURSIVE[value]] = True
        case "volume-subpath":
            _of(found, kind)["Subpath"] = value
        case "volume-driver":
            _of(found, kind).setdefault("DriverConfig", {})["Name"] = value
        case "volume-label" | "volume-opt":
            options = _of(found, kind)
            if name == "opt":
                options = options.setdefault("DriverConfig", {})
            first, _, second = value.partition("=")
            options.setdefault("Options" if name == "opt" else "Labels", {})[first] = second
        case "tmpfs-size" | "tmpfs-mode":
            try:
                number = size(value) if name == "size" else int(value, 8)
            except (ValueError, ClientError):
                raise ValueError(f"invalid value for {key}: {value}") from None
            _of(found, kind)["SizeBytes" if name == "size" else "Mode"] = number
        case _:
            return False
    return True


def _check(found: dict[str, Any]) -> None:
    if not found["Type"]:
        raise ValueError("type is required")
    if not found.get("Target"):
        raise ValueError("target is required")
    for kind, name in _OPTIONS.items():
        if name in found and found["Type"] != kind:
            raise ValueError(f"cannot mix '{kind}-*' options with mount type '{found['Type']}'")
    bind = found.get("BindOptions", {})
    for word, name in _RECURSIVE.items():
        if bind.get(name) and word in ("writable", "readonly") and not found.get("ReadOnly"):
            raise ValueError(
                f"option 'bind-recursive={word}' requires 'readonly' to be specified in conjunction"
            )
    if bind.get("ReadOnlyForceRecursive") and bind.get("Propagation") != "rprivate":
        raise ValueError(
            "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified"
            " in conjunction"
        )

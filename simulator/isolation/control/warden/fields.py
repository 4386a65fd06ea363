"""The client's flags: ``--handle H``, ``--bind_mounts[0].src_path /x``. commands_manager.rb"""

import re
from typing import Any

Fields = dict[str, tuple[str, str]]
"""By name: ``required`` or ``optional``, and the type."""

_HANDLE: Fields = {"handle": ("required", "string")}
_JOB: Fields = {**_HANDLE, "job_id": ("required", "uint32")}
_SCRIPT: Fields = {
    **_HANDLE,
    "script": ("required", "string"),
    "privileged": ("optional", "bool"),
    "discard_output": ("optional", "bool"),
    "log_tag": ("optional", "string"),
}

COMMANDS: dict[str, tuple[str, Fields]] = {
    "copy_in": (
        "Copy files/directories into the container.",
        {**_HANDLE, "src_path": ("required", "string"), "dst_path": ("required", "string")},
    ),
    "copy_out": (
        "Copy files/directories out of the container.",
        {
            **_HANDLE,
            "src_path": ("required", "string"),
            "dst_path": ("required", "string"),
            "owner": ("optional", "string"),
        },
    ),
    "create": (
        "Create a container, optionally pass options.",
        {
            "grace_time": ("optional", "uint32"),
            "handle": ("optional", "string"),
            "network": ("optional", "string"),
            "rootfs": ("optional", "string"),
        },
    ),
    "destroy": ("Shutdown a container.", _HANDLE),
    "echo": ("Echo a message.", {"message": ("required", "string")}),
    "info": ("Show metadata for a container.", _HANDLE),
    "limit_bandwidth": (
        "Set or get the bandwidth limit for the container.",
        {**_HANDLE, "rate": ("required", "uint64"), "burst": ("required", "uint64")},
    ),
    "limit_cpu": (
        "Set or get the CPU limit in shares for the container.",
        {**_HANDLE, "limit_in_shares": ("optional", "uint64")},
    ),
    "limit_disk": (
        "set or get the disk limit for the container.",
        {
            **_HANDLE,
            **{
                name.format(unit): ("optional", "uint64")
                for unit in ("block", "inode", "byte")
                for name in ("{}_limit", "{}", "{}_soft", "{}_hard")
            },
        },
    ),
    "limit_memory": (
        "Set or get the memory limit for the container.",
        {**_HANDLE, "limit_in_bytes": ("optional", "uint64")},
    ),
    "link": ("Do blocking read on results from a job.", _JOB),
    "list": ("List containers.", {}),
    "net_in": (
        "Forward port on external interface to container.",
        {**_HANDLE, "container_port": ("optional", "uint32"), "host_port": ("optional", "uint32")},
    ),
    "net_out": (
        "Allow traffic from the container to address.",
        {**_HANDLE, "network": ("optional", "string"), "port": ("optional", "uint32")},
    ),
    "ping": ("Ping warden.", {}),
    "run": (
        "Short hand for spawn(stream(cmd)) i.e. spawns a command, streams the result.",
        _SCRIPT,
    ),
    "spawn": ("Spawns a command inside a container and returns the job id.", _SCRIPT),
    "stop": (
        "Stop all processes inside a container.",
        {**_HANDLE, "background": ("optional", "bool"), "kill": ("optional", "bool")},
    ),
    "stream": ("Do blocking stream on results from a job.", _JOB),
}

_BIND = re.compile(r"bind_mounts\[(\d+)\]\.(src_path|dst_path|mode)\Z")
_RLIMIT = re.compile(r"rlimits\.(\w+)\Z")


class CommandError(Exception):
    """A command or a flag that there is not."""


def read(name: str, words: list[str]) -> dict[str, Any]:
    """The fields that flags give a command. Raises ``CommandError``."""
    if name not in COMMANDS:
        raise CommandError(f"Command: '{name}' is non-existent.")
    fields = COMMANDS[name][1]
    found: dict[str, Any] = {}
    pending = list(words)
    while pending:
        flag = pending.pop(0)
        if not flag.startswith("--"):
            raise CommandError(f"In flag: '{flag}', the field: '{flag}' is invalid.")
        field = flag[2:]
        nested = _nested(name, field)
        if nested is None and field not in fields:
            raise CommandError(f"In flag: '{flag}', the field: '{field}' is invalid.")
        kind = fields[field][1] if nested is None else "string"
        if kind == "bool":
            found[field] = True
            continue
        if not pending or pending[0].startswith("--"):
            raise CommandError(f"Invalid flag: '{flag}'.")
        _put(found, field, nested, _typed(pending.pop(0), kind))
    missing = [one for one, (rule, _) in fields.items() if rule == "required" and one not in found]
    if missing:
        raise CommandError(f"Field '{missing[0]}' is required but nil")
    return found


def _nested(name: str, field: str) -> re.Match[str] | None:
    if name == "create":
        return _BIND.match(field)
    return _RLIMIT.match(field) if name in ("run", "spawn") else None


def _put(found: dict[str, Any], field: str, nested: re.Match[str] | None, value: Any) -> None:
    if nested is None:
        found[field] = value
    elif nested.re is _RLIMIT:
        found.setdefault("rlimits", {})[nested[1]] = int(value)
    else:
        listed: list[dict[str, str]] = found.setdefault("bind_mounts", [])
        while len(listed) <= int(nested[1]):
            listed.append({"mode": "RO"})
        listed[int(nested[1])][nested[2]] = str(value)


def _typed(text: str, kind: str) -> Any:
    if kind == "string":
        return text
    if not text.isdigit():
        raise CommandError(f'invalid value for Integer(): "{text}"')
    return int(text)


def describe(name: str) -> str:
    """``COMMAND --help``."""
    if name not in COMMANDS:
        raise CommandError(f"Command: '{name}' is non-existent.")
    text, fields = COMMANDS[name]
    lines = [f"command: {name}", f"description: {text}"]
    if fields:
        lines += [f"usage: {name} [options]", "", "[options] can be one of the following:", ""]
    for field, (rule, kind) in fields.items():
        shown = f"--{field}" if kind == "bool" else f"--{field} <{field}> ({kind})"
        lines.append(f"\t{shown if rule == 'required' else f'[{shown}]'}  # {rule}")
    return "\n".join(lines) + "\n"

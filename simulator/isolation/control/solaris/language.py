"""zonecfg(1M)'s subcommands, over a configuration in memory.

``Editor.run`` takes one line, which may hold several subcommands separated by semicolons, and gives
what is to be printed. Writing the configuration down is the program's business: ``Editor.wish``
says when it is asked for. Source: cmd/zonecfg/zonecfg.c, zonecfg_grammar.y.
"""

import re
import shlex
from collections.abc import Callable

import msgspec

from simulator.isolation.technologies.options import zonecfg
from simulator.isolation.technologies.options.zonecfg import (
    ALIASES,
    GLOBAL,
    RESOURCES,
    Config,
    ConfigError,
    Resource,
)

COMMANDS = (
    "add", "cancel", "clear", "commit", "create", "delete", "end", "exit", "export", "help",
    "info", "remove", "revert", "select", "set", "verify",
)  # fmt: skip


_CHANGING = frozenset(("add", "clear", "commit", "create", "delete", "remove", "revert", "set"))


class Fault(Exception):
    """A subcommand that zonecfg refuses; the message is what it prints."""


class Editor:
    """A zonecfg session for one zone.

    ``config`` is None until there is a configuration; ``scope`` the type of resource that is being
    made or changed; ``wish`` is ``commit``, ``delete`` or ``exit`` when the program has to act.
    """

    def __init__(self, name: str, config: Config | None) -> None:
        self.name = name
        self.config = config
        self.saved = config
        self.scope = ""
        self.read_only = False
        """Whether the one who types may write no configuration: then nothing may be changed."""
        self.wish: list[str] = []
        self.templates: Callable[[str], Config | None] = _no_template
        self._before: Config | None = None
        self._commands: dict[str, Callable[[list[str]], str]] = {
            "add": self._add,
            "cancel": self._cancel,
            "clear": self._clear,
            "commit": self._commit,
            "create": self._create,
            "delete": self._delete,
            "end": self._end,
            "exit": self._exit,
            "export": self._export,
            "help": self._help,
            "info": self._info,
            "remove": self._remove,
            "revert": self._revert,
            "select": self._select,
            "set": self._set,
            "verify": self._verify,
        }

    @property
    def prompt(self) -> str:
        """``zonecfg:web:net> ``."""
        inner = f":{self.scope}" if self.scope else ""
        return f"zonecfg:{self.name}{inner}> "

    def run(self, line: str) -> str:
        """Carry out a line; what it prints. Raises ``Fault``."""
        out = ""
        for command in split(line):
            try:
                words = shlex.split(command, comments=True)
            except ValueError as error:
                raise Fault(f"syntax error: {error}") from None
            if not words:
                continue
            action = self._commands.get(words[0])
            if action is None:
                raise Fault(f"syntax error at '{words[0]}'")
            if self.read_only and words[0] in _CHANGING:
                raise Fault(f"{self.name}: cannot {words[0]} in read-only mode.")
            try:
                out += action(words[1:])
            except ConfigError as error:
                raise Fault(str(error)) from None
        return out

    def _need(self) -> Config:
        if self.config is None:
            raise Fault(
                f"{self.name}: No such zone configured\n"
                "Use 'create' to begin configuring a new zone."
            )
        return self.config

    def _create(self, words: list[str]) -> str:
        if self.scope:
            raise Fault("The create command only makes sense in the global scope.")
        if self.saved is not None and "-F" not in words:
            raise Fault(f"Zone {self.name} already exists; use '-F' to replace it.")
        config: Config | None = zonecfg.blank() if "-b" in words else zonecfg.default()
        for option in ("-t", "-a"):
            if option in words[:-1]:
                given = words[words.index(option) + 1]
                made = _OWN_TEMPLATES.get(given) if option == "-t" else None
                config = made() if made is not None else self.templates(f"{option} {given}")
                if config is None:
                    raise Fault(f"{given}: No such zone configured")
        assert config is not None
        properties = {"zonename": self.name, **config.properties}
        properties["zonename"] = self.name
        self.config = msgspec.structs.replace(config, properties=properties)
        return ""

    def _set(self, words: list[str]) -> str:
        config = self._need()
        text = " ".join(words)
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise Fault("usage:\n\tset <property-name>=<property-value>")
        _need_value(self.scope, name, value)
        if self.scope:
            self.config = zonecfg.set_inner(config, self.scope, name, value)
        else:
            self.config = zonecfg.set_property(config, name, value)
        return ""

    def _clear(self, words: list[str]) -> str:
        config = self._need()
        kept = {name: value for name, value in config.properties.items() if name not in words}
        self.config = msgspec.structs.replace(config, properties=kept)
        return ""

    def _add(self, words: list[str]) -> str:
        config = self._need()
        if not words:
            raise Fault("usage:\n\tadd <resource-type>\n\tadd <property-name> <property-value>")
        if self.scope:
            self.config = zonecfg.set_inner(config, self.scope, words[0], " ".join(words[1:]))
            return ""
        if words[0] not in RESOURCES:
            raise Fault(f"syntax error at '{words[0]}'")
        self._before = config
        self.config = zonecfg.add(config, words[0])
        self.scope = words[0]
        return ""

    def _select(self, words: list[str]) -> str:
        config = self._need()
        chosen = self._matching(config, words)
        rest = [one for one in config.resources if one is not chosen]
        self._before = config
        self.config = msgspec.structs.replace(config, resources=(*rest, chosen))
        self.scope = chosen.type
        return ""

    def _matching(self, config: Config, words: list[str]) -> Resource:
        kind = words[0] if words else ""
        zonecfg.need_resource(kind)
        pairs = [word.partition("=") for word in words[1:]]
        wanted = {name: value for name, _equals, value in pairs}
        for one in config.of(kind):
            if all(one.properties.get(name) == value for name, value in wanted.items()):
                return one
        raise Fault(f"No such {kind} resource.")

    def _remove(self, words: list[str]) -> str:
        config = self._need()
        words = [word for word in words if word != "-F"]
        gone = self._matching(config, words)
        if len(words) == 1:
            kept = tuple(one for one in config.resources if one.type != gone.type)
        else:
            kept = tuple(one for one in config.resources if one is not gone)
        self.config = msgspec.structs.replace(config, resources=kept)
        return ""

    def _end(self, _words: list[str]) -> str:
        last = self._need().last(self.scope) if self.scope else None
        if last is None:
            raise Fault("The end command only makes sense in the resource scope.")
        name = zonecfg.missing(last)
        if last.type == "net" and "physical" not in last.properties:
            name = "physical"
        if name:
            raise Fault(f"{name} not specified")
        if last.type == "capped-memory" and not last.properties:
            raise Fault("No property was specified.  One of physical, swap or locked is required.")
        self.scope, self._before = "", None
        return ""

    def _cancel(self, _words: list[str]) -> str:
        if not self.scope:
            raise Fault("The cancel command only makes sense in the resource scope.")
        self.config, self.scope = self._before, ""
        return ""

    def _verify(self, _words: list[str]) -> str:
        verify(self._need())
        return ""

    def _commit(self, _words: list[str]) -> str:
        if self.scope:
            raise Fault("The commit command only makes sense in the global scope.")
        verify(self._need())
        self.wish.append("commit")
        self.saved = self.config
        return ""

    def _revert(self, _words: list[str]) -> str:
        self.config, self.scope = self.saved, ""
        return ""

    def _delete(self, words: list[str]) -> str:
        self._need()
        if "-F" not in words:
            raise Fault(f"Use '-F' to delete zone {self.name} without being asked.")
        self.wish.append("delete")
        self.config = self.saved = None
        return ""

    def _exit(self, _words: list[str]) -> str:
        self.wish.append("exit")
        return ""

    def _help(self, _words: list[str]) -> str:
        return "".join(f"\t{name}\n" for name in COMMANDS)

    def _info(self, words: list[str]) -> str:
        config = self._need()
        wanted = words[0] if words else ""
        out = ""
        if not wanted or wanted in GLOBAL or wanted in ALIASES:
            out += _globals(self.name, config, wanted)
        for one in config.resources:
            if wanted in ("", one.type) and (not self.scope or one is config.last(self.scope)):
                out += _resource(one)
        if wanted and not out and wanted not in RESOURCES:
            raise Fault(f"syntax error at '{wanted}'")
        return out

    def _export(self, _words: list[str]) -> str:
        config = self._need()
        out = "create -b\n"
        for name, value in config.properties.items():
            if name != "zonename" and value:
                out += f"set {name}={shlex.quote(value)}\n"
        for one in config.resources:
            out += f"add {one.type}\n"
            out += "".join(
                f"set {name}={_spelt(one, value)}\n" for name, value in one.properties.items()
            )
            out += "end\n"
        return out


_SIZE = re.compile(r"\d+(\.\d+)?[KMGTkmgt]")
_SWITCHES = {"autoboot": ("true", "false"), "ip-type": ("shared", "exclusive")}


def _need_value(scope: str, name: str, value: str) -> None:
    """set_func(): what is no property here, or no value of it. Raises ``Fault``."""
    if scope:
        kind = RESOURCES[scope]
        known = name in (*kind.needs, *kind.may)
    else:
        known = name in GLOBAL or name in ALIASES
    if not known:
        raise Fault(f"syntax error at '{name}'")
    if not scope and name in _SWITCHES and value not in _SWITCHES[name]:
        one, other = _SWITCHES[name]
        raise Fault(f"{name} value must be '{one}' or '{other}'.")
    if scope == "capped-memory" and not _SIZE.fullmatch(value):
        raise Fault(
            "A non-negative number with a required scale suffix (K, M, G or T) was expected."
        )
    if name == "ncpus" and not re.fullmatch(r"\d*\.?\d+(-\d+)?", value):
        raise Fault("ncpus property is out of range.")


_OWN_TEMPLATES = {"SUNWdefault": zonecfg.default, "SUNWblank": zonecfg.blank}
"""What is in /etc/zones of a machine before anybody configures a zone: ``create`` and ``-b``."""


def _no_template(_name: str) -> Config | None:
    return None


def split(line: str) -> list[str]:
    """The subcommands of a line: semicolons separate them, quotes keep one together."""
    parts, quote = [""], ""
    for letter in line:
        if letter in "\"'" and quote in ("", letter):
            quote = "" if quote else letter
        if letter == ";" and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def verify(config: Config) -> None:
    """zonecfg's own verify: what a zone can't do without. Raises ``Fault``."""
    if not config.properties.get("zonepath"):
        raise Fault("zonepath cannot be empty.\nRequired resource missing")
    for one in config.resources:
        name = zonecfg.missing(one)
        if name:
            raise Fault(f"{one.type}: {name} not specified\nRequired resource missing")


def _globals(zone: str, config: Config, wanted: str) -> str:
    out = ""
    for name in GLOBAL:
        if wanted in ("", name):
            value = zone if name == "zonename" else config.properties.get(name, "")
            out += (
                f"{name}: {value}\n".replace(": \n", ":\n") if not value else f"{name}: {value}\n"
            )
    for name in ALIASES:
        if name in config.properties and wanted in ("", name):
            out += f"[{name}: {config.properties[name]}]\n"
    return out


def _spelt(one: Resource, value: str) -> str:
    """bytes_to_units(): amounts of memory with the largest unit that leaves nothing over."""
    if one.type != "capped-memory" or not value.isdigit():
        return value
    for power, unit in ((40, "T"), (30, "G"), (20, "M")):
        if int(value) and not int(value) % (1 << power):
            return f"{int(value) >> power}{unit}"
    return f"{int(value) >> 10}K"


def _resource(one: Resource) -> str:
    kind = RESOURCES[one.type]
    out = f"{one.type}:\n"
    for name in (*kind.needs, *kind.may):
        if name in one.properties:
            out += f"\t{name}: {_spelt(one, one.properties[name])}\n"
        elif one.type == "net":
            out += f"\t{name} not specified\n"
    return out

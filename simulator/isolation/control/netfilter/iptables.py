"""iptables(8) 1.8.9, as far as the model's packet filter goes.

Source: ``iptables/xshared.c`` do_parse(), ``iptables/nft.c``.
"""

import ipaddress
from collections.abc import Sequence
from typing import Any

import msgspec

from simulator.isolation.control.netfilter import showing
from simulator.machine.abi.errno import Errno
from simulator.machine.kernel.net.filter import BUILT_IN, FINAL
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_VERSION = "iptables v1.8.9 (nf_tables)"
_HINT = "Try `iptables -h' or 'iptables --help' for more information."
_COMMANDS = {
    "-A": "append", "--append": "append", "-I": "insert", "--insert": "insert", "-D": "delete",
    "--delete": "delete", "-C": "check", "--check": "check", "-N": "chain", "--new-chain": "chain",
    "-X": "unchain", "--delete-chain": "unchain", "-F": "flush", "--flush": "flush",
    "-R": "replace", "--replace": "replace", "-Z": "zero", "--zero": "zero",
    "-P": "policy", "--policy": "policy", "-L": "list", "--list": "list", "-S": "specs",
    "--list-rules": "specs",
}  # fmt: skip
_FIELDS = {
    "-s": "source", "--source": "source", "--src": "source", "-d": "destination",
    "--destination": "destination", "--dst": "destination", "-i": "inward",
    "--in-interface": "inward", "-o": "outward", "--out-interface": "outward",
    "-p": "protocol", "--protocol": "protocol", "-j": "target", "--jump": "target",
}  # fmt: skip
_FLAGS = {"-n": "numeric", "--numeric": "numeric", "-v": "verbose", "--verbose": "verbose",
          "--line-numbers": "numbered", "-w": "", "--wait": "", "-x": "",
          "--exact": ""}  # fmt: skip
_NEEDS_CHAIN = ("append", "insert", "delete", "check", "chain", "policy", "replace")


_ELSEWHERE = frozenset(
    ("--comment", "--dports", "--icmp-type", "--limit", "--log-prefix", "--mac-source", "--set",
     "--source-port", "--sport", "--sports", "--src-range", "--src-type", "--state", "--ctstate",
     "--syn", "--tcp-flags", "--to-ports", "--uid-owner", "-f", "-g", "--goto")
)  # fmt: skip
"""Options of the real one that the model's filter can't carry out."""
_TRANSLATED = {"DNAT": "--to-destination", "SNAT": "--to-source"}
_PLACES = {"DNAT": ("PREROUTING", "OUTPUT"), "SNAT": ("POSTROUTING", "INPUT"),
           "MASQUERADE": ("POSTROUTING",)}  # fmt: skip


class Misused(Exception):
    """What is printed, and the exit status."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message if status != 2 else f"{message}\n{_HINT}")
        self.status = status


class Asked(msgspec.Struct):
    """What a command line asks for."""

    command: str = ""
    table: str = "filter"
    chain: str = ""
    number: int = 0
    policy: str = ""
    rule: dict[str, Any] = {}
    flags: set[str] = set()


def read(words: list[str]) -> Asked:
    """A command line. Raises ``Misused``."""
    asked, turned = Asked(), ""
    while words:
        word = words.pop(0)
        if word == "!":
            turned = "!"
            continue
        if word[:1] == "-" and word[:2] != "--" and len(word) > 2:  # -nvL: one letter each
            words[:0] = [f"-{letter}" for letter in word[1:]]
            continue
        if word in _COMMANDS:
            _command(asked, _COMMANDS[word], words)
        elif word in _FLAGS:
            asked.flags.add(_FLAGS[word])
        elif word in ("-t", "--table"):
            asked.table = _value(word, words)
        elif word in _FIELDS:
            _field(asked.rule, _FIELDS[word], turned, _value(word, words))
            turned = ""
        elif word.startswith("-"):
            _match(asked.rule, word, words)
        else:
            raise Misused(f"Bad argument `{word}'")
    if not asked.command:
        raise Misused(f"{_VERSION}: no command specified")
    if asked.table not in BUILT_IN:
        told = f"{_VERSION}: table '{asked.table}' does not exist"
        raise Misused(f"{told}\nPerhaps iptables or your kernel needs to be upgraded.", 3)
    return asked


def _value(word: str, words: list[str]) -> str:
    if not words:
        raise Misused(f'{_VERSION}: option "{word}" requires an argument')
    return words.pop(0)


def _command(asked: Asked, command: str, words: list[str]) -> None:
    asked.command = command
    if words and not words[0].startswith(("-", "!")):
        asked.chain = words.pop(0)
    elif command in _NEEDS_CHAIN:
        raise Misused(f"{_VERSION}: option requires an argument")
    if command == "policy":
        asked.policy = _value("-P", words)
    if command in ("insert", "delete", "replace") and words and words[0].isdigit():
        asked.number = int(words.pop(0))
    if command == "replace" and not asked.number:
        raise Misused(f"{_VERSION}: -R requires a rule number")


def _field(rule: dict[str, Any], field: str, turned: str, text: str) -> None:
    if text.startswith("!"):
        turned, text = "!", text[1:]
    if field in ("source", "destination"):
        try:
            net = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise Misused(f"{_VERSION}: host/network `{text}' not found") from None
        text = "" if net.prefixlen == 0 else str(net)
    if field == "protocol":
        text = "" if text == "all" else text.lower()
        if text not in ("", "tcp", "udp", "icmp"):
            raise Misused(f'{_VERSION}: unknown protocol "{text}" specified')
    rule[field] = turned + text if text else ""


def _match(rule: dict[str, Any], word: str, words: list[str]) -> None:
    if word in ("-m", "--match"):
        _value(word, words)
    elif word in ("--dport", "--destination-port") and rule.get("protocol") in ("tcp", "udp"):
        text = _value(word, words)
        if not text.isdigit() or int(text) > 65535:
            raise Misused(f"{_VERSION}: invalid port/service `{text}' specified")
        rule["port"] = int(text)
    elif word == "--dst-type" and _value(word, words) == "LOCAL":
        rule["local"] = True
    elif word in ("--ctstate", "--state") and "ESTABLISHED" in _value(word, words):
        rule["established"] = True
    elif (word, rule.get("target")) in (("--to-destination", "DNAT"), ("--to-source", "SNAT")):
        address, _, port = _value(word, words).partition(":")
        rule["to"] = (address, int(port) if port.isdigit() else 0)
    elif word in _ELSEWHERE:
        raise Misused(f"{_VERSION}: {word} is not simulated", 1)
    elif word == "--reject-with" and rule.get("target") == "REJECT":
        _value(word, words)
    else:
        raise Misused(f'{_VERSION}: unknown option "{word}"')


@enter("iptables", collection=TOOLS)
async def iptables(sys: Process, argv: Sequence[str]) -> int:
    """``iptables [-t TABLE] -A|-I|-D|-C|-N|-X|-F|-P|-L|-S ...``."""
    if argv[1:] in (["-V"], ["--version"]):
        await sys.out(f"{_VERSION}\n")
        return 0
    try:
        asked = read(list(argv[1:]))
        chains, rules = await tables(sys, asked.table)
        text = await carry_out(sys, asked, chains, rules)
    except Misused as why:
        await sys.err(f"{why}\n")
        return why.status
    await sys.out(text)
    return 0


async def tables(sys: Process, table: str) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """A table's chains with their policies, and its rules. Raises ``Misused``."""
    try:
        chains, rules = await sys.data("@filter", {"do": "list", "table": table})
    except SysError:
        told = "Could not fetch rule set generation id: Permission denied (you must be root)"
        raise Misused(f"{_VERSION}: {told}", 4) from None
    return chains, rules


async def carry_out(
    sys: Process, asked: Asked, chains: dict[str, str], rules: list[dict[str, Any]]
) -> str:
    """Do it; what is to be printed. Raises ``Misused``."""
    if asked.command == "zero":
        if asked.chain and asked.chain not in chains:
            raise Misused("iptables: No chain/target/match by that name.", 1)
        return ""  # no packet is counted
    if asked.command in ("list", "specs"):
        if asked.chain and asked.chain not in chains:
            raise Misused("iptables: No chain/target/match by that name.", 1)
        if asked.command == "specs":
            return showing.specified(chains, rules, asked.chain)
        flags = {name: True for name in asked.flags if name}
        return showing.listed(chains, rules, asked.chain, **flags)
    if asked.command == "policy":
        _check_policy(asked)
    for chain in _chosen(asked, chains):
        await _change(sys, asked, chain, chains, rules)
    return ""


def _check_policy(asked: Asked) -> None:
    if asked.chain not in BUILT_IN[asked.table]:
        raise Misused("iptables: Bad built-in chain name.", 1)
    if asked.policy not in ("ACCEPT", "DROP"):
        raise Misused("iptables: Bad policy name. Run `dmesg' for more information.", 1)


def _chosen(asked: Asked, chains: dict[str, str]) -> list[str]:
    """-F and -X without a chain mean every one, or every one that somebody made."""
    if asked.chain:
        return [asked.chain]
    made = asked.command == "unchain"
    return [name for name in chains if not made or name not in BUILT_IN[asked.table]]


async def _change(
    sys: Process, asked: Asked, chain: str, chains: dict[str, str], rules: list[dict[str, Any]]
) -> None:
    rule = {"target": "", **asked.rule, "table": asked.table, "chain": chain}
    target = rule["target"]
    _check_target(asked, chain, rule)
    if target and target not in (*FINAL, "RETURN", *chains):
        raise Misused(f"{_VERSION}: Chain '{target}' does not exist")
    if asked.command == "delete" and asked.number:
        own = [one for one in rules if one["chain"] == chain]
        if asked.number > len(own):
            raise Misused("iptables: Index of deletion too big.", 1)
        rule = own[asked.number - 1]
    if asked.command == "replace":
        own = [one for one in rules if one["chain"] == chain]
        if asked.number > len(own):
            raise Misused("iptables: Index of replacement too big.", 1)
        await sys.call("@filter", {**own[asked.number - 1], "do": "delete"})
        changed = {"again": True, "at": asked.number, "do": "insert"}
        if asked.number == len(own):
            changed = {"again": True, "do": "append"}
        await sys.call("@filter", {**rule, **changed})
        return
    if asked.command == "check":
        if not any(_is(one, rule) for one in rules):
            raise Misused("iptables: Bad rule (does a matching rule exist in that chain?).", 1)
        return
    if asked.command == "policy":
        rule["target"] = asked.policy
    if asked.command in ("append", "insert"):
        rule |= {"again": True, "at": asked.number or 1}
    try:
        await sys.call("@filter", {**rule, "do": asked.command})
    except SysError as error:
        raise _refused(asked.command, chain, chains, error.errno) from None


def _check_target(asked: Asked, chain: str, rule: dict[str, Any]) -> None:
    """What a target of address translation needs (``libxt_NAT.c``, nf_nat)."""
    target = rule["target"]
    if asked.command not in ("append", "insert", "replace") or target not in _PLACES:
        return
    option = _TRANSLATED.get(target)
    if option and not rule.get("to"):
        raise Misused(f'{_VERSION}: {target}: option "{option}" must be specified\n')
    wrong = asked.table != "nat" or (chain in BUILT_IN["nat"] and chain not in _PLACES[target])
    if wrong:
        told = f"RULE_{asked.command.upper()} failed (Invalid argument): rule in chain {chain}"
        raise Misused(f"{_VERSION}:  {told}", 4)


def _is(one: dict[str, Any], rule: dict[str, Any]) -> bool:
    plain = {"port": 0, "local": False, "established": False, "to": ("", 0)}
    names = set(one) - {"granted"}
    return all(one[name] == rule.get(name, plain.get(name, "")) for name in names)


def _refused(command: str, chain: str, chains: dict[str, str], errno: Errno) -> Misused:
    if errno is Errno.EPERM:
        told = "Could not fetch rule set generation id: Permission denied (you must be root)"
        return Misused(f"{_VERSION}: {told}", 4)
    if errno is Errno.EEXIST:
        return Misused("iptables: Chain already exists.", 1)
    if errno is Errno.EBUSY:
        told = f"CHAIN_DEL failed (Device or resource busy): chain {chain}"
        return Misused(f"{_VERSION}:  {told}", 4)
    if command == "delete" and chain in chains:
        told = "iptables: Bad rule (does a matching rule exist in that chain?)."
        return Misused(told, 1)
    return Misused("iptables: No chain/target/match by that name.", 1)

"""Lines of rctl.conf(5) and loader.conf(5) on a SPEC: ``jail::maxproc:deny=64``.

A rule is for the jail of the SPEC, whatever that is called: its name may be left out. What the
kernel would refuse is refused before, in the tool's own words. Source: rctl.conf(5), rctl(8).
"""

import msgspec

from simulator.isolation.mechanisms.rctl import JAIL, Rctl
from simulator.isolation.technologies.base import SpecError, Technology, put
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.rctl.rules import SUBJECTS, complete, parse
from simulator.machine.kernel.trap import Denied, NotModelled
from simulator.machine.userland.programs.rctl import RuleError, expand

TUNABLE = "kern.racct.enable"
FORMS = {"jail::RESOURCE:ACTION=AMOUNT": "", f"{TUNABLE}=1": ""}
"""What a person may write, for the list of what there is."""


def take(technology: Technology, words: list[str]) -> tuple[Technology, list[str]]:
    """The technology with the rules among ``words``, and the words that are none."""
    ours = [word for word in words if _is_ours(word)]
    if not ours:
        return technology, words
    found: list[tuple[str, str]] = []
    jails: set[str] = set()
    for word in ours:
        if word.startswith(TUNABLE):
            _need_on(word)
            continue
        resource, limit, jail = _read(word)
        found.append((resource, limit))
        jails |= {jail} if jail else set()
    if len(jails) > 1:
        raise SpecError(
            _("jail: rules for more than one jail: {list}").format(list=", ".join(sorted(jails)))
        )
    return put(technology, Rctl(tuple(found)), before="prison"), [
        word for word in words if word not in ours
    ]


def _is_ours(word: str) -> bool:
    """No parameter of jail(8) has a colon before its value."""
    return ":" in word.partition("=")[0] or word.partition("=")[0] == TUNABLE


def _need_on(word: str) -> None:
    if word.partition("=")[2].strip('"') != "1":
        raise SpecError(_("jail: {word}: 1 was expected").format(word=word))


def _read(word: str) -> tuple[str, str, str]:
    """A rule's resource, what comes after that, and the jail that it names."""
    try:
        text = expand(word)
        if text.partition(":")[0] in SUBJECTS and not text.startswith(f"{JAIL}:"):
            raise SpecError(_("jail: {rule}: a rule for a jail was expected").format(rule=word))
        asked = parse(text)
        rule = complete(msgspec.structs.replace(asked, who=asked.who or JAIL))
    except RuleError as error:
        raise SpecError(f"rctl: malformed rule '{word}': {error}") from None
    except Denied as refusal:
        message = refusal.denial.errno.message
        raise SpecError(f"rctl: failed to add rule '{word}': {message}") from None
    except NotModelled:
        raise SpecError(
            _("jail: {rule}: the simulated kernel does not have what the rule is about").format(
                rule=word
            )
        ) from None
    name = "" if asked.who in (None, "$name") else str(asked.who)
    per = f"/{rule.per}" if rule.per != JAIL else ""
    return rule.resource, f"{rule.action}={rule.amount}{per}", name

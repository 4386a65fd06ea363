"""The rules of rctl(8): how much of a resource a subject may have, and what happens beyond that.

``subject:subject-id:resource:action=amount/per``; a filter is a rule with parts left out. A jail's
rule is for whatever is called that, so it may come before its jail and outlives it. Source:
sys/kern/kern_rctl.c (rctl_string_to_rule, rctl_rule_matches, rctl_rule_add), kern_racct.c.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, NoReturn, cast

import msgspec

from simulator.machine.abi.call import Denial
from simulator.machine.abi.constants import BY_NAME
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.context import ROOT_CONTEXT, Context
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.trap import Denied, NotModelled
from simulator.machine.state.store import Row, Store, World

CITE = "rctl(8)"
WALL = "rctl"
SUBJECTS = ("process", "user", "loginclass", "jail")
_MOST = (1 << 63) - 1
MILLION = 1_000_000
_NAME_MAX = 256
"""MAXHOSTNAMELEN: a jail's name is shorter."""
_NUMBER = re.compile(r"\s*[-+]?\d+")


class Kind(NamedTuple):
    """What can be done about one resource: its flags of racct_types[].

    ``sloppy``: counted for users and jails, for no single process. ``millions``: kept in parts of a
    million. ``known``: the model counts it.
    """

    deniable: bool = True
    sloppy: bool = False
    decaying: bool = False
    millions: bool = False
    known: bool = True


_TIME = Kind(deniable=False, millions=True)
_DISK = Kind(deniable=False, decaying=True, known=False)
_IPC = Kind(sloppy=True)

RESOURCES: dict[str, Kind] = {
    "cputime": _TIME,
    "datasize": Kind(),
    "stacksize": Kind(known=False),
    "coredumpsize": Kind(known=False),
    "memoryuse": Kind(deniable=False),
    "memorylocked": Kind(),
    "maxproc": Kind(),
    "openfiles": Kind(),
    "vmemoryuse": Kind(),
    "pseudoterminals": _IPC,
    "swapuse": _IPC,
    "nthr": Kind(),
    "msgqqueued": _IPC,
    "msgqsize": _IPC,
    "nmsgq": _IPC,
    "nsem": _IPC,
    "nsemop": Kind(),
    "nshm": _IPC,
    "shmsize": _IPC,
    "wallclock": _TIME,
    "pcpu": Kind(decaying=True, millions=True),
    "readbps": _DISK,
    "writebps": _DISK,
    "readiops": _DISK,
    "writeiops": _DISK,
}
"""By rctl(8)'s names, in the kernel's order."""

HELD_OTHERWISE = frozenset(("memoryuse", "pcpu"))
"""Deny does not refuse here: pages are taken away, processes made to wait."""

_SIGNALS = """hup int quit ill trap abrt emt fpe kill bus segv sys pipe alrm term urg stop tstp chld
ttin ttou io xcpu xfsz vtalrm prof winch info usr1 usr2 thr"""
ACTIONS = (*(f"sig{name}" for name in _SIGNALS.split()), "deny", "log", "devctl", "throttle")


class Filter(msgspec.Struct, frozen=True):
    """A rule as it was written; None is a part that was left out."""

    subject: str | None = None
    who: int | str | None = None
    """A pid, a user id, or the name of a jail or a login class."""
    resource: str | None = None
    action: str | None = None
    amount: int | None = None
    per: str | None = None


class Rule(Row, frozen=True, kw_only=True):
    """A rule at work: ``amount`` of ``resource`` for each ``per``, beyond that ``action``."""

    subject: str
    who: int | str
    resource: str
    action: str
    amount: int
    per: str

    def __str__(self) -> str:
        """rctl_rule_to_sbuf(): what the amount is for is said where it is not the subject."""
        per = f"/{self.per}" if self.per != self.subject else ""
        return f"{self.subject}:{self.who}:{self.resource}:{self.action}={self.amount}{per}"


def read(world: World, text: str) -> Filter:
    """rctl_string_to_rule(): EINVAL ENAMETOOLONG ERANGE ESRCH."""
    found = parse(text)
    if found.subject == "process" and found.who is not None:
        task = world.get(Task, found.who)
        if task is None or task.state is TaskState.ZOMBIE:
            _fail(Errno.ESRCH, N_("No process has this number."))
    return found


def parse(text: str) -> Filter:
    """The same without a look at who is there. Raises ``Denied``."""
    subject_text, rest = separate(text, ":")
    who_text, rest = separate(rest, ":")
    resource_text, rest = separate(rest, ":")
    action_text, rest = separate(rest, "=/")
    amount_text, per_text = separate(rest, "/")
    subject = _word(subject_text, SUBJECTS)
    who = _who(subject, who_text) if who_text else None
    resource = _word(resource_text, tuple(RESOURCES))
    action = _word(action_text, ACTIONS)
    amount = _amount(resource, amount_text) if amount_text else None
    return Filter(subject, who, resource, action, amount, _word(per_text, SUBJECTS))


def separate(text: str | None, marks: str) -> tuple[str | None, str | None]:
    """strsep(3): what comes before the first of ``marks``, and what is left after it."""
    if text is None:
        return None, None
    found = re.search(f"[{marks}]", text)
    return (text, None) if found is None else (text[: found.start()], text[found.end() :])


def add(store: Store, wanted: Filter) -> None:
    """rctl_rule_add(): EINVAL EOPNOTSUPP. A deny rule takes the place of one for another amount."""
    rule = complete(wanted)
    amount = None if rule.action == "deny" else rule.amount
    remove(store, msgspec.structs.replace(wanted, amount=amount, per=rule.per))
    store.put(msgspec.structs.replace(rule, id=store.new_id(Rule)))


def complete(wanted: Filter) -> Rule:
    """rctl_rule_fully_specified(), and that it makes sense. Raises ``Denied``, ``NotModelled``."""
    subject, who, resource, action, amount, _per = msgspec.structs.astuple(wanted)
    if None in (subject, who, resource, action, amount):
        _fail(Errno.EINVAL, N_("A rule names subject, resource, action and amount."))
    rule = Rule(
        id=0,
        subject=subject,
        who=who,
        resource=resource,
        action=action,
        amount=amount,
        per=wanted.per or subject,
    )
    _need_sense(rule)
    return rule


def remove(store: Store, wanted: Filter) -> int:
    """rctl_rule_remove(): how many rules were taken away."""
    found = [rule for rule in store.all(Rule) if matches(rule, wanted)]
    for rule in found:
        store.drop(Rule, rule.id)
    return len(found)


def matches(rule: Rule, wanted: Filter) -> bool:
    """rctl_rule_matches(): every part that the filter names is the rule's."""
    return all(
        (asked := getattr(wanted, part)) is None or asked == getattr(rule, part)
        for part in wanted.__struct_fields__
    )


def listed(world: World, wanted: Filter) -> list[Rule]:
    """Those that match, by the kind of subject, then the newest subject's and its newest first."""
    found = [rule for rule in newest(world) if matches(rule, wanted)]
    place = {subject: number for number, subject in enumerate(("process", "user", "jail"))}
    first: dict[tuple[str, int | str], int] = {}
    for rule in found:
        first[rule.subject, rule.who] = _number(rule)
    return sorted(found, key=lambda one: (place[one.subject], -first[one.subject, one.who]))


def newest(world: World) -> Iterator[Rule]:
    """Every rule, the newest first, as LIST_INSERT_HEAD() leaves them."""
    return reversed(tuple(world.rows(Rule).values()))


def applying(world: World, task: Task, resource: str = "") -> list[Rule]:
    """The rules that ``task`` is under, of one resource or of all, the newest first."""
    if not world.count(Rule):
        return []
    return [
        rule
        for rule in newest(world)
        if (not resource or rule.resource == resource) and _is_under(world, task, rule)
    ]


def in_parts(rule: Rule) -> int:
    """A rule's amount as the accounting keeps it: of some resources, millionths."""
    return rule.amount * MILLION if RESOURCES[rule.resource].millions else rule.amount


def jail_name(row: Context) -> str:
    """What rctl(8) calls a prison; the machine itself is jail 0."""
    return "0" if row.id == ROOT_CONTEXT else row.name


def _is_under(world: World, task: Task, rule: Rule) -> bool:
    """rctl_rule_add(): the process itself, its user's, its jail's or one's around that."""
    if rule.subject == "process":
        return rule.who == task.id
    if rule.subject == "user":
        return rule.who in (task.cred.ruid, task.cred.euid)
    around = world.get(Context, task.context)
    while around is not None:
        if jail_name(around) == rule.who:
            return True
        around = world.get(Context, around.parent) if around.parent is not None else None
    return False


def _fail(errno: Errno, why: str) -> NoReturn:
    raise Denied(Denial(errno, "none", why, CITE))


def _number(rule: Rule) -> int:
    return cast("int", rule.id)


def _word(text: str | None, known: tuple[str, ...]) -> str | None:
    """str2value(): in any case of letters. EINVAL."""
    if not text:
        return None
    if text.lower() not in known:
        _fail(Errno.EINVAL, N_("A rule has no such word there."))
    return text.lower()


def _who(subject: str | None, text: str) -> int | str:
    if subject is None:
        _fail(Errno.EINVAL, N_("A name is a process's, a user's or a jail's."))
    if subject == "loginclass":
        raise NotModelled("login classes")
    if subject == "jail":
        if len(text) >= _NAME_MAX:
            _fail(Errno.ENAMETOOLONG, N_("No jail has so long a name."))
        return text
    if not _NUMBER.fullmatch(text):
        _fail(Errno.EINVAL, N_("The kernel knows processes and users by number."))
    return int(text)


def _amount(resource: str | None, text: str) -> int:
    if not _NUMBER.fullmatch(text):
        _fail(Errno.EINVAL, N_("The amount is a number."))
    most = _MOST // MILLION if resource and RESOURCES[resource].millions else _MOST
    if not 0 <= int(text) <= most:
        _fail(Errno.ERANGE, N_("The amount is too large."))
    return int(text)


def _need_sense(rule: Rule) -> None:
    """Some rules make no sense (EOPNOTSUPP), and some are about what the model does not count."""
    kind = RESOURCES[rule.resource]
    undeniable = not kind.deniable and rule.resource not in HELD_OTHERWISE
    unfit = not kind.decaying or rule.resource == "pcpu"
    if (
        (rule.action == "deny" and undeniable)
        or (rule.action == "throttle" and unfit)
        or (rule.per == "process" and kind.sloppy)
    ):
        _fail(Errno.EOPNOTSUPP, N_("The resource can't be limited in this way."))
    unlike = rule.resource == "pcpu" and rule.action != "deny"
    if not kind.known or unlike or "loginclass" in (rule.subject, rule.per):
        raise NotModelled(f"the rule {rule}")
    if rule.action not in ("deny", "log") and rule.action.upper() not in BY_NAME:
        raise NotModelled(f"the action {rule.action}")

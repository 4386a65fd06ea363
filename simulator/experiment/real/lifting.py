"""How a product is asked for a sandbox less one mechanism: in its own words, files and settings.

Where it has no word for that the mechanism is counterfactual: only the model can tell, and the
reason is said. A word that does something else besides is none.
"""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

import msgspec

from simulator.experiment.real.errors import RealError
from simulator.experiment.real.spec import Spec, parse
from simulator.experiment.real.unliftable import REASONS
from simulator.isolation.technologies.base import Technology
from simulator.isolation.technologies.options.reading import Option
from simulator.machine.abi.i18n import gettext as _


class Counterfactual(RealError):
    """A sandbox that no product can be asked for."""


class Request(msgspec.Struct, frozen=True):
    """What is to be launched: the words, and the technology that they make in the model.

    ``lifted`` are mechanisms that are left out; ``api`` is what the Docker Engine's API is asked
    for beside the client's words, fields of ``HostConfig``.
    """

    spec: Spec
    technology: Technology
    lifted: tuple[str, ...] = ()
    api: Mapping[str, Any] = {}

    @property
    def kind(self) -> str:
        """What a sandbox of this request may be lent on as: another one of the very same kind."""
        return " ".join((self.spec.text, *(f"--without {name}" for name in self.lifted)))


Lift: TypeAlias = Callable[[Request, str], Request]
"""Leaves one mechanism out of a request; raises ``Counterfactual``."""


def no_way(request: Request, mechanism: str) -> NoReturn:
    """Say that the product has no switch, and why if that is known."""
    product = request.spec.technology
    told = _("counterfactual: {product} has no switch that lifts {mechanism}").format(
        product=product, mechanism=mechanism
    )
    why = REASONS.get((product.partition("-")[0], mechanism))
    raise Counterfactual(f"{told}: {_(why)}" if why else told)


def reworded(request: Request, words: Iterable[str]) -> Request:
    """The request with other options."""
    text = shlex.join((request.spec.technology, *words))
    return msgspec.structs.replace(request, spec=parse(text))


def with_words(request: Request, *words: str) -> Request:
    """The request with more options, behind its own."""
    return reworded(request, (*request.spec.options, *words))


def without_options(
    request: Request, table: Mapping[str, Option], *names: str, value: str = ""
) -> Request:
    """The request less the options called ``names``, as ``--name=value`` or with the value apart.

    ``value``: only those whose value begins so.
    """
    pending, kept = list(request.spec.options), list[str]()
    while pending:
        word = pending.pop(0)
        name, equals, given = word.partition("=")
        option = table.get(name)
        words = [word]
        if option is not None and option.value and not equals and pending:
            words.append(given := pending.pop(0))
        if name not in names or not given.startswith(value):
            kept += words
    return reworded(request, kept)


def by_argument(request: Request, mechanism: str) -> Request:
    """chroot(1) takes the new root as an argument, and ``/`` is one; cgexec(1) takes the group."""
    if mechanism not in ("chroot", "cgroup-membership"):
        no_way(request, mechanism)
    return request


_UNSHARE = {
    "mount-ns": ("-m", "--mount", "--mount-proc"),
    "own-proc": ("--mount-proc",),
    "uts-ns": ("-u", "--uts"),
    "ipc-ns": ("-i", "--ipc"),
    "net-ns": ("-n", "--net"),
    "pid-ns": ("-p", "--pid"),
    "cgroup-ns": ("-C", "--cgroup"),
    "time-ns": ("-T", "--time"),
    "user-ns": ("-U", "--user", "-r", "--map-root-user"),
}
_LETTERS = frozenset("muinpCTUfr")


def by_flag(request: Request, mechanism: str) -> Request:
    """unshare(1) without the flag that makes the mechanism; ``-mu`` is ``-m -u``."""
    words: list[str] = []
    for word in request.spec.options:
        bundled = word[:1] == "-" and len(word) > 2 and set(word[1:]) <= _LETTERS
        words += [f"-{letter}" for letter in word[1:]] if bundled else [word]
    if mechanism not in _UNSHARE:
        no_way(request, mechanism)
    kept = [word for word in words if word not in _UNSHARE[mechanism]]
    _not_alone(request, mechanism)
    if mechanism == "own-proc" and "mount-ns" not in request.lifted:
        kept.append("--mount")  # --mount-proc implies it
    return reworded(request, kept)


def rendered(mechanisms: Iterable[str]) -> Lift:
    """A file is written from the mechanisms, and has words for these: the lifted one is left out.

    The rest is the runtime's own business (``RUNTIME_NEEDS``).
    """
    known = frozenset(mechanisms)

    def lift(request: Request, mechanism: str) -> Request:
        if mechanism == "pivot-root" and "mount-ns" in request.lifted:
            return request
        product = request.spec.technology
        if mechanism not in known or (product, mechanism) in REASONS:
            no_way(request, mechanism)
        _not_alone(request, mechanism)
        return request

    return lift


_TOGETHER: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("runc", "mount-ns"): ("readonly-paths", "masked-paths"),
    ("unshare", "mount-ns"): ("own-proc",),
}
"""What a product does not start with when a mechanism is gone (runc: libcontainer/configs/validate,
"unable to restrict sys entries without a private MNT namespace"; unshare(1): ``--mount-proc``)."""


def companions(technology: Technology, mechanism: str) -> tuple[str, ...]:
    """Mechanisms that must go with ``mechanism`` before the product starts."""
    others = _TOGETHER.get((technology.id, mechanism), ())
    return tuple(name for name in others if technology.get(name) is not None)


def _not_alone(request: Request, mechanism: str) -> None:
    missing = companions(request.technology, mechanism)
    if missing:
        raise Counterfactual(
            _(
                "counterfactual: {product} can't be without {mechanism} alone; lift {others} too"
            ).format(
                product=request.spec.technology, mechanism=mechanism, others=", ".join(missing)
            )
        )


def together(technology: Technology, lifted: Sequence[str]) -> tuple[str, ...]:
    """``lifted`` and whatever must go with them before the product starts."""
    more = (name for one in lifted for name in companions(technology, one))
    return tuple(dict.fromkeys((*lifted, *more)))

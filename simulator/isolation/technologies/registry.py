"""All technologies by name, and the reading of a SPEC: a name and its product's own options."""

import difflib
import shlex
from collections.abc import Iterable

from simulator.isolation.mechanisms import (
    context_limits,
    devices,
    disk_limits,
    init,
    no_new_privs,
    own_proc,
    rctl,
    readonly_root,
    rlimits,
    time_ns,
    unification,
    user_ns,
    veth,
    volumes,
    zone_filesystems,
)
from simulator.isolation.mechanisms.base import About
from simulator.isolation.technologies import (
    bwrap,
    cgroups,
    chroot,
    chroot_freebsd,
    crun,
    docker,
    jail,
    lxc,
    lxc_unpriv,
    none,
    nspawn,
    openvz,
    runc,
    sealed,
    unshare,
    vserver,
    warden,
    zone,
)
from simulator.isolation.technologies.base import (
    SpecError,
    Technology,
    change,
    check,
    without,
)
from simulator.machine.abi.i18n import gettext as _

TECHNOLOGIES: dict[str, Technology] = {
    module.TECHNOLOGY.id: module.TECHNOLOGY
    for module in (
        none,
        sealed,
        chroot,
        chroot_freebsd,
        jail,
        vserver,
        zone,
        openvz,
        cgroups,
        lxc,
        nspawn,
        warden,
        unshare,
        docker,
        lxc_unpriv,
        runc,
        crun,
        bwrap,
    )
}
"""Every technology with its defaults, controls first, then by year."""


def _mechanisms() -> dict[str, About]:
    """What every mechanism says of itself, by id, in the order of the technologies."""
    every = [one for today in TECHNOLOGIES.values() for one in (today, *today.eras)]
    offered = [mechanism for one in every for mechanism in one.mechanisms]
    found = {mechanism.about.id: mechanism.about for mechanism in offered}
    found |= {about.id: about for about in OPTIONAL}
    return found


OPTIONAL: tuple[About, ...] = (
    user_ns.ABOUT,
    time_ns.ABOUT,
    init.ABOUT,
    no_new_privs.ABOUT,
    own_proc.ABOUT,
    readonly_root.ABOUT,
    rlimits.ABOUT,
    veth.ABOUT,
    volumes.ABOUT,
    devices.ABOUT,
    context_limits.ABOUT,
    disk_limits.ABOUT,
    unification.ABOUT,
    unification.IMMUTABLE,
    zone_filesystems.ABOUT,
    rctl.ABOUT,
)
"""Mechanisms that no technology has by default and that an option adds."""

MECHANISMS: dict[str, About] = _mechanisms()


def parse_spec(text: str, lifted: Iterable[str] = ()) -> Technology:
    """The technology that ``text`` names, with its options, less the mechanisms ``lifted``.

    Raises ``SpecError`` or ``PlanError``, one line each.
    """
    try:
        words = shlex.split(text)
    except ValueError:
        raise SpecError(
            _("{text}: a quotation or an escape is not closed").format(text=repr(text))
        ) from None
    if not words:
        raise SpecError(
            _("an empty technology; there are: {list}").format(list=", ".join(TECHNOLOGIES))
        )
    technology = _named(words[0])
    if words[1:] and technology.options is None:
        raise SpecError(
            _("{technology} has no options (got {word})").format(
                technology=technology.id, word=words[1]
            )
        )
    if technology.options is not None:
        technology = technology.options(technology, words[1:])
    technology = change(technology, spec=shlex.join(words))
    check(technology)
    return without(technology, lifted)


def _named(word: str) -> Technology:
    name, at, era = word.partition("@")
    technology = TECHNOLOGIES.get(name)
    if technology is not None:
        return _of_era(technology, era) if at else technology
    near = difflib.get_close_matches(name, TECHNOLOGIES, 1)
    hint = _(" (did you mean {near}?)").format(near=near[0]) if near else ""
    raise SpecError(
        _("there is no technology {name}{hint}; there are: {list}").format(
            name=repr(name), hint=hint, list=", ".join(TECHNOLOGIES)
        )
    )


def _of_era(technology: Technology, era: str) -> Technology:
    found = next((one for one in technology.eras if one.era == era), None)
    if found is not None:
        return found
    if not technology.eras:
        raise SpecError(
            _("{technology} has no eras: leave @{era} out").format(
                technology=technology.id, era=era
            )
        )
    raise SpecError(
        _("{technology} has no era {era}; it has: {list}").format(
            technology=technology.id,
            era=repr(era),
            list=", ".join(one.name for one in technology.eras),
        )
    )

"""Technologies with a real counterpart: what machine each needs and what launches it.

An ordinary SPEC goes to the product in the product's own words. Where the product reads a
configuration file, that is rendered from the mechanisms, so a lifted mechanism is left out of it;
where it has a switch (``About.real``) the switch is added. A lifted mechanism with neither is
counterfactual: only the model can tell.
"""

import shlex
from collections.abc import Callable, Sequence

import msgspec

from simulator.experiment.real import cgroups, facts, runtimes
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.launchers import bubble, cgroup, lxc, nspawn, oci
from simulator.experiment.real.pool import Host, Service
from simulator.experiment.real.session import Launch
from simulator.experiment.real.spec import Spec, parse
from simulator.isolation.mechanisms.lxc_config import LxcConfig
from simulator.isolation.technologies.base import Technology, put
from simulator.isolation.technologies.defaults import lxc as lxc_defaults
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.i18n import gettext as _


class Counterfactual(RealError):
    """A sandbox that no product can be asked for."""


class Request(msgspec.Struct, frozen=True):
    """What is to be launched: the words, and the technology that they make in the model."""

    spec: Spec
    technology: Technology
    lifted: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What a sandbox of this request may be lent on as: another one of the very same kind."""
        return " ".join((self.spec.text, *(f"--without {name}" for name in self.lifted)))


class Product(msgspec.Struct, frozen=True):
    """``lift`` says whether one mechanism can be left out, and how the request changes."""

    service: Service
    launcher: Callable[[Request, Host], Launch]
    lift: Callable[[Request, str], Request]


def _plain(make: Callable[[Spec], Launch]) -> Callable[[Request, Host], Launch]:
    def launcher(request: Request, _host: Host) -> Launch:
        return make(request.spec)

    return launcher


def _docker(request: Request, host: Host) -> Launch:
    engine = host.engine
    assert engine is not None
    return lambda _machine, actor: engine.run(request.spec.options, actor)


def _cgroups(request: Request, _host: Host) -> Launch:
    return cgroup.launcher(request.technology)


def _oci(request: Request, host: Host) -> Launch:
    operator = host.operator
    assert operator is not None
    layout = cgroups.layout(unified=host.service.unified)
    return lambda _machine, actor: oci.launch(operator, request.technology, actor, layout)


def _lxc(request: Request, host: Host) -> Launch:
    operator = host.operator
    assert operator is not None
    apparmor = facts.gather().features.get("apparmor", False)
    return lambda _machine, actor: lxc.launch(
        operator, request.technology, actor, apparmor=apparmor
    )


def _bwrap(request: Request, host: Host) -> Launch:
    operator = host.operator
    assert operator is not None
    return lambda _machine, actor: bubble.launch(
        operator, request.technology, request.spec.options, actor
    )


def _nspawn(request: Request, host: Host) -> Launch:
    operator = host.operator
    assert operator is not None
    settings = tuple(_NSPAWN[name] for name in request.lifted if name in _NSPAWN)
    return lambda _machine, actor: nspawn.launch(
        operator, request.technology, request.spec.options, actor, settings
    )


def _no_way(request: Request, mechanism: str) -> Request:
    raise Counterfactual(
        _("counterfactual: {product} has no switch that lifts {mechanism}").format(
            product=request.spec.technology, mechanism=mechanism
        )
    )


def _by_switch(request: Request, mechanism: str) -> Request:
    """Docker's own switch, after the SPEC's options."""
    held = parse_spec(request.spec.text).get(mechanism)
    if held is None or not held.about.real.startswith("-"):
        return _no_way(request, mechanism)
    text = f"{request.spec.text} {held.about.real}"
    return msgspec.structs.replace(request, spec=parse(text))


def _by_file(request: Request, mechanism: str) -> Request:
    """Left out of the rendered file."""
    if mechanism not in oci.RENDERED - oci.NEEDED:
        return _no_way(request, mechanism)
    return request


def _by_flag(request: Request, mechanism: str) -> Request:
    """unshare(1) without the flag that makes the mechanism."""
    flags = {name: set(words) for name, words in _UNSHARE.items()}.get(mechanism)
    kept = tuple(word for word in request.spec.options if word not in (flags or ()))
    if kept == request.spec.options:
        return _no_way(request, mechanism)
    text = shlex.join((request.spec.technology, *kept))
    return msgspec.structs.replace(request, spec=parse(text))


_UNSHARE = {
    "mount-ns": ("-m", "--mount"),
    "uts-ns": ("-u", "--uts"),
    "ipc-ns": ("-i", "--ipc"),
    "net-ns": ("-n", "--net"),
    "pid-ns": ("-p", "--pid"),
    "cgroup-ns": ("-C", "--cgroup"),
    "time-ns": ("-T", "--time"),
    "user-ns": ("-U", "--user", "-r", "--map-root-user"),
}

_LXC = {
    "device-list": "lxc.cgroup.devices.allow = a",
    "proc-mixed": "lxc.mount.auto = proc:rw",
    "sys-mixed": "lxc.mount.auto = sys:rw",
    "session-keyring": "lxc.keyring.session = 0",
    "seccomp": "lxc.seccomp.profile =",
    "capabilities": "lxc.cap.drop =",
}
"""lxc.container.conf(5): the key that leaves a mechanism out."""

_LXC_KEEPS = {
    "ipc-ns": ("lxc.namespace.keep = ipc",),
    "uts-ns": ("lxc.uts.name =", "lxc.namespace.keep = uts"),
    "pid-ns": ("lxc.namespace.keep = pid",),
    "net-ns": ("lxc.namespace.keep = net",),
    "cgroup-ns": ("lxc.namespace.keep = cgroup",),
}
"""Namespaces that a container inherits; the lines add up, and who names one gets all others."""


def _lxc_lines(technology: Technology, mechanism: str) -> tuple[str, ...]:
    if mechanism in _LXC:
        return (_LXC[mechanism],)
    kept = _LXC_KEEPS.get(mechanism, ())
    if kept and technology.get("user-ns") is None:
        kept = (*kept, "lxc.namespace.keep = user")
    return (*kept, "lxc.namespace.keep = time") if kept else ()


def _by_key(request: Request, mechanism: str) -> Request:
    """More lines of the container's configuration, behind all others."""
    held = request.technology.get("lxc-config")
    lines = _lxc_lines(request.technology, mechanism)
    if not lines or not isinstance(held, LxcConfig):
        return _no_way(request, mechanism)
    config = LxcConfig((*held.lines, *lines))
    return msgspec.structs.replace(request, technology=put(request.technology, config))


_BWRAP = {
    "user-ns": "--unshare-user",
    "ipc-ns": "--unshare-ipc",
    "pid-ns": "--unshare-pid",
    "net-ns": "--unshare-net",
    "uts-ns": "--unshare-uts",
    "cgroup-ns": "--unshare-cgroup",
}


def _by_word(request: Request, mechanism: str) -> Request:
    """bwrap(1) without the word that makes the mechanism; ``--unshare-all`` is all of them."""
    every = tuple(_BWRAP.values())
    words = [
        word
        for one in request.spec.options
        for word in (every if one == "--unshare-all" else (one,))
        if word != _BWRAP.get(mechanism)
    ]
    if mechanism not in _BWRAP:
        return _no_way(request, mechanism)
    text = shlex.join((request.spec.technology, *words))
    return msgspec.structs.replace(request, spec=parse(text))


_NSPAWN = {
    "uts-ns": "SYSTEMD_NSPAWN_SHARE_NS_UTS=1",
    "ipc-ns": "SYSTEMD_NSPAWN_SHARE_NS_IPC=1",
    "pid-ns": "SYSTEMD_NSPAWN_SHARE_NS_PID=1",
    "cgroup-ns": "SYSTEMD_NSPAWN_USE_CGNS=0",
}
"""Settings in the environment, for what has no option (systemd's docs/ENVIRONMENT.md)."""
_NSPAWN_OPTIONS = {"seccomp": "--system-call-filter=@known", "capabilities": "--capability=all"}


def _by_setting(request: Request, mechanism: str) -> Request:
    if mechanism == "net-ns" and "--private-network" in request.spec.options:
        words = [word for word in request.spec.options if word != "--private-network"]
        spec = parse(shlex.join((request.spec.technology, *words)))
        return msgspec.structs.replace(request, spec=spec)
    if mechanism in _NSPAWN_OPTIONS:
        text = f"{request.spec.text} {_NSPAWN_OPTIONS[mechanism]}"
        return msgspec.structs.replace(request, spec=parse(text))
    return request if mechanism in _NSPAWN else _no_way(request, mechanism)


_LXCBR0 = (lxc_defaults.BRIDGE, f"{lxc_defaults.SUBNET}.1")

PRODUCTS: dict[str, Product] = {
    "none": Product(Service(), _plain(runtimes.none), _no_way),
    "chroot": Product(Service(), _plain(runtimes.chroot), _no_way),
    "unshare": Product(Service(), _plain(runtimes.unshare), _by_flag),
    "docker": Product(Service(engine=True), _docker, _by_switch),
    "runc": Product(Service(operator=True), _oci, _by_file),
    "lxc": Product(Service(operator=True, bridge=_LXCBR0), _lxc, _by_key),
    "lxc-unpriv": Product(Service(operator=True, shift=100_000, bridge=_LXCBR0), _lxc, _by_key),
    "nspawn": Product(Service(operator=True, installed=True), _nspawn, _by_setting),
    "bwrap": Product(Service(operator=True), _bwrap, _by_word),
    "cgroups": Product(Service(), _cgroups, _no_way),
    "crun": Product(Service(operator=True, unified=False), _oci, _by_file),
}
"""By the technology's name. crun 1.8 refuses a hybrid layout, so it gets a machine without one."""


def request(spec: str, lifted: Sequence[str] = ()) -> Request:
    """What ``spec`` asks for, less some mechanisms. Raises ``Counterfactual``, ``SpecError``."""
    words = parse(spec)
    wanted = Request(words, parse_spec(spec, lifted), tuple(lifted))
    for mechanism in lifted:
        wanted = PRODUCTS[words.technology].lift(wanted, mechanism)
    return wanted

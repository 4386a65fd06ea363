"""Technologies with a real counterpart: what machine each needs and what launches it.

An ordinary SPEC goes to the product in the product's own words. Where the product reads a
configuration file, that is rendered from the mechanisms, so a lifted mechanism is left out of it;
where it has a switch the switch is added (``lifting``, ``switches``). A lifted mechanism with
neither is counterfactual: only the model can tell.
"""

from collections.abc import Callable, Sequence

import msgspec

from simulator.experiment.real import cgroups, facts, runtimes, switches
from simulator.experiment.real.launchers import bubble, cgroup, lxc, nspawn, oci
from simulator.experiment.real.launchers.operator import visiting
from simulator.experiment.real.lifting import (
    Lift,
    Request,
    by_argument,
    by_flag,
    no_way,
    rendered,
)
from simulator.experiment.real.link import Link
from simulator.experiment.real.pool import Host, Service
from simulator.experiment.real.sandbox import Machine
from simulator.experiment.real.session import Launch
from simulator.experiment.real.spec import Spec, parse
from simulator.isolation.technologies.defaults import lxc as lxc_defaults
from simulator.isolation.technologies.registry import parse_spec


class Product(msgspec.Struct, frozen=True):
    """``lift`` says whether one mechanism can be left out, and how the request changes."""

    service: Service
    launcher: Callable[[Request, Host], Launch]
    lift: Lift


def _plain(make: Callable[[Spec], Launch]) -> Callable[[Request, Host], Launch]:
    def launcher(request: Request, _host: Host) -> Launch:
        return make(request.spec)

    return launcher


def _chroot(request: Request, _host: Host) -> Launch:
    return runtimes.chroot(request.spec, walled="chroot" not in request.lifted)


def _docker(request: Request, host: Host) -> Launch:
    engine = host.engine
    assert engine is not None
    return lambda _machine, actor: engine.run(request.spec.options, actor, request.api)


def _cgroups(request: Request, _host: Host) -> Launch:
    return cgroup.launcher(request.technology)


def _oci(request: Request, host: Host) -> Launch:
    operator = host.operator
    assert operator is not None
    layout = cgroups.layout(unified=host.service.unified)

    def launch(machine: Machine, actor: str) -> Link:
        if request.technology.get("mount-ns") is not None:
            return oci.launch(operator, request.technology, actor, layout)
        with visiting(machine) as guest:
            return oci.launch(guest, request.technology, actor, layout)

    return launch


def _lxc(request: Request, host: Host) -> Launch:
    operator = host.operator
    assert operator is not None
    apparmor = facts.gather().features.get("apparmor", False)
    own_file = "lxc-config" not in request.lifted
    return lambda _machine, actor: lxc.launch(
        operator, request.technology, actor, apparmor=apparmor, own_file=own_file
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
    lifted = [name for name in request.lifted if name in switches.NSPAWN]
    settings = tuple(switches.NSPAWN[name] for name in lifted)
    return lambda _machine, actor: nspawn.launch(
        operator, request.technology, request.spec.options, actor, settings
    )


_LXCBR0 = (lxc_defaults.BRIDGE, f"{lxc_defaults.SUBNET}.1")

PRODUCTS: dict[str, Product] = {
    "none": Product(Service(), _plain(runtimes.none), no_way),
    "chroot": Product(Service(), _chroot, by_argument),
    "unshare": Product(Service(), _plain(runtimes.unshare), by_flag),
    "docker": Product(Service(engine=True), _docker, switches.docker),
    "runc": Product(Service(operator=True), _oci, rendered(oci.RENDERED)),
    "lxc": Product(Service(operator=True, bridge=_LXCBR0), _lxc, switches.lxc),
    "lxc-unpriv": Product(
        Service(operator=True, shift=100_000, bridge=_LXCBR0), _lxc, switches.lxc
    ),
    "nspawn": Product(Service(operator=True, installed=True), _nspawn, switches.nspawn),
    "bwrap": Product(Service(operator=True), _bwrap, switches.bwrap),
    "cgroups": Product(Service(), _cgroups, by_argument),
    "crun": Product(Service(operator=True, unified=False), _oci, rendered(oci.RENDERED)),
}
"""By the technology's name. crun 1.8 refuses a hybrid layout, so it gets a machine without one."""


def request(spec: str, lifted: Sequence[str] = ()) -> Request:
    """What ``spec`` asks for, less some mechanisms. Raises ``Counterfactual``, ``SpecError``."""
    words = parse(spec)
    wanted = Request(words, parse_spec(spec, lifted), tuple(lifted))
    for mechanism in lifted:
        wanted = PRODUCTS[words.technology].lift(wanted, mechanism)
    return wanted

"""vzctl set: parameters of a container that runs, and, with --save, of its file."""

import re
from typing import TYPE_CHECKING

from simulator.isolation.control.openvz import config, state, status
from simulator.isolation.control.openvz.config import Container
from simulator.isolation.control.openvz.state import say
from simulator.isolation.technologies.base import SpecError
from simulator.isolation.technologies.openvz import TECHNOLOGY
from simulator.isolation.technologies.options import openvz as options
from simulator.isolation.technologies.options.reading import OptionError
from simulator.machine.abi.call import Value
from simulator.machine.abi.constants import (
    BY_NAME,
    VE_IP_ADD,
    VE_IP_DEL,
    VENETCTL_VE_IP_MAP,
)
from simulator.machine.userland.process import SysError

if TYPE_CHECKING:
    from simulator.machine.userland.process import Process

_ONLY_STOPPED = {
    "--capability": "Unable to set capability on a running container",
    "--features": "Unable to set features on a running container",
    "--netfilter": "Unable to set iptables/netfilter on a running container",
    "--diskquota": "Unable to switch DISK_QUOTA on or off on a running container",
    "--private": "Unable to change VE_PRIVATE on a running container",
    "--root": "Unable to change VE_ROOT on a running container",
}
_PLAIN = {
    "--name": "NAME",
    "--description": "DESCRIPTION",
    "--onboot": "ONBOOT",
    "--disabled": "DISABLED",
    "--nameserver": "NAMESERVER",
    "--searchdomain": "SEARCHDOMAIN",
}
"""What is only written down."""
_LISTS = frozenset(("IP_ADDRESS", "CAPABILITY", "FEATURES", "DEVICES", "DEVNODES"))


_LAYOUT = re.compile(r"simfs|ploop(:(expanded|plain|raw))?")
_NAME = re.compile(r"[A-Za-z0-9 _.-]*")


def misfit(given: list[tuple[str, str]]) -> str | None:
    """What is said of the first parameter whose value is none of its kind."""
    for option, value in given:
        if option == "--layout":
            if _LAYOUT.fullmatch(value) is None:
                return f"Bad parameter for {option}: {value}"
        elif option in options.TABLE and option not in _PLAIN:
            try:
                options.read(TECHNOLOGY, [option, value])
            except SpecError:
                return f"Bad parameter for {option}: {value}"
    return None


async def check_name(sys: "Process", veid: int, name: str) -> int:
    """set_name(): 0, or the status when the name is none, or another container's."""
    if _NAME.fullmatch(name) is None:
        return await say(sys, f"Error: invalid name {name}", status.SET_NAME_ERROR)
    for other in await config.known(sys) if name else ():
        found = await config.load(sys, other)
        if other != veid and found is not None and found.get("NAME") == name:
            text = f"Conflict: name {name} already used by container {other}"
            return await say(sys, text, status.SET_NAME_ERROR)
    return 0


async def change(
    sys: "Process", container: Container, given: list[tuple[str, str]], save: bool
) -> int:
    """The parameters, in the order given. The status is that of the first that fails."""
    wrong = misfit(given)
    if wrong is not None:
        return await say(sys, wrong, status.INVALID_PARAMETER_VALUE)
    running = await state.is_running(sys, container.veid)
    if running:
        for option, value in given:
            failed = await _apply(sys, container, option, value)
            if failed:
                return failed
    if not save:
        await sys.err(
            "WARNING: Settings were not saved and will be resetted to original values on next"
            " start (use --save flag)\n"
        )
        return 0
    own = dict(container.own)
    for option, value in given:
        _keep(own, option, value)
    await config.save(sys, container.veid, own)
    return await say(sys, f"CT configuration saved to {config.path_of(container.veid)}")


def _keep(own: dict[str, str], option: str, value: str) -> None:
    if option == "--ipdel":
        kept = [one for one in own.get("IP_ADDRESS", "").split() if one != value]
        own["IP_ADDRESS"] = "" if value == "all" else " ".join(kept)
        return
    if option in _PLAIN:
        own[_PLAIN[option]] = value
        return
    found = config.saved(option, value)
    if found is None:
        return
    name, text = found
    old = own.get(name, "").split()
    own[name] = " ".join([*old, text]) if name in _LISTS and text not in old else text


async def _apply(sys: "Process", container: Container, option: str, value: str) -> int:
    """One parameter of a container that runs."""
    veid = container.veid
    if option in _ONLY_STOPPED:
        return await say(sys, _ONLY_STOPPED[option], status.VE_RUNNING)
    try:
        name = option.removeprefix("--")
        if name in options.PAGES | options.BYTES | options.PIECES or option in ("--ram", "--swap"):
            return await _limit(sys, veid, option, value)
        if option in ("--ipadd", "--ipdel"):
            return await _address(sys, container, option, value)
        if option == "--cpuunits":
            await say(sys, f"Setting CPU units: {value}")
            await sys.call("fairsched_chwt", veid, max(1, 500_000 // int(value)))
        elif option == "--cpulimit":
            await say(sys, f"Setting CPU limit: {value}")
            percent = int(value.removesuffix("%"))
            operation = 0 if percent else 1
            await sys.call("fairsched_rate", veid, operation, percent * 1024 // 100)
        elif option == "--cpus":
            await say(sys, f"Setting CPUs: {value}")
            await sys.call("fairsched_vcpus", veid, int(value))
        elif option in ("--diskspace", "--diskinodes"):
            return await _quota(sys, veid, option, value)
        elif option == "--hostname":
            pid = await sys.spawn(lambda child: _hostname(child, container, value))
            await sys.call("waitpid", pid, 0)
    except (SysError, OptionError) as error:
        return await say(sys, f"Unable to apply {option}: {error}", status.SETUBC_ERROR)
    return 0


async def _limit(sys: "Process", veid: int, option: str, value: str) -> int:
    found = config.saved(option, value)
    assert found is not None
    name, text = found
    low, high = options.pair(text, 1)
    try:
        await sys.call("setublimit", veid, BY_NAME[f"UB_{name}"], (low, high))
    except SysError as error:
        return await say(sys, f"setublimit failed: {error.message}", status.SETUBC_ERROR)
    return await say(sys, "UB limits were set successfully")


async def _address(sys: "Process", container: Container, option: str, value: str) -> int:
    text = value.partition("/")[0]
    mapped = (await state.numbers(sys)).get(container.veid, (0, ()))[1]
    wanted = list(mapped) if option == "--ipdel" and value == "all" else [text]
    word = "Adding" if option == "--ipadd" else "Deleting"
    await say(sys, f"{word} IP address(es): {' '.join(wanted)}")
    operation = VE_IP_ADD if option == "--ipadd" else VE_IP_DEL
    for one in wanted:
        asked: dict[str, object] = {"veid": container.veid, "op": operation, "addr": one}
        await state.ioctl(sys, VENETCTL_VE_IP_MAP, asked)
        if option == "--ipadd":
            pid = await sys.spawn(lambda child, one=one: _interface(child, container, one))
            await sys.call("waitpid", pid, 0)
    return 0


async def _interface(sys: "Process", container: Container, address: str) -> int:
    """The distribution's script add_ip.sh, inside."""
    await state.enter(sys, container)
    asked: dict[str, Value] = {"do": "address", "name": "venet0", "address": address, "prefix": 32}
    await sys.call("@netlink", asked)
    return 0


async def _hostname(sys: "Process", container: Container, name: str) -> int:
    await state.enter(sys, container)
    await sys.call("sethostname", name, len(name))
    return 0


async def _quota(sys: "Process", veid: int, option: str, value: str) -> int:
    unit = 1024 if option == "--diskspace" else 1
    low, high = options.pair(value, 1024 if option == "--diskspace" else 0)
    kind = "space" if option == "--diskspace" else "inodes"
    limits: dict[str, object] = {f"soft_{kind}": low * unit, f"hard_{kind}": high * unit}
    if await state.quota(sys, veid, "set", **limits) is not None:
        return await say(sys, "vzquota setlimit failed [1]", status.DQ_ON)
    return 0


async def apply_config(sys: "Process", container: Container, sample: str) -> Container | None:
    """--applyconfig: the limits of a sample over the container's own."""
    path = f"{config.DIRECTORY}/ve-{sample}.conf-sample"
    try:
        values = config.parse(await sys.text(path))
    except SysError:
        await say(sys, f"Sample config file not found: {path}", status.APPLY_CONFIG_ERROR)
        return None
    return Container(container.veid, {**container.own, **values}, container.defaults)

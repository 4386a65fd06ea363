"""vzctl create, destroy, mount, umount, start, stop, restart, status. Source: vzctl src/lib/."""

from typing import TYPE_CHECKING

import msgspec

from simulator.isolation.control import files
from simulator.isolation.control.launch import Refused, launch
from simulator.isolation.control.openvz import config, disk, state, status, template
from simulator.isolation.control.openvz.config import Container
from simulator.isolation.control.openvz.state import say
from simulator.isolation.mechanisms.base import LaunchStep, Phase, PlanError
from simulator.isolation.technologies.base import SpecError, Technology, change, plan
from simulator.isolation.technologies.options import openvz as options
from simulator.machine.abi.call import Call
from simulator.machine.abi.constants import (
    LINUX_REBOOT_MAGIC1,
    LINUX_REBOOT_MAGIC2,
    PR_SET_NAME,
    RB_HALT_SYSTEM,
    SIGKILL,
    WNOHANG,
)
from simulator.machine.userland.process import SysError

if TYPE_CHECKING:
    from simulator.machine.userland.process import Process

INIT = "/sbin/init"
_OR_SIMFS = """Alternatively, if you can't or don't want to use ploop, please
add --layout simfs option, or set VE_LAYOUT=simfs in /etc/vz/vz.conf
"""


async def create(sys: "Process", veid: int, given: dict[str, str]) -> int:
    """vps_create(): the sample configuration, then the private area from a template."""
    defaults = config.parse(await sys.text_or_empty(config.GLOBAL))
    own = config.parse(await sys.text_or_empty(config.path_of(veid)))
    sample = given.get("--config", defaults.get("CONFIGFILE", ""))
    if not own or "--config" in given:
        path = f"{config.DIRECTORY}/ve-{sample}.conf-sample"
        if own and "--config" in given:
            text = f"Error: container config file {config.path_of(veid)} already exists,"
            return await say(sys, f"{text} can not use --config", status.CP_CONFIG)
        if not await files.exists(sys, path):
            text = f"Sample config {path} not found: No such file or directory"
            return await say(sys, text, status.CP_CONFIG)
        own = config.parse(await sys.text(path)) | {"ORIGIN_SAMPLE": sample}
    wanted = given.get("--ostemplate", defaults.get("DEF_OSTEMPLATE", ""))
    container = Container(veid, own, defaults)
    for option, name in (("--private", "VE_PRIVATE"), ("--root", "VE_ROOT")):
        own[name] = given.get(option, own.get(name, defaults.get(name, "")))
    container = Container(veid, own, defaults)
    if await files.exists(sys, container.private):
        text = f"Private area already exists in {container.private}"
        return await say(sys, text, status.FS_PRVT_AREA_EXIST)
    if given.get("--layout", container.get("VE_LAYOUT", "simfs")).startswith("ploop"):
        await sys.err(state.NO_PLOOP + _OR_SIMFS)
        return status.PLOOP_UNSUP
    cache = f"{container.get('TEMPLATE')}/cache/{wanted}"
    if not await files.exists(sys, f"{cache}.tar.gz"):
        text = f"Cached OS template {cache}.tar.{{gz,bz2,xz}} not found"
        return await say(sys, text, status.OSTEMPLATE_NOT_FOUND)
    await say(sys, f"Creating container private area ({wanted})")
    await template.unpack(sys, container.private)
    await template.make_directories(sys, container.root)
    await say(sys, "Performing postcreate actions")
    await disk.note(sys, veid)
    own["OSTEMPLATE"] = wanted
    for option, value in given.items():
        found = config.saved(option, value)
        if found is not None:
            own[found[0]] = found[1]
        elif option == "--name":
            own["NAME"] = value
    await config.save(sys, veid, own)
    await say(sys, f"CT configuration saved to {config.path_of(veid)}")
    return await say(sys, "Container private area was created")


async def destroy(sys: "Process", container: Container) -> int:
    """vps_destroy()."""
    if await state.is_running(sys, container.veid):
        text = "Container is currently running. Stop it first."
        await say(sys, text)
        return status.VE_RUNNING
    if await state.is_mounted(sys, container):
        await say(sys, "Container is currently mounted (umount first)")
        return status.FS_MOUNTED
    await say(sys, f"Destroying container private area: {container.private}")
    if await files.exists(sys, container.private):
        await files.remove(sys, container.private)
    await sys.succeeds("rmdir", container.root)
    await disk.drop(sys, container.veid)
    await sys.succeeds("unlink", container.dump)
    path = config.path_of(container.veid)
    await sys.succeeds("rename", path, f"{path}.destroyed")
    return await say(sys, "Container private area was destroyed")


async def mount(sys: "Process", container: Container) -> int:
    """vps_mount(): the quota, then simfs."""
    if await state.is_mounted(sys, container):
        await say(sys, "Container is already mounted", 1)
        return 0
    if not await files.exists(sys, container.private):
        text = f"Container private area {container.private} does not exist"
        return await say(sys, text, status.FS_NOPRVT)
    failed = await disk.turn_on(sys, container)
    if failed:
        return failed
    await template.make_directories(sys, container.root)
    try:
        await sys.call("mount", container.private, container.root, "simfs", 0, container.private)
    except SysError as error:
        text = f"Can't mount: {container.root} {container.private}: {error.message}"
        return await say(sys, text, status.FS_CANTMOUNT)
    return await say(sys, "Container is mounted")


async def umount(sys: "Process", container: Container) -> int:
    """vps_umount(): what is mounted inside, then the container."""
    if not await state.is_mounted(sys, container):
        return await say(sys, "CT is not mounted", status.FS_NOT_MOUNTED)
    if await state.is_running(sys, container.veid):
        return await say(sys, "Container is running -- stop it first", status.VE_RUNNING)
    root = container.root
    for place in reversed(await state.mounts(sys)):
        if place != root and not place.startswith(f"{root}/"):
            continue
        try:
            await sys.call("umount2", place, 0)
        except SysError as error:
            text = f"Can't umount {place}: {error.message}"
            return await say(sys, text, status.FS_CANTUMOUNT)
    if await state.quota(sys, container.veid, "off") is None:
        await disk.note(sys, container.veid)
    return await say(sys, "Container is unmounted")


def technology_of(container: Container, release: str) -> Technology:
    """The container's file as what is launched; a container without an init runs a shell."""
    return config.technology(container, release)


async def start(sys: "Process", container: Container, *, setup: bool = True) -> int:
    """vps_start(); without ``setup`` nothing is said of addresses and shares (SKIP_SETUP)."""
    if container.get("DISABLED") == "yes":
        return await say(sys, "Container start disabled", 105)
    if not await files.exists(sys, container.private):
        text = f"Container private area {container.private} does not exist"
        return await say(sys, text, status.FS_NOPRVT)
    if await state.is_running(sys, container.veid):
        return await say(sys, "Container is already running", status.VE_RUNNING)
    await say(sys, "Starting container...")
    try:
        technology = technology_of(container, await state.release(sys))
    except (SpecError, PlanError) as error:
        return await say(sys, str(error), status.INVALID_PARAMETER_VALUE)
    if not await state.is_mounted(sys, container):
        failed = await mount(sys, container)
        if failed:
            return failed
    boots = await files.exists(sys, f"{container.private}{INIT}")
    guest = technology.guest
    if boots:
        guest = msgspec.structs.replace(guest, argv=(INIT,))
        technology = change(technology, guest=guest)
    steps = plan(technology, domain_of(container), container.veid - 100)
    mine = tuple(step for step in steps if not _done(step, boots))
    await sys.succeeds("fairsched_rmnod", container.veid)
    try:
        started = await launch(sys, domain_of(container), mine)
    except Refused as error:
        await say(
            sys,
            f'Container start failed (try to check kernel messages, e.g. "dmesg | tail"): {error}',
            1,
        )
        return status.ENVCREATE_ERROR
    if not boots:
        await sys.drive(started.pid, Call("prctl", (PR_SET_NAME, "init")), "", "ve-context")
    if setup:
        await _tell(sys, technology)
    return await say(sys, "Container start in progress...")


async def _tell(sys: "Process", technology: Technology) -> None:
    """What the steps of vps_setup_res() say."""
    venet = options.of(technology, options.Venet)
    if venet.addresses:
        await say(sys, f"Adding IP address(es): {' '.join(venet.addresses)}")
    cpu = options.of(technology, options.CpuUnits)
    if cpu.limit:
        await say(sys, f"Setting CPU limit: {cpu.limit}")
    await say(sys, f"Setting CPU units: {cpu.units}")
    if cpu.cpus:
        await say(sys, f"Setting CPUs: {cpu.cpus}")


def domain_of(container: Container) -> str:
    """Whose what the container makes is: a tenant of the world's, or its own number's."""
    tenant = container.private.removeprefix("/srv/")
    return tenant if tenant in ("guest", "neighbour") else f"ct{container.veid}"


def _done(step: LaunchStep, boots: bool) -> bool:
    """What ``mount`` has done already, and a program that is not there."""
    early = step.phase is Phase.PREPARE and step.mechanism in ("vzquota", "simfs")
    return (early and step.name != "open") or (step.phase is Phase.EXEC and not boots)


async def stop(sys: "Process", container: Container, *, fast: bool = False) -> int:
    """env_stop(): halt from inside, or kill its init; then unmount."""
    if not await state.is_running(sys, container.veid):
        await say(sys, "Unable to stop: container is not running", 1)
        return 0
    await say(sys, "Killing container ..." if fast else "Stopping container ...")
    pid = await sys.spawn(lambda child: halt(child, container, fast))
    await sys.call("waitpid", pid, 0)
    if await state.is_running(sys, container.veid):
        return await say(sys, "Unable to stop container", status.STOP_ERROR)
    await reap(sys)
    await sys.succeeds("fairsched_rmnod", container.veid)
    await say(sys, "Container was stopped")
    return await umount(sys, container) and status.FS_CANTUMOUNT


async def halt(sys: "Process", container: Container, fast: bool) -> int:
    """real_env_stop(): enter, and halt; with --fast the kernel's own kill."""
    await state.enter(sys, container)
    if fast:
        await sys.succeeds("kill", 1, SIGKILL)
    await sys.call("reboot", LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, RB_HALT_SYSTEM, 0)
    return 0


async def reap(sys: "Process") -> None:
    """Zombies that this process, or its shell, is the parent of."""
    try:
        while await sys.value("waitpid", -1, WNOHANG):
            pass
    except SysError:
        return


async def restart(sys: "Process", container: Container) -> int:
    """vzctl restart."""
    await say(sys, "Restarting container")
    if await state.is_running(sys, container.veid):
        failed = await stop(sys, container)
        if failed:
            return failed
    return await start(sys, container)


async def show(sys: "Process", veid: int, container: Container | None) -> int:
    """vzctl status."""
    there = container is not None and await files.exists(sys, container.private)
    mounted = container is not None and await state.is_mounted(sys, container)
    running = await state.is_running(sys, veid)
    dumped = container is not None and await files.exists(sys, container.dump)
    words = (
        "exist" if there else "deleted",
        "mounted" if mounted else "unmounted",
        "running" if running else "down",
    )
    suspended = " suspended" if there and not running and dumped else ""
    await sys.out(f"CTID {veid} {' '.join(words)}{suspended}\n")
    return 0

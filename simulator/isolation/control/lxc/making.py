"""lxc-create(1): a directory, a root filesystem from a template, a configuration."""

from collections.abc import Sequence

from simulator.isolation.control import files
from simulator.isolation.control.lxc import container, storage, words
from simulator.isolation.control.lxc.container import Container
from simulator.isolation.technologies.defaults import lxc_files
from simulator.machine.userland.process import Process
from simulator.machine.userland.registry import TOOLS, enter

TEMPLATES = ("busybox", "none")
_STORES = ("dir", "overlay", "best")
_HEAD = """\
# Template used to create this container: /usr/share/lxc/templates/lxc-{template}
# Parameters passed to the template:
# For additional config options, please look at lxc.container.conf(5)

# Uncomment the following line to support nesting containers:
#lxc.include = /usr/share/lxc/config/nesting.conf
# (Be aware this has security implications)

"""
_BUSYBOX = """\
lxc.include = {common}
lxc.signal.halt = SIGUSR1
lxc.signal.reboot = SIGTERM
lxc.uts.name = {name}
lxc.mount.entry = shm dev/shm tmpfs defaults,create=dir 0 0
lxc.mount.entry = mqueue dev/mqueue mqueue defaults,optional,create=dir 0 0
"""
"""The template's lines; what it says of capabilities and mounts is left to common.conf."""


@enter("lxc-create", collection=TOOLS)
async def lxc_create(sys: Process, argv: Sequence[str]) -> int:
    """Exit status 1 when there is no such template, or the container is there already."""
    long = {"template": "t", "config": "f", "bdev": "B", "dir": "D"}
    usage = "lxc-create --name=NAME --template=TEMPLATE [OPTION...] [-- template-options]"
    line = await words.read(sys, argv, "t:f:B:D:", long, usage=usage)
    if isinstance(line, int):
        return line
    one, place = line.one, "tools/lxc_create.c: main:"
    template, store = line.options.value("t"), line.options.value("B", "dir")
    if not template:
        await container.said(sys, one.name, f"{place} 214", "A template must be specified")
        text = 'Use "none" if you really want a container without a rootfs'
        return await container.said(sys, one.name, f"{place} 215", text)
    if store not in _STORES:
        text = f"{store} is not a valid backing storage type"
        return await container.said(sys, one.name, f"{place} 240", text)
    if await container.defined(sys, one):
        return await container.said(sys, one.name, f"{place} 264", "Container already exists")
    if template not in TEMPLATES:
        return await _unknown(sys, one, template)
    if await sys.value("geteuid"):
        return await _unmapped(sys, one)
    path = line.options.value("f", "/etc/lxc/default.conf")
    text = await sys.text_or_empty(path)
    if line.options.has("f") and not await sys.succeeds("access", path, 4):
        why = f'No such file or directory - Failed to open file "{path}"'
        await container.said(sys, one.name, "parse.c: lxc_file_for_each_line_mmap: 79", why)
    root = line.options.value("D") or f"{one.directory}/rootfs"
    await _directories(sys, one)
    if template == "busybox":
        await sys.succeeds("mkdir", root, 0o755)
        await _busybox(sys, root)
    if store == "overlay":
        await storage.layers(sys, one)
    await files.write(sys, one.config, _config(one, template, store, root, text), 0o640)
    return 0


async def _unmapped(sys: Process, one: Container) -> int:
    """Who is not root must say which ids the container's are (lxccontainer.c, create_run_template).

    A template of one's own is beyond the model: containers of users are ``lxc-unpriv``.
    """
    place = "lxccontainer.c: create_run_template:"
    text = "You must either run as root, or define uid mappings"
    await container.said(sys, one.name, f"{place} 1445", text)
    text = "To pass uid mappings to lxc-create, you could create"
    await container.said(sys, one.name, f"{place} 1446", text)
    text = f"Failed to create container {one.name}"
    return await container.said(sys, one.name, "tools/lxc_create.c: main: 317", text)


async def _unknown(sys: Process, one: Container, template: str) -> int:
    text = f"No such file or directory - bad template: {template}"
    await container.said(sys, one.name, "utils.c: get_template_path: 900", text)
    text = f'Template "{template}" not found'
    await container.said(sys, one.name, "lxccontainer.c: __lxcapi_create: 1799", text)
    text = f"Failed to create container {one.name}"
    return await container.said(sys, one.name, "tools/lxc_create.c: main: 317", text)


async def _directories(sys: Process, one: Container) -> None:
    await container.run(sys, "/bin/mkdir", "-p", one.path)
    await sys.succeeds("mkdir", one.directory, 0o755)


def _config(one: Container, template: str, store: str, root: str, default: str) -> str:
    where = f"overlay:{root}:{one.directory}/overlay/delta" if store == "overlay" else f"dir:{root}"
    text = f"{_HEAD.format(template=template)}{default}"
    if template == "none":
        return text + f"lxc.uts.name = {one.name}\n"
    text += f"lxc.rootfs.path = {where}\n"
    return text + _BUSYBOX.format(common=f"{lxc_files.CONFIG}/common.conf", name=one.name)


async def _busybox(sys: Process, root: str) -> None:
    """The host's own busybox under every name that it has, an init, users, empty directories."""
    for path in ("bin", "dev", "etc", "home", "mnt", "proc", "root", "sbin", "sys", "tmp", "usr"):
        await sys.succeeds("mkdir", f"{root}/{path}", 0o755)
    await container.run(sys, "/bin/cp", "/bin/busybox", f"{root}/bin/busybox")
    for name in await sys.names("/bin"):
        if name != "busybox":
            await sys.succeeds("link", f"{root}/bin/busybox", f"{root}/bin/{name}")
    await container.run(sys, "/bin/cp", "/usr/sbin/init.lxc", f"{root}/sbin/init")
    await sys.succeeds("chmod", f"{root}/tmp", 0o1777)
    await files.write(sys, f"{root}/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
    await files.write(sys, f"{root}/etc/group", "root:x:0:root\n")

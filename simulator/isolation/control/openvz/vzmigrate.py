"""vzmigrate(8): a container to another node, over ssh(1). Source: vzctl bin/vzmigrate.in.

This machine is alone: the checks on its own side are made, then the connection fails.
"""

from collections.abc import Sequence

from simulator.isolation.control.openvz import config, state
from simulator.machine.abi.constants import AF_INET, SOCK_NONBLOCK, SOCK_STREAM
from simulator.machine.abi.errno import Errno
from simulator.machine.userland import resolver
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

USAGE_STATUS = 1
_PORT = 22
_PATIENCE = 3
"""Seconds until a neighbour who does not answer is given up (arp(7), mcast_solicit)."""
STOPPED, CANT_CONNECT, NO_CONTAINER = 2, 4, 10
USAGE = """This program is used for container migration to another node.
Usage:
  vzmigrate [option ...] destination_address <CTID>
Options:
-r, --remove-area yes|no
	Whether to remove container on source host after successful migration.
--ssh=<ssh options>
	Additional options that will be passed to ssh while establishing
	connection to destination host. Please be careful with options
	passed, DO NOT pass destination hostname.
--keep-dst
	Do not clean synced destination container private area in case of some
	error.
--live
	Perform live migration: instead of restarting a container, checkpoint
	and restore are used, so there is no container downtime or service
	interruption.
-v
	Verbose mode.

Examples:
	Online migration of CT #101 to foo.com:
		vzmigrate --live foo.com 101
	Migration of CT #102 to foo.com with downtime:
		vzmigrate foo.com 102
"""


@enter("vzmigrate", collection=TOOLS)
async def vzmigrate(sys: Process, argv: Sequence[str]) -> int:
    """The status is one of the script's MIG_ERR_*."""
    words = list(argv[1:])
    live = False
    while words and words[0].startswith("-"):
        word = words.pop(0)
        live |= word in ("--live", "--online")
        if word in ("-r", "--remove-area") and words:
            words.pop(0)
    if len(words) != 2 or not words[1].isdigit():
        await sys.out(USAGE)
        return USAGE_STATUS
    host, veid = words[0], int(words[1])
    if await config.load(sys, veid) is None:
        await sys.err(f"Error: CT #{veid} doesn't exist\n")
        return NO_CONTAINER
    running = await state.is_running(sys, veid)
    if live and not running:
        await sys.err("Error: Can't perform live migration of a stopped container\n")
        return STOPPED
    kind = "live migration" if live else "migration"
    await sys.out(f"Starting {kind} of CT {veid} to {host}\n")
    await sys.err(
        f"{await _ssh(sys, host.rpartition('@')[2])}\n"
        "Error: Can't connect to destination address using public key\n"
        "Error: Please put your public key to destination node\n"
    )
    return CANT_CONNECT


async def _ssh(sys: Process, host: str) -> str:
    """What ssh(1) says: no host of the model's has an sshd, but each fails in its own way."""
    found = ["127.0.0.1"] if host == "localhost" else await resolver.addresses(sys, host)
    if not found:
        return f"ssh: Could not resolve hostname {host}: Name or service not known"
    # Not to wait for ever for a machine that is not there: on its own net nobody answers for it.
    fd = await sys.value("socket", AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)
    for _second in range(_PATIENCE):
        try:
            await sys.call("connect", fd, (found[0], _PORT))
        except SysError as error:
            if error.errno in (Errno.EINPROGRESS, Errno.EALREADY):
                await sys.call("nanosleep", [1, 0])
                continue
            return f"ssh: connect to host {host} port {_PORT}: {error.message}"
        return "kex_exchange_identification: Connection closed by remote host"
    return f"ssh: connect to host {host} port {_PORT}: {Errno.EHOSTUNREACH.message}"

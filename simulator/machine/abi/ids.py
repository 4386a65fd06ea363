"""Names for numbers, so that a pid is never passed where a mount is meant."""

from typing import NewType, TypeAlias

Pid = NewType("Pid", int)
"""A process id as the machine's initial pid namespace numbers it."""
KUid = NewType("KUid", int)
"""A user id as the kernel holds it (initial user namespace)."""
KGid = NewType("KGid", int)
"""A group id as the kernel holds it (initial user namespace)."""
NsId = NewType("NsId", int)
"""A namespace of any kind: numbered in one sequence, as their nsfs inodes are."""
INITIAL_USER_NS = NsId(1)
"""init_user_ns: the first that a machine makes when it boots."""
MountId = NewType("MountId", int)
SuperblockId = NewType("SuperblockId", int)
FileId = NewType("FileId", int)
FilesId = NewType("FilesId", int)
CgroupId = NewType("CgroupId", int)
ContextId = NewType("ContextId", int)

VirtualId: TypeAlias = tuple[str | int | tuple[object, ...] | None, ...]
InodeId: TypeAlias = int | VirtualId
"""A stored inode's number, or, for a file that is computed when looked at (procfs, sysfs,
cgroupfs, overlay), a tuple whose first item names the filesystem that computes it."""

Domain: TypeAlias = str
"""Whose an object is: ``kernel``, ``host``, or a sandbox's actor (``guest``, ``neighbour``)."""

KERNEL: Domain = "kernel"
HOST: Domain = "host"

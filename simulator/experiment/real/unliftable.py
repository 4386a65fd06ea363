"""Why a product has no switch for a mechanism, by product and mechanism.

Read in the products' own sources; what is here is ablated in the model alone.
"""

from collections.abc import Mapping

from simulator.machine.abi.i18n import N_

_ALWAYS = N_("it always makes one")
_MOVED = N_("it can move the new root over the old one instead (MS_MOVE), which hides it as well")

REASONS: Mapping[tuple[str, str], str] = {
    ("docker", "overlay-root"): N_(
        "with --storage-driver=vfs dockerd copies the image for each container, it never shares it"
    ),
    ("docker", "mount-ns"): N_("dockerd asks for one for every container (moby oci/defaults.go)"),
    ("docker", "pivot-root"): _MOVED,
    ("docker", "session-keyring"): N_("dockerd 20.10 has no word for runc's --no-new-keyring"),
    ("docker", "default-mounts"): N_(
        "dockerd mounts /proc, /dev and /sys in every container (moby oci/defaults.go)"
    ),
    ("docker", "container-files"): N_(
        "dockerd binds these three over any image's (moby container_unix.go, NetworkMounts())"
    ),
    ("runc", "pivot-root"): _MOVED,
    ("crun", "pivot-root"): _MOVED,
    ("runc", "default-mounts"): N_(
        "runc looks into the container's /proc/self/fd and does not start without"
        " (libcontainer/utils, CloseExecFrom())"
    ),
    ("lxc", "mount-ns"): N_(
        "with lxc.namespace.keep = mnt it would turn the host's own root over"
        " (lxc conf.c, lxc_pivot_root())"
    ),
    ("lxc", "pivot-root"): N_("it always does (lxc conf.c, lxc_pivot_root())"),
    ("nspawn", "session-keyring"): _ALWAYS,
    ("nspawn", "default-mounts"): N_("its table of mounts is fixed (nspawn-mount.c, mount_all())"),
    ("nspawn", "pivot-root"): N_("it always changes the root (nspawn.c, outer_child())"),
    ("nspawn", "mount-ns"): _ALWAYS,
    ("bwrap", "mount-ns"): _ALWAYS,
    ("bwrap", "bubble-root"): N_("it always builds one (bubblewrap.c, main())"),
    ("bwrap", "no-new-privs"): N_("it always sets it (bubblewrap.c, main())"),
}

"""What zoneadm(1M) says about its own use."""

SHORT = {
    "help": "help",
    "boot": "boot [-- boot_arguments]",
    "halt": "halt",
    "ready": "ready",
    "reboot": "reboot [-- boot_arguments]",
    "list": "list [-cipv]",
    "verify": "verify",
    "install": "install [-x nodataset] [brand-specific args]",
    "uninstall": "uninstall [-F] [brand-specific args]",
    "clone": "clone [-m method] [-s <ZFS snapshot>] [brand-specific args] zonename",
    "move": "move zonepath",
    "detach": "detach [-n] [brand-specific args]",
    "attach": "attach [-F] [-n <path>] [brand-specific args]",
    "mark": "mark incomplete",
}
"""cmdtab[]: what usage() says of each."""
USAGE = (
    "usage:\tzoneadm help\n"
    "\tzoneadm [-z <zone>] [-u <uuid-match>] list\n"
    "\tzoneadm {-z <zone>|-u <uuid-match>} <subcommand>\n\n"
    "Subcommands:\n\n" + "".join(f"{one}\n" for one in SHORT.values()) + "\n"
)

"""Files that FreeBSD comes with: what rc.conf(5) defaults to, and the script for its jails."""

DEFAULTS = "/etc/defaults/rc.conf"
LOCAL_STARTUP = "/usr/local/etc/rc.d"
JAIL_SCRIPT = "/etc/rc.d/jail"

DEFAULT_TEXT = """\
# Variables of the scripts in /etc/rc.d, and what they are unless /etc/rc.conf says otherwise.
rc_conf_files="/etc/rc.conf /etc/rc.conf.local"
local_startup="/usr/local/etc/rc.d"

jail_enable="NO"
jail_conf="/etc/jail.conf"
jail_confwarn="YES"
jail_parallel_start="NO"
jail_list=""
jail_reverse_stop="NO"
"""
"""/etc/defaults/rc.conf, as far as a script of the model asks for it."""

JAIL_TEXT = """\
#!/bin/sh
# PROVIDE: jail
# REQUIRE: LOGIN FILESYSTEMS
# BEFORE: securelevel
# KEYWORD: shutdown
# In the model, service(8) does itself what this script would.
[ $# -gt 0 ] || set -- ""
exec /usr/sbin/service jail "$@"
"""
"""/etc/rc.d/jail."""

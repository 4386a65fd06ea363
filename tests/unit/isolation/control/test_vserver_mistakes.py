"""util-vserver: scripts/vserver, src/{chcontext,chbind,vattribute,vkill,vserver-stat,vcontext}.c."""
# ruff: noqa: E501 (the answers are lines of the tools)

from mistakes import Mistake, host, unlike

MISTAKES = [
    Mistake(
        "vserver",
        2,
        "Usage: vserver <vserver> {start|stop|suexec|restart|condrestart|exec|enter|chkconfig|running|status|delete}",
    ),
    Mistake("vserver nosuch start", 5, "Can not find a vserver-setup at '/etc/vservers/nosuch/'."),
    Mistake(
        "vserver guest",
        2,
        "Usage: vserver <vserver> {start|stop|suexec|restart|condrestart|exec|enter|chkconfig|running|status|delete}",
    ),
    Mistake(
        "vserver guest bogus",
        2,
        "Usage: vserver <vserver> {start|stop|suexec|restart|condrestart|exec|enter|chkconfig|running|status|delete}",
    ),
    Mistake("vserver guest start", 0, "vserver 'guest' already running"),
    Mistake("vserver a build", 1, "No build-method specified"),
    Mistake("vserver a build -m nosuch", 1, "Unknown build-method 'nosuch'"),
    Mistake(
        "vserver a build -m skeleton --bogus", 1, "vserver-build: unrecognized option '--bogus'"
    ),
    Mistake("vserver a build -m skeleton --context abc", 0),
    Mistake(
        "vserver a build -m skeleton",
        1,
        "vserver-topdirectory '/etc/vservers/a' and/or configuration at '/etc/vservers/a' exist already; please try to use '--force', or remove them manually",
    ),
    Mistake("vserver a stop", 0, "vserver 'a' is not running"),
    Mistake(
        "vserver a exec ls",
        1,
        "'vserver ... suexec' is supported for running vservers only; aborting...",
    ),
    Mistake("vserver a start", 1, "Invalid context number 'abc': vserver does not exist"),
    Mistake(
        "rm /etc/vservers/a/context; vserver a start",
        1,
        'vcontext: execvp("/bin/sleep"): No such file or directory',
    ),
    Mistake(
        "vserver guest exec nosuch", 255, 'vcontext: execvp("nosuch"): No such file or directory'
    ),
    Mistake("vserver guest suexec nobody2 id", 255, "vcontext: Username 'nobody2' does not exist"),
    Mistake("vserver a status", 3, "Vserver 'a' is stopped"),
    Mistake("vattribute --set --xid 50 --bcap BOGUS", 255, "Unknown bcap 'BOGUS'"),
    Mistake(
        "vattribute --set --xid abc", 255, "Invalid context number 'abc': vserver does not exist"
    ),
    Mistake("vattribute --bogus", 255, "unrecognized option '--bogus'"),
    Mistake("chcontext", 255, "No command given; use '--help' for more information."),
    Mistake("chcontext --ctx abc ls", 255, "Invalid context number 'abc': vserver does not exist"),
    Mistake("chcontext --bogus ls", 255, "chcontext: unrecognized option '--bogus'"),
    Mistake("chcontext --ctx 77 /nosuch", 255, "New security context is 77"),
    Mistake("chbind", 255, "No command given; try '--help' for more information"),
    Mistake("chbind --ip 1.2.3 ls", 255, "Invalid IP number or host name '1.2.3'"),
    Mistake("reducecap", 255, "No command given; use '--help' for more information"),
    Mistake("vkill", 1, "No pid specified"),
    Mistake("vkill abc", 1, "vkill: 'abc' is not a number"),
    Mistake("vkill -s BOGUS 1", 1, "Invalid signal specified"),
    Mistake("vkill 99999", 1, "vkill: vc_ctx_kill(): No such process"),
    Mistake("vserver-stat x", 1, "Unknown parameter, use '--help' for more information"),
    Mistake("setattr", 1, "No filename given; use '--help' for more information"),
    Mistake("setattr --barrier /nosuch", 1, "/nosuch: No such file or directory"),
    Mistake(
        "su user -c 'vserver-stat'",
        1,
        "can not change context: migrate kernel feature missing and 'compat' API disabled: Function not implemented",
    ),
    Mistake(
        "su user -c 'vps'",
        255,
        "can not change context: migrate kernel feature missing and 'compat' API disabled: Function not implemented",
    ),
    Mistake("su user -c 'vkill 1'", 1, "vkill: vc_ctx_kill(): Function not implemented"),
    Mistake("su user -c 'chcontext --ctx 77 id'", 1, "chcontext: Operation not permitted"),
]


def test_bad_input_gets_the_answer_of_the_real_tool() -> None:
    assert unlike(host("vserver"), MISTAKES) == []

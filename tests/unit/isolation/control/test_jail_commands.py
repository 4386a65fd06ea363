"""The commands and mounts of a jail's life: usr.sbin/jail/command.c, config.c."""

import pytest
from mistakes import host, said, typed

from simulator.experiment.engine.session import SimSession

LIFE = ("prepare", "prestart", "created", "poststart", "prestop", "poststop", "release")


@pytest.fixture
def bsd() -> SimSession:
    """A host with a tree for a jail, in which there is no shell but what is put there."""
    session = host("jail")
    said(session, "mkdir -p /srv/web/bin /srv/web/mnt /srv/web/proc /srv/web/dev /srv/data")
    said(session, "cp /bin/busybox /srv/web/bin/touch; echo hello > /srv/data/file")
    return session


def written(session: SimSession, text: str) -> None:
    """A jail ``web`` in jail.conf."""
    said(session, f"cat > /etc/jail.conf <<'E'\nweb {{ path=/srv/web; persist; {text} }}\nE")


def test_every_command_has_its_time(bsd: SimSession) -> None:
    said(bsd, "cp /bin/busybox /srv/web/bin/sh")
    lines = [f'exec.{one} = "echo {one} $(jls -j web jid) >> /tmp/told 2>&1";' for one in LIFE]
    written(
        bsd, " ".join([*lines, 'exec.start = "echo start > /a"; exec.stop = "echo stop > /b";'])
    )
    said(bsd, "jail -qc web && jail -qr web")
    told = said(bsd, "cat /tmp/told").replace('jls: jail "web" not found\n', "")
    number = told.split()[3]
    assert number.isdigit()
    assert told.splitlines() == [
        *("prepare", "prestart", f"created {number}", f"poststart {number}"),
        *(f"prestop {number}", "poststop", "release"),
    ]
    assert said(bsd, "cat /srv/web/a /srv/web/b") == "start\nstop\n"


def test_only_what_a_shell_must_read_is_read_by_one(bsd: SimSession) -> None:
    written(bsd, 'exec.start = "/bin/touch /made";')
    assert said(bsd, "jail -c web") == "web: created\n"
    said(bsd, "ls /srv/web/made; jail -r web")
    written(bsd, 'exec.start = "touch /a; touch /b";')
    assert typed(bsd, "jail -c web") == (
        1,
        "web: created\njail: web: exec /bin/sh: No such file or directory\n"
        "jail: web: /bin/sh -c touch /a; touch /b: failed\nweb: removed\n",
    )
    written(bsd, 'exec.start = "nothing here";')
    assert "jail: web: exec nothing: No such file" in typed(bsd, "jail -c web")[1]


def test_a_command_that_fails_undoes_what_was_done(bsd: SimSession) -> None:
    written(bsd, 'mount = "/srv/data /srv/web/mnt nullfs ro"; exec.prestart = "false";')
    assert typed(bsd, "jail -c web") == (1, "jail: web: false: failed\n")
    assert "/srv/web/mnt" not in said(bsd, "mount")
    written(bsd, 'mount = "/srv/data /srv/web/mnt nullfs ro"; exec.poststart = "kill -9 $$";')
    assert typed(bsd, "jail -c web") == (
        1,
        "web: created\njail: web: /bin/sh -c kill -9 $$: exited on signal 9\nweb: removed\n",
    )
    assert "/srv/web/mnt" not in said(bsd, "mount")
    assert said(bsd, "jls name") == "guest\nneighbour\n"


def test_a_jail_stays_when_a_command_before_its_end_fails(bsd: SimSession) -> None:
    written(bsd, 'exec.prestop = "false";')
    said(bsd, "jail -c web")
    assert typed(bsd, "jail -r web") == (1, "jail: web: false: failed\n")
    assert "web" in said(bsd, "jls name")
    assert said(bsd, "jail -R web") == ""
    written(bsd, 'exec.poststop = "false", "touch /tmp/behind";')
    said(bsd, "jail -c web")
    assert typed(bsd, "jail -r web") == (1, "web: removed\njail: web: false: failed\n")
    said(bsd, "ls /tmp/behind")


def test_what_is_mounted_for_a_jail_goes_with_it(bsd: SimSession) -> None:
    said(bsd, "printf '# nothing\\n\\n/srv/data /srv/web/mnt nullfs ro 0 0\\n' > /etc/fstab.web")
    written(
        bsd, 'mount.fstab = "/etc/fstab.web"; mount = "tmpfs /srv/web/bin tmpfs"; mount.procfs;'
    )
    said(bsd, "jail -c web")
    assert said(bsd, "cat /srv/web/mnt/file") == "hello\n"
    status, text = typed(bsd, "touch /srv/web/mnt/more")
    assert status == 1
    assert "Read-only file system" in text
    mounts = said(bsd, "mount")
    assert " on /srv/web/bin (tmpfs" in mounts
    assert " on /srv/web/proc (procfs" in mounts
    said(bsd, "jail -r web")
    assert "/srv/web/" not in said(bsd, "mount")


@pytest.mark.parametrize(
    ("parameter", "told"),
    [
        ('mount = "/srv/data /srv/web/mnt"', "mount: /srv/data /srv/web/mnt: missing information"),
        ('mount = "/srv/data mnt nullfs"', "mount: mnt: not an absolute pathname"),
        (
            'mount = "/srv/data /srv/web/no/where nullfs"',
            "mount: /srv/web/no: No such file or directory",
        ),
        ('mount = "/srv/data /srv/web/link nullfs"', "mount: /srv/web/link is a symbolic link"),
        ("mount.fstab = /etc/nosuch", "mount.fstab: /etc/nosuch: No such file or directory"),
        ('exec.start = "/bin/touch"; exec.jail_user = nosuch', "nosuch: no such user"),
        ('exec.prestart = "true"; exec.system_user = nosuch', "nosuch: no such user"),
        ('exec.prestart = "sleep 5"; exec.timeout = 2', "sleep 5: timed out"),
        ("exec.fib = 1", "exec.fib: the simulated kernel lacks this parameter"),
        ("vnet.interface = e0", "vnet.interface: the simulated kernel lacks this parameter"),
        ("mount.procfs = maybe", 'mount.procfs: unknown boolean value "maybe"'),
        ("exec.timeout = soon", 'exec.timeout: non-integer value "soon"'),
    ],
)
def test_what_can_not_be_done_is_said(bsd: SimSession, parameter: str, told: str) -> None:
    said(bsd, "ln -s /srv/data /srv/web/link")
    written(bsd, f"{parameter};")
    status, text = typed(bsd, "jail -qc web")
    assert status == 1
    assert text.endswith(f"jail: web: {told}\n")
    assert "web" not in said(bsd, "jls name")


def test_a_mount_that_the_kernel_does_not_know_fails_as_mount_does(bsd: SimSession) -> None:
    said(bsd, "mkdir -p /srv/web/dev/fd")
    written(bsd, "mount.fdescfs;")
    assert typed(bsd, "jail -c web") == (
        1,
        "mount: .: No such device\njail: web: /sbin/mount -t fdescfs . /srv/web/dev/fd: failed\n",
    )


def test_host_commands_run_as_whom_they_are_told(bsd: SimSession) -> None:
    written(bsd, 'exec.prestart = "id -un > /tmp/who"; exec.system_user = nobody; exec.clean;')
    said(bsd, "chmod 777 /tmp; jail -qc web")
    assert said(bsd, "cat /tmp/who") == "nobody\n"


def test_those_inside_are_asked_to_end_and_given_some_time(bsd: SimSession) -> None:
    said(bsd, "cp /bin/busybox /srv/web/bin/sh; cp /bin/busybox /srv/web/bin/sleep")
    waits = "trap 'echo bye > /bye; exit' TERM; while :; do sleep 1; done"
    said(bsd, f'echo "{waits}" > /srv/web/polite')
    said(bsd, "echo \"trap '' TERM; while :; do sleep 1; done\" > /srv/web/deaf")
    written(bsd, 'exec.start = "/bin/sh /polite &";')
    assert "/polite" in said(bsd, "jail -qc web; ps -J web -o pid,command; jail -qr web")
    assert said(bsd, "cat /srv/web/bye") == "bye\n"
    for limit in (3, 0):
        written(bsd, f'exec.start = "/bin/sh /deaf &"; stop.timeout = {limit};')
        line = "jail -qc web; sleep 1; date +%s; jail -qr web; date +%s; jls name"
        before, after, *rest = said(bsd, line).replace("Killed\n", "").split()
        assert int(after) - int(before) == limit
        assert rest == ["guest", "neighbour"]

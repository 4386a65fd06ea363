"""lxc-snapshot, lxc-copy and lxc-destroy: who is made of whom, and who may go first."""

import pytest
from mistakes import host, said, typed

from simulator.experiment.engine.session import SimSession

_LIBRARY = "../src/lxc/lxccontainer.c:"
_WEB = "/var/lib/lxc/web"


@pytest.fixture
def web() -> SimSession:
    """A host with a container of a directory, ``web``, and ``two``, an overlay of it."""
    session = host("lxc")
    said(session, "lxc-create -n web -t busybox; lxc-copy -n web -N two -s")
    return session


def test_a_snapshot_of_a_directory_is_a_copy_and_says_so(web: SimSession) -> None:
    place = f"lxc-snapshot: web: {_LIBRARY} do_lxcapi_snapshot:"
    assert typed(web, "lxc-snapshot web") == (
        0,
        f"{place} 4129 Snapshot of directory-backed container requested\n"
        f"{place} 4130 Making a copy-clone.  If you do want snapshots, then\n"
        f"{place} 4131 please create overlay clone first, snapshot that\n"
        f"{place} 4132 and keep the original container pristine\n",
    )
    listed = f"snap0 ({_WEB}/snaps) 2023:11:14 23:13:20\n"
    assert said(web, "lxc-snapshot -L web") == listed
    said(web, "echo before the upgrade > /tmp/why; lxc-snapshot -c /tmp/why web 2> /dev/null")
    shown = said(web, "lxc-snapshot web --list --showcomments")
    assert shown == f"{listed}{listed.replace('snap0', 'snap1')}before the upgrade\n"
    assert "lxc.rootfs.path = dir:/var/lib/lxc/web/snaps/snap1/rootfs" in said(
        web, f"cat {_WEB}/snaps/snap1/config"
    )


def test_going_back_brings_the_files_of_the_snapshot_and_keeps_the_snapshots(
    web: SimSession,
) -> None:
    said(web, "lxc-create -n one -t busybox; lxc-snapshot one 2> /dev/null")
    said(web, "echo > /var/lib/lxc/one/rootfs/etc/new; rm /var/lib/lxc/one/rootfs/etc/passwd")
    said(web, "lxc-snapshot -r snap0 one")
    assert said(web, "ls /var/lib/lxc/one/rootfs/etc") == "group\npasswd\n"
    assert said(web, "ls /var/lib/lxc/one") == "config\nrootfs\nsnaps\n"
    said(web, "lxc-snapshot -n one -r snap0 -N other; lxc-start other")
    assert said(web, "lxc-attach other -- hostname") == "other\n"


def test_an_overlay_s_snapshot_holds_only_what_was_written(web: SimSession) -> None:
    said(web, "lxc-start two; lxc-attach two -- sh -c 'echo 1 > /etc/one; rm /bin/ls'")
    said(web, "lxc-stop two")
    assert said(web, "lxc-snapshot two") == ""
    assert said(web, "find /var/lib/lxc/two/snaps/snap0/overlay/delta -type f") == (
        "/var/lib/lxc/two/snaps/snap0/overlay/delta/etc/one\n"
    )
    said(web, "lxc-start two; lxc-attach two -- sh -c 'rm /etc/one; echo > /etc/late'")
    assert typed(web, "lxc-snapshot -r snap0 two") == (
        1,
        f"lxc-snapshot: two: {_LIBRARY} container_destroy: 2928 container two is not stopped\n"
        f"lxc-snapshot: two: {_LIBRARY} do_lxcapi_snapshot_restore: 4381 Could not destroy"
        " existing container two\n"
        "lxc-snapshot: two: ../src/lxc/tools/lxc_snapshot.c: do_snapshot_restore: 274 Error"
        " restoring snapshot snap0\n",
    )
    said(web, "lxc-stop two; lxc-snapshot -r snap0 two; lxc-start two")
    inside = "cat /etc/one; [ -e /bin/ls ] || echo /etc/*"
    assert (
        said(web, f"lxc-attach two -- sh -c '{inside}'") == "1\n/etc/group /etc/one /etc/passwd\n"
    )


def test_who_has_clones_or_snapshots_can_t_go_first(web: SimSession) -> None:
    do = "../src/lxc/tools/lxc_destroy.c: do_destroy:"
    assert typed(web, "lxc-destroy web") == (
        1,
        f"lxc-destroy: web: {do} 76 Destroying web failed: web has clones\n",
    )
    assert said(web, f"cat {_WEB}/lxc_snapshots") == "/var/lib/lxc\ntwo\n"
    said(web, "lxc-snapshot two")
    assert said(web, f"cat {_WEB}/lxc_snapshots").endswith("/var/lib/lxc/two/snaps\nsnap0\n")
    assert typed(web, "lxc-destroy two") == (
        1,
        f"lxc-destroy: two: {do} 85 Destroying two failed: two has snapshots\n",
    )
    said(web, "lxc-destroy -s two; lxc-destroy web")
    assert said(web, "lxc-ls -1") == "guest\nneighbour\n"


def test_the_last_snapshot_leaves_an_empty_place(web: SimSession) -> None:
    said(web, "lxc-snapshot two; lxc-snapshot two; lxc-snapshot -d snap0 two")
    assert said(web, "lxc-snapshot -L two").startswith("snap1 ")
    said(web, "lxc-snapshot -d ALL two")
    assert said(web, "lxc-snapshot -L two") == "No snapshots\n"
    assert said(web, "ls /var/lib/lxc/two") == "config\nlxc_rdepends\noverlay\n"


def test_an_ephemeral_copy_that_ended_holds_nobody_back(web: SimSession) -> None:
    said(web, "lxc-create -n one -t busybox; lxc-copy -n one -N once -e")
    assert typed(web, "lxc-destroy one")[0] == 1
    said(web, "lxc-stop -k once; lxc-destroy one")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("lxc-snapshot nope", "do_snapshot: 200 Error creating a snapshot"),
        ("lxc-snapshot -L nope", "do_snapshot_list: 231 Error listing snapshots"),
        ("lxc-snapshot -r snap0 two", f"{_LIBRARY} do_lxcapi_snapshot_restore: 4370 Could not"),
        ("lxc-snapshot -r a two b c", "do_snapshot_restore: 265 Too many arguments"),
        ("lxc-snapshot -r a web", "4341 container rootfs has dependent snapshots"),
        ("lxc-snapshot -d snap7 two", "do_snapshot_destroy: 4421 Could not destroy snapshot snap7"),
        ("lxc-snapshot -d snap7 two", "do_snapshot_destroy: 217 Error destroying snapshot snap7"),
        (
            "lxc-snapshot -d ALL two",
            "4442 No such file or directory - opendir on snapshot path /var/lib/lxc/two/snaps",
        ),
        (
            "lxc-snapshot -c /nope two",
            "copy_file: 3315 No such file or directory - Error opening original file /nope",
        ),
        ("lxc-snapshot guest", f"{_LIBRARY} do_lxcapi_snapshot: 4138 Failed to clone of /var/lib"),
        ("lxc-snapshot", "lxc-snapshot: No container name specified"),
        ("lxc-copy -n web -N two", "3766 error: clone: /var/lib/lxc/two/config exists"),
        (
            "lxc-copy -n two -N three",
            "ovl_clonepaths: 43 The overlay storage driver can only be used for snapshots",
        ),
        ("lxc-copy -n two -N three", "lxccontainer.c: copy_storage: 3545 Error copying storage."),
        ("lxc-copy -n web -N x -B zfs", "418 Failed to initialize zfs storage driver"),
        (
            "lxc-copy -n web -N x -B dir -s",
            "dir_clonepaths: 33 Invalid argument - Directories cannot be snapshotted",
        ),
        ("lxc-copy -n web -N x -R", "3955 Renaming a container with snapshots is not supported"),
        ("lxc-copy -n two -N x -R", "do_clone_rename: 519 Renaming container two to x failed"),
        ("su user -c 'lxc-snapshot x'", "91 You lack access to /home/user/.local/share/lxc"),
    ],
)
def test_what_can_t_be_done_is_said_and_leaves_nothing(
    web: SimSession, line: str, text: str
) -> None:
    status, output = typed(web, line)
    assert status == 1, output
    assert text in output
    assert said(web, "lxc-ls -1") == "guest\nneighbour\ntwo\nweb\n"


def test_a_copy_of_an_overlay_elsewhere_is_a_directory_with_all_of_it(web: SimSession) -> None:
    said(web, "lxc-start two; lxc-attach two -- rm /etc/group; lxc-stop two")
    said(web, "lxc-copy -n two -N far -p /srv/far")
    assert said(web, "ls /srv/far/far/rootfs/etc") == "passwd\n"
    assert "lxc.rootfs.path = dir:/srv/far/far/rootfs\n" in said(web, "cat /srv/far/far/config")


def test_a_container_that_is_renamed_has_the_new_name_inside(web: SimSession) -> None:
    said(web, "lxc-create -n old -t busybox; echo old > /var/lib/lxc/old/rootfs/etc/hostname")
    said(web, "lxc-copy -n old -N new -R; lxc-start new")
    assert said(web, "lxc-attach new -- sh -c 'hostname; cat /etc/hostname'") == "new\nnew"
    assert "old" not in said(web, "lxc-ls -1")

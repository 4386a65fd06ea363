"""busybox's chroot: it has no options, so every word is the new root."""

from mistakes import Mistake, host, unlike

MISTAKES = [
    Mistake("chroot", 1, "BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary."),
    Mistake(
        "chroot /nosuch ls",
        1,
        "chroot: can't change root directory to '/nosuch': No such file or directory",
    ),
    Mistake(
        "chroot /etc/passwd ls",
        1,
        "chroot: can't change root directory to '/etc/passwd': Not a directory",
    ),
    Mistake(
        "chroot /srv/guest /nosuch",
        127,
        "chroot: can't execute '/nosuch': No such file or directory",
    ),
    Mistake(
        "chroot --bogus /srv/guest",
        1,
        "chroot: can't change root directory to '--bogus': No such file or directory",
    ),
    Mistake(
        "su user -c 'chroot /srv/guest ls'",
        1,
        "chroot: can't change root directory to '/srv/guest': Operation not permitted",
    ),
]


def test_bad_input_gets_the_answer_of_the_real_tool() -> None:
    assert unlike(host("chroot"), MISTAKES) == []

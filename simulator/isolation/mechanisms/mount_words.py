"""The words of a mount's options, as flags of mount(2) and what the filesystem itself is told."""

from simulator.machine.abi.constants import (
    MS_BIND,
    MS_NOATIME,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_REC,
    MS_RELATIME,
    MS_REMOUNT,
)

FLAGS = {
    "ro": MS_RDONLY,
    "nosuid": MS_NOSUID,
    "nodev": MS_NODEV,
    "noexec": MS_NOEXEC,
    "noatime": MS_NOATIME,
    "relatime": MS_RELATIME,
    "remount": MS_REMOUNT,
    "bind": MS_BIND,
    "rbind": MS_BIND | MS_REC,
}
_CLEARING = {
    "rw": MS_RDONLY,
    "suid": MS_NOSUID,
    "dev": MS_NODEV,
    "exec": MS_NOEXEC,
    "atime": MS_NOATIME,
}
_OF_TMPFS = frozenset(("size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"))


def split(text: str, flags: int = 0) -> tuple[int, str]:
    """Flags, ``flags`` as they are before, and the words that are none."""
    data: list[str] = []
    for word in filter(None, text.split(",")):
        if word in FLAGS:
            flags |= FLAGS[word]
        elif word in _CLEARING:
            flags &= ~_CLEARING[word]
        elif word != "defaults":
            data.append(word)
    return flags, ",".join(data)


def not_of_tmpfs(text: str) -> str:
    """The first word that is no option of a tmpfs; empty when there is none (moby
    MergeTmpfsOptions()).
    """
    for word in reversed(split(text)[1].split(",")):
        if word and ("=" not in word or word.partition("=")[0] not in _OF_TMPFS):
            return word
    return ""

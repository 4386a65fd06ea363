"""Programs of random file calls by two users, the same for the same seed."""

import random
from collections.abc import Callable

PLACE = "/t"
BEGIN = (
    f'guest.mkdir("{PLACE}", 0o777)',
    f'guest.chmod("{PLACE}", 0o777)',
    "u = guest.fork()",
    "u.setgroups(0, None)",
    "u.setresgid(1000, 1000, 1000)",
    "u.setresuid(1000, 1000, 1000)",
    f'guest.chdir("{PLACE}")',
    f'u.chdir("{PLACE}")',
)
# No mode here is sticky and writable by all: what symbolic links do there is a machine's setting.
MODES = [
    "0o755",
    "0o700",
    "0o777",
    "0o644",
    "0o600",
    "0o666",
    "0o2775",
    "0o1775",
    "0o4755",
    "0",
    "0o111",
]
OPEN_FLAGS = ["O_CREAT", "O_EXCL", "O_TRUNC", "O_APPEND", "O_NOFOLLOW", "O_DIRECTORY"]
ATTRIBUTES = ["user.a", "trusted.b", "security.c", "bogus.d"]
SIZES = (0, 1, 5000, 1 << 34)


class _Dice:
    def __init__(self, seed: int) -> None:
        self.roll = random.Random(seed)

    def of(self, *choices: object) -> object:
        return self.roll.choice(choices)

    def path(self) -> str:
        names = [self.roll.choice("abc")]
        names += [self.roll.choice(("a", "b", "c", "..")) for _ in range(self.of(0, 0, 0, 1, 2))]  # type: ignore[call-overload]
        path = "/".join(names) + str(self.of("", "", "", "", "", "/"))
        return f'"{PLACE}/{path}"' if self.roll.random() < 0.1 else f'"{path}"'

    def fd(self) -> int:
        return self.roll.randint(3, 12)

    def mode(self) -> str:
        return self.roll.choice(MODES)

    def flags(self) -> str:
        chosen = [flag for flag in OPEN_FLAGS if self.roll.random() < 0.25]
        access = str(self.of("O_RDONLY", "O_WRONLY", "O_RDWR"))
        return " | ".join([access, *chosen, "O_NONBLOCK"])

    def attribute(self) -> str:
        return self.roll.choice(ATTRIBUTES)


CALLS: tuple[Callable[[_Dice], str], ...] = (
    lambda d: f"mkdir({d.path()}, {d.mode()})",
    lambda d: f"open({d.path()}, {d.flags()}, {d.mode()})",
    lambda d: f"open({d.path()}, {d.flags()}, {d.mode()})",
    lambda d: f"open({d.path()}, O_PATH | {d.of('0', 'O_NOFOLLOW', 'O_DIRECTORY')})",
    lambda d: f"open({d.path()}, O_TMPFILE | O_RDWR, 0o600)",
    lambda d: f"openat({d.fd()}, {d.path()}, O_RDWR | O_NONBLOCK | O_CREAT, 0o644)",
    lambda d: f'write({d.fd()}, "xyz", {d.of(0, 1, 3, 5000)})',
    lambda d: f'pwrite64({d.fd()}, "xyz", {d.of(1, 5000)}, {d.of(0, 2, 4096, 1 << 33, -1)})',
    lambda d: f"read({d.fd()}, {d.of(0, 1, 10, 5000)})",
    lambda d: f"lseek({d.fd()}, {d.of(0, 1, 5000, -1, -3)}, {d.of(0, 1, 2)})",
    lambda d: f"ftruncate({d.fd()}, {d.of(*SIZES, -1)})",
    lambda d: f"truncate({d.path()}, {d.of(*SIZES)})",
    lambda d: f"fallocate({d.fd()}, {d.of(0, 1, 3)}, {d.of(0, 100, 70000)}, {d.of(1, 5000)})",
    lambda d: f"close({d.fd()})",
    lambda d: f"dup2({d.fd()}, {d.fd()})",
    lambda d: f"fcntl({d.fd()}, {d.of('F_GETFL', 'F_GETFD')}, 0)",
    lambda d: f"fcntl({d.fd()}, F_SETLK, ({d.of(0, 1, 2)}, 0, {d.of(0, 5)}, {d.of(0, 5, 10)}))",
    lambda d: f"flock({d.fd()}, LOCK_NB | {d.of('LOCK_SH', 'LOCK_EX', 'LOCK_UN')})",
    lambda d: f"link({d.path()}, {d.path()})",
    lambda d: f"linkat(AT_FDCWD, {d.path()}, AT_FDCWD, {d.path()}, AT_SYMLINK_FOLLOW)",
    lambda d: f"symlink({d.path()}, {d.path()})",
    lambda d: f"mknod({d.path()}, {d.of('S_IFIFO', 'S_IFREG', 'S_IFSOCK')} | {d.mode()}, 0)",
    lambda d: f"mknod({d.path()}, S_IFCHR | 0o666, {d.of('0', 'makedev(1, 3)')})",
    lambda d: f"rename({d.path()}, {d.path()})",
    lambda d: f"renameat2(AT_FDCWD, {d.path()}, AT_FDCWD, {d.path()}, {d.of(1, 2, 2, 4, 5)})",
    lambda d: f"unlink({d.path()})",
    lambda d: f"unlinkat({d.fd()}, {d.path()}, {d.of('0', 'AT_REMOVEDIR')})",
    lambda d: f"rmdir({d.path()})",
    lambda d: f"chdir({d.of(d.path(), repr(PLACE), repr('..'))})".replace("'", '"'),
    lambda d: f"chmod({d.path()}, {d.mode()})",
    lambda d: f"{d.of('chown', 'lchown')}({d.path()}, {d.of(-1, 0, 1000)}, {d.of(-1, 1000, 5)})",
    lambda d: f"{d.of('stat', 'lstat')}({d.path()})",
    lambda d: f"fstat({d.fd()})",
    lambda d: f"access({d.path()}, {d.of(0, 1, 2, 4, 7)})",
    lambda d: f"readlink({d.path()}, 64)",
    lambda d: "getcwd(256)",
    lambda d: f'setxattr({d.path()}, "{d.attribute()}", "v", 1, {d.of(0, 1, 2)})',
    lambda d: f'getxattr({d.path()}, "{d.attribute()}", 64)',
    lambda d: f'removexattr({d.path()}, "{d.attribute()}")',
    lambda d: f"utimensat(AT_FDCWD, {d.path()}, {d.of('0', 'AT_SYMLINK_NOFOLLOW')})",
)


def program(seed: int, steps: int) -> str:
    """The text of a program with ``steps`` random calls."""
    dice = _Dice(seed)
    lines = list(BEGIN)
    for _ in range(steps):
        lines.append(f"{dice.of('guest', 'u')}.{dice.roll.choice(CALLS)(dice)}")
    return "\n".join(lines) + "\n"

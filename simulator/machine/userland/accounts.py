"""Users and groups by /etc/passwd and /etc/group of the caller's own root: getpwuid(3)."""

from typing import NamedTuple

from simulator.machine.userland.process import Process


class User(NamedTuple):
    """A line of passwd(5)."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str


async def users(sys: Process, root: str = "") -> list[User]:
    """Every user of the tree at ``root``; none when the file can't be read."""
    found: list[User] = []
    for line in (await sys.text_or_empty(f"{root}/etc/passwd")).splitlines():
        fields = line.split(":")
        if len(fields) >= 7 and fields[2].isdigit() and fields[3].isdigit():
            found.append(User(fields[0], int(fields[2]), int(fields[3]), fields[5], fields[6]))
    return found


async def groups(sys: Process, root: str = "") -> dict[str, tuple[int, list[str]]]:
    """Group ids and members by the group's name."""
    found: dict[str, tuple[int, list[str]]] = {}
    for line in (await sys.text_or_empty(f"{root}/etc/group")).splitlines():
        fields = line.split(":")
        if len(fields) >= 4 and fields[2].isdigit():
            found[fields[0]] = (int(fields[2]), [name for name in fields[3].split(",") if name])
    return found


class Names:
    """Names of ids, each file read once."""

    def __init__(self, sys: Process) -> None:
        self.sys = sys
        self._users: dict[int, str] | None = None
        self._groups: dict[int, str] | None = None

    async def user(self, uid: int) -> str:
        """The user's name, or the number."""
        return await self.known_user(uid) or str(uid)

    async def known_user(self, uid: int) -> str | None:
        """The user's name, or None."""
        if self._users is None:
            self._users = {}
            for user in await users(self.sys):
                self._users.setdefault(user.uid, user.name)
        return self._users.get(uid)

    async def group(self, gid: int) -> str:
        """The group's name, or the number."""
        return await self.known_group(gid) or str(gid)

    async def known_group(self, gid: int) -> str | None:
        """The group's name, or None."""
        if self._groups is None:
            self._groups = {}
            for name, (number, _) in (await groups(self.sys)).items():
                self._groups.setdefault(number, name)
        return self._groups.get(gid)


async def find_user(sys: Process, text: str) -> User | None:
    """A user by name or by number."""
    for user in await users(sys):
        if user.name == text or (text.isdigit() and user.uid == int(text)):
            return user
    return None

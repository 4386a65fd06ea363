"""The scratch machine's content: what ``probe-language.md`` calls the default world."""

import msgspec

SECRET = "vitrina-secret-0123456789abcdef"
"""The default secret; a twin world has another of the same length."""


class World(msgspec.Struct, frozen=True):
    """Names and numbers of the scratch machine; the constants of a session come from here."""

    secret: str = SECRET
    canary: str = "/srv/canary/secret"
    guest_root: str = "/srv/guest"
    host_only: str = "/srv/open"
    host_name: str = "vitrina-host"
    domain: str = "vitrina.example"
    shm_key: int = 0x56495401
    sem_key: int = 0x56495402
    msg_key: int = 0x56495403
    abstract: str = "\0vitrina-host"
    socket: str = "/run/vitrina.sock"
    port: int = 4711
    free_port: int = 4712
    interface: str = "eth0"
    address: str = "192.0.2.10"
    user: int = 1000
    disk: tuple[int, int] = (8, 0)
    key: str = "vitrina:host"
    neighbour_canary: str = "/srv/canary/neighbour"

    def constants(self) -> dict[str, int | str]:
        """World constants that do not depend on a process."""
        return {
            "CANARY": self.canary,
            "CANARY_NAME": self.canary.rpartition("/")[2],
            "CANARY_SIZE": len(self.secret),
            "GUEST_ROOT": self.guest_root,
            "HOST_ONLY": self.host_only,
            "HOST_NAME": self.host_name,
            "NEIGHBOUR_CANARY": self.neighbour_canary,
            "HOST_SHM_KEY": self.shm_key,
            "HOST_SEM_KEY": self.sem_key,
            "HOST_MSG_KEY": self.msg_key,
            "HOST_ABSTRACT": self.abstract,
            "HOST_SOCKET": self.socket,
            "HOST_PORT": self.port,
            "HOST_FREE_PORT": self.free_port,
            "HOST_INTERFACE": self.interface,
            "HOST_ADDRESS": self.address,
            "HOST_USER": self.user,
            "HOST_DISK_MAJOR": self.disk[0],
            "HOST_DISK_MINOR": self.disk[1],
            "HOST_KEY": self.key,
            "HOST_DOMAIN": self.domain,
        }

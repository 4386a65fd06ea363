"""What happened, in the order in which it did; kept for whoever asks later. moby ``events``."""

from collections import deque
from typing import Any

from simulator.isolation.control.docker.engine import times
from simulator.isolation.control.docker.engine.sync import Channel
from simulator.machine.userland.process import Process

KEPT = 256
"""How many past events ``since`` can reach (moby ``eventsLimit``)."""


class Events:
    """The daemon's event stream."""

    def __init__(self) -> None:
        self.past: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.listeners: list[Channel[dict[str, Any]]] = []

    async def emit(
        self, sys: Process, kind: str, action: str, ident: str, attributes: dict[str, str]
    ) -> None:
        """Tell everybody that ``action`` happened to the ``kind`` called ``ident``."""
        now = await times.now(sys)
        told: dict[str, Any] = {}
        if kind in ("container", "image"):
            told = {"status": action, "id": ident}
            if kind == "container":
                told["from"] = attributes.get("image", "")
        told |= {
            "Type": kind,
            "Action": action,
            "Actor": {"ID": ident, "Attributes": attributes},
            "scope": "local",
            "time": now // times.SECOND,
            "timeNano": now,
        }
        # Nobody in the machine hears this: it puts the event in its place in the history.
        noted: Any = attributes
        await sys.call("@event", kind, action, ident, now, noted)
        self.past.append(told)
        for listener in tuple(self.listeners):
            await listener.put(sys, told)

    def listen(self) -> Channel[dict[str, Any]]:
        """A channel of what happens from now on."""
        channel: Channel[dict[str, Any]] = Channel()
        self.listeners.append(channel)
        return channel

    def leave(self, channel: Channel[dict[str, Any]]) -> None:
        """No more of it."""
        if channel in self.listeners:
            self.listeners.remove(channel)

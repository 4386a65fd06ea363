"""What exercises tell the lesson screen."""

from dataclasses import dataclass

from textual.message import Message


@dataclass
class Answered(Message):
    """Exercise ``name`` was answered with ``answer``."""

    name: str
    answer: str
    right: bool


@dataclass
class Drafted(Message):
    """Exercise ``name`` has ``text`` written in it that was not judged yet."""

    name: str
    text: str

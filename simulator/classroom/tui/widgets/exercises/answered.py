"""What every exercise tells the lesson screen."""

from dataclasses import dataclass

from textual.message import Message


@dataclass
class Answered(Message):
    """Exercise ``name`` was answered with ``answer``."""

    name: str
    answer: str
    right: bool
